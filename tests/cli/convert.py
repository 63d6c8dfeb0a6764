# SPDX-License-Identifier: BSD-2-Clause
"""maskdm convert makes of a checkpoint the model file that training would have written, byte for byte."""
import json
import os
import stat
import struct
import subprocess
import threading

from rig import PROGRAM, TINY, faces, main, maskdm, png_header, read, same
from torchfile import checkpoint, save, tensors


def linear(steps):
    a, b = 0.1 / steps, 20 / steps
    return [a + (b - a) * i / (steps - 1) for i in range(steps)]


def pretrain(*more):
    maskdm("pretrain", "--data", faces("data", 8), "--out", "run", *TINY, "--steps", 3, "--schedule", "linear", *more)
    return "run/model.safetensors"


def convert(tree, *more, **expected):
    save("from.pt", tree)
    return maskdm("convert", "--from", "from.pt", "--out", "made.safetensors", *more, **expected)


def check_round():
    model = pretrain("--ema-start", 1)
    tree = checkpoint(model, linear(1000))
    assert "warning" not in convert(tree, "--heads", 2).stderr
    same("made.safetensors", model)
    told = json.loads(maskdm("info", "--json", "from.pt").stdout)
    assert told["meaning"] == "checkpoint of the authors' program", told["meaning"]
    assert told["metadata"] == {"step": "2", "opt.lr": "0.5"}, told["metadata"]
    assert {"model.betas", "ema.initted", "ema.online_model.model.encoder.norm.bias"} <= \
        {t["name"] for t in told["tensors"]}
    maskdm("sample", "--model", "made.safetensors", "--out", "grid.png", "--count", 4, "--steps", 2)
    assert png_header("grid.png")[2:] == (8, 2)
    maskdm("finetune", "--init", "made.safetensors", "--data", "data", "--out", "tuned", "--batch-size", 8, "--steps", 2)


