# SPDX-License-Identifier: BSD-2-Clause
"""Where samples go: names that mean a grid or a folder, what is refused before a step is taken, and a folder of single
images that is gone on with, image by image."""
import json
import os
import shutil
import signal
import subprocess

from rig import PROGRAM, TINY, Skip, faces, idat, images, main, maskdm, png_header, read, same, write

SAMPLE = ["sample", "--model", "run/model.safetensors", "--steps", 2]


def train(*more):
    faces("data", 8)
    maskdm("pretrain", "--data", "data", "--out", "run", *TINY, "--steps", 1, *more)


def sample(out, *more, **expected):
    return maskdm(*SAMPLE, "--count", 3, "--out", out, *more, **expected)


def refused(out, says, *more):
    """One sentence, before a step is taken, and nothing changes."""
    before = sorted(os.listdir("."))
    said = sample(out, *more, status=1, says=says).stderr
    assert "step " not in said and said.count("\n") == 1, said
    assert sorted(os.listdir(".")) == before, os.listdir(".")


def check_names():
    train()
    for name in ("a.png", "b.PNG", "c.Png", ".d.png"):
        sample(name)
        assert png_header(name)[2:] == (8, 2)
        same(name, "a.png")
    for name in ("plain", "with.dot/", "grid.png/", "run-1.5", "2024.06.01", "v1.2-final", ".hidden"):
        sample(name)
        assert len(images(name)) == 3, name
    os.mkdir("is.jpg")
    sample("is.jpg")
    assert len(images("is.jpg")) == 3
    os.makedirs("deep.jpg/folder")
    sample("deep.jpg/folder/new")
    assert len(images("deep.jpg/folder/new")) == 3


def filters(path):
    """How each row of a PNG file of 8 bits and three channels is filtered."""
    return set(idat(path)[::1 + 3 * png_header(path)[0]])


def check_bytes():
    """A picture's bytes stay what they are from one version to the next, for which its filter stays."""
    train()
    sample("grid.png")
    assert filters("grid.png") == {4}, filters("grid.png")


def check_held():
    """What is named is something that a listing shows."""
    train()
    os.mkdir("held")
    for name in (".a", "b", "c"):
        write("held/" + name, b"")
    refused("held", ["held is not empty: it holds b\n"])


def check_suffixes():
    train()
    for suffix in ("jpg jpeg JPG Jpeg jpe jfif webp gif bmp tif tiff TIFF npy npz ppm pgm avif heic jxl svg pdf mp4 zip"
                   " 7z safetensors pngg").split():
        name = "grid." + suffix
        refused(name, ["cannot write %s:" % name, ".png", name + "/"])
    refused("missing/grid.jpg", [".png"])
    refused("-", ["/dev/stdout"])
    sample(".png")
    assert png_header(".png")
    write("old.jpg", b"mine")
    refused("old.jpg", [".png"])
    write("file", b"mine")
    refused("file", ["file is not a folder", ".png"])
    assert read("old.jpg") == b"mine" and read("file") == b"mine"


def check_before_the_model():
    """What the place says is said before a model is looked for, and so before one is read."""
    train()
    os.mkdir("full")
    write("full/cat.png", b"mine")
    write("file", b"mine")
    for words, says in ((["--out", "grid.jpg"], [".png"]), (["--out", "missing/grid.png"], ["no folder missing"]),
                        (["--out", "full"], ["full is not empty", "cat.png"]), (["--out", "file/new"], ["file"]),
                        (["--out", "grid.png", "--count", 65537], ["65537", "65536"]),
                        (["--out", "grid.png", "--resume"], ["resume", "grid.png"]),
                        (["--out", "full", "--resume"], ["full", "cat.png", "options.json"]),
                        (["--out", "grid.png", "--bits", 9], ["9", "8 or 16"])):
        said = maskdm("sample", "--model", "no such model", *words, status=1, says=says).stderr
        assert "no such model" not in said, said
    assert os.listdir("full") == ["cat.png"]


