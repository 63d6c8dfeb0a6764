# SPDX-License-Identifier: BSD-2-Clause
"""What a run costs, as the program tells it: a step when it starts, all of them in the log and at the end."""
import json
import re

from rig import TINY, faces, main, maskdm


def lines(run):
    return [json.loads(line) for line in open(run + "/log.jsonl")]


def train(out, *more):
    return maskdm("pretrain", "--data", faces("data", 16), "--out", out, *TINY, "--log-every", 1, *more).stderr


def quantity(text, before, unit):
    number, prefix = re.search(before + r" ([0-9.e+]+) ([kMGT]?)" + unit, text).groups()
    return float(number) * {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}[prefix]


def check_log():
    """Each step has the FLOPs that its first line tells, and four of sixteen patches."""
    said = train("run", "--mask", "patch", "--mask-ratio", 0.75, "--steps", 3)
    step = quantity(said, "a step takes", "FLOP")
    parts = [quantity(said, name, "FLOP") for name in ("forward", "backward", "optimizer")]
    assert abs(sum(parts) - step) < 0.02 * step, said
    less = float(re.search(r", ([0-9.]+) times fewer than on whole images", said).group(1))
    assert 2 < less < 4, said
    for i, line in enumerate(lines("run"), 1):
        assert line["images"] == 8 * i and line["tokens"] == 32 * i, line
        assert abs(line["flops"] - step * i) < 0.01 * step * i, line
    seconds = [line["seconds"] for line in lines("run")]
    assert 0 < seconds[0] < seconds[1] < seconds[2], seconds
    assert "24 images, 96 tokens, " in said and "seconds of steps" in said, said
    said = train("run", "--mask", "patch", "--mask-ratio", 0.75, "--steps", 5, "--resume")
    again = lines("run")
    assert [line["seconds"] for line in again[:3]] == seconds and again[3]["seconds"] > seconds[2], again
    assert "40 images, 160 tokens, " in said, said
    assert "fewer than" not in train("whole", "--steps", 1)


def check_measure():
    """The time that a mask saves stands beside the arithmetic, once a run."""
    said = train("run", "--mask", "patch", "--mask-ratio", 0.75, "--steps", 12, "--measure")
    took, times, allowed = map(float, re.search(
        r"a step takes ([0-9.e-]+) s, and would take [0-9.e-]+ s on whole images: ([0-9.]+) times as long, where the "
        r"arithmetic is ([0-9.]+) times as much", said).groups())
    assert took > 0 and times > 0 and 2 < allowed < 4, said
    assert ("too small a batch" in said) == (times < 0.8 * allowed), said
    assert said.count("on whole images: ") == 1, said
    assert "as long" not in train("short", "--steps", 3, "--measure")


if __name__ == "__main__":
    main(globals())
