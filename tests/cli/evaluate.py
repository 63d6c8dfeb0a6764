# SPDX-License-Identifier: BSD-2-Clause
"""maskdm evaluate: held-out errors, distances between folders and files of statistics, what a model draws on the fly against
the same images in a folder, what is told beside the numbers, and what is refused."""
import json
import os
import shutil
import struct
import tarfile
import zipfile

from rig import TINY, faces, images, main, maskdm, npy, png_file, read, same, write

DISTANCE = "random_feature_distance"


def evaluate(*words, **more):
    p = maskdm("evaluate", *words, "--json", **more)
    return (json.loads(p.stdout), p.stderr) if not more.get("status") else (None, p.stderr)


def train(*more):
    faces("data", 16)
    maskdm("pretrain", "--data", "data", "--out", "run", *TINY, "--steps", 3, "--ema-start", 1, *more)


def check_held_out():
    train()
    model = ["--model", "run/model.safetensors", "--data", faces("held-out", 12, seed=9)]
    page, said = evaluate(*model)
    h = page["held_out"]
    assert h["val_count"] == 12 and len(h["log_snr"]) == 9 and h["log_snr"][0] > 7.8 and h["log_snr"][8] < -5.9, h
    for which in ("ema", "online"):
        assert h[which]["x0_error"] > 0 and h[which]["loss"] > 0, h
        assert len(h[which]["x0_error_by_level"]) == 8
    assert h["ema"]["x0_error"] != h["online"]["x0_error"]
    levels = [x for x in h["ema"]["x0_error_by_level"] if x is not None]
    assert levels[-1] > levels[0], levels
    assert evaluate(*model, "--threads", 2)[0] == page
    assert evaluate(*model, "--val-seed", 1)[0] != page
    other = evaluate(*model, "--loss", "l1")[0]["held_out"]
    assert other["ema"]["x0_error"] == h["ema"]["x0_error"] and other["ema"]["loss"] != h["ema"]["loss"]
    told = maskdm("evaluate", *model)
    lines = told.stdout
    assert "very images" not in told.stderr, told.stderr
    said = maskdm("evaluate", *model[:3], "data").stderr
    assert "run/data.json lists these very images: the model was trained on them" in said, said
    shutil.copy("run/model.safetensors", "alone.safetensors")
    assert "very images" not in maskdm("evaluate", "--model", "alone.safetensors", "--data", "data").stderr
    shutil.copy("run/data.json", "kept.json")
    for text in (b"", b"{", b"[]"):
        write("run/data.json", text)
        assert "very images" not in maskdm("evaluate", *model[:3], "data").stderr
    shutil.copy("kept.json", "run/data.json")
    assert "step " in told.stderr and "left" not in told.stderr, told.stderr  # which nobody can tell of so short a work
    assert "x0_error" in lines and "log_snr" in lines and "{" not in lines, lines


def check_distances():
    a, b = faces("a", 40, seed=1), faces("b", 40, seed=2)
    os.mkdir("noise")
    for i in range(40):
        write("noise/%d.png" % i, png_file(16, 16, (os.urandom(16 * 3) for _ in range(16))))
    settings = ["--subsets", 3, "--subset-size", 20]
    itself, said = evaluate("--images", a, "--reference", a, *settings)
    assert abs(itself[DISTANCE]) < 1e-6, itself
    assert "fewer than the 480" in said, said
    assert "fid" not in itself and "random_feature_distance_infinity" in itself, itself
    halves = evaluate("--images", a, "--reference", b, *settings)[0]
    noise = evaluate("--images", "noise", "--reference", b, *settings)[0]
    assert 0 < halves[DISTANCE] < noise[DISTANCE] / 4, (halves[DISTANCE], noise[DISTANCE])
    key = "random_feature_kernel_distance"
    assert halves[key] < noise[key] and noise["coverage"] < halves["coverage"] and noise["recall"] == 0, noise
    assert halves["count"] == 40 and halves["images_identity"] != noise["images_identity"]
    assert halves["metric"]["subset_size"] == 20 and halves["reference_digest"] == noise["reference_digest"]
    assert evaluate("--images", a, "--reference", b, *settings, "--threads", 2)[0] == halves


