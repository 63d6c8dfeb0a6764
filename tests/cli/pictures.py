# SPDX-License-Identifier: BSD-2-Clause
"""Pictures as cameras and old programs leave them: turned, with bytes too many, too large."""
import json
import os
import struct

from rig import TINY, chunk, idat, main, maskdm, png_file, png_header, read, write

SIDE = 16


def png(path, k, orientation=0, side=SIDE):
    """A picture that looks different from every side, as it would be stored with that orientation tag."""
    rows = (bytes((x * 3 + y * 13 * c + k) % 256 for x in range(side) for c in range(3)) for y in range(side))
    exif = struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    write(path, png_file(side, side, rows, more=chunk(b"eXIf", exif) if orientation else b""))


def train(out, *more, **expected):
    return maskdm("pretrain", "--data", "data", "--out", out, *TINY, "--steps", 2, *more, **expected)


def check_orientation():
    os.makedirs("data")
    for k in range(8):
        png("data/%d.png" % k, k * 20)
    plain = train("plain")
    assert "EXIF" not in plain.stderr
    for k in range(4, 8):
        png("data/%d.png" % k, k * 20, 6)
    train("followed", says=["4 images were read with a remark, first data/4.png: turned upright from EXIF "
                            "orientation 6"])
    train("ignored", "--orientation", "ignore",
          says=["4 images were read with a remark, first data/4.png: EXIF orientation 6 not followed"])
    assert json.loads(read("ignored/options.json"))["orientation"] == "ignore"
    assert json.loads(read("followed/options.json"))["orientation"] == "follow"
    model = [read(out + "/model.safetensors") for out in ("plain", "followed", "ignored")]
    assert model[0] == model[2] and model[0] != model[1]
    for out, way, other in (("followed", "ignore", "follow"), ("ignored", "follow", "ignore")):
        train(out, "--resume", "--steps", 3, "--orientation", way, status=1,
              says=["started with --orientation %s and cannot be resumed with %s" % (other, way)])
    train("ignored", "--resume", "--steps", 3, "--orientation", "ignore")


def rgba(path, k, alpha, height=SIDE, width=SIDE):
    rows = (bytes(v for x in range(width) for v in (x * 9 % 256, y * 13 % 256, k, alpha)) for y in range(height))
    write(path, png_file(width, height, rows, 6))


def check_transparency():
    """Kept where the images have it and nothing else is said; laid over the background where it is, and said."""
    os.makedirs("data")
    for k in range(8):
        rgba("data/%d.png" % k, k * 20, 255)
    assert "transparen" not in train("opaque").stderr
    assert json.loads(read("opaque/options.json"))["channels"] == 3
    for k in range(4, 8):
        rgba("data/%d.png" % k, k * 20, 100)
    train("kept", says=["images have transparency, as data/4.png: it is kept, as a fourth channel; --channels 3 lays it "
                        "over --background"])
    assert json.loads(read("kept/options.json"))["channels"] == 4
    train("kept", "--resume", "--steps", 3)
    train("kept", "--resume", "--steps", 4, "--channels", 3, status=1, says=["--channels 4", "3"])
    train("flat", "--channels", 3, says=["4 images were read with a remark, first data/4.png: what is transparent is "
                                         "laid over the background"])
    train("flat", "--resume", "--steps", 3)
    maskdm("sample", "--model", "kept/model.safetensors", "--count", 1, "--steps", 1, "--out", "grid.png")
    assert png_header("grid.png")[3] in (2, 6)


def check_fit():
    """Another filter or cut gives other images, and a run does not go on with another."""
    os.makedirs("data")
    for k in range(8):
        png("data/%d.png" % k, k * 20, side=24)
    ways = {"plain": [], "area": ["--resize", "area"], "nearest": ["--resize", "nearest"],
            "random": ["--crop", "random", "--crop-margin", 0.25], "shift": ["--shift", 2], "turn": ["--turn", 0.5],
            "colour": ["--colour", 0.2]}
    models = {}
    for name, flags in ways.items():
        train(name, *flags)
        models.setdefault(read(name + "/model.safetensors"), []).append(name)
    assert len(models) == len(ways), models.values()
    train("random", "--resume", "--steps", 3, *ways["random"])
    train("random", "--resume", "--steps", 4, status=1, says=["--crop random", "centre"])
    train("none", "--pad", status=1, says=["--pad goes with --crop none"])
    train("streamed", "--cache-limit", 0, *ways["random"])
    assert read("streamed/model.safetensors") == models_of(models, "random")


