# SPDX-License-Identifier: BSD-2-Clause
"""A model file's masked U-ViT as a PyTorch module, with nothing but torch: to use it, or to train it on, elsewhere.

    net = maskdm_torch.load("run/model.safetensors")             # the averaged weights; weights="online" for the others
    prediction = net(x, times)                                   # x [B,C,H,W] in -1 .. 1 with noise, times [B]
    prediction = net(x, times, labels, index)                    # labels [B], -1: none; index [B,K]: the visible patches

What is predicted (net.scheduler["prediction"]) and what times mean is the scheduler's affair; net.options and
net.scheduler are what the file says. With `index` the answer is [B,K,p*p*C], a patch's values row, column, channel.

    python3 maskdm_torch.py MODEL.safetensors
"""
import json
import math
import struct
import sys

import torch
from torch import nn

DTYPES = {"F32": torch.float32, "F64": torch.float64, "I32": torch.int32, "I64": torch.int64, "F16": torch.float16,
          "BF16": torch.bfloat16}


def read(path):
    """Tensors by name, and metadata, of a safetensors file."""
    with open(path, "rb") as f:
        head = f.read(8)
        if len(head) != 8:
            raise ValueError("%s is no safetensors file" % path)
        header = json.loads(f.read(struct.unpack("<Q", head)[0]))
        data = bytearray(f.read())
    metadata, tensors = header.pop("__metadata__", {}), {}
    for name, t in header.items():
        start, end = t["data_offsets"]
        if t["dtype"] not in DTYPES or end > len(data):
            raise ValueError("%s: tensor %s is cut, or of a type %s" % (path, name, t["dtype"]))
        flat = torch.frombuffer(data[start:end] or bytearray(8), dtype=DTYPES[t["dtype"]])
        tensors[name] = flat[:math.prod(t["shape"])].reshape(t["shape"]).clone()
    return tensors, metadata


class Attention(nn.Module):
    def __init__(self, dim, heads, bias):
        super().__init__()
        self.heads, self.qkv, self.proj = heads, nn.Linear(dim, 3 * dim, bias=False), nn.Linear(dim, dim)
        self.q_bias, self.v_bias = (nn.Parameter(torch.zeros(dim)) if bias else None for _ in "qv")  # keys have none

    def forward(self, x):
        b, n, d = x.shape
        bias = None if self.q_bias is None else torch.cat([self.q_bias, torch.zeros_like(self.q_bias), self.v_bias])
        qkv = nn.functional.linear(x, self.qkv.weight, bias)
        q, k, v = qkv.reshape(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        return self.proj(nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, d))


class Mlp(nn.Module):
    def __init__(self, dim, hidden):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(dim, hidden), nn.Linear(hidden, dim)

    def forward(self, x):
        return self.fc2(nn.functional.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, dim, heads, hidden, bias, skip):
        super().__init__()
        self.norm1, self.attn = nn.LayerNorm(dim), Attention(dim, heads, bias)
        self.norm2, self.mlp = nn.LayerNorm(dim), Mlp(dim, hidden)
        if skip:
            self.skip_linear = nn.Linear(2 * dim, dim)

    def forward(self, x, skip=None):
        if skip is not None:
            x = self.skip_linear(torch.cat([x, skip], -1))
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class PatchEmbed(nn.Module):
    def __init__(self, channels, dim, patch):
        super().__init__()
        self.proj = nn.Conv2d(channels, dim, patch, patch)


class Encoder(nn.Module):
    def __init__(self, o, patches):
        super().__init__()
        dim, blocks = o["dim"], o["depth"] // 2
        self.patch_embed = PatchEmbed(o["channels"], dim, o["patch_size"])
        self.encoder_pos_embed = nn.Parameter(torch.zeros(1, patches + 1 + (o["classes"] > 0), dim))
        if o["time_mlp"]:
            self.time_embed = nn.Sequential(nn.Linear(dim, 4 * dim), nn.SiLU(), nn.Linear(4 * dim, dim))
        if o["classes"]:
            self.label_emb, self.uncond_embed = nn.Embedding(o["classes"], dim), nn.Parameter(torch.zeros(1, dim))

        def block(skip):
            return Block(dim, o["heads"], int(dim * o["mlp_ratio"]), o["qkv_bias"], skip)

        self.in_blocks = nn.ModuleList(block(False) for _ in range(blocks))
        self.mid_block = block(False)
        self.out_blocks = nn.ModuleList(block(True) for _ in range(blocks))
        self.norm = nn.LayerNorm(dim)


