# SPDX-License-Identifier: BSD-2-Clause
"""Masks by the program: what a run says of them, and what is refused, in one sentence before an image is read."""
import json
import os

from rig import NETWORK, faces, main, maskdm, read

RUN = ["--data", "data", "--out", "run", *NETWORK, "--threads", 1, "--steps", 4, "--log-every", 1]


def pretrain(*more, **expected):
    return maskdm("pretrain", *RUN, *more, **expected)


def log():
    return [json.loads(line) for line in read("run/log.jsonl").decode().splitlines()]


def refused(says, *more):
    """In one sentence, before an image is read."""
    said = pretrain(*more, status=1).stderr
    assert all(s in said.splitlines()[-1] for s in says) and "step " not in said and not os.path.exists("run"), said


def check_kinds():
    faces("data", 40, 16)
    for i, (mask, says) in enumerate([
            (["grid"], "mask grid hides 75.00 % of the patches (4 of 16 visible)"),
            (["grid", "--mask-cell-visible", 3], "mask grid hides 25.00 % of the patches (12 of 16 visible)"),
            (["partition"], "mask partition divides the patches into 2 groups of 8"),
            (["partition", "--mask-groups", 4, "--mask-cell-size", 2], "divides the patches into 4 groups of 4")]):
        said = pretrain("--out", "run%d" % i, "--batch-size", 8, "--mask", *mask).stderr
        assert says in said, said


def check_changes():
    faces("data", 40, 16)
    said = pretrain("--mask", "block", "--mask-ratio", 0.75, "--mask-ratio-end", 0, "--mask-ratio-steps", 3,
                    "--mask-ratio-levels", 3, "--mask-ratio-curve", "cosine", "--batch-tokens", 32).stderr
    assert "--batch-tokens 32: 8 images a step" in said, said
    assert "that changes: from step 2 on mask block hides 0.00 % of the patches (16 of 16 visible)" in said, said
    assert "step 1: mask block hides 25.00 % of the patches (12 of 16 visible), 2 images a step" in said, said
    assert [(line["images"], line["visible"]) for line in log()] == [(8, 4), (10, 12), (12, 16), (14, 16)], log()


def check_refusals():
    faces("data", 40, 16)
    refused(["cells of 3 x 3 patches do not tile a grid of 4 x 4"], "--mask", "grid", "--mask-cell-size", 3)
    refused(["a cell of 2 x 2 patches has no 5 that could be visible"], "--mask", "grid", "--mask-cell-visible", 5)
    refused(["3 groups do not divide the 16 patches"], "--mask", "partition", "--mask-groups", 3)
    refused(["--mask-ratio-end 0.5 without --mask-ratio-steps"], "--mask", "patch", "--mask-ratio-end", 0.5)
    refused(["--mask-ratio-levels goes with --mask-ratio-end, which is not given"], "--mask", "patch", "--mask-ratio-levels", 9)
    refused(["leaves no patch visible"], "--mask", "patch", "--mask-ratio-end", 1, "--mask-ratio-steps", 9)
    refused(["--batch-size", "--batch-tokens 64 both say"], "--batch-size", 4, "--batch-tokens", 64)
    refused(["--batch-tokens 3 is less than the 4 visible patches", "--accumulate 1"], "--batch-tokens", 3)
    refused(["--batch-tokens 999 makes a batch of 249 images", "40 images"], "--batch-tokens", 999)


if __name__ == "__main__":
    main(globals())
