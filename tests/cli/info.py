# SPDX-License-Identifier: BSD-2-Clause
"""maskdm info reads any safetensors file and gives valid JSON, whatever stands in names and metadata."""
import json
import os
import struct

from rig import TINY, checkpoints, faces, main, maskdm, read, write


def safetensors(path, tensors, metadata=None):
    """tensors: name -> (dtype, shape, bytes)."""
    header, data = {}, b""
    if metadata is not None:
        header["__metadata__"] = metadata
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    write(path, struct.pack("<Q", len(text)) + text + data)


def check_any_file():
    odd = 'a"b\\c \t\x01 \u00e9 \U0001f600 {}'
    tensors = {"w": ("F32", [2, 3], bytes(24)), odd: ("U8", [5], b"hello"), "scalar": ("I64", [], bytes(8)),
               "empty": ("F16", [0, 7], b"")}
    safetensors("any.safetensors", tensors, {"format": "pt", odd: odd})
    told = json.loads(maskdm("info", "any.safetensors", "--json").stdout)
    assert told["meaning"] == "tensors only" and told["metadata"] == {"format": "pt", odd: odd}, told
    assert told["bytes"] == sum(len(t[2]) for t in tensors.values())
    assert {t["name"]: (t["dtype"], t["shape"], t["bytes"]) for t in told["tensors"]} == \
        {n: (d, s, len(b)) for n, (d, s, b) in tensors.items()}
    text = maskdm("info", "any.safetensors").stdout
    assert "4 tensors" in text and "[2, 3]" in text and "F32" in text
    assert not any(ord(c) < 32 and c != "\n" for c in text), "control characters reach the terminal"
    safetensors("none.safetensors", {})
    assert json.loads(maskdm("info", "--json", "none.safetensors").stdout)["tensors"] == []


def masks(path):
    return json.loads(json.loads(maskdm("info", path, "--json").stdout)["metadata"]["maskdm.masks"])


def check_masks():
    """The masks that weights were trained with stay with them, one entry for stages that are alike."""
    faces("data", 8)
    maskdm("pretrain", "--data", "data", "--out", "run", *TINY, "--steps", 1, "--mask", "patch", "--mask-ratio", 0.75)
    masked, whole = ({"mask": m, "visible": v, "patches": 16} for m, v in (("patch", 4), ("none", 16)))
    assert masks("run/model.safetensors") == [masked]
    for out, init in (("tuned", "run"), ("again", "tuned")):
        maskdm("finetune", "--init", init + "/model.safetensors", "--data", "data", "--out", out, "--batch-size", 8, "--steps", 1)
        assert masks(out + "/model.safetensors") == [masked, whole], masks(out + "/model.safetensors")
    maskdm("finetune", "--init", "run/model.safetensors", "--data", "data", "--out", "tuned", "--batch-size", 8, "--steps", 2,
           "--resume")
    assert masks("tuned/model.safetensors") == [masked, whole]
    maskdm("export", "--model", "tuned/model.safetensors", "--out", "tuned.pt")
    maskdm("convert", "--from", "tuned.pt", "--out", "back.safetensors")
    assert masks("back.safetensors") == [masked, whole]
    assert '[{"mask": "patch", "visible": 4, "patches": 16}, ' in maskdm("info", "back.safetensors").stdout


def check_own_files():
    data = faces("data", 8)
    maskdm("pretrain", "--data", data, "--out", "run", *TINY, "--steps", 2, "--ema-start", 1)
    told = json.loads(maskdm("info", "run/model.safetensors", "--json").stdout)
    assert told["meaning"] == "model" and told["metadata"]["format"] == "pt"
    names = {t["name"]: t for t in told["tensors"]}
    plain = [n for n in names if not n.startswith("online.")]
    assert plain and all("online." + n in names for n in plain)
    assert told["parameters"] == sum(names[n]["bytes"] // 4 for n in plain)
    network = json.loads(told["metadata"]["maskdm.network.options"])
    assert network["dim"] == 32 and network["depth"] == 3 and network["patch_size"] == 4, network
    assert "prediction" in told["metadata"]["maskdm.scheduler.options"]
    whole = {"mask": "none", "visible": 16, "patches": 16}
    assert json.loads(told["metadata"]["maskdm.masks"]) == [whole], told["metadata"]
    parameters = told["parameters"]
    state = "run/checkpoint-%d.safetensors" % checkpoints("run")[-1]
    told = json.loads(maskdm("info", "--json", state).stdout)
    assert told["meaning"] == "training state" and told["metadata"]["maskdm.step"] == "2", told["metadata"]
    assert "training state" in maskdm("info", state).stdout
    assert told["parameters"] == parameters, told["parameters"]
    for name, meaning in (("net.encoder_pos_embed", "checkpoint of the authors' program"),
                          ("the_encoder_pos_embed", "tensors only")):
        safetensors("one.safetensors", {name: ("F32", [2], bytes(8))})
        assert json.loads(maskdm("info", "one.safetensors", "--json").stdout)["meaning"] == meaning


def check_bad_files():
    safetensors("a.safetensors", {"w": ("F32", [2, 3], bytes(24))})
    whole = read("a.safetensors")
    for cut in (0, 4, 8, 20, len(whole) - 1):
        write("cut.safetensors", whole[:cut])
        maskdm("info", "cut.safetensors", status=1, says=["cut.safetensors"])
    maskdm("info", "missing.safetensors", status=1, says=["missing.safetensors"])
    os.mkdir("folder")
    maskdm("info", "folder", status=1, says=["folder"])
    maskdm("info", status=2, says=["usage"])
    maskdm("info", "a.safetensors", "a.safetensors", status=2, says=["usage"])
    maskdm("info", "--jsn", "a.safetensors", status=2, says=["--jsn"])


if __name__ == "__main__":
    main(globals())
