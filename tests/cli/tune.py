# SPDX-License-Identifier: BSD-2-Clause
"""Consistency tuning by the program: what a run says, resumes and refuses; masked, then whole; and images in one evaluation or
two."""
import json
import os

from rig import TINY, faces, main, maskdm, read, same

TUNE = ["tune", "--init", "base/model.safetensors", "--data", "data", "--batch-size", 8, "--threads", 1, "--log-every", 1]


def base(*more):
    if not os.path.exists("data"):
        faces("data", 24)
    maskdm("pretrain", "--data", "data", "--out", "base", *TINY, "--steps", 2, *more)


def tune(out, *more, **expected):
    return maskdm(*TUNE, "--out", out, *more, **expected)


def check_run():
    base("--process", "edm")
    said = tune("run", "--steps", 8, "--tune-stages", 4, "--sample-every", 8).stderr
    assert "consistency tuning from stage 1 of 4, 2 steps each: steps of 1/2 of the noise, in the last 1/16" in said, said
    options = json.loads(read("run/options.json"))
    assert options["tune_every"] == 2 and options["tune_q"] == 2, options
    assert os.path.exists("run/samples-8.png")
    for steps in (1, 2):
        maskdm("sample", "--model", "run/model.safetensors", "--out", "%d.png" % steps, "--count", 2, "--sampler", "consistency",
               "--steps", steps)
    assert read("1.png") != read("2.png")


def check_resume():
    base("--process", "flow", "--prediction", "x0")
    tune("once", "--steps", 8, "--tune-stages", 2, "--tune-every", 3)
    tune("twice", "--steps", 4, "--tune-stages", 2, "--tune-every", 3)
    tune("twice", "--steps", 8, "--tune-stages", 2, "--tune-every", 3, "--resume")
    same("once/model.safetensors", "twice/model.safetensors")
    tune("twice", "--steps", 9, "--tune-stages", 2, "--tune-every", 4, "--resume", status=1,
         says=["--tune-every 3 and cannot be resumed with 4"])


def check_masked_then_whole():
    base()
    said = tune("masked", "--mask", "patch", "--mask-ratio", 0.75, "--steps", 3).stderr
    assert "mask patch hides 75.00 %" in said, said
    maskdm(*TUNE[:1], "--init", "masked/model.safetensors", *TUNE[3:], "--out", "whole", "--steps", 3)


def check_refusals():
    base("--process", "edm")
    for says, more in ((["--loss has no meaning for consistency tuning, which has --tune-huber"], ["--loss", "l1"]),
                       (["--time-mean has no meaning for consistency tuning, which has --tune-mean"], ["--time-mean", 1]),
                       (["--forget-power has no meaning for consistency tuning"], ["--forget-power", 1]),
                       (["--tune-q 256 in --tune-stages 8", "float32"], ["--tune-q", 256])):
        said = tune("refused", "--steps", 2, *more, status=1, says=says).stderr
        assert "step " not in said and not os.path.exists("refused"), said
    said = maskdm("sample", "--model", "base/model.safetensors", "--out", "grid.png", "--sampler", "consistency", "--steps", 4,
                  status=1).stderr
    assert "--steps 4 of --sampler consistency need 3 values of --mid, which has 1, or a --spacing" in said, said


if __name__ == "__main__":
    main(globals())
