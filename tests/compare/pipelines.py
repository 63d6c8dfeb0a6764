# SPDX-License-Identifier: BSD-2-Clause
"""Small folders as diffusers writes them, and what its own pipelines draw from them: pipelines.py OUT.

tests/api/diffusers.c holds the library to them. Made with diffusers 0.30.3 and torch 1.13:

OUT/ddpm   what save_pretrained() makes of a DDPMPipeline: folders, safetensors, fixed_large
OUT/ddim   as the hub's first checkpoints lie: all files in one folder, a .bin, attention's old names; v-prediction
OUT/dit    a transformer for pixels, with a scheduler of learned_range; its images are of labels 1 and 0, drawn by a loop here;
           this one made with diffusers 0.21.4
OUT/NAME.safetensors   x_T [2,3,8,8], noise [draws,2,3,8,8] in the order drawn, image [2,3,8,8] in 0 .. 1
"""
import json
import os
import shutil
import sys

import torch
from diffusers import DDIMPipeline, DDIMScheduler, DDPMPipeline, DDPMScheduler, Transformer2DModel, UNet2DModel
from diffusers.pipelines.ddim import pipeline_ddim
from diffusers.pipelines.ddpm import pipeline_ddpm
from diffusers.schedulers import scheduling_ddim, scheduling_ddpm
from safetensors.torch import save_file

OLD = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
SHAPE = (2, 3, 8, 8)


def unet(seed, **more):
    torch.manual_seed(seed)
    model = UNet2DModel(sample_size=8, block_out_channels=(4, 8), layers_per_block=1, norm_num_groups=2,
                        down_block_types=("DownBlock2D", "AttnDownBlock2D"),
                        up_block_types=("AttnUpBlock2D", "UpBlock2D"), **more)
    with torch.no_grad():
        for p in model.parameters():  # away from ones and zeros, which would hide much
            p.add_(0.05 * torch.randn_like(p))
    return model.eval()


def draw(pipeline, steps, modules, **more):
    """What the pipeline draws, and the noise that it was handed."""
    handed = []

    def randn(shape, **_):
        handed.append(torch.randn(shape))
        return handed[-1]

    for m in modules:
        m.randn_tensor = randn
    pipeline.set_progress_bar_config(disable=True)
    image = pipeline(batch_size=2, num_inference_steps=steps, output_type="np", **more).images
    tensors = {"x_T": handed[0], "image": torch.from_numpy(image).permute(0, 3, 1, 2).float().contiguous()}
    if handed[1:]:
        tensors["noise"] = torch.stack(handed[1:])
    return tensors


def write_ddpm(out):
    scheduler = DDPMScheduler(variance_type="fixed_large", num_train_timesteps=1000)
    pipeline = DDPMPipeline(unet(1, attention_head_dim=4), scheduler)
    pipeline.save_pretrained(os.path.join(out, "ddpm"))
    torch.manual_seed(2)
    save_file(draw(pipeline, 10, (pipeline_ddpm, scheduling_ddpm)), os.path.join(out, "ddpm.safetensors"))


def write_ddim(out):
    scheduler = DDIMScheduler(beta_schedule="squaredcos_cap_v2", prediction_type="v_prediction", clip_sample=False,
                              timestep_spacing="trailing")
    model = unet(3, attention_head_dim=None, downsample_padding=0, flip_sin_to_cos=False, freq_shift=1, norm_eps=1e-6)
    pipeline = DDIMPipeline(model, scheduler)
    folder = os.path.join(out, "ddim")
    pipeline.save_pretrained(folder)
    names = {}
    for name, p in model.state_dict().items():
        for new, old in OLD.items():
            name = name.replace("." + new + ".", "." + old + ".")
        names[name] = p
    for part, file in ("unet", "config.json"), ("scheduler", "scheduler_config.json"):
        shutil.move(os.path.join(folder, part, file), os.path.join(folder, file))
        shutil.rmtree(os.path.join(folder, part))
    torch.save(names, os.path.join(folder, "diffusion_pytorch_model.bin"))
    torch.manual_seed(4)
    save_file(draw(pipeline, 7, (pipeline_ddim, scheduling_ddim), eta=0.5), os.path.join(out, "ddim.safetensors"))


def write_dit(out):
    torch.manual_seed(5)
    model = Transformer2DModel(sample_size=8, patch_size=2, in_channels=3, out_channels=6, num_layers=3, num_attention_heads=2,
                               attention_head_dim=8, num_embeds_ada_norm=2, attention_bias=True,
                               activation_fn="gelu-approximate", norm_type="ada_norm_zero", norm_elementwise_affine=False)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.05 * torch.randn_like(p))
        for b in model.transformer_blocks[1:]:  # as in what was made of a checkpoint of DiT's authors
            b.norm1.emb.load_state_dict(model.transformer_blocks[0].norm1.emb.state_dict())
    model.eval()
    scheduler = DDPMScheduler(variance_type="learned_range", clip_sample=False)
    folder = os.path.join(out, "dit")
    model.save_pretrained(os.path.join(folder, "transformer"), safe_serialization=True)
    scheduler.save_pretrained(os.path.join(folder, "scheduler"))
    torch.manual_seed(6)
    x = torch.randn(SHAPE)
    tensors, handed = {"x_T": x}, []

    def randn(shape, **_):
        handed.append(torch.randn(shape))
        return handed[-1]

    scheduling_ddpm.randn_tensor = randn
    scheduler.set_timesteps(10)
    with torch.no_grad():
        for t in scheduler.timesteps:
            x = scheduler.step(model(x, timestep=t.expand(2), class_labels=torch.tensor([1, 0])).sample, t, x).prev_sample
    tensors["noise"] = torch.stack(handed)
    tensors["image"] = (x / 2 + 0.5).clamp(0, 1).contiguous()
    save_file(tensors, os.path.join(out, "dit.safetensors"))


if __name__ == "__main__":
    write_ddpm(sys.argv[1])
    write_ddim(sys.argv[1])
    write_dit(sys.argv[1])
    for folder, _, files in sorted(os.walk(sys.argv[1])):
        for name in sorted(files):
            print(os.path.join(folder, name), os.path.getsize(os.path.join(folder, name)))
            if name.endswith(".json"):
                print(json.dumps(json.load(open(os.path.join(folder, name)))))
