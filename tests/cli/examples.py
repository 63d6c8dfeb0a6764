# SPDX-License-Identifier: BSD-2-Clause
"""Every example runs, writes what it says, and refuses a wrong command line with 2."""
import json
import os
import sys

from rig import BUILD, LIBRARY, SOURCE, Skip, TINY, faces, main, maskdm, png_header, run


def example(name, *words, **expected):
    path = os.path.join(BUILD, "examples", name)
    if not os.path.exists(path):
        raise Skip("%s is not built" % name)
    return run(path, *words, **expected)


def model():
    maskdm("pretrain", "--data", faces("small", 8), "--out", "run", *TINY, "--steps", 2)
    return "run/model.safetensors"


def check_faces():
    os.mkdir("a")
    os.mkdir("b")
    example("faces", "a", 3)
    assert sorted(os.listdir("a")) == ["face-0000%d.png" % i for i in range(3)]
    assert png_header("a/face-00002.png") == (32, 32, 8, 2)
    example("faces", "b", 1, 48, 7)
    assert png_header("b/face-00000.png") == (48, 48, 8, 2)
    example("faces", "a", 0, status=2, says=["usage"])
    example("faces", "missing", 1, status=1, says=["missing/face-00000.png"])


def check_train():
    data = faces("data", 16, 32)
    os.mkdir("out")
    said = example("train", data, "out", "steps=3 batch_size=16", "dim=32 heads=2 depth=3").stdout
    assert "parameters in out/finetuned/model.safetensors" in said
    maskdm("info", "out/finetuned/model.safetensors")
    example("train", status=2, says=["usage"])
    example("train", data, "other", "dimm=3", status=1, says=["dimm", "dim"])


def check_stages():
    said = example("stages", "run").stdout
    assert "stage 1 of 2: " in said and "stage 2 of 2: " in said
    maskdm("info", "run/checkpoint-80.safetensors")
    example("stages", status=2, says=["usage"])
    example("stages", "run", status=1, says=["run is not empty"])


def check_loop():
    said = example("loop", faces("data", 32, 32), 11).stdout
    assert "step 10, loss " in said and "step 11, loss " in said and "nan" not in said
    example("loop", status=2, says=["usage"])
    example("loop", "missing", 1, status=1, says=["missing"])


def check_custom_mask():
    said = example("custom_mask", faces("data", 16, 32), "run", 2).stdout
    assert "hides 50.0 %" in said
    maskdm("info", "run/model.safetensors")
    example("custom_mask", status=2, says=["usage"])


def check_masks():
    picture = os.path.join(faces("data", 1, 32), os.listdir("data")[0])
    said = example("masks", picture, 32, 4, "masks.png", "type=grid", "type=block ratio=0.9 block_size=2",
                   "type=partition groups=4").stdout
    assert said == "type=grid: 16 of 64 patches\ntype=block ratio=0.9 block_size=2: 8 of 64 patches\n" \
                   "type=partition groups=4: 16 of 64 patches\n", said
    assert png_header("masks.png") == (4 * 98 + 2, 3 * 98 + 2, 8, 2)
    example("masks", picture, 32, 5, "none.png", "type=grid", status=2, says=["usage"])
    example("masks", picture, 32, 4, "none.png", "type=grid cell_size=3", status=1,
            says=["cells of 3 x 3 patches do not tile a grid of 8 x 8"])
    example("masks", "missing.png", 32, 4, "none.png", "type=grid", status=1, says=["missing.png"])
    assert not os.path.exists("none.png")


def check_memory():
    example("memory", 3, "strip.png")
    assert png_header("strip.png") == (16, 128, 8, 0)
    example("memory", status=2, says=["usage"])


def check_cplusplus():
    example("cplusplus", model(), "one.png")
    assert png_header("one.png") == (16, 16, 16, 2)
    example("cplusplus", status=2, says=["usage"])
    example("cplusplus", "run/model.safetensors", "two.png", 3, status=1, says=["more than 3 steps"])
    assert not os.path.exists("two.png")
    example("cplusplus", "missing.safetensors", "one.png", status=1, says=["missing.safetensors"])


