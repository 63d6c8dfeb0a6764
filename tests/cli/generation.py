# SPDX-License-Identifier: BSD-2-Clause
"""What is drawn beside new images: variations of a picture, parts of one, images between seeds, and animations, whose files
are taken apart by the rules of animated PNG."""
import json
import os
import struct
import zlib

from rig import TINY, chunks, faces, idat, images, main, maskdm, png_file, read, same, write

SAMPLE = ["sample", "--model", "run/model.safetensors", "--steps", 4]


def train(*more):
    faces("data", 8)
    maskdm("pretrain", "--data", "data", "--out", "run", *TINY, "--steps", 1, *more)


def sample(out, *more, **expected):
    """Images alone, at their size: what files say of themselves differs with the options."""
    plain = ["--scale", 1] if out.endswith(".png") else []
    return maskdm(*SAMPLE, "--out", out, "--no-metadata", *plain, *more, **expected)


def refused(says, *more):
    """One sentence, before a step is taken, and nothing is left."""
    before = sorted(os.listdir("."))
    said = sample("new.png", *more, status=1, says=says).stderr
    assert "step " not in said and said.count("\n") == 1, said
    assert sorted(os.listdir(".")) == before, os.listdir(".")


# ---- PNG, still and moving ----

def paeth(a, b, c):
    p = a + b - c
    return min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]


def rows(header, raw):
    """Rows of samples of 8 bits and three channels; rows are filtered as our files have them, or not at all."""
    width, height, bits, colour = struct.unpack(">IIBB", header[:10])
    assert (bits, colour) == (8, 2)
    stride, out = 1 + 3 * width, [bytes(3 * width)]
    assert len(raw) == stride * height
    for y in range(height):
        line = bytearray(raw[y * stride + 1:(y + 1) * stride])
        kind = raw[y * stride]
        assert kind in (0, 4), kind
        for i in range(len(line) if kind else 0):
            left, corner = (line[i - 3], out[-1][i - 3]) if i >= 3 else (0, 0)
            line[i] = (line[i] + paeth(left, out[-1][i], corner)) & 255
        out.append(bytes(line))
    return out[1:]


def still(path):
    return rows(dict(chunks(path))[b"IHDR"], idat(path))


