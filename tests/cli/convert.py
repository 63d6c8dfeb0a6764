# SPDX-License-Identifier: BSD-2-Clause
"""maskdm convert makes of a checkpoint the model file that training would have written, byte for byte."""
import argparse
import json
import os
import shutil
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
    maskdm("pretrain", "--data", faces("data", 8), "--out", "run", *TINY, "--steps", 3, "--schedule", "linear", "--prediction", "noise", "--time-spread", "independent", *more)
    return "run/model.safetensors"


def same_model(a, b):
    """The same but for what the authors' files do not tell: with which masks it was trained, and how it is drawn."""
    assert tensors(a) == tensors(b)
    told = [json.loads(maskdm("info", "--json", path).stdout)["metadata"] for path in (a, b)]
    for key in "maskdm.masks", "maskdm.sampler.options":
        for t in told:
            t.pop(key, None)
    assert told[0] == told[1], told


def convert(tree, *more, **expected):
    save("from.pt", tree)
    return maskdm("convert", "--from", "from.pt", "--out", "made.safetensors", *more, **expected)


def check_round():
    model = pretrain("--ema-start", 1)
    tree = checkpoint(model, linear(1000))
    assert "warning" not in convert(tree, "--heads", 2).stderr
    same_model("made.safetensors", model)
    told = convert(checkpoint(model, [1.0005 * b for b in linear(1000)]), "--heads", 2).stderr
    assert "warning" not in told and scheduler() == {"schedule": "linear"}, told  # rounded as another program may round
    convert(tree, "--heads", 2)
    told = json.loads(maskdm("info", "--json", "from.pt").stdout)
    assert told["meaning"] == "checkpoint of the authors' program", told["meaning"]
    assert told["metadata"] == {"step": "2", "opt.lr": "0.5"}, told["metadata"]
    assert {"model.betas", "ema.initted", "ema.online_model.model.encoder.norm.bias"} <= \
        {t["name"] for t in told["tensors"]}
    maskdm("sample", "--model", "made.safetensors", "--out", "grid.png", "--count", 4, "--steps", 2)
    assert png_header("grid.png")[2:] == (8, 2)
    maskdm("finetune", "--init", "made.safetensors", "--data", "data", "--out", "tuned", "--batch-size", 8, "--steps", 2)


def scheduler():
    """What the model file says of its schedule, beside its length and what it has by default."""
    said = json.loads(json.loads(maskdm("info", "--json", "made.safetensors").stdout)["metadata"]
                      ["maskdm.scheduler.options"])
    return {k: v for k, v in said.items() if "schedule" in k or "beta" in k}


def check_schedules():
    """Betas are known by their kind, by their kind and their ends, or kept as they are."""
    model = pretrain("--ema-start", 1)
    ends, roots = [2e-4, 0.03], [2e-4 ** 0.5, 0.03 ** 0.5]
    between = lambda two, i: two[0] + (two[1] - two[0]) * i / 999
    for betas, wanted in (([between(ends, i) for i in range(1000)], "linear"),
                          ([between(roots, i) ** 2 for i in range(1000)], "scaled_linear")):
        assert "warning" not in convert(checkpoint(model, betas), "--heads", 2).stderr
        said = scheduler()
        assert said.pop("schedule") == wanted, said
        assert all(abs(said["beta_" + end] / value - 1) < 1e-6 for end, value in zip(("start", "end"), ends)), said
    odd = [0.5 ** k for k in (9, 6, 7, 3)]
    told = convert(checkpoint(model, odd), "--heads", 2).stderr
    assert "4 betas, from 0.001953 to 0.125, are those of no schedule that has a name" in told, told
    assert scheduler() == {"schedule": "given", "given_betas": odd}, scheduler()
    maskdm("sample", "--model", "made.safetensors", "--out", "grid.png", "--count", 1, "--steps", 2)
    told = convert(checkpoint(model, odd), "--heads", 2, "--schedule", "cosine").stderr
    assert "are not those of schedule cosine with 4 timesteps" in told, told
    convert(checkpoint(model, odd[:3] + [1.5]), "--heads", 2, status=1, says=["option --given-betas is 1.5"])


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