def check_sizes():
    """A grid that no PNG of ours can be is refused before the first of its images is drawn."""
    train()
    for count, columns, says in ((5000, 5000, ["5000 columns", "20 x 90002", "65535"]),
                                 (5000, 1, ["1 columns", "90002 x 20", "65535"]),
                                 (2, 65536, ["65536 columns", "20 x 1179650"]),
                                 (65536, 1, ["1179650 x 20"])):
        refused("grid.png", says, "--count", count, "--columns", columns)
    maskdm("pretrain", "--data", "data", "--out", "large", *TINY, "--image-size", 32, "--steps", 1)
    refused("grid.png", ["256 columns", "8706 x 8706", "67108864"], "--model", "large/model.safetensors", "--count", 65536)


def as_nobody(*words, **expected):
    if os.getuid() != 0:
        return maskdm(*words, **expected)
    if not shutil.which("setpriv"):
        raise Skip("no setpriv")
    from rig import run
    return run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", PROGRAM, *words, **expected)


def check_folders_that_are_closed():
    train()
    os.chmod(".", 0o755)
    for name in ("closed", "open"):
        os.mkdir(name)
    os.chmod("closed", 0o555)
    os.chmod("open", 0o777)
    write("open/mine", b"")
    os.chmod("open/mine", 0)
    for out in ("closed/grid.png", "closed", "closed/new", "closed/new/deep"):
        said = as_nobody("sample", "--model", "no such model", "--out", out, status=1, says=["closed", "ermission"]).stderr
        assert "no such model" not in said and os.listdir("closed") == [], said
    said = as_nobody("convert", "--from", "no such file", "--out", "closed/model.safetensors", status=1,
                     says=["closed", "ermission"]).stderr
    assert "no such file" not in said, said


def begun(out, keep, first=0):
    """A folder as an interruption leaves it: some of the images."""
    for name in images(out):
        if int(name[:6]) - first not in keep:
            os.remove(os.path.join(out, name))


def check_going_on():
    train("--classes", 3)
    more = ["--count", 9, "--label", "0,1,2,-1", "--guidance", 2, "--sampler", "ddim", "--eta", 1, "--seed", 5, "--batch-size", 2]
    sample("whole", *more)
    for keep in ([], [0, 1, 2, 3], [8], [0, 2, 5, 7], range(9)):
        shutil.rmtree("part", ignore_errors=True)
        sample("part", *more)
        begun("part", keep, 5)
        stamps = {n: os.stat("part/" + n).st_mtime_ns for n in images("part")}
        sample("part", *more, "--resume", "--batch-size", 4, "--threads", 1,
               says=["%d of 9 images are in part" % len(stamps)])
        assert images("part") == images("whole")
        for name in images("whole"):
            same("part/" + name, "whole/" + name)
        assert all(os.stat("part/" + n).st_mtime_ns == t for n, t in stamps.items()), "drawn twice"
    sample("part", *more, "--resume", "--count", 11)
    sample("longer", *more, "--count", 11)
    for name in images("longer"):
        same("part/" + name, "longer/" + name)
    shutil.copytree("longer", "spare")
    begun("spare", [0, 1, 9, 10], 5)  # of which two belong to more images than are wanted now
    sample("spare", *more, "--resume", says=["2 of 9 images are in spare"])
    same("spare/000013-0.png", "whole/000013-0.png")
    sample("fresh", *more, "--resume")
    same("fresh/000013-0.png", "whole/000013-0.png")


