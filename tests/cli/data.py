# SPDX-License-Identifier: BSD-2-Clause
"""What a run's data are: told by what is in them, however their path is spelt; what is left out of them is said."""
import json
import os
import shutil

from rig import NETWORK, PROGRAM, Skip, checkpoints, faces, main, maskdm, png_file, read, run, same, write

SMALL = "--network uvit --mask block --image-size 16 --patch-size 4 --dim 16 --depth 1 --heads 1 --batch-size 2 --threads 1 --loaders 0".split()


def train(out, steps, *more, data="data", **expected):
    return maskdm("pretrain", "--data", data, "--out", out, *SMALL, "--steps", steps, *more, **expected)


def classes(*names, each=2):
    """data/NAME/0.png and so on, all different, and two images beside the folders."""
    faces("all", 40)
    files = sorted(os.listdir("all"))
    for k, name in enumerate(names):
        os.makedirs("data/" + name)
        for i in range(each):
            shutil.copy("all/" + files.pop(), "data/%s/%d.png" % (name, i))
    for i in range(2):
        shutil.copy("all/" + files.pop(), "data/%d.png" % i)


def notes(out):
    lines = [json.loads(line) for line in read(out + "/log.jsonl").decode().splitlines()]
    assert all("step" in line for line in lines), lines
    return [line["note"] for line in lines if "note" in line]


def files_of(folder):
    return {n: read(folder + "/" + n) for n in sorted(os.listdir(folder))}


def check_other_spellings():
    """The same data under another path, and options that change no result: equal bytes in the end."""
    faces("data", 9)
    train("once", 9)
    train("run", 1)
    os.symlink("data", "link")
    os.mkdir("elsewhere")
    for step, (path, more) in enumerate((
            ("data/", []), ("./data", ["--loaders", 2]), (os.path.abspath("data"), ["--cache-limit", 0]),
            ("link", ["--max-bad-steps", 3]), ("link//", ["--memory-limit", 1 << 30])), 2):
        train("run", step, "--resume", *more, data=path, says=["9 images"])
    train("../run", 7, "--resume", data="../data", cwd="elsewhere")
    os.rename("data", "elsewhere/moved")
    train("run", 8, "--resume", data="elsewhere/moved")
    for n in os.listdir("elsewhere/moved"):
        os.utime("elsewhere/moved/" + n, (1, 1))
    train("run", 9, "--resume", data="elsewhere/moved")
    same("once/model.safetensors", "run/model.safetensors")
    same("once/checkpoint-9.safetensors", "run/checkpoint-9.safetensors")
    assert not [n for n in notes("run") if "going on" in n]


def plain_png(path, shade):
    """16 x 16 pixels of one colour, not compressed: files of all shades have the same length."""
    write(path, png_file(16, 16, [bytes([shade]) * 48] * 16, level=0))


def check_changed():
    """Each change is refused with what it is, nothing is touched; and is gone on with when that is said."""
    classes("b", "c")
    plain_png("data/c/plain.png", 7)
    train("run", 1, "--classes", 4)
    shutil.copytree("run", "first")
    shutil.copytree("data", "kept")
    before = files_of("run")
    for change, says in (
            (lambda: shutil.copytree("data/b", "data/aa"), 'label 0 was "b" and is "aa"'),
            (lambda: shutil.copytree("data/b", "data/bb"), 'label 1 was "c" and is "bb"'),
            (lambda: shutil.copytree("data/b", "data/d"), 'label 2, "d", is new'),
            (lambda: shutil.rmtree("data/c"), 'label 1, "c", is gone'),
            (lambda: shutil.rmtree("data/b"), 'label 0 was "b" and is "c"'),
            (lambda: os.rename("data/c", "data/e"), 'label 1 was "c" and is "e"'),
            (lambda: os.remove("data/b/1.png"), "b/1.png is gone"),
            (lambda: os.remove("data/c/1.png"), "c/1.png is gone"),
            (lambda: shutil.copy("data/b/1.png", "data/b/10.png"), "b/10.png is new"),
            (lambda: shutil.copy("data/b/1.png", "data/z.png"), "z.png is new"),
            (lambda: os.rename("data/b/1.png", "data/c/2.png"), "b/1.png is gone"),
            (lambda: write("data/b/1.png", read("data/b/1.png") + b"xx"), "b/1.png had %d bytes and has %d" % (
                os.path.getsize("data/b/1.png"), os.path.getsize("data/b/1.png") + 2)),
            (lambda: write("data/b/1.png", b"x" * os.path.getsize("data/b/1.png")), "b/1.png has other bytes than it had"),
            (lambda: plain_png("data/c/plain.png", 8), "c/plain.png has other bytes than it had"),
    ):
        change()
        train("run", 2, "--classes", 4, "--resume", status=1,
              says=["the data are not those that run was started with: " + says, "--accept-changed-data"])
        assert files_of("run") == before, "a refused run changed the folder"
        train("run", 2, "--classes", 4, "--resume", "--accept-changed-data", says=["warning: ", says, "going on"])
        assert [n for n in notes("run") if says in n], notes("run")
        assert json.loads(read("run/options.json"))["accept_changed_data"] is False
        assert checkpoints("run") == [1, 2]
        train("run", 3, "--classes", 4, "--resume")  # these are the run's data now
        for folder, kept in (("run", "first"), ("data", "kept")):
            shutil.rmtree(folder)
            shutil.copytree(kept, folder)
    train("run", 2, "--classes", 4, "--resume", "--accept-changed-data")
    assert not [n for n in notes("run") if "going on" in n]