def check_what_the_file_says():
    """Heads, prediction and schedule that stand in the file in words are kept; who says otherwise is told."""
    model = pretrain("--ema-start", 1, "--prediction", "v")
    for said in ({"args": {"encoder_heads": 2, "objective": "pred_v"}},
                 {"config": {"network": {"num_heads": 2}, "prediction_type": "v_prediction", "beta_schedule": "linear", "timesteps": 1000}}):
        tree = {**checkpoint(model, linear(1000)), **said}
        told = convert(tree).stderr
        same_model("made.safetensors", model)
        assert "heads 2, as the file says" in told and "prediction v, as the file says" in told, told
        convert(tree, "--heads", 2, "--prediction", "v")
        same_model("made.safetensors", model)
        convert(tree, "--heads", 4, status=1, says=["from.pt", "heads is 4, but the file says 2", "heads)"])
        convert(tree, "--prediction", "noise", status=1, says=["prediction is noise, but the file says v"])
    tree["args"] = {"objective": "pred_noise"}
    convert(tree, status=1, says=["prediction v_prediction (config.prediction_type) and pred_noise (args.objective)"])
    tree["args"] = {"objective": "pred_score"}
    convert(tree, "--prediction", "v", status=1, says=["prediction \"pred_score\" (args.objective), which has no meaning here"])
    tree["args"] = {"n_heads": 1000}
    del tree["config"]
    convert(tree, status=1, says=["args.n_heads", "1000"])


def wrapped(tensors, before):
    return {before + n: t for n, t in tensors.items()}


def check_layouts():
    """Whatever a program nests or wraps, the same two sets of weights come out."""
    model = pretrain("--ema-start", 1)
    weights = tensors(model)
    ema = {n: t for n, t in weights.items() if not n.startswith("online.")}
    online = {n: weights["online." + n] for n in ema}
    flag, step = ("BOOL", [], b"\1"), ("I64", [1], bytes(8))
    inner = {n.replace("encoder.", "encoder._orig_mod.", 1): t for n, t in online.items()}
    layouts = [
        {"step": 1, "model": wrapped(online, "model."), "ema": wrapped(ema, "model.")},
        {"model": online, "ema": ema},
        {"model": wrapped(online, "module."), "ema": wrapped(ema, "module.")},
        {"model": wrapped(online, "module._orig_mod.model."), "ema": wrapped(ema, "_orig_mod.module.model.")},
        {"model": wrapped(online, "model._orig_mod."), "ema": {"ema_model": wrapped(ema, "module.model.module.")}},
        {"model": inner, "ema": {"ema_model": ema, "initted": flag, "step": step}},
        {"module": wrapped(online, "model."), "ema": ema},
        {"online_model": online, "ema_model": ema, "initted": flag, "step": step},
        {**wrapped(online, "online_model.model."), **wrapped(ema, "ema_model.model.")},
        {"ema": {"online_model": online, "ema_model": ema}, "step": 7},
        {"model": online, "ema": {"online_model": wrapped(online, "module.model."), "ema_model": ema}},
        {"state_dict": online, "state_dict_ema": ema},
        {"model_state_dict": online, "ema_state_dict": ema},
        {"net": online, "model_ema": ema},
        {"params": online, "params_ema": ema},
        {"checkpoint": {"deep": {"model": wrapped(online, "net."), "EMA": wrapped(ema, "net.")}}},
        {**online, "ema": ema},
        {"model": online, "avg": wrapped(ema, "module."), "n_averaged": step},
    ]
    for tree in layouts:
        told = convert(tree, "--heads", 2, "--schedule", "linear").stderr
        same_model("made.safetensors", model)
        assert json.loads(maskdm("info", "--json", "from.pt").stdout)["meaning"] == "checkpoint of the authors' program"
        assert "weights: EMA from" in told and "online from" in told and "warning" not in told, told
    for tree, told, kept in (
            ({"ema": wrapped(ema, "model.")}, "weights: EMA from \"ema.model\", no online ones", ema),
            ({"ema": {"ema_model": ema}}, "weights: EMA from \"ema.ema_model\", no online ones", ema),
            ({"state_dict": wrapped(online, "model.")}, "weights: online from \"state_dict.model\", no EMA", online),
            (wrapped(online, "_orig_mod."), "weights: online from \".\", no EMA", online)):
        assert told in convert(tree, "--heads", 2).stderr
        assert tensors("made.safetensors") == kept