def check_weights_alone():
    model = pretrain("--ema-decay", 0, "--dim", 22, "--mlp-ratio", 0.69)  # 15 / 22 * 22 is below 15
    plain = tensors(model)
    assert "online.encoder.norm.bias" not in plain
    for prefix in ("model.", ""):
        convert({prefix + n: t for n, t in plain.items()}, "--heads", 2, "--schedule", "linear")
        assert tensors("made.safetensors") == plain
    wide = {n: ("F64", s, struct.pack("<%dd" % (len(b) // 4), *struct.unpack("<%df" % (len(b) // 4), b)))
            for n, (d, s, b) in plain.items()}
    convert(wide, "--heads", 2)
    assert tensors("made.safetensors") == plain


def check_shapes():
    """What the shapes show: everything but heads, and but the sides of an image that is no square."""
    more = ["--image-size", "16,24", "--qkv-bias", "--time-mlp", "--mlp-ratio", 2.5, "--depth", 5, "--dim", 64,
            "--heads", 1, "--timesteps", 50, "--patch-size", 2, "--classes", 2, "--ema-start", 1]
    faces("data/a", 4)
    faces("data/b", 4)
    maskdm("pretrain", "--data", "data", "--out", "run", "--batch-size", 8, "--threads", 1, "--steps", 3, "--schedule",
           "linear", *more)
    tree = checkpoint("run/model.safetensors", linear(50))
    convert(tree, status=1, says=["96 patches", "image_size"])
    convert(tree, "--image-size", "16,24")
    same("made.safetensors", "run/model.safetensors")
    convert(tree, "--image-size", 16, status=1, says=["encoder_pos_embed", "[1,98,64]", "[1,66,64]"])
    assert "warning" in convert(tree, "--image-size", "24,16", "--schedule", "cosine").stderr


def check_refused():
    model = pretrain("--ema-start", 1)

    def changed(path, tensor):
        tree = checkpoint(model, linear(1000))
        where, name = (tree["ema"]["ema_model"], path[4:]) if path.startswith("ema.") else (tree["model"], path)
        if tensor is None:
            del where[name]
        else:
            where[name] = tensor
        return tree

    convert(checkpoint(model, linear(1000)), status=1, says=["from.pt", "heads", "dim 32"])
    convert(checkpoint(model, linear(1000)), "--heads", 5, status=1, says=["heads 5", "32"])
    convert({"step": 3}, status=1, says=["from.pt", "encoder_pos_embed"])
    bad = ("F32", [3], bytes(12))
    for tree, says in (
            (changed("model.encoder.norm.bias", bad), ["model.model.encoder.norm.bias", "[3]", "[32]"]),
            (changed("ema.model.encoder.norm.bias", bad), ["ema.ema_model.model.encoder.norm.bias", "[3]", "[32]"]),
            (changed("model.encoder.norm.bias", None), ["model.model.encoder.norm.bias", "missing"]),
            (changed("ema.model.encoder.patch_embed.proj.weight", bad), ["patch_embed.proj.weight", "1 dimensions"]),
            (changed("model.encoder.other.bias", bad), ["model.model.encoder.other.bias", "none of the network's"]),
            (changed("model.encoder.norm.bias", ("F32", [32], b"\xff" * 128)), ["norm.bias", "finite"])):
        convert(tree, "--heads", 2, status=1, says=["from.pt"] + says)
    maskdm("convert", "--from", "missing.pt", "--out", "x.safetensors", status=1, says=["missing.pt"])
    maskdm("convert", "--out", "x.safetensors", status=2, says=["from"])
    maskdm("sample", "--model", "from.pt", "--out", "x.png", status=1, says=["from.pt", "maskdm convert"])


def check_place():
    """What is wrong with the output is said before the checkpoint is looked for; what is no file is written into."""
    model = pretrain("--ema-start", 1)
    os.mkdir("folder.safetensors")
    os.mkfifo("pipe.safetensors")
    os.symlink("far/model.safetensors", "lost.safetensors")
    before = sorted(os.listdir("."))
    for out, says in (("missing/m.safetensors", ["no folder missing"]), ("folder.safetensors", ["a folder"]),
                      ("m.pt", ["m.pt", ".safetensors"]), ("m.CKPT", ["m.CKPT", ".safetensors"]),
                      ("m/", ["slash"]), ("lost.safetensors", ["lost.safetensors", "no folder far"]),
                      ("pipe.safetensors", ["pipe.safetensors", "nothing reads"])):
        said = maskdm("convert", "--from", "missing.pt", "--out", out, status=1, says=says).stderr
        assert "missing.pt" not in said and sorted(os.listdir(".")) == before, said
    convert(checkpoint(model, linear(1000)), "--heads", 2)
    os.rename("from.pt", "from.safetensors")
    os.symlink("from.safetensors", "same.safetensors")
    whole = read("from.safetensors")
    for out in ("from.safetensors", "./from.safetensors", "same.safetensors"):
        maskdm("convert", "--from", "from.safetensors", "--out", out, "--heads", 2, status=1, says=["the same file"])
        assert read("from.safetensors") == whole
    words = ["convert", "--from", "from.safetensors", "--heads", 2, "--out"]
    p = subprocess.run([PROGRAM, *map(str, words), "/dev/stdout"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert p.returncode == 0 and p.stdout == read("made.safetensors"), p.stderr
    maskdm(*words, "/dev/null")
    assert stat.S_ISCHR(os.lstat("/dev/null").st_mode)
    reader = subprocess.Popen(["cat", "pipe.safetensors"], stdout=subprocess.PIPE)
    while True:  # until it is there
        try:
            held = os.open("pipe.safetensors", os.O_WRONLY | os.O_NONBLOCK)
            break
        except OSError:
            pass
    got = []
    taking = threading.Thread(target=lambda: got.append(reader.communicate()[0]))
    taking.start()
    maskdm(*words, "pipe.safetensors")
    os.close(held)
    taking.join()
    assert got == [read("made.safetensors")] and stat.S_ISFIFO(os.lstat("pipe.safetensors").st_mode)
    os.mkdir("far")
    maskdm(*words, "lost.safetensors")
    same("far/model.safetensors", "made.safetensors")
    assert os.path.islink("lost.safetensors")


if __name__ == "__main__":
    main(globals())
