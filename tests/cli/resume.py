# SPDX-License-Identifier: BSD-2-Clause
"""Equal bytes: resumed or not, on one thread or two, sampled alone or in a batch."""
import json
import os

from rig import NETWORK, TINY, checkpoints, faces, images, main, maskdm, read, same, write

# 36 images and batches of 8: an epoch ends in the middle of a batch, twice before step 10 and twice behind it.
IMAGES = 36
RUN = TINY + "--ema-start 5 --warmup-steps 8 --accumulate 2 --mask block --mask-ratio 0.5 --flip 0.5".split()


def train(out, *more, **expected):
    return maskdm("pretrain", "--data", "data", "--out", out, *RUN, *more, **expected)


def steps(out):
    return [json.loads(line)["step"] for line in read(out + "/log.jsonl").decode().splitlines()]


def check_resume():
    faces("data", IMAGES)
    train("once", "--steps", 20, "--log-every", 1)
    train("twice", "--steps", 10, "--log-every", 1)
    assert checkpoints("twice") == [10]
    train("twice", "--steps", 20, "--log-every", 1, "--resume", says=["checkpoint-10.safetensors"])
    same("once/model.safetensors", "twice/model.safetensors")
    same("once/checkpoint-20.safetensors", "twice/checkpoint-20.safetensors")
    assert steps("twice") == list(range(1, 21))
    before = read("twice/model.safetensors")
    train("twice", "--steps", 20, "--log-every", 1, "--resume", says=["nothing is left to train", "step 20"])
    assert read("twice/model.safetensors") == before and steps("twice") == list(range(1, 21))


def check_even_times():
    """Times that are spread over images in a row go on where they were, however the batch is cut."""
    faces("data", IMAGES)
    train("once", "--steps", 6, "--time-spread", "even")
    train("twice", "--steps", 3, "--time-spread", "even")
    train("twice", "--steps", 6, "--time-spread", "even", "--resume")
    same("once/model.safetensors", "twice/model.safetensors")
    train("alone", "--steps", 6, "--time-spread", "independent")
    assert read("alone/model.safetensors") != read("once/model.safetensors")


def check_betas_from_a_file():
    """The file is read at the start of a run and of its resumption, and must say the same; what is made needs it no more."""
    faces("data", IMAGES)
    betas = [1e-4 * (i + 1) ** 2 for i in range(40)]

    def say(numbers):
        with open("betas.txt", "w") as f:
            f.write("# one a line\n\n" + "".join("%r\n" % b for b in numbers))

    def go(*more, **expected):
        return train("run", "--schedule", "given", "--betas-file", "betas.txt", *more, **expected)

    say(betas)
    go("--steps", 2)
    say(betas[:-1] + [0.5])
    go("--steps", 4, "--resume", status=1, says=["given_betas"])
    os.rename("betas.txt", "gone.txt")
    go("--steps", 4, "--resume", status=1, says=["betas.txt"])
    maskdm("sample", "--model", "run/model.safetensors", "--out", "grid.png", "--count", 2, "--sampler", "ddpm")
    maskdm("finetune", "--init", "run/model.safetensors", "--data", "data", "--out", "tuned", "--batch-size", 8, "--steps", 1)
    say(betas)
    go("--steps", 4, "--resume")


def check_resume_from_the_middle():
    """Steps behind the checkpoint are done again, and their lines in the log are written once."""
    faces("data", IMAGES)
    train("once", "--steps", 14)
    train("run", "--steps", 14, "--save-every", 4, "--keep", 9, "--log-every", 1)
    assert checkpoints("run") == [4, 8, 12, 14]
    os.remove("run/checkpoint-14.safetensors")
    os.truncate("run/checkpoint-12.safetensors", 1000)
    train("run", "--steps", 14, "--log-every", 1, "--resume",
          says=["checkpoint-12.safetensors", "checkpoint-8.safetensors"])
    same("once/model.safetensors", "run/model.safetensors")
    assert steps("run") == list(range(1, 15))


def check_resume_without_checkpoint():
    faces("data", IMAGES)
    train("fresh", "--steps", 2, "--resume", says=["no checkpoint"])
    train("plain", "--steps", 2)
    same("fresh/model.safetensors", "plain/model.safetensors")


def check_finetune():
    faces("data", IMAGES)
    train("base", "--steps", 12)
    tune = ["finetune", "--init", "base/model.safetensors", "--data", "data", "--batch-size", 8, "--threads", 1]
    maskdm(*tune, "--out", "once", "--steps", 8)
    maskdm(*tune, "--out", "twice", "--steps", 4)
    maskdm(*tune, "--out", "twice", "--steps", 8, "--resume")
    same("once/model.safetensors", "twice/model.safetensors")
    maskdm(*tune, "--out", "ema", "--steps", 8, "--init-weights", "ema")
    assert read("ema/model.safetensors") != read("once/model.safetensors")


def check_config():
    """A run's options.json is a command line."""
    faces("data", IMAGES)
    train("one", "--steps", 3)
    maskdm("pretrain", "--config", "one/options.json", "--out", "two")
    same("one/model.safetensors", "two/model.safetensors")
    maskdm("pretrain", "--config", "one/options.json", "--out", "three", "--steps", 2)
    assert checkpoints("three") == [2]
    newer = read("one/options.json").replace(b'{"format": 1, ', b'{"format": 2, ')
    write("one/options.json", newer)
    train("one", "--steps", 4, "--resume", status=1, says=["one/options.json: options in format 2; format 1 is read"])


def check_threads():
    faces("data", IMAGES)
    for threads in (1, 2):
        train("run%d" % threads, "--steps", 5, "--threads", threads)
        maskdm("sample", "--model", "run%d/model.safetensors" % threads, "--count", 3, "--steps", 4, "--sampler", "ddim", "--eta", 1,
               "--threads", threads, "--out", "out%d" % threads, "--bits", 16)
    same("run1/model.safetensors", "run2/model.safetensors")
    for name in images("out1"):
        same("out1/" + name, "out2/" + name)
    assert len(images("out1")) == 3


def check_sample_alone():
    faces("data", IMAGES)
    maskdm("pretrain", "--data", "data", "--out", "run", *NETWORK, "--batch-size", 8, "--steps", 5)
    for sampler in (["ddim", "--steps", 5, "--eta", 0.5], ["ddpm"]):
        sample = ["sample", "--model", "run/model.safetensors", "--bits", 16, "--sampler", *sampler]
        maskdm(*sample, "--out", sampler[0], "--count", 8, "--batch-size", 8, "--seed", 5)
        batch = images(sampler[0])
        assert len(batch) == 8
        for i in (0, 3, 7):
            out = "%s-%d" % (sampler[0], i)
            maskdm(*sample, "--out", out, "--count", 1, "--seed", 5 + i)
            same(os.path.join(sampler[0], batch[i]), os.path.join(out, images(out)[0]))


if __name__ == "__main__":
    main(globals())