def pixels(path):
    """(width, height, channels, bytes) of a PNG file without interlace and of 8 bits, rows filtered by Paeth."""
    width, height, bits, kind = png_header(path)
    raw, n, out = idat(path), {0: 1, 2: 3, 4: 2, 6: 4}[kind], bytearray()
    assert bits == 8
    for y in range(height):
        line = raw[y * (width * n + 1):(y + 1) * (width * n + 1)]
        above = out[-width * n:] if y else bytes(width * n)
        row = bytearray(line[1:])
        for i in range(len(row)):
            a, b, c = row[i - n] if i >= n else 0, above[i], above[i - n] if i >= n else 0
            best = min((a, b, c), key=lambda v: abs(a + b - c - v)) if line[0] == 4 else (0, a, b, (a + b) // 2)[line[0]]
            row[i] = (row[i] + best) % 256
        out += row
    return width, height, n, bytes(out)


def check_survey():
    """What is in a folder, and how a network sees it."""
    for k in range(6):
        os.makedirs("data/%s" % "ab"[k % 2], exist_ok=True)
        png("data/%s/%d.png" % ("ab"[k % 2], k), k * 20)
    rgba("data/a/clear.png", 50, 100, 24, 32)
    rgba("data/full.png", 50, 255)
    write("data/b/copy.png", read("data/b/1.png"))
    write("data/b/cut.png", read("data/b/1.png")[:60])
    write("data/b/x.gif", b"GIF89a")
    for name in ("note.TXT", "b/more.txt", "film.mp4", ".hidden.txt"):
        write("data/" + name, b"x")
    p = maskdm("data", "data", "--json", says=["cannot be read: data/b/cut.png: ", "x.gif"])
    told = json.loads(p.stdout)
    assert told["images"] == 9 and told["unreadable"] == 1 and told["transparent"] == 1 and told["duplicates"] == 1, told
    assert told["duplicate_of"] == "data/b/1.png" and told["duplicate_is"] == "data/b/copy.png", told
    assert told["modes"] == {"RGB, 8 bits": 7, "RGBA, 8 bits": 2} and told["sizes"] == {"16 x 16": 8, "24 x 32": 1}, told
    assert told["labels"] == {"a": 4, "b": 4} and told["without_label"] == 1, told
    assert told["ignored"] == {".txt": 2, ".mp4": 1}, told
    maskdm("pretrain", "--data", "data", "--out", "run", "--image-size", 16, "--patch-size", 4, "--dim", 16, "--depth", 1, "--heads", 1,
           "--batch-size", 2, "--steps", 3, "--dry-run",
           says=["sizes 16x16 (8), 24x32 (1); RGBA 2, RGB 7\n", "ignored as no images: .txt 2, .mp4 1\n"])
    assert "RGB, 8 bits                7\n" in maskdm("data", "data").stdout
    maskdm("data", "data", "--out", "s.png", "--image-size", 16, "--count", 4)
    width, height, n, seen = pixels("s.png")
    assert width == height == 2 * 16 * 16 + 3 * 4 and n == 3
    square = lambda y, x: {seen[((4 + y * 16 + v) * width + 4 + x * 16 + u) * 3:][:3] for v in range(16) for u in range(16)}
    assert all(len(square(y, x)) in (1, 2) for y in range(0, 16, 5) for x in range(0, 16, 5))  # 2: over the checkerboard
    maskdm("data", "data", "--out", "m.png", "--image-size", 16, "--count", 4, "--masked", "--mask", "patch", "--mask-ratio", 0.5)
    grey = pixels("m.png")[3].count(bytes([128] * 3 * 64))
    assert grey >= 4 * 8 * 64 // 2, grey
    for flags, says in ((["--masked"], "--masked goes with --out"), (["--out", "s.jpg"], "cannot write s.jpg"),
                        (["--out", "folder"], "a sheet is a PNG file"), (["--out", "n.png", "--masked"], "hides nothing"),
                        (["--out", "n.png", "--pad"], "--pad goes with --crop none")):
        maskdm("data", "data", *flags, status=1, says=[says])
    assert not os.path.exists("n.png") and not os.path.exists("folder")
    maskdm("data", "none", status=1, says=["none"])


def models_of(models, name):
    return next(model for model, names in models.items() if name in names)


def check_remarks():
    """One line for each kind, with the first by name, whatever the order in which they are read."""
    os.makedirs("data")
    for k in range(8):
        png("data/%d.png" % k, k * 20)
    for k, n in ((3, 77), (5, 99), (6, 1)):
        write("data/%d.png" % k, read("data/%d.png" % k) + bytes(n))
    write("data/7.png", read("data/7.png")[:-12])
    for loaders in (0, 1, 3):
        p = train("run%d" % loaders, "--loaders", loaders, says=[
            "3 images were read with a remark, first data/3.png: 77 bytes behind the end of the picture",
            "1 image was read with a remark, data/7.png: no end marker behind the whole picture"])
        assert p.stderr.count("with a remark") == 2


def check_limits():
    os.makedirs("data")
    for k in range(8):
        png("data/%d.png" % k, k * 20)
    png("data/large.png", 5, side=100)
    png("data/turned.png", 5, 8, side=20)
    train("run", "--image-pixels", 9999, "--image-memory", 1199, says=[
        "left out: data/large.png: 100 x 100 are 10000 pixels, and image_pixels is 9999 (--image-pixels raises it)",
        "left out: data/turned.png: 20 x 20 pixels, stored on their side, take 1200 bytes at once, and image_memory "
        "is 1199 (--image-memory raises it)"])
    assert "left out" not in train("more", "--image-pixels", 10000, "--image-memory", 1200).stderr


if __name__ == "__main__":
    main(globals())