def check_statistics():
    """A reference that is kept gives the number that its images give, in our form and in pytorch-fid's."""
    a, b = faces("a", 30, seed=1), faces("b", 30, seed=2)
    wanted = evaluate("--images", a, "--reference", b)[0][DISTANCE]
    maskdm("evaluate", "--images", b, "--save-statistics", "b.safetensors")
    page, said = evaluate("--images", a, "--reference", "b.safetensors")
    assert page[DISTANCE] == wanted and page["reference_count"] == 30 and "precision" not in page, page
    data = read("b.safetensors")
    n = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + n])
    assert header["__metadata__"]["maskdm.features"].startswith("random-network-1 ")
    with zipfile.ZipFile("b.npz", "w", zipfile.ZIP_DEFLATED) as z:
        for theirs, ours in (("mu", "mean"), ("sigma", "covariance")):
            begin, end = header[ours]["data_offsets"]
            z.writestr(theirs + ".npy", npy(data[8 + n + begin:8 + n + end], tuple(header[ours]["shape"]), "<f8"))
    evaluate("--images", a, "--reference", "b.npz", "--neighbours", 2, status=1,
             says=["--neighbours is of images or their features", "b.npz is mean and covariance alone"])
    page, said = evaluate("--images", a, "--reference", "b.npz")
    assert page[DISTANCE] == wanted and page["reference_count"] == 0, page
    assert "does not say what its features are" in said, said
    maskdm("info", "b.npz")


def check_features():
    """Features that are kept give every number that their images give; so do those in an array of another program's."""
    a, b = faces("a", 30, seed=1), faces("b", 30, seed=2)
    settings = ["--subsets", 3, "--subset-size", 20, "--neighbours", 2]
    wanted, said = evaluate("--images", a, "--reference", b, *settings)
    numbers = [k for k in wanted if "distance" in k or "deviation" in k] + ["precision", "recall", "density", "coverage"]
    assert len(numbers) == 8, numbers
    for folder in (a, b):
        maskdm("evaluate", "--images", folder, "--save-features", folder + ".safetensors")
    page, said = evaluate("--images", "a.safetensors", "--reference", "b.safetensors", *settings)
    assert [page[k] for k in numbers] == [wanted[k] for k in numbers], (page, wanted)
    assert page["features"] == wanted["features"] and "resampling" not in page, page
    data = read("b.safetensors")
    rows = data[-30 * 480 * 4:]
    write("b.npy", npy(rows, (30, 480), "<f4"))
    page, said = evaluate("--images", a, "--reference", "b.npy", *settings)
    assert [page[k] for k in numbers] == [wanted[k] for k in numbers], (page, wanted)
    assert "b.npy does not say what its features are" in said, said
    page, said = evaluate("--images", "b.npy", "--reference", "b.npy", *settings) # of nobody knows what network
    assert abs(page["feature_distance"]) < 1e-6 and page["features"] == "unknown", page
    write("wide.npy", npy(rows, (60, 240), "<f4"))
    for words, says in ((["--images", "wide.npy", "--reference", a], ["wide.npy has features of 240 numbers", "says 480"]),
                        (["--images", "wide.npy", "--reference", "b.npy"], ["features of 240 numbers against features of 480"]),
                        (["--images", "b.npy", "--reference", "b.npy", "--image-size", 8], ["--image-size fits images"]),
                        (["--images", "b.npy", "--reference", "b.npy", "--count", 8], ["--count is of images"])):
        evaluate(*words, status=1, says=says)


def check_archives():
    """An archive is its images, whatever else a path may lead to."""
    a, b = faces("a", 12, seed=1), faces("b", 12, seed=2)
    for folder in (a, b):
        with tarfile.open(folder + ".tar", "w") as t:
            for name in images(folder):
                t.add(folder + "/" + name, name)
    wanted = evaluate("--images", a, "--reference", b, "--neighbours", 2)[0]
    page = evaluate("--images", "a.tar", "--reference", "b.tar", "--neighbours", 2)[0]
    for key in (DISTANCE, "precision", "count", "images_identity", "reference_digest"):
        assert page[key] == wanted[key], (key, page, wanted)


