# SPDX-License-Identifier: BSD-2-Clause
"""Images in archives: whatever they lie in, the same pixels train to the same model as the folder of them, with the same
labels; and what is wrong with an archive is said with its name and place."""
import io
import json
import os
import pickle
import random
import shutil
import signal
import struct
import subprocess
import tarfile
import time
import zipfile

from rig import PROGRAM, faces, main, maskdm, npy, png_file, read, same, webp_file, write

SMALL = "--network uvit --mask block --image-size 16 --patch-size 4 --dim 16 --depth 1 --heads 1 --batch-size 2 --threads 1".split()
NAMES = ("b", "a", "a-b")


def train(out, data, *more, steps=20, **expected):
    return maskdm("pretrain", "--data", data, "--out", out, *SMALL, "--steps", steps, *more, **expected)


def folder(path, names=NAMES):
    """A few images of each label, and some that have none."""
    for k, name in enumerate(names):
        faces(os.path.join(path, name), 4, 16, k)
    faces(path, 3, 16, 9)


def files(path):
    """Names below a folder, as a walk over it gives them, which is in no order."""
    return [os.path.relpath(os.path.join(where, n), path) for where, _, names in os.walk(path) for n in names]


def tar(out, path, format=tarfile.GNU_FORMAT, around=""):
    with tarfile.open(out, "w", format=format) as t:
        for name in files(path):
            t.add(os.path.join(path, name), around + name)