def check_choice():
    """What could mean two things is refused with their names, until an option says which."""
    model = pretrain("--ema-start", 1)
    weights = tensors(model)
    ema = {n: t for n, t in weights.items() if not n.startswith("online.")}
    online = {n: weights["online." + n] for n in ema}
    two = {"model": online, "ema_0": wrapped(online, "model."), "ema_1": wrapped(ema, "model.")}
    more = ("--heads", 2, "--schedule", "linear")
    convert(two, *more, status=1, says=["from.pt", "more than one EMA", '"ema_0.model"', '"ema_1.model"', "ema_from"])
    for name in ("ema_1.model", "ema_1"):
        told = convert(two, *more, "--ema-from", name).stderr
        assert "%d tensors, another copy of the weights (ema_0.model." % len(ema) in told, told
        same_model("made.safetensors", model)
    convert(two, *more, "--ema-from", "ema", status=1, says=["where it was said", '"model"', '"ema_0.model"'])
    convert(two, *more, "--ema-from", "none")
    assert tensors("made.safetensors") == online
    convert(two, *more, "--ema-from", "ema_1", "--online-from", "none")
    assert tensors("made.safetensors") == ema
    convert(two, *more, "--ema-from", "none", "--online-from", "none", status=1, says=["no weights are left"])
    convert({"a": online, "b": ema}, *more, status=1, says=["more than one network", '"a"', '"b"', "online_from"])
    convert({"a": online, "b": ema}, *more, "--online-from", "b")
    assert tensors("made.safetensors") == ema
    convert({"model": online, "module": {"model": ema}}, *more, status=1, says=["comes twice", "module."])
    for path, says in ((model, "model file of maskdm already"), ("run/checkpoint-3.safetensors", "training state")):
        maskdm("convert", "--from", path, "--out", "x.safetensors", status=1, says=[path, says])


def check_rest():
    """Nothing is left out in silence: what was not used is counted and named, the strange with a warning."""
    model = pretrain("--ema-start", 1)
    tree = checkpoint(model, linear(1000))
    one, count = ("F32", [2], bytes(8)), len(tensors(model)) // 2
    tree["model"].update({"alphas_cumprod": one, "posterior_variance": one})
    tree["opt"] = {"state": {str(i): {"exp_avg": one, "exp_avg_sq": one} for i in range(150)}, "lr": 0.5}
    told = convert(tree, "--heads", 2).stderr
    for line in ("not used: 300 tensors, the optimizer's (opt.state.0.exp_avg, opt.state.0.exp_avg_sq, "
                 "opt.state.1.exp_avg, ...)",
                 "not used: %d tensors, another copy of the weights (ema.online_model.model." % count,
                 "not used: 4 tensors, of noise schedules, which follow from the betas (model.betas, "
                 "model.alphas_cumprod, model.posterior_variance, ...)",
                 "not used: 1 tensor, counters (ema.initted)"):
        assert any(l.startswith(line) for l in told.splitlines()), (line, told)
    assert "warning" not in told, told
    tree["lpips"] = {"lin.%d" % i: one for i in range(5)}
    tree["model"]["log_var"] = ("F32", [2, 2], bytes(16))
    tree["other"] = {"step": one}  # a counter counts one thing
    told = convert(tree, "--heads", 2).stderr
    for line in ("warning: not used: 5 tensors, which the network has not (lpips.lin.0, lpips.lin.1, lpips.lin.2, ...)",
                 "warning: not used: 1 tensor, which the network has not (model.log_var)",
                 "warning: not used: 1 tensor, which the network has not (other.step)"):
        assert line in told.splitlines(), (line, told)
    same_model("made.safetensors", model)
    for i in range(40):
        tree["part%d" % i] = {"w": one}
    told = convert(tree, "--heads", 2).stderr
    assert told.count("warning") == 17 and "not used: 27 tensors, which the network has not, elsewhere" in told, told


