# SPDX-License-Identifier: BSD-2-Clause
"""maskdm export writes a model in other forms: rounded to 16 bits, one set alone, and as the checkpoint that the authors'
program writes itself. What it wrote is read by Python's own zip and pickle, by torch where there is one, and comes back."""
import collections
import io
import json
import math
import os
import pickle
import shutil
import struct
import subprocess
import sys
import zipfile

from rig import TINY, Skip, faces, main, maskdm, png_header, read, same, write
from torchfile import tensors

BUFFERS = ("alphas betas alphas_cumprod alphas_cumprod_prev sqrt_alphas_cumprod sqrt_one_minus_alphas_cumprod "
           "log_one_minus_alphas_cumprod sqrt_recip_alphas_cumprod sqrt_recipm1_alphas_cumprod posterior_variance "
           "posterior_log_variance_clipped posterior_mean_coef1 posterior_mean_coef2").split()


def pretrain(*more):
    for label in "ab":
        faces("data/" + label, 8, seed=ord(label))
    maskdm("pretrain", "--data", "data", "--out", "run", *TINY, "--steps", 3, "--classes", 2, *more)
    return "run/model.safetensors"


def export(model, out, *more, **expected):
    return maskdm("export", "--model", model, "--out", out, *more, **expected)


def floats(content):
    return struct.unpack("<%df" % (len(content) // 4), content)


def half(values):
    return struct.pack("<%de" % len(values), *values)


def bfloat(values):
    """The upper half of each, rounded to nearest, ties to even."""
    bits = [struct.unpack("<I", struct.pack("<f", x))[0] for x in values]
    return struct.pack("<%dH" % len(bits), *((b + 0x7fff + (b >> 16 & 1)) >> 16 for b in bits))


# ---- for shipping ----

def check_sets_and_types():
    model = pretrain("--ema-start", 1)
    whole = tensors(model)
    ema = {n: t for n, t in whole.items() if not n.startswith("online.")}
    online = {n: whole["online." + n] for n in ema}
    for weights, expected in (("both", whole), ("ema", ema), ("online", online)):
        export(model, "out.safetensors", "--weights", weights)
        assert tensors("out.safetensors") == expected, weights
        for dtype, rounded in (("f16", half), ("bf16", bfloat)):
            said = export(model, "out.safetensors", "--weights", weights, "--dtype", dtype).stderr
            assert {"f16": "as float16", "bf16": "as bfloat16"}[dtype] in said, said
            assert tensors("out.safetensors") == {n: (dtype.upper(), s, rounded(floats(b))) for n, (_, s, b) in expected.items()}
    export(model, "out.safetensors")
    same("out.safetensors", model)
    export("out.safetensors", "again.safetensors", "--dtype", "f16", "--weights", "ema")
    export("again.safetensors", "more.safetensors", "--dtype", "f16")  # what was rounded stays
    same("again.safetensors", "more.safetensors")


def check_it_works_on():
    """A file of 16 bits is sampled and trained further like any other."""
    export(pretrain("--ema-start", 1), "small.safetensors", "--weights", "ema", "--dtype", "bf16")
    maskdm("sample", "--model", "small.safetensors", "--out", "grid.png", "--count", 4, "--steps", 2, "--label", "0,1,0,1")
    assert png_header("grid.png")[2:] == (8, 2)
    maskdm("finetune", "--init", "small.safetensors", "--data", "data", "--out", "tuned", "--batch-size", 8, "--steps", 2)
    assert '"a", "b"' in maskdm("info", "small.safetensors").stdout


def put_value(model, name, at, value, out):
    """A copy of a model file with one value changed."""
    content = tensors(model)[name][2]
    data = read(model)
    assert data.count(content) == 1
    where = data.index(content) + 4 * at
    write(out, data[:where] + struct.pack("<f", value) + data[where + 4:])


def check_what_does_not_fit():
    model = pretrain("--ema-decay", 0)
    name = "encoder.mid_block.mlp.fc1.weight"
    for value, fits in ((65504.0, True), (-65519.0, True), (65520.0, False), (-1e6, False)):
        put_value(model, name, 17, value, "large.safetensors")
        for out in ("out.safetensors", "out.pt"):
            if fits:
                export("large.safetensors", out, "--dtype", "f16")
            else:
                export("large.safetensors", out, "--dtype", "f16", status=1,
                       says=[out, '"%s"' % name, "%g at 17 of 4096" % value, "float16", "65504"])
                assert not os.path.exists(out)
            export("large.safetensors", out, "--dtype", "bf16")
            os.remove(out)
    put_value(model, name, 0, 3.4e38, "large.safetensors")
    export("large.safetensors", "out.safetensors", "--dtype", "bf16", status=1, says=['"%s"' % name, "bfloat16"])


def check_refusals():
    model = pretrain("--ema-start", 1)
    shutil.copy(model, "model.pt")
    export(model, "y.zip", status=1, says=["y.zip", ".safetensors is a model", ".pt", "folder of diffusers", "--format"])
    assert not os.path.exists("y.zip")
    export(model, "y.zip", "--format", "maskdm")
    same("y.zip", model)
    for words, says in (((model, "out.pt", "--format", "maskdm"), ["out.pt", ".safetensors"]),
                        ((model, model), ["the same file"]),
                        (("model.pt", "model.pt"), ["the same file"]),
                        ((model, "nowhere/out.pt"), ["nowhere/out.pt"]),
                        (("none", "out.pt"), ["none"])):
        export(*words, status=1, says=says)
        assert not os.path.exists("out.pt")
    maskdm("pretrain", "--data", "data", "--out", "flow", *TINY, "--steps", 1, "--process", "flow")
    export("flow/model.safetensors", "out.pt", status=1, says=["out.pt", "process flow", "discrete"])
    maskdm("pretrain", "--data", "data", "--out", "wide", *TINY, "--steps", 1, "--image-size", "16,24")
    export("wide/model.safetensors", "out.pt", status=1, says=["16 x 24", "square"])
    maskdm("pretrain", "--data", "data", "--out", "conv", *TINY, "--steps", 1, "--conv=true")
    export("conv/model.safetensors", "out.pt", status=1, says=["convolution"])
    assert not os.path.exists("out.pt")


# ---- for the authors' program ----

class Reader(pickle.Unpickler):
    """Tensors are what they mean: type, shape, bytes."""

    def __init__(self, archive):
        super().__init__(io.BytesIO(archive.read("archive/data.pkl")))
        self.archive = archive

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return self.tensor
        assert module == "torch" and name.endswith("Storage"), (module, name)
        return name[:-len("Storage")]

    def persistent_load(self, pid):
        word, kind, key, place, count = pid
        assert (word, place) == ("storage", "cpu")
        return kind, self.archive.read("archive/data/" + key), count, key

    def tensor(self, storage, offset, shape, strides, requires_grad, hooks):
        assert not offset and not requires_grad and not hooks and math.prod(shape) == storage[2]
        step, expected = 1, []
        for n in reversed(shape):
            expected.insert(0, step)
            step *= n
        assert list(strides) == expected
        return storage[0], list(shape), storage[1], storage[3]


def unpickle(path):
    with zipfile.ZipFile(path) as z:
        assert z.testzip() is None
        assert {i.compress_type for i in z.infolist()} == {zipfile.ZIP_STORED}
        assert z.read("archive/version") == b"3\n" and z.read("archive/byteorder") == b"little"
        data = read(path)
        for i in z.infolist():  # bytes begin where a mapped file may have them
            name, extra = struct.unpack("<HH", data[i.header_offset + 26:i.header_offset + 30])
            assert (i.header_offset + 30 + name + extra) % 64 == 0, i.filename
        return Reader(z).load()


def check_checkpoint():
    model = pretrain("--ema-start", 1, "--prediction", "v", "--timesteps", 400)
    whole = tensors(model)
    names = [n for n in whole if not n.startswith("online.")]
    told = export(model, "out.pt").stderr
    for part in ("img_size 16", "encoder_embed_dim 32", "encoder_heads 2", "num_classes 2", "objective pred_v", "400 timesteps"):
        assert part in told, (part, told)
    tree = unpickle("out.pt")
    assert list(tree) == ["step", "model", "opt", "ema", "scaler", "maskdm", "user"]
    assert tree["step"] == 0 and tree["scaler"] is None and tree["user"] == {}
    assert sorted(tree["model"]) == sorted(BUFFERS + ["model." + n for n in names])
    assert sorted(tree["ema"]) == sorted(["initted", "step"] + [p + n for p in ("online_model.", "ema_model.") for n in tree["model"]])
    assert tree["ema"]["initted"][:3] == ("Bool", [], b"\1") and tree["ema"]["step"][:2] == ("Long", [])
    for n in names:
        assert tree["model"]["model." + n][:3] == ("Float",) + whole["online." + n][1:], n
        assert tree["ema"]["ema_model.model." + n][:3] == ("Float",) + whole[n][1:], n
        assert tree["ema"]["online_model.model." + n] == tree["model"]["model." + n], n  # the same bytes
    group, = tree["opt"]["param_groups"]
    assert tree["opt"]["state"] == {} and group["params"] == list(range(len(names)))
    assert (group["lr"], group["betas"], group["eps"], group["weight_decay"]) == (2e-4, (0.99, 0.99), 1e-8, 0.03)
    compare_buffers({n: floats(tree["model"][n][2]) for n in BUFFERS}, 400)


def compare_buffers(b, steps):
    """By the formulas of DDPM, in double from the betas in single precision: as near as that allows."""
    def f(t):
        return math.cos((t / steps + 0.008) / 1.008 * math.pi / 2) ** 2

    betas = [min(1 - f(t + 1) / f(t), 0.999) for t in range(steps)]
    abar, before = [], 1.0
    for x in betas:
        abar.append((abar[-1] if abar else 1) * (1 - x))
    for t in range(steps):
        rest, variance = 1 - abar[t], betas[t] * (1 - before) / (1 - abar[t])
        expected = {"alphas": 1 - betas[t], "betas": betas[t], "alphas_cumprod": abar[t], "alphas_cumprod_prev": before,
                    "sqrt_alphas_cumprod": math.sqrt(abar[t]), "sqrt_one_minus_alphas_cumprod": math.sqrt(rest),
                    "log_one_minus_alphas_cumprod": math.log(rest), "sqrt_recip_alphas_cumprod": math.sqrt(1 / abar[t]),
                    "sqrt_recipm1_alphas_cumprod": math.sqrt(1 / abar[t] - 1), "posterior_variance": variance,
                    "posterior_log_variance_clipped": math.log(max(variance, 1e-20)),
                    "posterior_mean_coef1": betas[t] * math.sqrt(before) / rest,
                    "posterior_mean_coef2": (1 - before) * math.sqrt(1 - betas[t]) / rest}
        for name, x in expected.items():
            assert math.isclose(b[name][t], x, rel_tol=2e-7, abs_tol=1e-12), (name, t, b[name][t], x)
        before = abar[t]


def check_round():
    """Nothing is lost on the way out and back: heads, prediction, labels, both sets, or the only one."""
    for more, sets in ((("--ema-start", 1), 2), (("--ema-decay", 0), 1)):
        model = pretrain("--prediction", "x0", "--schedule", "linear", "--route-ratio", 0.5, "--route-from", 1, "--depth", 5, *more)
        export(model, "out.pt")
        assert maskdm("info", "out.pt").stdout.startswith("out.pt: checkpoint of the authors' program"), "info"
        told = maskdm("convert", "--from", "out.pt", "--out", "back.safetensors").stderr
        assert "warning" not in told, told
        same("back.safetensors", model)
        maskdm("convert", "--from", "out.pt", "--out", "back.safetensors", "--heads", 4, status=1, says=["heads is 4", "2"])
        maskdm("convert", "--from", "out.pt", "--out", "back.safetensors", "--prediction", "v", status=1,
               says=["prediction is v", "x0"])
        export(model, "half.pt", "--dtype", "f16", "--weights", "ema")
        export(model, "half.safetensors", "--dtype", "f16", "--weights", "ema")
        maskdm("convert", "--from", "half.pt", "--out", "back.safetensors")
        export("back.safetensors", "back16.safetensors", "--dtype", "f16")
        same("back16.safetensors", "half.safetensors")
        assert len(unpickle("half.pt")["ema"]) == 2 + 2 * len(unpickle("half.pt")["model"]), sets
        shutil.rmtree("run")


def check_dit():
    """DiT's own program takes "ema", or "model", as it is; and what has no other way back comes back from here."""
    model = pretrain("--network", "dit", "--ema-start", 1, "--learn-sigma=true")
    export(model, "out.pt")
    tree = unpickle("out.pt")
    whole = tensors(model)
    for n, t in tree["ema"].items():
        assert t[:3] == ("Float",) + whole[n][1:] and tree["model"][n][:3] == ("Float",) + whole["online." + n][1:], n
    assert len(tree["ema"]) == len(tree["model"]) == len(whole) // 2
    maskdm("convert", "--from", "out.pt", "--out", "back.safetensors")
    same("back.safetensors", model)


def check_first_uvit():
    """The program of the first U-ViT takes a dictionary of weights and not a name more; what stays behind is told."""
    model = pretrain("--form", "original", "--conv=true", "--ema-start", 1)
    said = export(model, "out.pth").stderr
    assert "heads, scheduler, names of labels, online weights stay behind" in said, said
    whole = {n: t for n, t in tensors(model).items() if not n.startswith("online.")}
    tree = unpickle("out.pth")
    assert {n: ("F32",) + t[1:3] for n, t in tree.items()} == whole
    maskdm("convert", "--from", "out.pth", "--out", "back.safetensors", "--heads", 2)
    assert tensors("back.safetensors") == whole


def check_jit():
    """What JiT's program goes on from: the network within its module, and its two averages, which are one here."""
    network = "--network jit --dim 24 --depth 3 --heads 2 --bottleneck 5 --in-context-len 2 --classes 3 --process flow " \
        "--flow-time data --time-scale 1 --prediction x0 --weight v".split()
    for more, sets in ((("--ema-start", 1), 2), (("--ema-decay", 0), 1)):
        maskdm("pretrain", "--data", faces("faces", 8), "--out", "run", "--image-size", 16, "--batch-size", 8, "--threads", 1,
               "--steps", 2, *network, *more)
        model = "run/model.safetensors"
        export(model, "out.pth")
        whole, tree = tensors(model), unpickle("out.pth")
        ema = {n: t for n, t in whole.items() if not n.startswith("online.")}
        for name, weights in (("model_ema1", ema), ("model_ema2", ema),
                              ("model", {n: whole["online." + n] for n in ema} if sets == 2 else ema)):
            assert {n: ("F32",) + t[1:3] for n, t in tree[name].items()} == {"net." + n: t for n, t in weights.items()}, name
        assert set(tree) == {"model", "model_ema1", "model_ema2", "maskdm", "user"}, set(tree)
        maskdm("convert", "--from", "out.pth", "--out", "back.safetensors")
        same("back.safetensors", model)
        shutil.rmtree("run")


UNET = ("--network unet --image-size 16 --block-out-channels 32,64 --layers-per-block 1 --down-block-types "
        "DownBlock2D,AttnDownBlock2D --up-block-types AttnUpBlock2D,UpBlock2D --mask none --batch-size 8 --threads 1 --steps 1").split()


def unet(out, *more):
    maskdm("pretrain", "--data", faces("faces", 8), "--out", out, *UNET, *more)
    return out + "/model.safetensors"


def check_diffusers():
    """A U-Net's folder: what diffusers' classes ask for, by their names; one that says less than the model is refused."""
    model = unet("run", "--prediction", "v", "--schedule", "linear", "--timesteps", 200, "--ema-start", 1)
    assert "online ones are not" in export(model, "pipe/").stderr
    assert sorted(os.path.relpath(os.path.join(w, n), "pipe") for w, _, names in os.walk("pipe") for n in names) == [
        "model_index.json", "scheduler/scheduler_config.json", "unet/config.json", "unet/diffusion_pytorch_model.safetensors"]
    assert tensors("pipe/unet/diffusion_pytorch_model.safetensors") == \
        {n: t for n, t in tensors(model).items() if not n.startswith("online.")}
    config, scheduler, index = (json.loads(read("pipe/" + n)) for n in (
        "unet/config.json", "scheduler/scheduler_config.json", "model_index.json"))
    assert index["unet"] == ["diffusers", "UNet2DModel"] and index["scheduler"] == ["diffusers", "DDPMScheduler"], index
    assert (config["sample_size"], config["block_out_channels"], config["down_block_types"], config["num_class_embeds"]) == \
        (16, [32, 64], ["DownBlock2D", "AttnDownBlock2D"], None), config
    assert scheduler["prediction_type"] == "v_prediction" and scheduler["num_train_timesteps"] == 200
    for t, beta in enumerate(scheduler["trained_betas"]):
        assert math.isclose(beta, 5e-4 + (0.1 - 5e-4) * t / 199, rel_tol=1e-12), t
    assert len(scheduler["trained_betas"]) == 200
    export(model, "pipe/", status=1, says=["cannot write pipe/: the folder is not empty: it holds "])
    export(model, "half", "--format", "diffusers", "--dtype", "bf16")
    assert {t[0] for t in tensors("half/unet/diffusion_pytorch_model.safetensors").values()} == {"BF16"}
    assert "no labels, of which it has 3" in export(unet("labels", "--classes", 3), "labelled/").stderr
    for more, says in ((("--mask", "patch", "--mask-ratio", 0.5, "--mask-channel=true"), "input channel for masks"),
                       (("--learn-sigma=true",), "says a variance"), (("--process", "flow"), "velocity")):
        shutil.rmtree("run")
        export(unet("run", *more), "other/", status=1, says=[says])
        assert not os.path.exists("other")
    export(pretrain_uvit(), "other/", status=1, says=["networks unet and dit, not of uvit"])
    assert not os.path.exists("other")


def check_learned_variance():
    """A U-Net that says a variance, by which a folder's DDPM draws, goes in and out again."""
    model = unet("run", "--learn-sigma=true", "--ema-decay", 0, "--schedule", "linear")
    export(unet("plain", "--ema-decay", 0, "--schedule", "linear"), "folder/")
    shutil.copy(model, "folder/unet/diffusion_pytorch_model.safetensors")
    for name, key, value in (("unet/config.json", "out_channels", 6), ("scheduler/scheduler_config.json", "variance_type", "learned_range")):
        told = json.loads(read("folder/" + name))
        assert told[key] != value, told
        write("folder/" + name, json.dumps(dict(told, **{key: value})).encode())
    maskdm("convert", "--from", "folder", "--out", "in.safetensors")
    told = json.loads(maskdm("info", "in.safetensors", "--json").stdout)["metadata"]
    assert json.loads(told["maskdm.network.options"])["learn_sigma"] is True
    assert json.loads(told["maskdm.sampler.options"])["variance"] == "learned_range", told
    export("in.safetensors", "out/")
    for name in ("unet/config.json", "scheduler/scheduler_config.json"):
        told, again = json.loads(read("folder/" + name)), json.loads(read("out/" + name))
        assert all(again[k] == told[k] for k in again if k in told), name
    assert tensors("out/unet/diffusion_pytorch_model.safetensors") == tensors(model)
    said = maskdm("finetune", "--init", "in.safetensors", "--data", "faces", "--out", "tuned", "--batch-size", 8, "--steps", 1).stderr
    assert "the loss does not train the variance that the network says" in said, said
    maskdm("sample", "--model", "in.safetensors", "--steps", 3, "--count", 1, "--out", "said.png")
    maskdm("sample", "--model", "in.safetensors", "--steps", 3, "--count", 1, "--out", "fixed.png", "--sampler", "ddpm",
           "--variance", "fixed_small")
    assert read("said.png") != read("fixed.png")


DIT = ("--network dit --image-size 16 --dim 32 --depth 3 --heads 2 --batch-size 8 --threads 1 --steps 2 --ema-start 1 "
       "--lr 0.01").split()


def check_transformer():
    """DiT as diffusers has it, out and in again; the authors' form has another meaning there, and is told apart."""
    maskdm("pretrain", "--data", faces("faces", 8), "--out", "run", *DIT, "--classes", 3, "--dit-form", "diffusers")
    model, weights = "run/model.safetensors", "folder/transformer/diffusion_pytorch_model.safetensors"
    export(model, "folder/")
    assert sorted(os.listdir("folder")) == ["scheduler", "transformer"], os.listdir("folder")
    told = json.loads(read("folder/transformer/config.json"))
    assert (told["num_embeds_ada_norm"], told["attention_head_dim"], told["num_layers"]) == (3, 16, 3), told
    maskdm("convert", "--from", "folder", "--out", "back.safetensors")
    assert tensors("back.safetensors") == {n: t for n, t in tensors(model).items() if not n.startswith("online.")}
    name = "transformer_blocks.2.norm1.emb.timestep_embedder.linear_1.weight"
    where = read(weights).rindex(tensors(weights)[name][2])
    data = bytearray(read(weights))
    data[where:where + 4] = struct.pack("<f", 0.5)
    write(weights, bytes(data))
    maskdm("convert", "--from", "folder", "--out", "back.safetensors", status=1,
           says=['"%s" is another than "%s"' % (name, name.replace("blocks.2", "blocks.0")), "all blocks have one"])
    for more, says in ((("--classes", 3), "dit_form diffusers goes out"), (("--dit-form", "diffusers"), "no classes"),
                       (("--classes", 3, "--dit-form", "diffusers", "--mlp-ratio", 2), "mlp_ratio is 2"),
                       (("--classes", 3, "--dit-form", "diffusers", "--image-size", "16,24"), "16 x 24")):
        shutil.rmtree("run")
        maskdm("pretrain", "--data", "faces", "--out", "run", *DIT, *more)
        export(model, "other/", status=1, says=[says])
        assert not os.path.exists("other")


def pretrain_uvit():
    shutil.rmtree("run")
    return pretrain()


DIFFUSERS = """
import safetensors.torch, torch
from diffusers import DDPMPipeline
p = DDPMPipeline.from_pretrained("pipe")
assert p(batch_size=1, num_inference_steps=2, output_type="np").images.shape == (1, 16, 16, 3)
w = safetensors.torch.load_file("pipe/unet/diffusion_pytorch_model.safetensors")
d = p.unet.state_dict()
assert sorted(w) == sorted(d) and all(torch.equal(w[n], d[n]) for n in w)
"""


def check_diffusers_itself():
    """diffusers opens the folder, finds every weight in its place and none besides, and draws."""
    for python in (sys.executable, "/usr/bin/python3"):
        if os.path.exists(python) and not subprocess.run([python, "-c", "import diffusers, torch"], capture_output=True).returncode:
            export(unet("run", "--schedule", "cosine"), "pipe/")
            done = subprocess.run([python, "-c", DIFFUSERS], capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            return
    raise Skip("no Python here has diffusers")


def torch_python():
    for python in (sys.executable, "/usr/bin/python3"):
        if os.path.exists(python) and subprocess.run([python, "-c", "import torch"], capture_output=True).returncode == 0:
            return python
    raise Skip("no Python here has torch")


TORCH = """
import struct, torch
d = torch.load("out.pt")
names = sorted(n for n in d["model"] if n.startswith("model."))
p = [torch.nn.Parameter(d["model"][n]) for n in names]
o = torch.optim.AdamW(p, lr=1e-9, betas=(0.5, 0.5))
o.load_state_dict(d["opt"])
(p[0].sum() * 2).backward()
o.step()
assert o.param_groups[0]["lr"] == 2e-4 and d["ema"]["initted"].item() is True and d["ema"]["step"].item() > 1000
with open("torch.bin", "wb") as f:
    for n in names:
        for x in (d["ema"]["ema_model." + n], d["ema"]["ema_model." + n].to(torch.float16), d["ema"]["ema_model." + n].to(torch.bfloat16)):
            f.write(x.float().numpy().tobytes())
torch.save(d, "again.pt")
"""


def check_torch():
    """torch loads it, its optimizer goes on from it, and what torch writes of it is what we wrote."""
    python = torch_python()
    model = pretrain("--ema-start", 1)
    export(model, "out.pt")
    done = subprocess.run([python, "-c", TORCH], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    maskdm("convert", "--from", "again.pt", "--out", "back.safetensors")
    back, whole = tensors("back.safetensors"), tensors(model)
    moved = sorted(n for n in whole if not n.startswith("online."))[0]
    assert back.pop("online." + moved) != whole.pop("online." + moved)
    assert {n: t for n, t in back.items() if not n.startswith("online.")} == {n: t for n, t in whole.items() if not n.startswith("online.")}
    values, at = floats(read("torch.bin")), 0
    for n in sorted(n for n in whole if not n.startswith("online.")):
        plain = floats(whole[n][2])
        for rounded, into in ((lambda x: x, None), (half, "e"), (bfloat, "H")):
            got = values[at:at + len(plain)]
            at += len(plain)
            if into == "e":
                assert half(got) == rounded(plain), n
            elif into == "H":
                assert bfloat(got) == rounded(plain), n
            else:
                assert got == plain, n


if __name__ == "__main__":
    main(globals())