class MaskedUViT(nn.Module):
    """Parameters have the names that they have in the file."""

    def __init__(self, options, scheduler=None):
        super().__init__()
        self.options, self.scheduler = options, scheduler or {}
        size = options["image_size"]
        self.patch = options["patch_size"]
        self.rows, self.columns = size[0] // self.patch, size[-1] // self.patch
        self.encoder = Encoder(options, self.rows * self.columns)
        self.encoder_to_output = nn.Linear(options["dim"], self.patch ** 2 * options["channels"])

    def time_token(self, times):
        half = self.options["dim"] // 2
        f = torch.exp(torch.arange(half, dtype=torch.float32, device=times.device) * (-math.log(10000) / half))
        angle = times.float()[:, None] * f
        token = torch.cat([angle.cos(), angle.sin()], -1)
        return self.encoder.time_embed(token) if self.options["time_mlp"] else token

    def class_token(self, labels, b, like):
        e = self.encoder
        none = e.uncond_embed.expand(b, -1)
        if labels is None:
            return none
        labels = torch.as_tensor(labels, device=like.device)
        return torch.where(labels[:, None] < 0, none, e.label_emb(labels.clamp(min=0)))

    def forward(self, x, times, labels=None, index=None):
        e, b = self.encoder, x.shape[0]
        whole = index is None
        tokens = e.patch_embed.proj(x).flatten(2).transpose(1, 2)
        if whole:
            index = torch.arange(tokens.shape[1], device=x.device).expand(b, -1)
        tokens = tokens.gather(1, index[..., None].expand(-1, -1, tokens.shape[-1]))
        front = [self.time_token(times)]
        if self.options["classes"]:
            front.insert(0, self.class_token(labels, b, x))
        place, n = e.encoder_pos_embed[0], len(front)
        h = torch.cat([torch.stack(front, 1) + place[:n], tokens + place[n:][index]], 1)
        skips = []
        for block in e.in_blocks:
            h = block(h)
            skips.append(h)
        h = e.mid_block(h)
        for block in e.out_blocks:
            h = block(h, skips.pop())
        y = self.encoder_to_output(e.norm(h[:, n:]))
        return self.unpatch(y) if whole else y

    def unpatch(self, y):
        p, c = self.patch, self.options["channels"]
        y = y.reshape(-1, self.rows, self.columns, p, p, c).permute(0, 5, 1, 3, 2, 4)
        return y.reshape(-1, c, self.rows * p, self.columns * p)


def load(path, weights="ema"):
    """The network of a model file, in evaluation mode. weights: "ema" or "online"."""
    tensors, metadata = read(path)
    options = json.loads(metadata.get("maskdm.network.options", "{}"))
    if metadata.get("maskdm.network") != "uvit" or options.get("form") != "masked":
        raise ValueError("%s has no masked U-ViT, but %s" % (path, metadata.get("maskdm.network", "no network of maskdm")))
    if options.get("conv") or options.get("sprint"):
        raise ValueError("%s has a network with conv or sprint, which this module is not" % path)
    online = {n[7:]: t for n, t in tensors.items() if n.startswith("online.")}
    first = {n: t for n, t in tensors.items() if not n.startswith("online.")}
    net = MaskedUViT(options, json.loads(metadata.get("maskdm.scheduler.options", "{}")))
    net.load_state_dict(online if weights == "online" and online else first)
    return net.eval()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    model = load(sys.argv[1])
    print("%d parameters, images of %s, %s is predicted" % (
        sum(p.numel() for p in model.parameters()), model.options["image_size"], model.scheduler.get("prediction")))