def check_held_out():
    classes("b")
    faces("held", 5, seed=1)
    train("run", 1, "--val", "held")
    train("run", 2, "--val", "./held/", "--resume")
    os.rename("held", "other")
    train("run", 3, "--val", "other", "--resume")
    train("run", 4, "--val-share", "0.5", "--resume", status=1, says=["val other", "none"])
    train("run", 4, "--resume", status=1, says=["val", "none"])
    os.remove("other/face-00003.png")
    train("run", 4, "--val", "other", "--resume", status=1,
          says=["the held-out images are not those that run was started with: face-00003.png is gone"])
    train("run", 4, "--val", "other", "--resume", "--accept-changed-data", says=["face-00003.png is gone; going on"])
    said = train("same", 1, "--val", "./data", says=["none is held out"]).stderr
    assert said.count("none is held out") == 1, said
    train("guess", 1, "--val", 0.5, status=1, says=["--val 0.5 is no folder; --val-share holds out a share"])
    os.rename("other", "0.5")
    train("guess", 1, "--val", 0.5, says=["4 images"])
    train("share", 1, "--val-share", 0.5)
    train("share", 2, "--val-share", 0.25, "--resume", status=1, says=["val-share 0.5", "0.25"])
    train("share", 2, "--val-share", "0.50", "--resume", data="./data/")


def check_without_list():
    """A lost list is replaced by what the state says; a damaged one tells nothing and is refused."""
    classes("b", "c")
    train("run", 1, "--classes", 2)
    os.remove("run/data.json")
    train("run", 2, "--classes", 2, "--resume")
    os.remove("run/data.json")
    os.remove("data/b/0.png")
    train("run", 3, "--classes", 2, "--resume", status=1, says=["6 images of 16 x 16 x 3", "5 images of 16 x 16 x 3"])
    train("run", 3, "--classes", 2, "--resume", "--accept-changed-data")
    whole = read("run/data.json")
    json.loads(whole)
    for damaged in (b"", b"{}", whole[:40], whole.replace(b"5 images", b"6 images")[:-20], b"[" * 50):
        write("run/data.json", damaged)
        train("run", 4, "--classes", 2, "--resume", status=1, says=["run/data.json", "--accept-changed-data"])
    train("run", 4, "--classes", 2, "--resume", "--accept-changed-data")
    assert read("run/data.json") == whole


def check_init_elsewhere():
    """The file that a fine-tuning run began from may be spelt anew or be gone, but not be another."""
    faces("data", 8)
    train("base", 1)
    train("base2", 1, "--seed", 5)
    tune = ["finetune", "--data", "data", "--batch-size", 2, "--threads", 1, "--out", "run"]
    maskdm(*tune, "--init", "base/model.safetensors", "--steps", 1)
    maskdm(*tune, "--init", "./base/../base/model.safetensors", "--steps", 2, "--resume")
    maskdm(*tune, "--init", "base2/model.safetensors", "--steps", 3, "--resume", status=1,
           says=["init ./base/../base/model.safetensors", "base2/model.safetensors"])
    os.rename("base", "moved")
    maskdm(*tune, "--init", "moved/model.safetensors", "--steps", 3, "--resume")