def check_samples():
    """What a model draws is what it draws into a folder."""
    train()
    draw = ["--model", "run/model.safetensors", "--steps", 3, "--count", 10, "--batch-size", 4, "--seed", 5]
    page, said = evaluate(*draw, "--reference", "data", "--neighbours", 2)
    assert page["count"] == 10 and page["sampler"]["steps"] == 3 and page["weights"] == "ema", page
    maskdm("sample", *draw, "--out", "drawn/")
    other = evaluate("--images", "drawn", "--reference", "data", "--neighbours", 2)[0]
    for key in (DISTANCE, "random_feature_kernel_distance", "precision", "density", "coverage"):
        assert page[key] == other[key], (key, page[key], other[key])


def check_broken_images():
    a, b = faces("a", 12, seed=1), faces("b", 12, seed=2)
    whole = evaluate("--images", a, "--reference", b, "--neighbours", 2)[0]
    write("a/broken.png", read("a/face-00000.png")[:60])
    page, said = evaluate("--images", a, "--reference", b, "--neighbours", 2)
    assert page["images_skipped"] == 1 and page["count"] == 12 and page[DISTANCE] == whole[DISTANCE], page
    assert "a/broken.png" in said and "1 of 13 images could not be read" in said, said


EVALUATED = ["--evaluate-every", 2, "--evaluate-count", 6, "--sample-steps", 3]


def distances(run):
    lines = [json.loads(line) for line in read(run + "/log.jsonl").decode().splitlines()]
    return [(x["step"], x[DISTANCE], x["best"]) for x in lines if DISTANCE in x]


def check_training():
    """A run tells distances as it goes and keeps its best model, whose distance is what evaluate says of it."""
    faces("data", 16)
    pretrain = ["pretrain", "--data", "data", *TINY, "--ema-start", 1, "--lr", "5e-3"]
    said = maskdm(*pretrain, "--out", "run", "--steps", 7, "--log-every", 50, *EVALUATED).stderr
    told = distances("run")
    assert [step for step, _, _ in told] == [2, 4, 6, 7], told
    least = min(told, key=lambda x: x[1])
    assert [best for _, x, best in told] == [x < min([y for _, y, _ in told[:i]] + [1e9]) for i, (_, x, _) in enumerate(told)]
    assert "step %d: %s" % (least[0], DISTANCE) in said and "fewer images than the 480 numbers" in said, said
    page = evaluate("--model", "run/best.safetensors", "--reference", "data", "--count", 6, "--sampler", "dpmpp",
                    "--steps", 3)[0]
    assert abs(page[DISTANCE] - least[1]) < 1e-5 * least[1], (page[DISTANCE], least)
    maskdm(*pretrain, "--out", "plain", "--steps", 7) # evaluations change nothing
    same("run/model.safetensors", "plain/model.safetensors")
    # In two parts, and against files that say the same of the reference.
    maskdm("evaluate", "--images", "data", "--save-statistics", "data-statistics")
    maskdm("evaluate", "--images", "data", "--save-features", "data-features")
    maskdm(*pretrain, "--out", "parts", "--steps", 4, *EVALUATED, "--evaluate-reference", "data")
    said = maskdm(*pretrain, "--out", "parts", "--steps", 7, "--resume", *EVALUATED, "--evaluate-reference",
                  "data-statistics").stderr
    assert [(step, round(x, 6), best) for step, x, best in distances("parts")] == [
        (step, round(x, 6), best) for step, x, best in told], (distances("parts"), told)
    assert "earlier distances" not in said, said
    same("run/best.safetensors", "parts/best.safetensors")
    said = maskdm(*pretrain, "--out", "parts", "--steps", 9, "--resume", *EVALUATED[:-1], 2, "--evaluate-reference",
                  "data-features").stderr # another sampler
    assert "earlier distances are of 6 images by dpmpp in 3 steps" in said and distances("parts")[-2][2], said


