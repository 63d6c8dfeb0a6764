# SPDX-License-Identifier: BSD-2-Clause
"""Every example runs, writes what it says, and refuses a wrong command line with 2."""
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


if __name__ == "__main__":
    main(globals())
