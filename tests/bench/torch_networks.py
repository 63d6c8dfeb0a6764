# SPDX-License-Identifier: BSD-2-Clause
"""The networks of step_bench in PyTorch, by their parameters' names: for torch_peer.py and torch_step.py.

Each is a function of torch, the weights by name, the number of heads, the noisy image x[B,H,W,C], times[B] and the
visible patches' places index[B,K], and gives their prediction [B,K,p*p*C], a patch's values row, column, channel.
"""
PATCH = 4


def patches(x, p=PATCH):
    """[B,H,W,C] to [B,P,p,p,C]"""
    b, h, w, c = x.shape
    return x.reshape(b, h // p, p, w // p, p, c).transpose(2, 3).reshape(b, -1, p, p, c)


def visible(x, index):
    """The patches [B,K,p,p,C] of x at index."""
    return patches(x).gather(1, index[:, :, None, None, None].expand(-1, -1, PATCH, PATCH, x.shape[-1]))


def waves(torch, times, width):
    half = width // 2
    f = torch.exp(torch.arange(half, dtype=torch.float32, device=times.device) * (-9.210340371976184 / half))
    angle = times.float()[:, None] * f[None]
    return torch.cat([torch.cos(angle), torch.sin(angle)], -1)


def linear(torch, w, x, name):
    return torch.nn.functional.linear(x, w[name + ".weight"].flatten(1), w.get(name + ".bias"))


def count(w, before):
    """How many blocks there are whose parameters' names begin so."""
    return max(int(n[len(before):].split(".")[0]) for n in w if n.startswith(before)) + 1


def uvit(torch, w, heads, x, times, index):
    F = torch.nn.functional
    b, k = index.shape
    dim = w["encoder.norm.weight"].shape[0]

    def norm(x, name):
        return F.layer_norm(x, (dim,), w[name + ".weight"], w[name + ".bias"])

    def block(x, name, skip=None):
        if skip is not None:
            x = linear(torch, w, torch.cat([x, skip], -1), name + "skip_linear")
        qkv = linear(torch, w, norm(x, name + "norm1"), name + "attn.qkv").reshape(b, -1, 3, heads, dim // heads)
        q, key, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        h = F.scaled_dot_product_attention(q, key, v).transpose(1, 2).reshape(b, -1, dim)
        x = x + linear(torch, w, h, name + "attn.proj")
        h = F.gelu(linear(torch, w, norm(x, name + "norm2"), name + "mlp.fc1"))
        return x + linear(torch, w, h, name + "mlp.fc2")

    token = waves(torch, times, dim)[:, None]
    x = visible(x, index).permute(0, 1, 4, 2, 3).reshape(b, k, -1)
    position = w["encoder.encoder_pos_embed"][0]
    x = linear(torch, w, x, "encoder.patch_embed.proj") + position[1:][index]
    x = torch.cat([token + position[:1], x], 1)
    skips, depth = [], count(w, "encoder.in_blocks.")
    for i in range(depth):
        x = block(x, "encoder.in_blocks.%d." % i)
        skips.append(x)
    x = block(x, "encoder.mid_block.")
    for i in range(depth):
        x = block(x, "encoder.out_blocks.%d." % i, skips.pop())
    return linear(torch, w, norm(x[:, 1:], "encoder.norm"), "encoder_to_output")


def jit(torch, w, heads, x, times, index):
    F = torch.nn.functional
    b, k = index.shape
    dim, columns, depth = w["x_embedder.proj2.weight"].shape[0], x.shape[2] // PATCH, count(w, "blocks.")
    front = w["in_context_posemb"]
    start, width = depth // 3, dim // heads

    def norm(x, weight):
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6) * weight

    def turned(x, cos, sin, extras):
        pairs = x[:, :, extras:].unflatten(-1, (-1, 2))
        even, odd = pairs.unbind(-1)
        y = torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)
        return torch.cat([x[:, :, :extras], y], 2)

    def block(x, name, condition, cos, sin, extras):
        m = linear(torch, w, condition, name + "adaLN_modulation.1")[:, None].chunk(6, -1)
        h = norm(x, w[name + "norm1.weight"]) * (1 + m[1]) + m[0]
        qkv = linear(torch, w, h, name + "attn.qkv").reshape(b, -1, 3, heads, width)
        q, key, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        q = turned(norm(q, w[name + "attn.q_norm.weight"]), cos, sin, extras)
        key = turned(norm(key, w[name + "attn.k_norm.weight"]), cos, sin, extras)
        h = F.scaled_dot_product_attention(q, key, v).transpose(1, 2).reshape(b, -1, dim)
        x = x + m[2] * linear(torch, w, h, name + "attn.proj")
        h = norm(x, w[name + "norm2.weight"]) * (1 + m[4]) + m[3]
        gate, up = linear(torch, w, h, name + "mlp.w12").chunk(2, -1)
        return x + m[5] * linear(torch, w, F.silu(gate) * up, name + "mlp.w3")

    row = w["y_embedder.embedding_table.weight"][-1:].expand(b, -1)
    time = F.silu(linear(torch, w, waves(torch, times, 256), "t_embedder.mlp.0"))
    condition = F.silu(linear(torch, w, time, "t_embedder.mlp.2") + row)
    f = 1e4 ** (-torch.arange(width // 4, dtype=torch.float32, device=index.device) / (width // 4))
    place = torch.stack([index // columns, index % columns], -1).float()
    angle = (place[..., None] * f).flatten(-2)[:, None]
    cos, sin = torch.cos(angle), torch.sin(angle)
    x = visible(x, index).permute(0, 1, 4, 2, 3).reshape(b, k, -1)
    x = linear(torch, w, linear(torch, w, x, "x_embedder.proj1"), "x_embedder.proj2") + w["pos_embed"][0][index]
    extras = 0
    for i in range(depth):
        if i == start:
            extras = front.shape[1]
            x = torch.cat([row[:, None] + front, x], 1)
        x = block(x, "blocks.%d." % i, condition, cos, sin, extras)
    m = linear(torch, w, condition, "final_layer.adaLN_modulation.1")[:, None].chunk(2, -1)
    x = norm(x[:, extras:], w["final_layer.norm_final.weight"]) * (1 + m[1]) + m[0]
    return linear(torch, w, x, "final_layer.linear")


def unet(torch, w, heads, x, times, index):
    """Whole images; one head of all channels (heads is 0), 32 groups, two blocks a resolution."""
    F = torch.nn.functional

    def conv(x, name, **how):
        return F.conv2d(x, w[name + ".weight"], w[name + ".bias"], padding=1, **how)

    def norm(x, name):
        return F.group_norm(x, 32, w[name + ".weight"], w[name + ".bias"], 1e-5)

    def resnet(x, name, time):
        h = conv(F.silu(norm(x, name + "norm1")), name + "conv1")
        h = h + linear(torch, w, time, name + "time_emb_proj")[:, :, None, None]
        h = conv(F.silu(norm(h, name + "norm2")), name + "conv2")
        if name + "conv_shortcut.weight" in w:
            x = F.conv2d(x, w[name + "conv_shortcut.weight"], w[name + "conv_shortcut.bias"])
        return x + h

    def attention(x, name):
        if name + "to_q.weight" not in w:
            return x
        h = norm(x, name + "group_norm").flatten(2).transpose(1, 2)
        q, key, v = (linear(torch, w, h, name + part)[:, None] for part in ("to_q", "to_k", "to_v"))
        h = linear(torch, w, F.scaled_dot_product_attention(q, key, v)[:, 0], name + "to_out.0")
        return x + h.transpose(1, 2).reshape(x.shape)

    time = waves(torch, times, w["conv_in.weight"].shape[0])
    time = linear(torch, w, F.silu(linear(torch, w, time, "time_embedding.linear_1")), "time_embedding.linear_2")
    time = F.silu(time)
    x = conv(x.permute(0, 3, 1, 2), "conv_in")
    skips, levels = [x], count(w, "down_blocks.")
    for i in range(levels):
        for k in range(2):
            x = resnet(x, "down_blocks.%d.resnets.%d." % (i, k), time)
            x = attention(x, "down_blocks.%d.attentions.%d." % (i, k))
            skips.append(x)
        if i < levels - 1:
            x = conv(x, "down_blocks.%d.downsamplers.0.conv" % i, stride=2)
            skips.append(x)
    x = resnet(x, "mid_block.resnets.0.", time)
    x = resnet(attention(x, "mid_block.attentions.0."), "mid_block.resnets.1.", time)
    for i in range(levels):
        for k in range(3):
            x = resnet(torch.cat([x, skips.pop()], 1), "up_blocks.%d.resnets.%d." % (i, k), time)
            x = attention(x, "up_blocks.%d.attentions.%d." % (i, k))
        if i < levels - 1:
            x = conv(F.interpolate(x, scale_factor=2.0, mode="nearest"), "up_blocks.%d.upsamplers.0.conv" % i)
    x = conv(F.silu(norm(x, "conv_norm_out")), "conv_out")
    return visible(x.permute(0, 2, 3, 1), index).flatten(2)