def check_names_of_any_bytes():
    """Latin-1, a lone continuation byte, and what looks like our own escape; in every path that a run knows."""
    for k, name in enumerate((b"n\xe9", b"\x80", b"a\xee\xbe\xa9b", b"\xee\xbe", b'q"\\\xff\xc3\xa9')):
        shown = "".join(chr(c) if 32 <= c < 127 else "\\x%02x" % c for c in name)
        name = os.fsdecode(name)
        data, val, out = "%d" % k + name, "val" + name, "run" + name
        faces(data + "/" + name + "1", 2)
        faces(data + "/" + name + "2", 2, seed=1)
        faces(val, 2, seed=2)
        train(out, 1, "--val", val, data=data)
        for written in ("/options.json", "/data.json", "/held_out.json"):
            json.loads(read(out + written).decode("utf-8", "strict"))
        train(out, 2, "--val", val, "--resume", data=data)
        maskdm("pretrain", "--config", out + "/options.json", "--out", out + "2")
        same(out + "/model.safetensors", out + "2/model.safetensors")
        os.rename(data + "/" + name + "2/face-00001.png", data + "/" + name + "2/x.png")
        utf8 = name.encode("utf-8", "surrogateescape") in (b"a\xee\xbe\xa9b", b'q"\\\xff\xc3\xa9')
        train(out, 3, "--val", val, "--resume", data=data, status=1,
              says=["is gone"] if utf8 else [shown + "2/face-00001.png is gone"])


def check_folders_in_one_another():
    """The run's own folder, those of other runs and the held-out images are no training images."""
    classes("b", "c")
    grids = ["--sample-every", 1, "--sample-count", 2, "--sample-steps", 2]
    train("data/run", 1, *grids, says=["6 images"])
    train("data/run", 2, *grids, "--resume", says=["6 images", "left out: data/run, the folder of this run"])
    os.symlink("data/run", "link")
    train("link", 3, *grids, "--resume", data="./data/../data", says=["6 images", "the folder of this run"])
    train("data/second", 1, *grids, says=["6 images", "left out: 1 folder of a run, data/run"])
    train("data/second", 2, *grids, "--resume", says=["6 images"])
    assert [n for n in notes("data/second") if n == "left out: 1 folder of a run, data/run"]
    shutil.rmtree("data/run")
    shutil.rmtree("data/second")

    train("third", 1, "--val", "data/c", "--classes", 1,
          says=["4 images", "left out: data/c, the folder of the held-out images"])
    os.symlink("data/c", "val")
    train("third", 2, "--val", "val", "--classes", 1, "--resume", says=["4 images"])
    train("fourth", 1, "--val", "data", data="data/b", status=0,
          says=["2 images", "left out: data/b, the folder of the training images"])
    train("fifth", 1, "--val", "data/", says=["6 images", "warning: data/ holds the images that are trained on"])
    os.symlink("data", "same")
    for words in (("data", 1), ("data", 1, "--resume"), ("same", 1, "--resume"), ("val", 1, "--val", "val"),
                  ("data/c/", 1, "--val", "val", "--resume")):
        train(*words, status=1, says=[words[0] + " cannot be the run's own folder"])
        assert not os.path.exists("data/options.json") and not os.path.exists("data/c/options.json")


