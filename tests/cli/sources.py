# SPDX-License-Identifier: BSD-2-Clause
"""Images in archives: whatever they lie in, the same pixels train to the same model as the folder of them, with the same
labels; and what is wrong with an archive is said with its name and place."""
import io
import json
import os
import shutil
import tarfile

from rig import faces, main, maskdm, read, same, write

SMALL = "--image-size 16 --patch-size 4 --dim 16 --depth 1 --heads 1 --batch-size 2 --threads 1".split()
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


def check_broken():
    """Named, left out, counted; and the same without them."""
    folder("d")
    shutil.copytree("d", "e")
    write("e/a/broken.png", read("e/a/face-00000.png")[:200])
    write("e/text.png", b"not an image")
    tar("e.tar", "e")
    train("run", "d", "--classes", 3)
    train("e-run", "e.tar", "--classes", 3, says=["left out: e.tar/a/broken.png: ", "left out: e.tar/text.png: neither PNG nor JPEG"])
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
