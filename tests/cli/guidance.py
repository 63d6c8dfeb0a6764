# SPDX-License-Identifier: BSD-2-Clause
"""Guidance by the program: by labels, by a second model file, by a poorer view of the same; what is refused, and folders
that are gone on with."""
import json
import os

from rig import TINY, faces, images, main, maskdm, read, same

OTHER = ["--dim", 16, "--depth", 1]


def train(out, *more, labelled=True):
    if not os.path.exists("data"):
        faces("data/a", 8)
        faces("data/b", 8, seed=8)
    classes = ["--classes", 2, "--label-dropout", 0.1] if labelled else []
    maskdm("pretrain", "--data", "data", "--out", out, *TINY, "--steps", 1, *classes, *more)


def sample(out, *more, model="run", **expected):
    return maskdm("sample", "--model", model + "/model.safetensors", "--steps", 3, "--count", 3, "--no-metadata",
                  "--out", out, *more, **expected)


def refused(says, *more, **other):
    said = sample("refused.png", *more, status=1, says=says, **other).stderr
    assert "step " not in said and said.count("\n") == 1 and not os.path.exists("refused.png"), said


def differ(*pictures):
    assert len({read(p) for p in pictures}) == len(pictures), pictures


def check_kinds():
    train("run", "--depth", 5, "--route-ratio", 0.5, "--route-from", 1, "--mask", "patch")
    train("small", *OTHER)
    label = ["--label", "0,1"]
    sample("none.png", *label)
    sample("label.png", *label, "--guidance", 2)
    sample("guide.png", *label, "--guidance", 2, "--guide", "small/model.safetensors")
    sample("untold.png", *label, "--guidance", 2, "--guide", "small/model.safetensors", "--no-guidance-labels")
    sample("parts.png", *label, "--guidance", 2, "--guidance-by", "masked")
    sample("routed.png", *label, "--guidance", 2, "--guidance-by", "routed")
    differ("none.png", "label.png", "guide.png", "untold.png", "parts.png", "routed.png")
    train("sprint", "--depth", 5, "--sprint", 1)
    sample("whole.png", model="sprint")
    sample("dropped.png", "--guidance", 2, "--guidance-by", "path_drop", model="sprint")  # nor does this
    differ("whole.png", "dropped.png")
    sample("nowhere.png", *label, "--guidance", 2, "--guidance-low", 1e6)
    same("nowhere.png", "none.png")
    sample("all.png", *label, "--guidance", 2, "--guidance-channels", 3, "--batch-size", 2)
    same("all.png", "label.png")
    sample("one.png", "--guidance", 2, "--guidance-by", "masked")  # and needs no label


def check_refusals():
    train("run", "--mask", "patch")
    train("plain", labelled=False)
    train("three", "--classes", 3)
    train("large", "--image-size", 8)
    train("flow", "--process", "flow")
    label = ["--label", "0,1"]
    refused(["--guidance 2 follows labels", "--label", "--guide", "--guidance-by"], "--guidance", 2)
    refused(["--guidance 2 follows labels"], "--guidance", 2, "--label", "-1,-1")
    refused(["label 2 of image 1", "2 classes"], "--label", "0,2", "--guidance", 2)
    refused(["--guidance 2 needs a network with labels, a guide", "no classes"], *label, "--guidance", 2, model="plain")
    refused(["--guidance-low 5 is above --guidance-high 2"], *label, "--guidance", 2, "--guidance-low", 5,
            "--guidance-high", 2)
    refused(["a guide has no effect at --guidance 1"], *label, "--guide", "plain/model.safetensors")
    refused(["label 5000000000 of image 0", "2 classes"], "--label", 5000000000)
    refused(["--label x is none of the model's 2 labels: "], "--label", "1,x")
    refused(["--guide-weights goes with --guide, which is not given"], *label, "--guide-weights", "online")
    refused(["--guidance-low goes with --guidance, which is 1"], *label, "--guidance-low", 0.5)
    refused(["--guidance-parts goes with --guidance-by masked, which is auto"], *label, "--guidance", 2,
            "--guidance-parts", 4)
    refused(["--threshold-share goes with --threshold, which is false"], *label, "--threshold-share", 0.9)
    refused(["--clip-range goes with --clip true, which is false"], *label, "--no-clip", "--clip-range", 2)
    sample("plainly", *label, "--guidance", 1, "--threshold-max", 1000, "--clip-range", 1)  # as they are anyway
    refused(["--guidance-by routed needs"], "--guidance", 2, "--guidance-by", "routed")
    refused(["--guidance-by leaves a sprint's deep blocks out", "uvit has none"], "--guidance", 2, "--guidance-by",
            "path_drop")
    refused(["--guidance-parts 3", "16 patches"], "--guidance", 2, "--guidance-by", "masked", "--guidance-parts", 3)
    refused(["--guidance-by masked shows", "trained on whole images alone"], "--guidance", 2, "--guidance-by", "masked",
            model="plain")
    refused(["nobody.safetensors"], *label, "--guidance", 2, "--guide", "nobody.safetensors")
    for guide, says in (("three", ["3 classes and the model 2", "--guidance-labels"]),
                        ("large", ["the guide's images are 8 x 8 x 3 and the model's 16 x 16 x 3"]),
                        ("flow", ["the guide's process is flow and the model's discrete"])):
        refused(says, *label, "--guidance", 2, "--guide", guide + "/model.safetensors")


def check_going_on():
    """A folder that is gone on with keeps its guide: not another, and not none."""
    train("run", labelled=False)
    train("small", *OTHER, labelled=False)
    train("other", *OTHER, "--steps", 2, labelled=False)
    more = ["--guidance", 2, "--batch-size", 1, "--guide"]
    sample("whole", *more, "small/model.safetensors")
    sample("part", *more, "small/model.safetensors")
    os.remove("part/000001.png")
    told = json.loads(read("part/options.json"))
    assert len(told["guide_digest"]) == 16 and told["guide_digest"] != told["model_digest"], told
    sample("part", *more, "other/model.safetensors", "--resume", status=1,
           says=["part was started with", "--guide-digest"])
    sample("part", *more[:-1], "--guidance-by", "masked", "--resume", status=1, says=["part was started with"])
    os.makedirs("moved")
    os.rename("small/model.safetensors", "moved/m.safetensors")
    sample("part", *more, "moved/m.safetensors", "--resume", says=["2 of 3 images are in part"])
    for name in images("whole"):
        same("part/" + name, "whole/" + name)


if __name__ == "__main__":
    main(globals())