def check_shapes():
    """What the shapes show: everything but heads, and but the sides of an image that is no square."""
    more = ["--network", "uvit", "--image-size", "16,24", "--qkv-bias", "--time-mlp", "--mlp-ratio", 2.5, "--depth", 5, "--dim", 64,
            "--heads", 1, "--timesteps", 50, "--patch-size", 2, "--classes", 2, "--ema-start", 1]
    faces("data", 8)  # without labels: their names are in no checkpoint
    maskdm("pretrain", "--data", "data", "--out", "run", "--batch-size", 8, "--threads", 1, "--steps", 3, "--schedule",
           "linear", "--prediction", "noise", "--time-spread", "independent", *more)
    tree = checkpoint("run/model.safetensors", linear(50))
    convert(tree, status=1, says=["96 patches", "--image-size"])
    convert(tree, "--image-size", "16,24")
    same_model("made.safetensors", "run/model.safetensors")
    convert(tree, "--image-size", 16, status=1, says=["encoder_pos_embed", "[1,98,64]", "[1,66,64]"])
    assert "warning" in convert(tree, "--image-size", "24,16", "--schedule", "cosine").stderr


def both_sets(*network):
    """A model file that training wrote, and both of its sets of weights."""
    maskdm("pretrain", "--data", faces("data", 8), "--out", "run", "--batch-size", 8, "--threads", 1, "--steps", 3,
           "--ema-start", 1, "--image-size", 16, "--mask", "none", "--prediction", "noise", "--time-spread", "independent", *network)
    weights = tensors("run/model.safetensors")
    ema = {n: t for n, t in weights.items() if not n.startswith("online.")}
    return "run/model.safetensors", ema, {n: weights["online." + n] for n in ema}


def check_dit():
    """As the authors of DiT save: the weights bare, its arguments beside them, and its schedule known."""
    network = ["--network", "dit", "--patch-size", 4, "--dim", 64, "--depth", 2, "--heads", 1, "--mlp-ratio", 2.5,
               "--classes", 3, "--learn-sigma", "--schedule", "linear"]
    model, ema, online = both_sets(*network)
    tree = {"model": online, "ema": ema, "opt": {"lr": 1e-4}, "args": argparse.Namespace(model="DiT-S/4", epochs=3)}
    told = convert(tree).stderr
    same_model("made.safetensors", model)
    assert "warning" not in told, told
    assert json.loads(maskdm("info", "--json", "from.pt").stdout)["metadata"]["args.model"] == "DiT-S/4"
    del tree["model"]["blocks.1.mlp.fc2.bias"]
    convert(tree, status=1, says=["from.pt", '"model.blocks.1.mlp.fc2.bias"', "missing"])