def check_going_on_otherwise():
    train("--classes", 2)
    maskdm("pretrain", "--data", "data", "--out", "other", *TINY, "--steps", 2, "--classes", 2)
    sample("part", "--label", "0,1")
    begun("part", [0])
    before = {n: read("part/" + n) for n in os.listdir("part")}
    for words, says in ((["--label", "0,1", "--seed", 1], ["seed", "0", "1"]), (["--label", "1,0"], ["label"]), ([], ["label"]),
                        (["--label", "0,1", "--bits", 16], ["bits", "8", "16"]),
                        (["--label", "0,1", "--sampler", "ddim"], ["sampler", "dpmpp", "ddim"]),
                        (["--label", "0,1", "--steps", 3], ["steps", "2", "3"]),
                        (["--label", "0,1", "--order", 3], ["order", "2", "3"]), (["--label", "0,1", "--guidance", 2], ["guidance"]),
                        (["--label", "0,1", "--weights", "online"], ["weights", "ema", "online"]),
                        (["--label", "0,1", "--model", "other/model.safetensors"], ["--model-digest"])):
        sample("part", *words, "--resume", status=1, says=["part was started with", *says])
    sample("part", "--label", "0,1", status=1, says=["part is not empty", "--resume goes on"])
    assert {n: read("part/" + n) for n in os.listdir("part")} == before
    os.makedirs("elsewhere")
    os.rename("run/model.safetensors", "elsewhere/m.safetensors")
    os.rename("part", "elsewhere/part")
    sample("elsewhere/part", "--label", "0,1", "--model", "elsewhere/m.safetensors", "--resume")
    assert len(images("elsewhere/part")) == 3


def check_damaged_images():
    """What is there but not in order is drawn again, with a word about it."""
    train()
    sample("part", "--count", 5)
    shutil.copytree("part", "whole")
    write("part/000001.png", read("part/000001.png")[:-9])
    write("part/000002.png", b"")
    sample("big.png", "--count", 1)
    shutil.copy("big.png", "part/000003.png")
    write("part/000009.png", b"not ours to look at")
    write("part/note.txt", b"mine")
    sample("part", "--count", 5, "--resume", says=["warning: drawing image %d again" % i for i in (1, 2, 3)] +
           ["2 of 5 images"])
    for name in images("whole"):
        same("part/" + name, "whole/" + name)
    assert read("part/note.txt") == b"mine" and read("part/000009.png") == b"not ours to look at"


def check_record():
    """The record says how the images were drawn, and a command line can be made of it."""
    train()
    sample("one", "--seed", 3)
    told = json.loads(read("one/options.json"))
    assert told["seed"] == 3 and told["count"] == 3 and len(told["model_digest"]) == 16, told
    maskdm("sample", "--config", "one/options.json", "--out", "two")
    for name in images("one"):
        same("one/" + name, "two/" + name)
    maskdm("pretrain", "--data", "data", "--out", "other", *TINY, "--steps", 2)
    maskdm("sample", "--config", "one/options.json", "--out", "three.png", "--model", "other/model.safetensors",
           status=1, says=["other/model.safetensors", "--model-digest", told["model_digest"]])
    assert not os.path.exists("three.png")
    sample("run", "--resume", status=1, says=["run/options.json"])


def texts(path):
    """What a picture says, by maskdm info."""
    return dict(json.loads(maskdm("info", path, "--json").stdout)["texts"])


def check_seeds():
    """Files are named by seed and label, say what they are, and are the same whatever range they were drawn in."""
    for label in "a cat", "dog":
        faces("data/" + label, 4)
    maskdm("pretrain", "--data", "data", "--out", "run", *TINY, "--steps", 1, "--classes", 2)
    draw = ["sample", "--model", "run/model.safetensors", "--steps", 2, "--label", "a cat,dog,-1"]
    maskdm(*draw, "--out", "part", "--seeds", "7-9")
    assert images("part") == ["000007-a_cat.png", "000008-dog.png", "000009.png"], images("part")
    os.remove("part/000008-dog.png")
    maskdm(*draw, "--out", "part", "--seeds", "7-11", "--continue", says=["2 of 5 images are in part"])
    maskdm(*draw, "--out", "whole", "--count", 5, "--seed", 7, "--batch-size", 1)
    assert images("part") == images("whole") and len(images("part")) == 5
    for name in images("part"):
        same("part/" + name, "whole/" + name)
    said = texts("part/000008-dog.png")
    told = json.loads(read("part/options.json"))
    assert (said["maskdm.seed"], said["maskdm.label"], said["maskdm.model"]) == ("8", "dog", told["model_digest"]), said
    options = json.loads(said["maskdm.options"])
    assert options["steps"] == 2 and options.items() <= told.items() and not {"out", "model", "seed"} & set(options)
    assert "maskdm.label" not in texts("part/000009.png")
    assert "  maskdm.seed: 8\n" in maskdm("info", "part/000008-dog.png").stdout
    for words, says in ((["--seeds", "9"], None), (["--seeds", "9-8"], ["ends before it begins"]),
                        (["--seeds", "1-x"], ["no range of seeds"]), (["--seeds", "-1-3"], ["no range of seeds"]),
                        (["--seeds", "0-9", "--count", 3], ["--count 3 beside --seeds 0-9, which says 10"]),
                        (["--seeds", "2-9", "--seed", 3], ["--seed 3 beside --seeds 2-9, which says 2"])):
        maskdm(*draw, "--out", "other.png", *words, status=1 if says else 0, says=says or ())
    assert texts("other.png")["maskdm.seed"] == "9"


