# SPDX-License-Identifier: BSD-2-Clause
"""Checkpoints as torch.save writes them, without torch: nested dictionaries of tensors (dtype, shape, bytes), whole
numbers, numbers, strings, and a program's arguments."""
import argparse
import json
import struct
import zipfile

from rig import read

CLASSES = {"F32": ("Float", 4), "F64": ("Double", 8), "F16": ("Half", 2), "I64": ("Long", 8), "BOOL": ("Bool", 1)}


def text(s):
    s = s.encode()
    return b"X" + struct.pack("<I", len(s)) + s


def integer(n):
    return b"J" + struct.pack("<i", n)


def row_major(shape):
    strides, step = [], 1
    for n in reversed(shape):
        strides.insert(0, step)
        step *= n
    return strides


def pickled(value, storages):
    if isinstance(value, dict):
        items = b"".join(text(k) + pickled(v, storages) for k, v in value.items())
        return b"ccollections\nOrderedDict\n)R" + (b"(" + items + b"u" if items else b"")
    if isinstance(value, argparse.Namespace):
        return b"cargparse\nNamespace\n)\x81}(" + \
            b"".join(text(k) + pickled(v, storages) for k, v in vars(value).items()) + b"ub"
    if isinstance(value, tuple):
        dtype, shape, content = value
        name, size = CLASSES[dtype]
        key = str(len(storages))
        storages.append(content)
        storage = b"(" + text("storage") + b"ctorch\n" + name.encode() + b"Storage\n" + text(key) + text("cuda:0") + \
            integer(len(content) // size) + b"tQ"
        return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + integer(0) + \
            b"".join(b"(" + b"".join(map(integer, s)) + b"t" for s in (shape, row_major(shape))) + \
            b"\x89ccollections\nOrderedDict\n)RtR"
    if isinstance(value, str):
        return text(value)
    return b"G" + struct.pack(">d", value) if isinstance(value, float) else integer(value)


def save(path, tree):
    storages = []
    pickle = b"\x80\x02" + pickled(tree, storages) + b"."
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as z:
        z.writestr("archive/data.pkl", pickle)
        for i, content in enumerate(storages):
            z.writestr("archive/data/%d" % i, content)
        z.writestr("archive/version", b"3\n")


def tensors(path):
    """Those of a safetensors file."""
    data = read(path)
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    body = data[8 + size:]
    return {n: (t["dtype"], t["shape"], body[t["data_offsets"][0]:t["data_offsets"][1]]) for n, t in header.items()}


def checkpoint(model, betas):
    """The authors' layout of a model file's weights: step, model, opt, ema, scaler."""
    weights = tensors(model)
    ema = {n: t for n, t in weights.items() if not n.startswith("online.")}
    online = {n: weights.get("online." + n, t) for n, t in ema.items()}
    schedule = {"betas": ("F32", [len(betas)], struct.pack("<%df" % len(betas), *betas))}

    def diffusion(network):
        return {**schedule, **{"model." + n: t for n, t in network.items()}}

    tree = {"step": 2, "model": diffusion(online), "opt": {"lr": 0.5}}
    if len(weights) > len(ema):
        tree["ema"] = {"initted": ("BOOL", [], b"\1"), "online_model": diffusion(online), "ema_model": diffusion(ema)}
    return tree
