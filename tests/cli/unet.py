# SPDX-License-Identifier: BSD-2-Clause
"""The U-Net in the program: masked training and the channel that it leaves behind, and folders of diffusers."""
import json
import os
import shutil

from rig import SOURCE, faces, main, maskdm, same

UNET = "--network unet --image-size 16 --block-out-channels 8,16 --norm-num-groups 4 --layers-per-block 1 " \
       "--batch-size 8 --threads 1 --seed 1".split()
PIPELINES = os.path.join(SOURCE, "tests", "api", "pipelines")


def options(model):
    return json.loads(json.loads(maskdm("info", "--json", model).stdout)["metadata"]["maskdm.network.options"])


def losses(run):
    lines = [json.loads(line) for line in open(os.path.join(run, "log.jsonl"))]
    return [line["loss"] for line in lines if "loss" in line]


def check_masks():
    data = faces("data", 16)
    masked = ["--mask", "patch", "--mask-ratio", 0.5]
    maskdm("pretrain", "--data", data, "--out", "none", *UNET, *masked, "--steps", 2, status=1,
           says=["mask-channel sees whole images: 8 of 16"])
    maskdm("pretrain", "--data", data, "--out", "masked", *UNET, *masked, "--mask-channel", "--steps", 60, "--lr", 3e-3,
           "--log-every", 1, says=["which it sees as zeros: a step costs as much"])
    told = losses("masked")
    assert sum(told[-10:]) < 0.8 * sum(told[:10]), told
    assert options("masked/model.safetensors")["mask_channel"] is True
    tune = ["finetune", "--init", "masked/model.safetensors", "--data", data, "--batch-size", 8, "--steps", 2]
    maskdm(*tune, "--out", "whole", says=["the input channel that told hidden pixels is left out"])
    assert options("whole/model.safetensors")["mask_channel"] is False
    for out, more in ("still", masked), ("kept", ["--network", "unet", "--mask-channel"]):
        said = maskdm(*tune, "--out", out, *more).stderr
        assert "is left out" not in said and options(out + "/model.safetensors")["mask_channel"] is True, out
    maskdm(*tune, "--out", "refused", "--network", "unet", "--no-mask-channel", *masked, status=1, says=["sees whole images"])
    maskdm("sample", "--model", "whole/model.safetensors", "--out", "grid.png", "--count", 2, "--steps", 2)


def check_folder():
    maskdm("convert", "--from", os.path.join(PIPELINES, "ddpm"), "--out", "m.safetensors", says=["weights: one set from"])
    draw = ["sample", "--model", "m.safetensors", "--count", 2, "--steps", 4, "--no-metadata"]
    maskdm(*draw, "--out", "said.png", "--sampler", "ddpm", "--variance", "fixed_large", "--spacing", "leading")
    maskdm(*draw, "--out", "kept.png")
    same("said.png", "kept.png")
    maskdm(*draw, "--out", "other.png", "--sampler", "ddim")
    maskdm("finetune", "--init", "m.safetensors", "--data", faces("few", 8), "--out", "run", "--batch-size", 8, "--steps", 2)
    maskdm("sample", "--model", "run/model.safetensors", "--count", 2, "--steps", 4, "--out", "tuned.png")
    maskdm("export", "--model", "m.safetensors", "--out", "folder/")
    maskdm("convert", "--from", "folder", "--out", "back.safetensors")
    maskdm(*["back.safetensors" if w == "m.safetensors" else w for w in draw], "--out", "back.png")
    same("back.png", "kept.png")
    maskdm(*draw, "--out", "kept")
    told = json.load(open("kept/options.json"))
    assert (told["sampler"], told["variance"], told["spacing"]) == ("ddpm", "fixed_large", "leading"), told
    maskdm("sample", "--config", "kept/options.json", "--out", "again.png")
    same("again.png", "kept.png")
    os.remove("kept/000001.png")
    maskdm(*draw, "--out", "kept", "--resume", "--sampler", "ddim", status=1,
           says=["kept was started with --sampler ddpm and cannot be resumed with ddim"])
    maskdm(*draw, "--out", "kept", "--resume")
    maskdm("convert", "--from", os.path.join(PIPELINES, "ddpm", "unet", "diffusion_pytorch_model.safetensors"), "--out",
           "n.safetensors", status=1, says=["give the folder that has its config.json"])
    assert "maskdm.sampler.options" in json.loads(maskdm("info", "--json", "run/model.safetensors").stdout)["metadata"]


def check_other_scheduler():
    """A pipeline whose index names another scheduler than its scheduler's own file, which is followed, and said."""
    shutil.copytree(os.path.join(PIPELINES, "ddpm"), "swapped")
    index = json.loads(open("swapped/model_index.json").read())
    index["scheduler"] = ["diffusers", "DDIMScheduler"]
    with open("swapped/model_index.json", "w") as out:
        json.dump(index, out)
    maskdm("convert", "--from", "swapped", "--out", "swapped.safetensors",
           says=["model_index.json names the scheduler DDIMScheduler, and scheduler_config.json DDPMScheduler, which is followed"])
    assert "names the scheduler" not in maskdm("convert", "--from", os.path.join(PIPELINES, "ddpm"), "--out", "m2.safetensors").stderr


def check_thresholds():
    """A folder whose scheduler limits each image by its own values goes in and comes out as it is."""
    shutil.copytree(os.path.join(PIPELINES, "ddpm"), "theirs")
    said = {"thresholding": True, "dynamic_thresholding_ratio": 0.75, "sample_max_value": 1.5}
    config = json.load(open("theirs/scheduler/scheduler_config.json"))
    with open("theirs/scheduler/scheduler_config.json", "w") as f:
        json.dump({**config, **said}, f)
    maskdm("convert", "--from", "theirs", "--out", "m.safetensors")
    draw = ["sample", "--model", "m.safetensors", "--count", 1, "--steps", 3]
    maskdm(*draw, "--out", "kept.png")
    maskdm(*draw, "--out", "said.png", "--threshold", "--threshold-share", 0.75, "--threshold-max", 1.5)
    maskdm(*draw, "--out", "clipped.png", "--no-threshold")
    same("said.png", "kept.png")
    assert open("clipped.png", "rb").read() != open("kept.png", "rb").read()
    maskdm("export", "--model", "m.safetensors", "--out", "ours/")
    told = json.load(open("ours/scheduler/scheduler_config.json"))
    assert {key: told.get(key) for key in said} == said, told


def check_refusals():
    shutil.copytree(os.path.join(PIPELINES, "ddim"), "theirs")
    config = json.load(open("theirs/config.json"))
    for change, says in ({"act_fn": "mish"}, '"act_fn" is "mish", which is not built'), \
            ({"a_new_setting": [1, 2]}, '"a_new_setting" (1,2) is a setting that is not known'), \
            ({"block_out_channels": [4, 12]}, "has shape ["), ({"sample_size": 7}, "no multiple of 2"):
        with open("theirs/config.json", "w") as f:
            json.dump({**config, **change}, f)
        maskdm("convert", "--from", "theirs", "--out", "n.safetensors", status=1, says=[says])
        assert not os.path.exists("n.safetensors")
    os.remove("theirs/config.json")
    maskdm("convert", "--from", "theirs", "--out", "n.safetensors", status=1, says=["theirs has no config.json"])


if __name__ == "__main__":
    main(globals())
