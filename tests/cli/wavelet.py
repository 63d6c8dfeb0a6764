# SPDX-License-Identifier: BSD-2-Clause
"""Networks of wavelets in the program: two masks, whole images, pictures, their authors' checkpoints, and what is refused."""
import json
import os

from rig import faces, main, maskdm, png_header, same

WAVELET = "--network uvit --form wavelet --image-size 16 --patch-size 2 --dim 32 --depth 3 --heads 2 --batch-size 8 --threads 1 --seed 1".split()
MASKED = ["--mask", "patch", "--mask-ratio", 0.5, "--mask-detail-ratio", 0.75]


def losses(run):
    lines = [json.loads(line) for line in open(os.path.join(run, "log.jsonl"))]
    return [line["loss"] for line in lines if "loss" in line]


def check_training():
    data = faces("data", 16)
    maskdm("pretrain", "--data", data, "--out", "masked", *WAVELET, *MASKED, "--steps", 60, "--lr", 3e-3, "--log-every", 1,
           says=["12 of 32 visible"])
    told = losses("masked")
    assert sum(told[-10:]) < 0.8 * sum(told[:10]), told
    maskdm("finetune", "--init", "masked/model.safetensors", "--data", data, "--out", "tuned", "--batch-size", 8, "--steps", 3)
    draw = ["sample", "--model", "tuned/model.safetensors", "--steps", 3, "--count", 2]
    maskdm(*draw, "--out", "grid.png", "--no-metadata", "--scale", 1, "--animate", "way.png")
    assert png_header("way.png")[:2] == png_header("grid.png")[:2]
    maskdm(*draw, "--out", "refused.png", "--threshold", status=1, says=["threshold is for pixels"])
    maskdm("export", "--model", "tuned/model.safetensors", "--out", "theirs.pt", says=["maskdwt", "img_size 8", "data_chans 3"])
    maskdm("convert", "--from", "theirs.pt", "--out", "back.safetensors")
    maskdm("sample", "--model", "back.safetensors", *draw[3:], "--out", "back.png", "--no-metadata", "--scale", 1)
    same("grid.png", "back.png")


def check_refusals():
    data = faces("data", 16)
    for more, says in ((["--mask", "crop", "--mask-crop-size", 2], "mask crop shows one window"),
                       (["--image-size", 18], "image_size 18x18 is no multiple of 4 pixels".replace("image_size", "--image-size")),
                       (["--conv"], "is for patches of one kind"),
                       (["--form", "masked", "--mask", "patch", "--mask-detail-ratio", 0.5], "is for details")):
        maskdm("pretrain", "--data", data, "--out", "run", *WAVELET, *more, "--steps", 1, status=1, says=[says])


if __name__ == "__main__":
    main(globals())