def check_training_refused():
    faces("data", 16)
    pretrain = ["pretrain", "--data", "data", "--out", "run", *TINY, "--steps", 2]
    maskdm("evaluate", "--images", "data", "--save-features", "features")
    write("few.npy", npy(struct.pack("<6f", *range(6)), (2, 3), "<f4"))
    for words, says in (
            (["--evaluate-count", 9], ["--evaluate-count goes with --evaluate-every"]),
            (["--evaluate-every", 1, "--evaluate-reference", "missing"], ["missing"]),
            (["--evaluate-every", 1, "--evaluate-reference", "few.npy"], ["few.npy has features of 3 numbers", "says 480"]),
            (["--evaluate-every", 1, "--evaluate-features", "features"], ["features", "no weights of a feature network"])):
        maskdm(*pretrain, *words, status=1, says=says)
        assert not os.path.exists("run"), words


def check_sizes():
    """Images of several sizes are looked at each as it is, or fitted where that is asked for."""
    a, b = faces("a", 6, size=16, seed=1), faces("b", 12, size=24, seed=2)
    faces("c", 6, size=32, seed=3)
    for name in images("c"):
        shutil.copy("c/" + name, "a/large-" + name)
    page = evaluate("--images", a, "--reference", b, "--neighbours", 2)[0]
    assert page["count"] == 12 and page["resampling"] == "bilinear"
    fitted = evaluate("--images", a, "--reference", b, "--neighbours", 2, "--image-size", 8)[0]
    assert fitted[DISTANCE] != page[DISTANCE] and fitted["image_size"] == "8", fitted
    assert fitted["resampling"] == "fitted (bicubic, crop centre), then bilinear" and fitted["orientation"] == "follow"
    other = evaluate("--images", a, "--reference", b, "--neighbours", 2, "--image-size", 8, "--resize", "area", "--crop",
                     "none", "--background", 0)[0]
    assert other["resampling"] == "fitted (area, crop none), then bilinear" and other["background"] == "0", other
    assert other[DISTANCE] != fitted[DISTANCE], other


def check_refusals():
    train()
    model, data, few = ["--model", "run/model.safetensors"], ["--data", "data"], faces("few", 1)
    for words, says in (
            ([], ["an evaluation takes --model with --data"]),
            (model, ["--model needs --data, or --reference without --images"]),
            (data, ["--data without --model"]),
            (["--images", "data"], ["--images without --reference, --save-statistics or --save-features"]),
            (["--images", "data", "--save-statistics", "s", "--subsets", 3], ["--subsets goes with --reference"]),
            (["--images", "data", "--save-statistics", "s", "--reference-count", 3],
             ["--reference-count goes with --reference"]),
            (["--images", "data", "--reference", "data", "--val-seed", 3], ["--val-seed goes with --data"]),
            (["--images", "data", "--reference", "data", "--steps", 3], ["--steps is for a model that draws"]),
            (["--images", "data", "--reference", "data", "--label", 0], ["--label is for a model that draws"]),
            (model + data + ["--save-statistics", "s"], ["--save-statistics goes with --images or --reference"]),
            (model + data + ["--count", 3], ["--count goes with --images or --reference"]),
            (["--reference", "data"], ["--reference without --images or --model"]),
            (model + ["--reference", "data"], ["--count is 0"]),
            (["--images", "data", "--reference", "missing"], ["missing"]),
            (["--images", "missing", "--reference", "data"], ["missing"]),
            (["--images", few, "--reference", "data"], ["at least 2 rows", "not 1"]),
            (["--images", "data", "--reference", "run/model.safetensors"], ["run/model.safetensors", "it holds no array of images"]),
            (["--images", "data", "--reference", "data", "--features", "run/model.safetensors"],
             ["run/model.safetensors", "no weights of a feature network"])):
        _, said = evaluate(*words, status=1, says=says)
        assert "maskdm evaluate: " in said
    assert "maskdm evaluate" in maskdm("evaluate", "--help").stdout


main(globals())