def check_left_out_is_said():
    """Every kind in one line, in the run's log too, and the run goes on with what is left."""
    faces("data", 4)
    good = read("data/face-00000.png")
    os.symlink("/gone/x.png", "data/x.png")
    os.symlink("/gone/y.png", "data/y.png")
    os.symlink("turn.png", "data/turn.png")
    os.mkfifo("data/pipe.png")
    for name in ("a.gif", "b.GIF", "d.bmp", "e.tif", "f.tiff", "g.avif", "h.heic", "i.jxl", "j.svg", "k.npy"):
        write("data/" + name, b"x")
    deep = "data/" + "d/" * 80
    os.makedirs(deep)
    write(deep + "far.png", good)
    os.symlink("..", "data/d/up")
    write("data/empty.png", b"")
    for i in range(15):
        write("data/broken-%02d.png" % i, b"hello")
    said = train("run", 1, says=["4 images"]).stderr
    told = [line[9:] for line in said.splitlines() if line.startswith("warning: left out: ")]
    for line in ("2 broken links, the first data/x.png", "1 link that leads in a circle, data/turn.png",
                 "1 FIFO, data/pipe.png", "2 .gif files, a format that is not read, the first data/a.gif",
                 "1 .npy file, a format that is not read, data/k.npy",
                 "1 folder that leads back to one above it, data/d/up",
                 "16 files in all that could not be read, 10 of them named"):
        assert "left out: " + line in told, (line, said)
    assert len([line for line in told if "too deep" in line]) == 1
    assert len([line for line in told if "broken-" in line]) == 10, said
    assert notes("run") == told, (notes("run"), told)
    train("run", 2, "--resume")


def check_unreadable():
    """What this user may not read is left out, down to the folder that was named. Root may read everything."""
    os.chmod(".", 0o777)
    faces("data", 4)
    os.makedirs("data/lost+found")
    faces("data/closed", 2)
    shutil.copy("data/face-00000.png", "data/secret.png")
    os.chmod("data/lost+found", 0)
    os.chmod("data/closed", 0o444)  # its names can be read, its files cannot
    os.chmod("data/secret.png", 0)
    guest = {}
    if os.getuid() == 0:
        guest = {"user": 65534, "group": 65534, "extra_groups": []}
        try:
            run(PROGRAM, "--version", **guest)
        except (PermissionError, AssertionError):
            raise Skip("root alone can run the program here")
    try:
        train("run", 1, says=["4 images", "left out: 1 unreadable folder, data/lost+found: Permission denied",
                              "left out: 2 files that cannot be reached, the first data/closed/face-00000.png: Permission denied",
                              "data/secret.png: Permission denied"], **guest)
        os.chmod("data/secret.png", 0o444)
        train("run", 2, "--resume", status=1, says=["secret.png was left out and is read"], **guest)
        os.chmod("data", 0)
        train("other", 1, status=1, says=["data: Permission denied"], **guest)
    finally:  # or the folder could not be removed
        for name in ("data", "data/lost+found", "data/closed"):
            os.chmod(name, 0o755)


def check_fraction():
    """A fraction of the images is the same one wherever they lie and in whatever order they were written; a resumed run notices
    another one."""
    faces("data", 40)
    os.makedirs("moved/deeper")
    for name in sorted(os.listdir("data"), reverse=True):
        shutil.copy("data/" + name, "moved/deeper/" + name)
    tenth = ["--data-fraction", 0.25, "--data-seed", 1, "--val-share", 0.1]
    train("one", 4, *tenth, says=["--data-fraction 0.25 by --data-seed 1: 9 of 36 images are trained on"])
    train("two", 4, *tenth, data="moved", says=["9 of 36"])
    same("one/model.safetensors", "two/model.safetensors")
    train("more", 2, *tenth)
    train("more", 4, *tenth, "--resume", says=["9 of 36"])
    same("one/model.safetensors", "more/model.safetensors")
    train("other", 4, "--data-fraction", 0.25, "--data-seed", 2, "--val-share", 0.1)
    assert read("other/model.safetensors") != read("one/model.safetensors")
    train("more", 5, "--data-fraction", 0.5, "--data-seed", 1, "--val-share", 0.1, "--resume", status=1,
          says=["more was started with --data-fraction 0.25 and cannot be resumed with 0.5"])
    os.remove("more/options.json")
    os.remove("more/data.json")
    train("more", 5, "--data-fraction", 0.5, "--data-seed", 1, "--val-share", 0.1, "--resume", status=1,
          says=["0.25 of them by seed 1", "0.5 of them by seed 1"])
    train("none", 1, "--data-fraction", 0, status=1, says=["--data-fraction 0 leaves nothing"])
    train("few", 1, "--data-fraction", 0.01, status=1, says=["--batch-size 2 is larger than the data, 1 image"])
    assert not os.path.exists("few") and not os.path.exists("none")


if __name__ == "__main__":
    main(globals())