def check_sit():
    """As the authors of SPRINT save: the weights alone, and no table of positions from which to tell the images' size."""
    process = ["--process", "flow", "--time-scale", 1, "--prediction", "velocity"]
    network = ["--network", "sit", "--patch-size", 4, "--dim", 128, "--heads", 2, "--mlp-ratio", 2.5,
               "--encoder-depth", 1, "--middle-depth", 2, "--decoder-depth", 1, "--classes", 3]
    for more in ([], ["--norm", "rmsnorm", "--mlp", "swiglu", "--no-qkv-bias", "--no-ffn-bias"],
                 ["--no-qk-norm", "--adaln", "lora", "--adaln-lora-dim", 5, "--no-adaln-bias", "--learn-sigma"],
                 ["--mlp", "swiglu_large", "--mlp-ratio", 2, "--adaln", "swiglu"]):
        shutil.rmtree("run", ignore_errors=True)
        model, ema, _ = both_sets(*network, *more, *process)
        told = convert(ema, "--image-size", 16).stderr
        assert "warning" not in told, told
        made = tensors("made.safetensors")
        assert {n: made[n] for n in ema} == ema
        ours, theirs = (json.loads(maskdm("info", "--json", f).stdout)["metadata"] for f in (model, "made.safetensors"))
        for key in ("maskdm.network.options", "maskdm.scheduler.options"):
            assert json.loads(ours[key]) == json.loads(theirs[key]), (ours[key], theirs[key])
    convert(ema, status=1, says=["from.pt", "do not show the size of the images", "--image-size"])
    maskdm("export", "--model", model, "--out", "out.pt", "--format", "torch", status=1, says=["sit", "not written"])


def check_jit():
    """As the authors of JiT save: two averages, of which they sample with the first, and the process's numbers among
    the program's arguments."""
    process = ["--process", "flow", "--prediction", "x0", "--weight", "v", "--flow-time", "data", "--time-scale", 1]
    network = ["--network", "jit", "--patch-size", 4, "--dim", 24, "--heads", 3, "--depth", 6, "--mlp-ratio", 2.5,
               "--classes", 3, "--bottleneck", 5, "--in-context-len", 2]
    model, ema, online = both_sets(*network, *process, "--time-mean", 0.4, "--time-std", 0.7, "--noise-scale", 2)
    arguments = argparse.Namespace(model="JiT-B/16", P_mean=-0.4, P_std=0.7, noise_scale=2.0, t_eps=0.05, cfg=2.9)
    tree = {"model": wrapped(online, "net."), "optimizer": {"lr": 1e-4}, "epoch": 3, "args": arguments,
            "model_ema1": wrapped(ema, "net."), "model_ema2": wrapped(online, "net.")}
    told = convert(tree).stderr
    same_model("made.safetensors", model)
    assert 'EMA from "model_ema1.net", online from "model.net"' in told and "warning" not in told, told
    convert(tree, "--ema-from", "model_ema2")
    assert tensors("made.safetensors") == {**online, **{"online." + n: t for n, t in online.items()}}
    convert({"model_ema2": wrapped(ema, "net.")}, "--process", "flow", "--noise-scale", 1.5)
    told = json.loads(maskdm("info", "--json", "made.safetensors").stdout)["metadata"]
    scheduler = json.loads(told["maskdm.scheduler.options"])
    assert scheduler["process"] == "flow" and scheduler["prediction"] == "x0" and scheduler["weight"] == "v", scheduler
    assert (scheduler["time_mean"], scheduler["noise_scale"]) == (0.8, 1.5), scheduler
    convert({"model": wrapped(ema, "net.")}, "--process", "discrete")
    assert '"discrete"' in maskdm("info", "made.safetensors").stdout
    arguments.P_std = "wide"
    convert(tree, status=1, says=["from.pt", "args.P_std", "wide"])
    arguments.P_std = -3.0
    convert(tree, status=1, says=["from.pt", "args.P_std", "time_std", "-3"])
    arguments.P_std = 0.7
    tree["model"]["net.blocks.6.norm1.bias"] = tree["model"]["net.blocks.5.norm1.weight"]
    convert(tree, status=1, says=["from.pt", "model.net.blocks.6.norm1.bias", "none of the network's"])


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
    convert({"model": {"x_embedder.proj.weight": ("F32", [3], bytes(12))}}, status=1,
            says=["from.pt", '"model.pos_embed"', "missing"])
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
                      ("m/", ["slash"]), ("-", ["/dev/stdout"]), ("lost.safetensors", ["lost.safetensors", "no folder far"]),
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
