# SPDX-License-Identifier: BSD-2-Clause
"""A run on another device than the processor keeps the processor's curve of losses, and either goes on with what the
other left. MASKDM_TEST_DEVICE names the device (and MASKDM_TEST_MODULE the file of its module, MASKDM_TEST_STEPS how long a
run is); skipped without it.

Draws have the same bits on every device, so that the first step's losses differ by rounding alone. From there on runs
drift apart: what one step differs by is in the next one's weights. Bounds are on the difference of two losses over the
larger one, of the first step and of the farthest.
"""
import json
import os
import struct

from rig import Skip, checkpoints, faces, idat, main, maskdm, png_header, read

DEVICE, MODULE = os.environ.get("MASKDM_TEST_DEVICE", ""), os.environ.get("MASKDM_TEST_MODULE", "")
BOUND = {"float32": (2e-6, 2e-4), "bfloat16": (5e-3, 3e-2)}
STEPS = int(os.environ.get("MASKDM_TEST_STEPS", 40))
SMALL = "--image-size 16 --batch-size 8 --threads 1 --log-every 1 --lr 1e-3 --warmup-steps 0 --ema-start 2".split()
NETWORKS = {
    "whole": "--patch-size 4 --dim 32 --depth 3 --heads 2",
    "masked": "--patch-size 2 --dim 32 --depth 3 --heads 2 --mask block --mask-ratio 0.75 --mask-block-size 2",
    "jit": "--network jit --patch-size 4 --dim 32 --depth 3 --heads 2 --bottleneck 8 --mask block --mask-ratio 0.5",
    "dit": "--network dit --patch-size 4 --dim 32 --depth 2 --heads 2",
    "unet": "--network unet --block-out-channels 8,16 --norm-num-groups 4 --layers-per-block 1 --attention-head-dim 4 "
            "--down-block-types DownBlock2D,AttnDownBlock2D --up-block-types AttnUpBlock2D,UpBlock2D",
    "muon": "--patch-size 4 --dim 32 --depth 3 --heads 2 --optimizer muon",
}


def device(compute):
    """Flags that choose it."""
    if not DEVICE:
        raise Skip("MASKDM_TEST_DEVICE names no device")
    if DEVICE == "cpu":
        return []
    return ["--device", DEVICE, "--compute", compute] + (["--module", MODULE] if MODULE else [])


def train(out, network, *more):
    faces("data", 16)
    maskdm("pretrain", "--data", "data", "--out", out, *SMALL, *NETWORKS[network].split(), *more)
    return losses(out)


def losses(out):
    return [json.loads(line)["loss"] for line in read(out + "/log.jsonl").decode().splitlines()]


def near(what, compute, one, other):
    first, farthest = BOUND[compute]
    assert len(one) == len(other), (what, len(one), len(other))
    apart = [abs(a - b) / max(a, b) for a, b in zip(one, other)]
    print("%s, %s: %.1e at the first step, at most %.1e in %d" % (what, compute, apart[0], max(apart), len(apart)))
    assert apart[0] <= first and max(apart) <= farthest, (what, compute, apart)


def check_curves():
    device("float32")
    for network in NETWORKS:
        on_cpu = train(network + "-cpu", network, "--steps", STEPS)
        assert STEPS < 40 or on_cpu[-1] < on_cpu[0], "nothing is learned"
        for compute in BOUND:
            near(network, compute, on_cpu, train(network + "-" + compute, network, "--steps", STEPS, *device(compute)))


def check_resume():
    """Half the steps on the one, the other half on the other; and from the processor on the device alone, whose state a
    run without a break has to the bit."""
    device("float32")
    half = STEPS // 2
    whole = train("whole", "masked", "--steps", STEPS)
    for compute in BOUND:
        on = device(compute)
        for name, first, second in ("to", [], on), ("from", on, []), ("on", on, on):
            out = name + "-" + compute
            train(out, "masked", "--steps", half, *first)
            assert checkpoints(out) == [half]
            near(out, compute, whole, train(out, "masked", "--steps", STEPS, "--resume", *second))
    train("alone", "masked", "--steps", STEPS, *device("float32"))
    assert read("alone/checkpoint-%d.safetensors" % STEPS) == read("on-float32/checkpoint-%d.safetensors" % STEPS)


def pixels(path):
    """Values of a PNG of 16 bits."""
    width, height, bits, _ = png_header(path)
    assert bits == 16, path
    raw = idat(path)
    row, channels = len(raw) // height, (len(raw) // height - 1) // (2 * width)
    above, out = bytes(row - 1), []
    for y in range(height):
        way, line = raw[y * row], bytearray(raw[y * row + 1:(y + 1) * row])
        back = 2 * channels
        for i in range(len(line)):
            a, b, c = line[i - back] if i >= back else 0, above[i], above[i - back] if i >= back else 0
            p = a + b - c
            best = a if abs(p - a) <= abs(p - b) and abs(p - a) <= abs(p - c) else b if abs(p - b) <= abs(p - c) else c
            line[i] = (line[i] + (0, a, b, (a + b) // 2, best)[way]) & 255
        above = bytes(line)
        out += struct.unpack(">%dH" % (len(line) // 2), above)
    return [v / 65535 for v in out]


def check_samples():
    """The same seeds become the same images: the mean difference of a pixel's values, of a range of 1."""
    device("float32")
    train("run", "whole", "--steps", STEPS)
    sample = ["sample", "--model", "run/model.safetensors", "--count", 2, "--bits", 16, "--threads", 1]
    for sampler in ["--sampler", "ddim", "--steps", 5], ["--sampler", "dpmpp", "--steps", 5], \
            ["--sampler", "ddim", "--eta", 1, "--steps", 5]:
        maskdm(*sample, *sampler, "--out", "cpu.png")
        want = pixels("cpu.png")
        for compute, bound in ("float32", 1e-5), ("bfloat16", 1e-2):
            maskdm(*sample, *sampler, "--out", compute + ".png", *device(compute))
            got = pixels(compute + ".png")
            apart = sum(abs(a - b) for a, b in zip(want, got)) / len(want)
            print("%s, %s: %.1e" % (sampler, compute, apart))
            assert apart <= bound, (sampler, compute, apart)


def error(said):
    return json.loads(said.stdout)["held_out"]["ema"]["x0_error"]


def check_held_out():
    """What validation and evaluation find on the device of what was trained on the processor."""
    device("float32")
    train("run", "masked", "--steps", STEPS)
    evaluate = ["evaluate", "--model", "run/model.safetensors", "--data", "data", "--val-count", 16, "--threads", 1, "--json"]
    want = error(maskdm(*evaluate))
    for compute, bound in ("float32", 1e-5), ("bfloat16", 1e-2):
        got = error(maskdm(*evaluate, *device(compute)))
        assert abs(got - want) <= bound * want, (compute, got, want)


if __name__ == "__main__":
    main(globals())