def check_grids():
    """Large enough to be looked at; with --scale 1 and --no-metadata the pixels alone."""
    train()
    sample("grid.png", "--count", 4)
    assert png_header("grid.png") == (524, 524, 8, 2), png_header("grid.png")
    assert texts("grid.png")["maskdm.seed"] == "0-3"
    sample("plain.png", "--count", 4, "--scale", 1, "--no-metadata")
    assert png_header("plain.png") == (38, 38, 8, 2) and texts("plain.png") == {}
    sample("captions.png", "--count", 4, "--scale", 3, "--captions", "--bits", 16)
    assert png_header("captions.png") == (108, 130, 16, 2), png_header("captions.png")
    for words in (["--scale", 2], ["--captions"], ["--nearest", "data"]):
        refused("folder", [words[0] + " is of a grid", "folder"], *words)
    refused("grid2.png", ["nowhere"], "--nearest", "nowhere")
    refused("grid2.png", ["65556"], "--count", 1, "--scale", 1024, "--columns", 4)


def check_nearest():
    """Beside each image the one that is nearest; of the images themselves that is the image, at no distance."""
    train()
    sample("drawn", "--count", 3)
    os.makedirs("set/deep")
    for name in images("drawn")[1:]:
        shutil.copy("drawn/" + name, "set/deep/" + name)
    write("set/broken.png", b"no picture")
    sample("pairs.png", "--count", 3, "--nearest", "set", "--scale", 1,
           says=["1 of 3 images could not be read", "the nearest of 2 images: 1 is 0 levels of 255", "deep/000001.png"])
    assert png_header("pairs.png") == (4 * 18 + 2, 2 * 18 + 2, 8, 2)
    sample("column.png", "--count", 3, "--nearest", "data", "--columns", 1, "--threads", 1)
    sample("again.png", "--count", 3, "--nearest", "data", "--columns", 1, "--threads", 2)
    same("column.png", "again.png")
    write("none", b"no picture")
    refused("pairs2.png", ["none"], "--nearest", "none")


def check_kill():
    """SIGKILL at any moment: what has a name is whole, and the folder can be gone on with."""
    train()
    words = [*map(str, SAMPLE), "--count", "60", "--batch-size", "1", "--sampler", "ddim", "--eta", "1"]
    maskdm(*words, "--out", "whole")
    kills = 0
    for _ in range(200):
        p = subprocess.Popen([PROGRAM, *words, "--out", "part", "--resume"], stderr=subprocess.PIPE)
        for line in p.stderr:
            if line.startswith(b"step "):
                break
        p.send_signal(signal.SIGKILL)
        p.stderr.close()
        kills += p.wait() == -signal.SIGKILL
        if len(images("part")) == 60:
            break
    assert kills > 1, kills
    maskdm(*words, "--out", "part", "--resume")
    assert sorted(os.listdir("part")) == sorted(os.listdir("whole"))
    for name in images("whole"):
        same("part/" + name, "whole/" + name)


def check_one_at_a_time():
    train()
    p = subprocess.Popen([PROGRAM, *map(str, SAMPLE), "--count", "100000", "--out", "part"], stderr=subprocess.PIPE)
    try:
        for line in p.stderr:
            if line.startswith(b"step "):
                break
        sample("part", "--resume", "--count", 100000, status=1, says=["part is in use"])
    finally:
        p.kill()
        p.stderr.close()
        p.wait()


if __name__ == "__main__":
    main(globals())