def frames(path):
    """[(milliseconds, rows)] of an animation, all of whose chunks stand where they must."""
    found = list(chunks(path))
    kinds = [kind for kind, _ in found]
    header, (count, plays) = found[0][1], struct.unpack(">II", dict(found)[b"acTL"])
    assert kinds[:2] == [b"IHDR", b"acTL"] and kinds[-1] == b"IEND" and plays == 0, kinds
    assert kinds.index(b"fcTL") > kinds.index(b"IDAT") and kinds.count(b"fcTL") == count
    out, number = [], 0
    for kind, body in found:
        if kind in (b"fcTL", b"fdAT"):
            assert struct.unpack(">I", body[:4])[0] == number
            number += 1
        if kind == b"fcTL":
            width, height, x, y, over, under, dispose, blend = struct.unpack(">IIIIHHBB", body[4:])
            assert body[4:12] == header[:8] and (x, y, dispose, blend) == (0, 0, 0, 0)
            out.append([over * 1000 // under, b""])
        if kind == b"fdAT":
            out[-1][1] += body[4:]
    return [(time, rows(header, zlib.decompress(packed))) for time, packed in out]


def png(path, width, height, pixel, channels=3):
    lines = (b"".join(bytes(pixel(x, y)) for x in range(width)) for y in range(height))
    write(path, png_file(width, height, lines, 2 if channels == 3 else 0))


def photo(path, width=16, height=16):
    png(path, width, height, lambda x, y: (x * 13 % 256, y * 11 % 256, (x * y * 3 + 40) % 256))


def mask(path, width=16, height=16):
    """The right half, and a little grey that is none of the hole."""
    png(path, width, height, lambda x, y: (255 if 2 * x >= width else 100,), 1)


def crop(picture, left, top, width, height):
    return [row[3 * left:3 * (left + width)] for row in picture[top:top + height]]


# ---- checks ----

def check_variations():
    train()
    photo("photo.png")
    photo("large.png", 48, 33)
    sample("plain.png", "--count", 3)
    sample("all.png", "--count", 3, "--init-image", "photo.png", "--strength", 1)
    same("all.png", "plain.png")
    sample("half.png", "--count", 3, "--init-image", "photo.png", "--strength", 0.5, "--threads", 1)
    sample("again.png", "--count", 3, "--init-image", "photo.png", "--strength", 0.5, "--threads", 2, "--batch-size", 1)
    same("again.png", "half.png")
    assert read("half.png") != read("plain.png")
    said = sample("fitted.png", "--count", 3, "--init-image", "large.png", "--strength", 0.5,
                  says=["large.png is fitted from 33 x 48 pixels to 16 x 16"]).stderr
    assert said.count("fitted") == 1
    refused(["strength 0.2 leaves none of 4 steps; 0.25 leaves one"], "--init-image", "photo.png", "--strength", 0.2)
    refused(["--strength goes with --init-image"], "--strength", 0.5)
    refused(["missing.png"], "--init-image", "missing.png")
    write("text.png", b"no picture")
    refused(["text.png"], "--init-image", "text.png")


def check_holes():
    train("--mask", "patch")
    photo("photo.png")
    mask("mask.png")
    hole = ["--inpaint", "photo.png", "--hole", "mask.png"]
    for more in ([], ["--resample", 3, "--jump-length", 2], ["--sampler", "heun"], ["--sampler", "dpmpp"],
                 ["--init-image", "photo.png", "--strength", 0.75], ["--surround", 1]):
        sample("out.png", "--count", 2, *hole, *more)
        grid = still("out.png")
        one, two = crop(grid, 2, 2, 16, 16), crop(grid, 20, 2, 16, 16)
        for y in range(16):
            assert one[y][:24] == two[y][:24] == still("photo.png")[y][:24], y
        assert one != two
        os.rename("out.png", "first.png")
        sample("out.png", "--count", 2, *hole, *more, "--batch-size", 1, "--threads", 2)
        same("out.png", "first.png")
    photo("large.png", 40, 30)
    mask("wide.png", 40, 30)
    sample("large-out.png", "--count", 1, "--inpaint", "large.png", "--hole", "wide.png",
           says=["large.png is fitted from 30 x 40", "wide.png is fitted from 30 x 40"])
    refused(["mask.png has 16 x 16 pixels, and large.png, in which it is the hole, 30 x 40"], "--inpaint", "large.png",
            "--hole", "mask.png")
    refused(["--inpaint goes with --hole"], "--inpaint", "photo.png")
    refused(["--hole goes with --inpaint"], "--hole", "mask.png")
    refused(["--resample goes with --inpaint"], "--resample", 2)
    refused(["--surround goes with --inpaint"], "--surround", 2)
    refused(["surround leaves patches out, and guidance_by masked always sees all"], *hole, "--surround", 1,
            "--guidance", 2, "--guidance-by", "masked")
    maskdm("finetune", "--init", "run/model.safetensors", "--data", "data", "--out", "tuned", "--batch-size", 8, "--steps", 1)
    sample("new.png", *hole, "--surround", 1, "--model", "tuned/model.safetensors")  # it has seen masks, if not of late
    os.remove("new.png")
    maskdm("pretrain", "--data", "data", "--out", "whole", *TINY, "--steps", 1)
    refused(["surround shows the network some of the patches", "trained on whole images alone"], *hole, "--surround", 1,
            "--model", "whole/model.safetensors")
    png("black.png", 16, 16, lambda x, y: (127,), 1)
    refused(["the hole is empty: no pixel of it is white"], "--inpaint", "photo.png", "--hole", "black.png")


def check_ways():
    train()
    sample("from", "--count", 1, "--seed", 1, "--sampler", "ddim", "--eta", 1)
    sample("to", "--count", 1, "--seed", 9, "--sampler", "ddim", "--eta", 1)
    sample("way", "--interpolate", "1:9", "--frames", 5, "--sampler", "ddim", "--eta", 1)
    assert len(images("way")) == 5
    same("way/000000.png", "from/000001.png")
    same("way/000004.png", "to/000009.png")
    assert len({read("way/" + n) for n in images("way")}) == 5
    before = {n: read("way/" + n) for n in images("way")}
    os.remove("way/000003.png")
    os.remove("way/000001.png")
    sample("way", "--interpolate", "1:9", "--frames", 5, "--sampler", "ddim", "--eta", 1, "--resume")
    assert {n: read("way/" + n) for n in images("way")} == before
    maskdm("sample", "--config", "way/options.json", "--out", "again")
    assert {n: read("again/" + n) for n in images("again")} == before
    sample("on", "--interpolate", "1:9:1", "--frames", 5, "--sampler", "ddim", "--eta", 1)
    same("on/000002.png", "way/000004.png")
    same("on/000004.png", "way/000000.png")
    refused(["--interpolate leads from one seed to another, as 1:9"], "--interpolate", 1)
    refused(["--frames 2 is less than the 3 seeds of --interpolate"], "--interpolate", "1:2:3", "--frames", 2)
    refused(["--count has no meaning with --interpolate"], "--interpolate", "1:2", "--count", 3)
    refused(["--seed has no meaning with --interpolate"], "--interpolate", "1:2", "--seed", 3)


def check_animations():
    train()
    sample("plain.png", "--count", 3)
    sample("grid.png", "--count", 3, "--animate", "moving.png", "--batch-size", 2)
    same("grid.png", "plain.png")
    moving = frames("moving.png")
    assert [time for time, _ in moving] == [80, 80, 80, 1500]
    assert moving[-1][1] == still("moving.png") == still("grid.png")
    assert len({b"".join(picture) for _, picture in moving}) == 4
    sample("grid.png", "--count", 3, "--animate", "noisy.png", "--animated", "x", "--frames", 2, "--frame-time", 120)
    noisy = frames("noisy.png")
    assert [time for time, _ in noisy] == [120, 1500] and noisy[1] == moving[-1] and noisy[0][1] != moving[1][1]
    sample("one.png", "--count", 1, "--animate", "ONE.PNG")
    assert frames("ONE.PNG")[-1][1] == crop(still("one.png"), 2, 2, 16, 16)
    sample("way", "--interpolate", "1:9", "--frames", 5, "--animate", "way.png", "--batch-size", 2)
    assert [time for time, _ in frames("way.png")] == [80] * 5
    for k, (_, picture) in enumerate(frames("way.png")):
        assert picture == still("way/%06d.png" % k)
    sample("deep.png", "--count", 1, "--bits", 16, "--animate", "deeper.png")
    assert dict(chunks("deeper.png"))[b"IHDR"][8] == 16
    photo("photo.png")
    mask("mask.png")
    sample("hole.png", "--count", 1, "--inpaint", "photo.png", "--hole", "mask.png", "--animate", "filling.png")
    for _, picture in frames("filling.png"):
        assert [row[:24] for row in picture] == [row[:24] for row in still("photo.png")]


def check_animations_refused():
    train()
    for name in ("moving.gif", "moving", "moving.png.jpg", "png"):
        refused(["--animate " + name, "whose name ends in .png"], "--animate", name)
    refused(["--animate and --out are both new.png"], "--animate", "new.png")
    refused(["no folder nowhere"], "--animate", "nowhere/moving.png")
    refused(["--frame-time goes with --animate"], "--frame-time", 10)
    refused(["--animated goes with --animate"], "--animated", "x")
    refused(["--resume has no meaning with --animate"], "--animate", "moving.png", "--resume")
    refused(["65537", "65536"], "--animate", "moving.png", "--count", 65537)


def check_records():
    """A folder says what it was begun with, and is held to it."""
    train()
    photo("photo.png")
    photo("other.png", 17, 16)
    sample("part", "--count", 2, "--init-image", "photo.png", "--strength", 0.5)
    told = json.loads(read("part/options.json"))
    assert told["init_image"] == "photo.png" and told["strength"] == 0.5, told
    os.remove("part/000001.png")
    for words, says in (([], ["init-image", "photo.png"]), (["--init-image", "photo.png"], ["strength", "0.5"]),
                        (["--init-image", "other.png", "--strength", 0.5], ["init-image", "photo.png", "other.png"])):
        sample("part", "--count", 2, *words, "--resume", status=1, says=["part was started with", *says])
    sample("part", "--count", 2, "--init-image", "photo.png", "--strength", 0.5, "--resume")
    assert len(images("part")) == 2
    sample("fresh", "--count", 1)
    sample("fresh", "--count", 2, "--init-image", "photo.png", "--resume", status=1,
           says=["fresh was started with --init-image none and cannot be resumed with photo.png"])
    assert images("fresh") == ["000000.png"]


if __name__ == "__main__":
    main(globals())