def check_python():
    script = os.path.join(SOURCE, "examples", "python_ctypes.py")
    api = os.path.join(BUILD, "include", "api.json")
    said = run(sys.executable, script, LIBRARY, api, model(), "out", 2).stdout
    assert said == "2 images of 16 x 16 in out\n"
    assert sorted(os.listdir("out")) == ["0.png", "1.png"] and png_header("out/1.png") == (16, 16, 8, 2)
    run(sys.executable, script, status=2, says=["LIBRARY"])
    run(sys.executable, script, LIBRARY, api, "missing.safetensors", "out", status=1, says=["missing.safetensors"])


def compare(torch, path, api, which, labels, index):
    """What maskdm_torch.py's network predicts of a model file, beside maskdm_model_predict()."""
    import ctypes
    import maskdm_torch
    import python_ctypes
    with open(api) as f:
        lib = python_ctypes.Maskdm(LIBRARY, json.load(f))
    device = lib.device_open(b"cpu", None)
    handle = lib.model_load(device, path.encode())
    net = maskdm_torch.load(path, which)
    o = net.options
    x = torch.randn(2, 16, 16, o["channels"], generator=torch.Generator().manual_seed(3))
    times = torch.tensor([0.0, 637.25], dtype=torch.float64)
    out = torch.zeros(2, len(index[0]) if index else 16, o["patch_size"] ** 2 * o["channels"])
    whole = ctypes.c_int32 * 2
    place = (ctypes.c_int32 * (2 * len(index[0])))(*index[0], *index[1]) if index else None
    lib.model_predict(handle, lib.MASKDM_WEIGHTS_ONLINE if which == "online" else lib.MASKDM_WEIGHTS_EMA, 2, x.data_ptr(),
                      times.data_ptr(), whole(*labels) if labels else None, place, len(index[0]) if index else 0, out.data_ptr())
    with torch.no_grad():
        said = net(x.permute(0, 3, 1, 2), times, torch.tensor(labels) if labels else None, torch.tensor(index) if index else None)
    if not index:
        said, out = said.permute(0, 2, 3, 1), out.reshape(2, 16, 16, -1)
    assert said.shape == out.shape and (said - out).abs().max() < 1e-5 * max(1, out.abs().max()), (said - out).abs().max()
    for what, made in (("model", handle), ("device", device)):
        getattr(lib, what + "_release")(ctypes.addressof(made))
    return said


def check_torch():
    try:
        import torch
    except ImportError:
        raise Skip("no PyTorch")
    sys.path.insert(0, os.path.join(SOURCE, "examples"))
    api = os.path.join(BUILD, "include", "api.json")
    index = [[0, 3, 9], [1, 2, 15]]
    plain = compare(torch, model(), api, "ema", None, None)
    compare(torch, "run/model.safetensors", api, "ema", None, index)
    maskdm("pretrain", "--data", "small", "--out", "more", *TINY, "--steps", 2, "--classes", 3, "--time-mlp", "--qkv-bias",
           "--lr", 1e-2, "--ema-start", 0)
    seen = [compare(torch, "more/model.safetensors", api, which, labels, places)
            for which, labels, places in (("ema", None, None), ("ema", [2, -1], None), ("online", [0, 1], index))]
    assert (seen[0] - seen[1]).abs().max() > 1e-4 and (plain - seen[0]).abs().max() > 1e-4
    maskdm("pretrain", "--data", "small", "--out", "jit", "--network", "jit", "--image-size", 16, "--dim", 32, "--depth", 2,
           "--heads", 2, "--bottleneck", 8, "--in-context-len", 0, "--steps", 1, "--batch-size", 4, "--threads", 1)
    import maskdm_torch
    try:
        maskdm_torch.load("jit/model.safetensors")
        raise AssertionError("it took another network")
    except ValueError as why:
        assert "has no masked U-ViT, but jit" in str(why), why


if __name__ == "__main__":
    main(globals())