def pixels(side, seed, channels=3, bits=8):
    """Samples of a smooth picture and some noise, row by row; those of 16 bits with the high byte first."""
    r = random.Random(seed)
    a, b, c = r.random(), r.random(), r.randrange(256)
    top = 256 if bits == 8 else 65536
    values = [int(top * (a * x / side + b * y / side + 0.1 * k + 0.05 * r.random()) + c) % top
              for y in range(side) for x in range(side) for k in range(channels)]
    return b"".join(v.to_bytes(bits // 8, "big") for v in values)


def png(path, side, data, channels=3, bits=8):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    row = side * channels * bits // 8
    rows = (data[i:i + row] for i in range(0, len(data), row))
    write(path, png_file(side, side, rows, {1: 0, 2: 4, 3: 2, 4: 6}[channels], bits))


def planes(data, channels=3):
    return b"".join(data[k::channels] for k in range(channels))


def alike(a, b, lists=True):
    """Two runs came to the same model; with the same names in both, their lists of data are the same as well."""
    same(a + "/model.safetensors", b + "/model.safetensors")
    if lists:
        same(a + "/data.json", b + "/data.json")
        same(a + "/checkpoint-20.safetensors", b + "/checkpoint-20.safetensors")


def check_tar():
    folder("d")
    train("run", "d", "--classes", 3)
    for k, (form, around) in enumerate(((tarfile.GNU_FORMAT, ""), (tarfile.PAX_FORMAT, "./"), (tarfile.USTAR_FORMAT, "d/"))):
        tar("d.tar", "d", form, around)
        out = "tar%d" % k
        train(out, "d.tar", "--classes", 3, "--loaders", k, "--cache-limit", (k % 2) << 20, says=["found 15 images in d.tar, 3 labels (a, a-b, b)"])
        alike("run", out)
    # One goes on with what the other has begun.
    train("half", "d", "--classes", 3, steps=10)
    train("half", "d.tar", "--classes", 3, "--resume")
    alike("run", "half")


def check_web_data_set():
    """NAME.png, NAME.cls, NAME.json; the labels of folders 0 to 2."""
    folder("d", "012")
    train("run", "d", "--classes", 3)
    for labels in (".cls", ".json"):
        with tarfile.open("w.tar", "w") as t:
            for name in files("d"):
                t.add("d/" + name, name)
                if "/" in name:
                    text = name[0] + "\n" if labels == ".cls" else json.dumps({"caption": "a face", "label": int(name[0])})
                    info = tarfile.TarInfo(name[:-4] + labels)
                    info.size = len(text)
                    t.addfile(info, io.BytesIO(text.encode()))
        train("w" + labels, "w.tar", "--classes", 3, says=["found 15 images in w.tar, 3 labels (0, 1, 2)"])
        alike("run", "w" + labels)


def check_zip():
    """Stored and deflated, with folders among its entries, in a folder of its own, and with EDM's list of labels."""
    folder("d")
    train("run", "d", "--classes", 3)
    for k, (method, around) in enumerate(((zipfile.ZIP_STORED, ""), (zipfile.ZIP_DEFLATED, "set/"))):
        with zipfile.ZipFile("d.zip", "w", method) as z:
            for name in ([around] if around else []) + [around + "a/", around + "b/"]:
                z.writestr(zipfile.ZipInfo(name), b"")
            for name in files("d"):
                z.write("d/" + name, around + name)
        out = "zip%d" % k
        train(out, "d.zip", "--classes", 3, "--loaders", k, says=["found 15 images in d.zip, 3 labels (a, a-b, b)"])
        alike("run", out)
    folder("e", "012")
    train("e-run", "e", "--classes", 3)
    with zipfile.ZipFile("e.zip", "w") as z:
        for name in files("e"):
            z.write("e/" + name, name)
        z.writestr("dataset.json", json.dumps({"labels": [[n, int(n[0])] for n in files("e") if "/" in n]}))
    train("edm", "e.zip", "--classes", 3)
    alike("e-run", "edm")
    with zipfile.ZipFile("e.zip", "a") as z:
        z.writestr("more.txt", "x")
    for labels, says in (([["0/face-00000.png", 1], ["0/none.png", 2], ["1/gone.png", 0]], "e2.zip has labels for 3 images, of which 2 are not there, the first 0/none.png"),
                         ([["0/face-00000.png", [1, 0]]], "e2.zip/dataset.json: the label of \"0/face-00000.png\" is no number"),
                         ({"x": 1}, "e2.zip/dataset.json: \"labels\" is neither a list nor null")):
        with zipfile.ZipFile("e2.zip", "w") as z:
            z.write("e/0/face-00000.png", "0/face-00000.png")
            z.writestr("dataset.json", json.dumps({"labels": labels}))
        train("no", "e2.zip", status=1, says=[says])
    with zipfile.ZipFile("e2.zip", "w") as z:
        z.write("e/0/face-00000.png", "../face-00000.png")
    train("no", "e2.zip", status=1, says=["e2.zip: an entry has the impossible name \"../face-00000.png\""])
    write("e2.zip", read("e.zip")[:-1])
    train("no", "e2.zip", status=1, says=["e2.zip: the zip archive's end record is not at the end of the file, which is cut"])
    with zipfile.ZipFile("e2.zip", "w") as z:
        for name in files("e"):
            z.write("e/" + name, name)
    data = bytearray(read("e2.zip"))
    at = data.index(b"\x89PNG") + 60
    data[at] ^= 1
    write("e2.zip", data)
    train("flipped", "e2.zip", "--classes", 3, says=["left out: e2.zip/", "the entry is damaged: its checksum is"])


def check_arrays():
    """.npy and .npz as NumPy writes them; channels last and first, 8 and 16 bits, grey, labels; fitted as files are."""
    images = [pixels(16, k) for k in range(6)]
    labels = [k % 3 for k in range(6)]
    for k in range(6):
        png("d/%d.png" % k, 16, images[k])
        png("e/%d/%d.png" % (labels[k], k), 16, images[k])
    train("d-run", "d")
    train("e-run", "e", "--classes", 3)
    write("d.npy", npy(b"".join(images), (6, 16, 16, 3)))
    train("npy", "d.npy", says=["found 6 images in d.npy, without labels"])
    alike("d-run", "npy", lists=False)
    write("first.npy", npy(b"".join(map(planes, images)), (6, 3, 16, 16)))
    train("first", "first.npy", "--cache-limit", 0, "--loaders", 0)
    alike("d-run", "first", lists=False)
    for name, method in (("s.npz", zipfile.ZIP_STORED), ("c.npz", zipfile.ZIP_DEFLATED)):
        with zipfile.ZipFile(name, "w", method) as z:
            z.writestr("arr_0.npy", npy(b"".join(images), (6, 16, 16, 3)))
            z.writestr("arr_1.npy", npy(struct.pack("<6q", *labels), (6,), "<i8"))
        train(name + "-run", name, "--classes", 3, says=["found 6 images in %s, 3 labels (0, 1, 2)" % name])
        alike("e-run", name + "-run", lists=False)
    deep = [pixels(24, k, 1, 16) for k in range(3)]
    for k in range(3):
        png("g/%d.png" % k, 24, deep[k], 1, 16)
    write("g.npy", npy(b"".join(bytes(b for i in range(0, len(d), 2) for b in (d[i + 1], d[i])) for d in deep), (3, 24, 24), "<u2"))
    train("g-run", "g")
    train("g-npy", "g.npy")
    alike("g-run", "g-npy", lists=False)
    for data, says in ((npy(bytes(24), (6,), "<f4"), "x.npy: it holds no array of images, which are U8 or U16"),
                       (npy(bytes(6 * 16 * 16 * 5), (6, 16, 16, 5)), "x.npy: array arr_0 of 6 x 16 x 16 x 5 has 1 to 4 channels in no place"),
                       (npy(b"".join(images), (6, 16, 16, 3))[:-1], "x.npy, a NumPy array: an array of U8 that should take 4608 bytes has 4607")):
        write("x.npy", data)
        train("no", "x.npy", status=1, says=[says])
    with zipfile.ZipFile("x.npz", "w") as z:
        z.writestr("images.npy", npy(b"".join(images), (6, 16, 16, 3)))
        z.writestr("labels.npy", npy(bytes(5), (5,)))
    train("no", "x.npz", status=1, says=["x.npz: 5 labels in array labels for 6 images"])


def check_webp():
    """In folders and archives as PNG are; broken ones and animations are named."""
    if not os.environ["MASKDM_HAVE_WEBP"]:
        return
    for channels in (3, 4):
        d, e = "d%d" % channels, "e%d" % channels
        for k in range(6):
            samples = pixels(18, k, channels)
            png("%s/%s/%d.png" % (d, "ab"[k % 2], k), 18, samples, channels)
            os.makedirs("%s/%s" % (e, "ab"[k % 2]), exist_ok=True)
            write("%s/%s/%d.webp" % (e, "ab"[k % 2], k), webp_file(18, 18, samples, channels))
        tar(e + ".tar", e)
        train(d + "-run", d, "--classes", 2)
        for name, more in ((e, ()), (e + ".tar", ("--loaders", 2, "--cache-limit", 0))):
            train(name + "-run", name, "--classes", 2, *more, says=["found 6 images", "2 labels (a, b)"])
            alike(d + "-run", name + "-run", lists=False)
    assert json.loads(read("e4-run/options.json"))["channels"] == 4
    whole = read("e3/a/0.webp")
    write("e3/a/cut.webp", whole[:700])
    moving = b"VP8X" + struct.pack("<IIHBHB", 10, 2, 17, 0, 17, 0) + b"ANIM" + struct.pack("<IIH", 6, 0, 0) + whole[12:]
    write("e3/a/moving.webp", b"RIFF" + struct.pack("<I", 4 + len(moving)) + b"WEBP" + moving)
    write("e3/b/1.png", read("e3/b/1.webp"))  # told apart by its bytes, whatever the name says
    os.remove("e3/b/1.webp")
    train("odd", "e3", "--classes", 2, says=["left out: e3/a/cut.webp: WebP: the file ends early",
                                             "left out: e3/a/moving.webp: WebP: an animation, only still pictures are read"])
    alike("e3-run", "odd", lists=False)


def make_lmdb(out, *pairs):
    """An environment of keys and the files whose bytes are their values."""
    subprocess.run([os.environ["MASKDM_MAKE_LMDB"], out, *(str(word) for pair in pairs for word in pair)], check=True)


def check_lmdb():
    """LSUN's form and others; what is no environment, or a part of one."""
    if "MASKDM_MAKE_LMDB" not in os.environ:
        return
    folder("d")
    train("run", "d", "--classes", 3)
    os.mkdir("l")
    make_lmdb("l", *((name, "d/" + name) for name in files("d")))
    os.remove("l/lock.mdb")
    for out, data, more in (("l-run", "l", ("--loaders", 2, "--cache-limit", 0)), ("l-file", "l/data.mdb", ())):
        train(out, data, "--classes", 3, *more, says=["found 15 images in %s, 3 labels (a, a-b, b)" % data])
        alike("run", out)
    assert os.listdir("l") == ["data.mdb"]  # nothing was written
    make_lmdb("m.", *((name, "d/" + name) for name in files("d")))
    train("half", "d", "--classes", 3, steps=10)
    train("half", "m", "--classes", 3, "--resume")
    alike("run", "half")
    # Keys as LSUN's are, of integers, and values that are no images.
    write("text", b"70000")
    names = sorted(files("d"))
    os.mkdir("n")
    make_lmdb("n", ("length", "text"), ("#7", "d/" + names[0]), ("/x", "d/" + names[1]), *(("%040x" % k, "d/" + n) for k, n in enumerate(names)))
    train("n-run", "n", says=["found 18 images in n, without labels", "left out: n/length: neither PNG, JPEG nor WebP, but text"])
    listed = read("n-run/data.json").decode()
    assert '"0x07000000"' in listed and '"0x2f78"' in listed and '"%040x"' % 0 in listed, listed
    whole = read("l/data.mdb")
    for data, says in ((whole[:len(whole) // 2], "cut, an LMDB environment, is cut: it has %d bytes, and its pages end at %d" % (len(whole) // 2, len(whole))),
                       (whole[:20] + b"\2" + whole[21:], "cut/data.mdb is an LMDB environment of format 2; format 1 is read"),
                       (b"text" * 20, "cut/data.mdb is no LMDB environment of this kind of machine: its mark is 74786574, not beefc0de"),
                       (b"", "cut/data.mdb is no LMDB environment: it has 0 bytes"),
                       (whole[:100], "cut, an LMDB environment: ")):
        os.makedirs("cut", exist_ok=True)
        write("cut/data.mdb", data)
        train("no", "cut", status=1, says=[says])
    os.mkdir("empty")
    make_lmdb("empty")
    train("no", "empty", status=1, says=["no PNG, JPEG or WebP file below \"empty\""])
    assert not os.path.exists("no")


def check_mixture():
    """Several sources with weights: labels of one name are one, resume goes on, other weights are other data."""
    folder("m/d", ("a", "b"))
    folder("e", ("b", "c"))
    tar("m/e.tar", "e")
    mixture = lambda *sources: write("m/mix.json", json.dumps({"sources": sources}).encode())
    mixture({"data": "d", "weight": 3}, {"data": "e.tar"})
    train("run", "m/mix.json", "--classes", 3, says=["source 1: 11 images in m/d, weight 3", "source 2: 11 images in m/e.tar, weight 1",
                                                     "found 22 images in m/mix.json, 3 labels (a, b, c)"])
    assert json.loads(read("run/data.json"))["weights"] == [3, 1]
    train("half", "m/mix.json", "--classes", 3, "--loaders", 2, "--cache-limit", 0, steps=10)
    train("half", "m/mix.json", "--classes", 3, "--resume")
    alike("run", "half")
    mixture({"data": "d", "weight": 2}, {"data": "e.tar"})
    train("run", "m/mix.json", "--classes", 3, "--resume", status=1, steps=22, says=["source 1 had weight 3 and has 2"])
    train("plain", "m/d", "--classes", 2)
    mixture({"data": "d"})  # of one source it is that source
    train("one", "m/mix.json", "--classes", 2)
    alike("plain", "one", lists=False)
    arrays = [pixels(16, k) for k in range(6)]
    write("m/x.npy", npy(b"".join(arrays), (6, 16, 16, 3)))
    mixture({"data": "d"}, {"data": os.path.abspath("m/x.npy")})
    train("arrays", "m/mix.json", "--val-share", 0.3, says=["source 2: 6 images in /"])
    maskdm("data", "m/mix.json", says=["source 2: 6 images in /"])
    for text, says in (('{"sources": []}', "m/mix.json: it is no list of sources"), ("[1]", "m/mix.json: it is no list of sources"),
                       ('{"sources": [{"data": "d", "weight": 0}]}', 'm/mix.json: source 1: "weight" is 0, and is a whole number of 1 to 1000'),
                       ('{"sources": [{"data": "d", "weight": "2"}]}', 'm/mix.json: source 1: "weight" is no number'),
                       ('{"sources": [{"data": "d"}, {"weight": 2}]}', 'm/mix.json: source 2 has no "data"'),
                       ('{"sources": [{"data": "d", "weight": 999}, {"data": "e.tar", "weight": 2}]}', "m/mix.json: the weights of 2 sources add up to 1001, and to 1000 at most"),
                       ('{"sources": [{"path": "d"}]}', 'm/mix.json: source 1 has "path", and knows "data", "weight", "labels" and "attribute"'),
                       ('{"sources": [{"data": "none"}]}', "m/mix.json: cannot find m/none: No such file or directory"),
                       ('{"sources": [{"data": "mix.json"}]}', "m/mix.json: m/mix.json is JSON text, and no folder or archive")):
        write("m/mix.json", text.encode())
        train("no", "m/mix.json", status=1, says=[says])
    assert not os.path.exists("no")


def check_mixture_labels():
    """A source has a file of labels of its own: it trains as the same images in folders of those names do."""
    for name, label in (("0", 0), ("1", 1), ("2", 2)):
        faces("plain/" + name, 4, 16, label)
    faces("other/1", 4, 16, 5)
    os.makedirs("m/flat")
    tar("m/other.tar", "other")
    rows = []
    for k, name in enumerate(sorted(files("plain"))):
        shutil.copyfile(os.path.join("plain", name), "m/flat/%02d.png" % k)
        rows.append((k, int(name.split("/")[0])))
    mixture = lambda path, *sources: write(path, json.dumps({"sources": sources}).encode())
    write("m/numbers.txt", "".join("%02d.png %d\n" % row for row in rows).encode())
    mixture("m/mix.json", {"data": "flat", "labels": "numbers.txt"}, {"data": "other.tar", "weight": 2})
    mixture("plain.json", {"data": "plain"}, {"data": "m/other.tar", "weight": 2})
    train("run", "m/mix.json", "--classes", 3, says=["found 16 images in m/mix.json, 3 labels (0, 1, 2)"])
    train("want", "plain.json", "--classes", 3)
    same("run/model.safetensors", "want/model.safetensors")
    write("m/table.csv", ("name,Even,First\n" + "".join("%02d.png,%d,%d\n" % (k, 1 - 2 * (k % 2), 1 if k == 0 else -1) for k, _ in rows)).encode())
    mixture("m/mix.json", {"data": "flat", "labels": "table.csv", "attribute": "Even"}, {"data": "other.tar"})
    train("even", "m/mix.json", "--classes", 2, says=["16 images in m/mix.json, 2 labels (0, 1)"])
    for source, says in (({"data": "flat", "labels": "none"}, "m/mix.json: cannot find m/none: No such file or directory"),
                         ({"data": "flat", "attribute": "Even"}, 'm/mix.json: source 1 has "attribute", which goes with "labels"'),
                         ({"data": "flat", "labels": "table.csv", "attribute": "Odd"}, 'm/mix.json: m/table.csv: "attribute" "Odd" is none of its 2 attributes: Even, First'),
                         ({"data": "other.tar", "labels": "numbers.txt"}, "m/mix.json: m/numbers.txt: it has labels for 12 images, the first 00.png, and m/other.tar has 4 others, the first 1/"),
                         ({"data": "flat", "labels": 3}, "m/mix.json: ")):
        mixture("m/mix.json", source)
        train("no", "m/mix.json", status=1, says=[says])
    assert not os.path.exists("no")


CIFAR10 = "airplane automobile bird cat deer dog frog horse ship truck".split()


class Protocol2:
    """A pickle as Python 2 wrote it, which no Python writes today: texts and bytes are one."""

    def __init__(self):
        self.out, self.memo = b"\x80\2", 0

    def put(self):
        self.out += b"q" + bytes([self.memo]) if self.memo < 256 else b"r" + struct.pack("<I", self.memo)
        self.memo += 1

    def text(self, s):
        s = s if isinstance(s, bytes) else s.encode()
        self.out += (b"U" + bytes([len(s)]) if len(s) < 256 else b"T" + struct.pack("<I", len(s))) + s
        self.put()

    def number(self, n):
        self.out += b"K" + bytes([n]) if n < 256 else b"M" + struct.pack("<H", n)

    def list(self, items, add):
        self.out += b"]"
        self.put()
        for i in range(0, len(items), 1000):
            self.out += b"("
            for item in items[i:i + 1000]:
                add(item)
            self.out += b"e"

    def array(self, data, rows):
        self.out += b"cnumpy.core.multiarray\n_reconstruct\n"
        self.put()
        self.out += b"cnumpy\nndarray\n"
        self.put()
        self.out += b"K\0\x85"
        self.put()
        self.text("b")
        self.out += b"\x87"
        self.put()
        self.out += b"R"
        self.put()
        self.out += b"(K\1"
        self.number(rows)
        self.number(3072)
        self.out += b"\x86"
        self.put()
        self.out += b"cnumpy\ndtype\n"
        self.put()
        self.text("u1")
        self.out += b"K\0K\1\x87"
        self.put()
        self.out += b"R"
        self.put()
        self.out += b"(K\3"
        self.text("|")
        self.out += b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0t"
        self.put()
        self.out += b"b\x89"
        self.text(data)
        self.out += b"t"
        self.put()
        self.out += b"b"

    def dictionary(self, members):
        self.out += b"}"
        self.put()
        self.out += b"("
        for key, add in members:
            self.text(key)
            add()
        self.out += b"u"


def batch(labels, data, key):
    p = Protocol2()
    p.dictionary([("batch_label", lambda: p.text("training batch 1 of 5")), (key, lambda: p.list(labels, p.number)),
                  ("data", lambda: p.array(data, len(labels))),
                  ("filenames", lambda: p.list(["%d.png" % k for k in labels], p.text))])
    return p.out + b"."


def names_of_labels(names, key):
    p = Protocol2()
    p.dictionary([("num_cases_per_batch", lambda: p.number(10000)), (key, lambda: p.list(names, p.text)), ("num_vis", lambda: p.number(3072))])
    return p.out + b"."


def check_cifar():
    """Both of its versions, as unpacked; the folder's images are named as those in it are."""
    os.makedirs("bin")
    os.makedirs("py")
    for n in range(1, 6):
        labels = [(4 * n + k) % 10 for k in range(4)]
        images = [pixels(32, 10 * n + k) for k in range(4)]
        write("bin/data_batch_%d.bin" % n, b"".join(bytes([l]) + planes(i) for l, i in zip(labels, images)))
        write("py/data_batch_%d" % n, batch(labels, b"".join(map(planes, images)), "labels"))
        for k in range(4):
            png("d/%s/data_batch_%d.bin-%d.png" % (CIFAR10[labels[k]], n, k), 32, images[k])
    write("bin/batches.meta.txt", "\n".join(CIFAR10).encode() + b"\n\n")
    write("py/batches.meta", names_of_labels(CIFAR10, "label_names"))
    train("d-run", "d", "--classes", 10)
    for data in ("bin", "py"):
        train(data + "-run", data, "--classes", 10, "--loaders", 0, says=["found 20 images in %s, 10 labels (airplane, automobile" % data])
        alike("d-run", data + "-run", lists=False)
    train("one", "py/data_batch_2", "--classes", 10, says=["found 4 images in py/data_batch_2, 10 labels (airplane, automobile"])
    os.makedirs("bin100")
    os.makedirs("py100")
    labels, images = [3, 99, 7], [pixels(32, k) for k in range(3)]
    names = ["label%02d" % k for k in range(100)]
    write("bin100/train.bin", b"".join(bytes([1, l]) + planes(i) for l, i in zip(labels, images)))
    write("bin100/fine_label_names.txt", "\n".join(names).encode())
    write("py100/train", batch(labels, b"".join(map(planes, images)), "fine_labels"))
    write("py100/meta", names_of_labels(names, "fine_label_names"))
    for data in ("bin100", "py100"):
        train(data + "-run", data, "--classes", 100, says=["found 3 images in %s, 100 labels (label00" % data])
    alike("bin100-run", "py100-run", lists=False)
    write("py/data_batch_3", read("py/data_batch_3")[:5000])
    train("no", "py", status=1, says=["py/data_batch_3: no batch of CIFAR's: its pickle is cut at byte"])
    write("py/data_batch_3", pickle.dumps({"data": os.path.join}, 2))
    train("no", "py", status=1, says=["py/data_batch_3: no batch of CIFAR's: its pickle names code that is not known at byte"])
    os.remove("py/data_batch_3")
    train("no", "py", status=1, says=["cannot find py/data_batch_3: No such file"])
    write("bin/data_batch_1.bin", read("bin/data_batch_1.bin")[:-1])
    train("no", "bin", status=1, says=["bin/data_batch_1.bin has 12291 bytes, which are no images of 3073"])
    write("bin/data_batch_1.bin", b"\x0a" + bytes(3072))
    train("no", "bin", status=1, says=["bin/data_batch_1.bin: image 0 has label 10, CIFAR-10 has 10"])


def pack(data, out, *more, **expected):
    return maskdm("pack", data, out, *more, **expected)


def check_pack():
    """A folder packed trains as the folder: as it is, fitted to another size, of 16 bits; its names and labels with it."""
    folder("d")
    train("run", "d", "--classes", 3)
    pack("d", "d.safetensors", says=["packed 15 images of 16 x 16 x 3 into d.safetensors, 0 left out"])
    train("packed", "d.safetensors", "--classes", 3, says=["found 15 images in d.safetensors, 3 labels (a, a-b, b)"])
    alike("run", "packed", lists=False)
    names = [os.path.splitext(f[0])[0] for f in json.loads(read("run/data.json"))["files"]]
    assert names == [os.path.splitext(f[0])[0] for f in json.loads(read("packed/data.json"))["files"]], names
    for k in range(4):
        png("g/%d.png" % k, 24, pixels(24, k, 1, 16), 1, 16)
    train("g-run", "g")
    pack("g", "g.safetensors", "--channels", 1, "--bits", 16)
    train("g-packed", "g.safetensors")
    alike("g-run", "g-packed", lists=False)
    pack("g", "g16.safetensors", "--image-size", 16, "--bits", 16, "--loaders", 0)
    train("g16-packed", "g16.safetensors")
    alike("g-run", "g16-packed", lists=False)
    pack("g", "no.safetensors", status=1, says=["g/0.png has 16 bits a sample: --bits 16 keeps them"])
    os.remove("no.safetensors.part")
    png("g/9.png", 20, pixels(20, 9, 1, 16), 1, 16)
    pack("g", "no.safetensors", "--bits", 16, status=1, says=["g/9.png has 20 x 20 pixels and those before it 24 x 24: --image-size fits them to one size"])
    pack("d.safetensors", "again.safetensors")
    same("d.safetensors", "again.safetensors")


def check_pack_label_file():
    """The labels of a file are packed in place of the folders' names, and an image that it does not name has none."""
    folder("d")
    named = ["%s %d\n" % (name, k % 2) for k, name in enumerate(sorted(files("d"))[1:])]
    write("labels", "".join(named).encode())
    train("run", "d", "--classes", 2, "--label-file", "labels", says=["found 15 images below d, 2 labels (0, 1)"])
    pack("d", "d.safetensors", "--label-file", "labels", says=["found 15 images below d, 2 labels (0, 1)", "1 of the 15 images in d have no label in labels"])
    train("packed", "d.safetensors", "--classes", 2, says=["found 15 images in d.safetensors, 2 labels (0, 1)"])
    alike("run", "packed", lists=False)
    of = lambda run: [(os.path.splitext(name)[0], label) for name, _, label, _ in json.loads(read(run + "/data.json"))["files"]]
    assert of("run") == of("packed") and set(label for _, label in of("packed")) == {None, 0, 1}, of("packed")
    pack("d", "no.safetensors", "--label-attribute", "Young", status=1, says=["--label-attribute goes with --label-file, which is not given"])
    write("labels", b"x.png 1\n")
    pack("d", "no.safetensors", "--label-file", "labels", status=1, says=["labels: it has labels for 1 images, the first x.png, and d has 15 others"])
    assert not os.path.exists("no.safetensors.part")


def check_pack_resume():
    """Stopped and gone on with comes to the same file, whatever was broken; other work is told from it."""
    folder("d")
    write("d/a/broken.png", read("d/a/face-00000.png")[:100])
    write("d/0.png", b"x")
    pack("d", "whole.safetensors", says=["left out: d/a/broken.png", "packed 15 images", "2 left out"])
    one, head = 16 * 16 * 3, 4096
    png("d/zz.png", 5, pixels(5, 1))  # which ends the work at the last
    pack("d", "part.safetensors", status=1, says=["d/zz.png has 5 x 5 pixels", "17 of 18 images are in part.safetensors.part: --resume goes on with it"])
    part = read("part.safetensors.part")
    assert part.startswith(b"maskdm pack 1: 18 images, ") and part[-18:] == bytes([2] + [1] * 4 + [2] + [1] * 11 + [0])
    pack("d", "part.safetensors", status=1, says=["part.safetensors.part is there, which an earlier call that was interrupted has left"])
    pack("d", "part.safetensors", "--resume", "--image-size", 8, status=1, says=["part.safetensors.part was begun of other images or with other options"])
    with open("part.safetensors.part", "r+b") as f:  # as a call leaves it that is killed behind 7 of them, of which 2 are out
        f.seek(head + 5 * one)
        f.write(b"\xaa" * (10 * one))
        f.seek(len(part) - 11)
        f.write(bytes(11))
    pack("d", "part.safetensors", "--resume", status=1, says=["going on behind 7 images of 18", "d/zz.png has 5 x 5 pixels"])
    assert read("part.safetensors.part") == part
    os.remove("part.safetensors.part")
    os.remove("d/zz.png")
    pack("d", "part.safetensors")
    same("part.safetensors", "whole.safetensors")
    train("run", "d", "--classes", 3)
    train("packed", "whole.safetensors", "--classes", 3)
    alike("run", "packed", lists=False)


def check_pack_killed():
    """Ended by a signal it says how far it is; then --resume."""
    faces("d", 600, 64)
    whole = pack("d", "whole.safetensors", "--image-size", 32)
    assert "packed 600 images" in whole.stderr
    p = subprocess.Popen([PROGRAM, "pack", "d", "part.safetensors", "--image-size", "32", "--loaders", "0"], stderr=subprocess.PIPE, text=True)
    while not os.path.exists("part.safetensors.part") and p.poll() is None:
        time.sleep(0.002)
    p.send_signal(signal.SIGINT)
    said = p.communicate()[1]
    if p.returncode:
        assert "--resume goes on with it" in said, said
        pack("d", "part.safetensors", "--image-size", 32, "--resume", says=["packed 600 images"])
    same("whole.safetensors", "part.safetensors")
    assert not os.path.exists("part.safetensors.part")


def check_broken():
    """Named, left out, counted; and the same without them."""
    folder("d")
    shutil.copytree("d", "e")
    write("e/a/broken.png", read("e/a/face-00000.png")[:200])
    write("e/text.png", b"not an image")
    tar("e.tar", "e")
    train("run", "d", "--classes", 3)
    train("e-run", "e.tar", "--classes", 3, says=["left out: e.tar/a/broken.png: ", "left out: e.tar/text.png: neither PNG, JPEG nor WebP"])
    alike("run", "e-run", lists=False)


def check_refused():
    """Before anything is made."""
    faces("d", 3)
    tar("d.tar", "d")
    data = read("d.tar")
    write("cut.tar", data[:700])
    train("run", "cut.tar", status=1, says=["cut.tar is cut: ", "the file ends at 700"])
    write("d.tar.gz", b"\x1f\x8b\x08" + bytes(100))
    train("run", "d.tar.gz", status=1, says=["d.tar.gz is a gzip archive, and no folder or archive of images that is read; unpack it first"])
    train("run", "d/face-00000.png", status=1, says=["d/face-00000.png is a PNG picture, and no folder or archive"])
    write("empty", b"")
    train("run", "empty", status=1, says=["empty is empty, and no folder"])
    train("run", "/dev/null", status=1, says=["/dev/null is neither a folder nor a file"])
    train("run", "none", status=1, says=["cannot find none: No such file or directory"])
    tar("out.tar", "d", around="../")
    train("run", "out.tar", status=1, says=["out.tar: the entry at byte 0, \"../face-0000", "leads outside"])
    assert not os.path.exists("run")


def check_held_out():
    """An archive is held out, and evaluated on, as a folder is."""
    faces("d", 8)
    faces("v", 4, 16, 5)
    tar("v.tar", "v")
    outs = []
    for v in ("v", "v.tar"):
        train("run-" + v, "d", "--val", v, "--val-every", 10)
        outs.append(maskdm("evaluate", "--model", "run-%s/model.safetensors" % v, "--data", v, "--threads", 1).stdout)
    alike("run-v", "run-v.tar")
    same("run-v/held_out.json", "run-v.tar/held_out.json")
    lines = [[l for l in text.splitlines() if "v.tar" not in l and not l.endswith(" v")] for text in outs]
    assert lines[0] and lines[0] == lines[1], outs
    train("both", "v.tar", "--val", "v.tar", says=["v.tar holds the images that are trained on: none is held out"])


if __name__ == "__main__":
    main(globals())
