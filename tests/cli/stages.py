# SPDX-License-Identifier: BSD-2-Clause
"""Stages of a run, from files, flags and presets: what is refused, what is said, and equal bytes behind a SIGKILL."""
import json
import os
import signal
import subprocess
import time

from rig import NETWORK, PROGRAM, checkpoints, faces, main, maskdm, read, same, write

STAGES = b"""// three of them
{
  "batch_size": 8, "ema_start": 2, /* of the whole run */ "mask": "block",
  "stages": [
    {"mask_ratio": 0.75, "steps": 4, "warmup_steps": 2},
    {"mask_ratio": 0.5, "steps": 3, "lr": 1e-3},  // half
    {"mask": "none", "steps": 3, "data_fraction": 0.5, "carry": "all"}
  ]
}
"""


def train(out, *more, **expected):
    return maskdm("train", "--data", "data", "--out", out, *NETWORK, "--threads", 1, *more, **expected)


def log(out):
    return [json.loads(line) for line in read(out + "/log.jsonl").decode().splitlines()]


def prepare():
    faces("data", 36)
    write("stages.json", STAGES)


def check_run():
    prepare()
    train("run", "--stages", "stages.json", "--val-share", 0.1, "--log-every", 1,
          says=["stage 1 of 3: ", "stage 2 of 3: ", "stage 3 of 3: ", "carry all", "16 of 32 images are trained on", "step 10 of 10"])
    lines = log("run")
    assert [(d["step"], d["stage"]) for d in lines if "stage" in d] == [(0, 1), (4, 2), (7, 3)], lines
    assert [d["step"] for d in lines if "loss" in d] == list(range(1, 11))
    assert [d["step"] for d in lines if "held_out_loss" in d] == [4, 7, 10]
    assert checkpoints("run") == [7, 10]
    record = json.loads(read("run/options.json"))
    assert [s["steps"] for s in record["stages"]] == [4, 3, 3] and "steps" not in record and record["dim"] == 32
    maskdm("train", "--config", "run/options.json", "--out", "again")
    same("run/model.safetensors", "again/model.safetensors")
    told = json.loads(maskdm("info", "--json", "run/checkpoint-10.safetensors").stdout)["metadata"]
    assert told["maskdm.step"] == "10" and told["maskdm.stage"] == "3, from step 7"


def kill_at(step):
    """Start or go on, and kill once there is a checkpoint of that step."""
    p = subprocess.Popen([PROGRAM, "train", "--data", "data", "--out", "run", *NETWORK, "--threads", "1", "--stages", "stages.json",
                          "--save-every", "1", "--resume"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 60
        while not (os.path.isdir("run") and [s for s in checkpoints("run") if s >= step]):
            assert time.monotonic() < end and p.poll() is None, "no checkpoint of step %d" % step
            time.sleep(0.001)
    finally:
        p.send_signal(signal.SIGKILL)
        p.wait()


def check_kill():
    prepare()
    train("once", "--stages", "stages.json")
    for step in (2, 4, 5, 7, 9):
        kill_at(step)
    train("run", "--stages", "stages.json", "--resume", says=["resuming from run/checkpoint-"])
    same("once/model.safetensors", "run/model.safetensors")
    same("once/checkpoint-10.safetensors", "run/checkpoint-10.safetensors")


def check_stop():
    """What a stopped run says to go on works, and goes on with more stages too."""
    prepare()
    train("run", "--stages", "stages.json")
    said = train("run", "--stages", "stages.json", "--resume").stderr
    assert "nothing is left to train" in said, said
    longer = STAGES.replace(b'"carry": "all"}\n', b'"carry": "all"},\n {"steps": 2, "lr": 1e-5}\n')
    write("stages.json", longer)
    train("run", "--stages", "stages.json", "--resume", says=["stage 4 of 4: "])
    assert checkpoints("run") == [10, 12]
    write("stages.json", longer.replace(b"0.5", b"0.25", 1))
    train("run", "--stages", "stages.json", "--resume", status=1,
          says=["stage 2: run was started with --mask-ratio 0.5 and cannot be resumed with 0.25"])


def check_refused():
    prepare()

    def refuse(text, *says, status=2, more=()):
        write("bad.json", text)
        train("bad", "--stages", "bad.json", *more, status=status, says=says)
        assert not os.path.exists("bad")

    refuse(b'[{"steps": 1}, {"mask_ration": 0.5}]', "bad.json: stage 2: train has no option \"mask_ration\"; the nearest is mask_ratio")
    refuse(b'[{"steps": "one"}]', "bad.json: stage 1: option steps takes a whole number, not \"one\"")
    refuse(b'[{"mask": "patch", "mask_ratio": 1.5}]', "bad.json: stage 1: option mask_ratio is 1.5; its range is 0 .. 1")
    refuse(b'[{"dim": 8}]', "bad.json: stage 1: option dim is of the whole run, not of a stage")
    refuse(b'{"lr": 1e-3}', "bad.json has no list of stages")
    refuse(b"[\n{}\n", "bad.json: ", "line 3")
    refuse(b"", "bad.json: ")
    refuse(b'[{"steps": 1, "lr": 1}, {"steps": 1, "lr": 2}]', "--lr is 3, and every stage has its own: 1, 2", more=("--lr", 3))
    refuse(b'[{"steps": 1}, {"mask_ratio": 0.5}]', "stage 2: option --mask-ratio belongs to --mask=patch|block, but --mask is none")
    small = ("--batch-size", 8)
    refuse(b'[{"steps": 1}, {"steps": 1, "mask": "crop", "mask_crop_size": 9}]', "stage 2: a window of 9 x 9 patches does not fit", status=1, more=small)
    refuse(b'[{"steps": 1}, {"steps": 1, "route_ratio": 0.5, "route_from": 2}]', "stage 2: --route-from", status=1, more=small)
    refuse(b'[{"steps": 1, "batch_size": 8}, {"steps": 1, "batch_size": 99}]', "stage 2: --batch-size 99 is larger than the data", status=1)
    train("bad", "--stages", "none.json", status=1, says=["cannot find none.json"])
    train("bad", "--stages", "stages.json", "--stages", "stages.json", status=2, says=["stages are given twice"])
    maskdm("sample", "--stages", "stages.json", status=2, says=["has no option \"--stages\""])


def check_comments_in_config():
    prepare()
    write("c.json", b'// mine\n{"steps": 2, /* few */ "batch_size": 8}\n')
    maskdm("pretrain", "--data", "data", "--out", "run", *NETWORK, "--config", "c.json")
    assert checkpoints("run") == [2]
    write("c.json", b'{"steps": 2, "steps": 3}')
    maskdm("pretrain", "--data", "data", "--out", "no", *NETWORK, "--config", "c.json", status=2,
           says=["c.json: option steps stands twice"])
    write("c.json", b'{"steps": 2}\n/* open')
    maskdm("pretrain", "--data", "data", "--out", "no", *NETWORK, "--config", "c.json", status=2,
           says=["c.json: JSON is wrong in line 2: a comment does not end"])


def check_presets():
    prepare()
    names = [line.split()[0] for line in maskdm("presets").stdout.splitlines()]
    assert {"quick32", "cascade", "celeba64", "celebahq256", "church256", "vggface256", "celebahq256_10",
            "celebahq256_1", "cifar10", "sprites32"} <= set(names) and names == sorted(names), names
    for name in names:
        write(name + ".json", maskdm("presets", name).stdout.encode())
    write("many.json", b"[{}]")
    few = read("quick32.json")
    for many, less in ((b'"steps": 1240', b'"steps": 2'), (b'"steps": 800', b'"steps": 2'), (b'"batch_size": 64, ', b""),
                       (b'"batch_size": 16, ', b"")):
        assert many in few, many
        few = few.replace(many, less)
    os.mkdir("short")
    write("short/few.json", few)
    mine = {**os.environ, "MASKDM_PRESETS": "short"}
    assert maskdm("presets", env=mine).stdout.split()[0] == "few"
    maskdm("presets", "quick32", env=mine, status=1, says=["there is no preset \"quick32\" in short, but few"])
    small = ["--data", "data", "--dim", 32, "--heads", 2, "--depth", 3, "--batch-size", 8, "--threads", 1]
    maskdm("train", *small, "--preset", "few", "--out", "one", env=mine, says=["stage 2 of 2: "])
    maskdm("train", "--preset=few", "--out", "two", *small, env=mine)
    maskdm("train", "--config", "short/few.json", "--out", "three", *small)
    same("one/model.safetensors", "two/model.safetensors")
    same("one/model.safetensors", "three/model.safetensors")
    assert json.loads(read("one/options.json"))["dim"] == 32
    maskdm("pretrain", "--preset", "few", "--out", "four", *small, env=mine)
    same("one/model.safetensors", "four/model.safetensors")
    bad = ["train", "--data", "data", "--out", "bad"]
    maskdm(*bad, "--preset", "quick32", "--steps", 9, status=2,
           says=["--steps is 9, and every stage has its own: 1240, 800"])
    maskdm(*bad, "--preset", "quick32", "--mask", "none", status=2,
           says=["--mask is none, and every stage has its own: grid, none"])
    maskdm(*bad, "--network", "dit", "--preset", "quick32", status=2,
           says=["--network is dit, and preset quick32 was made for jit"])
    maskdm(*bad, "--preset", "quick32", "--stages", "many.json", status=2, says=["stages are given twice"])
    maskdm(*bad, "--preset", "quik32", status=2, says=["there is no preset \"quik32\" in ", " quick32"])
    maskdm(*bad, "--preset", "../x", status=2, says=["there is no preset \"../x\""])
    maskdm("presets", "none", status=1, says=["there is no preset \"none\""])
    maskdm("presets", "a", "b", status=2, says=["usage"])


def check_yaml():
    """A configuration of the authors' program, as they write it."""
    faces("data", 12)
    write("theirs.yml", b"define: &size 16\nbatch_size: 4\nlr: 1.0e-3\nnum_workers: 3\n"
          b"dataset: {NAME: faces, MASK_TYPE: block, MASK_RATIO: 0.5, MASK_BLOCK_SIZE: 2}\n"
          b"network: {img_size: *size, patch_size: 4, encoder_embed_dim: 32, encoder_depth: 1, encoder_heads: 2}\n")
    write("bad.yaml", b"lr: 1.0e-3\nbatchsize: 3\n")
    words = ("pretrain", "--data", "data", "--out", "run", "--steps", 2, "--threads", 1)
    if "MASKDM_YAML" not in os.environ:
        maskdm(*words, "--config", "theirs.yml", status=2, says=["theirs.yml: this is YAML, and this build has no libyaml"])
        return
    maskdm(*words, "--lr", 0.1, "--config", "theirs.yml", "--ema-decay", 0.5,
           says=["maskdm pretrain: theirs.yml: num_workers 3 is not taken: ", "theirs.yml: dataset.NAME faces is not taken: "])
    record = json.loads(read("run/options.json"))
    wanted = {"schedule": "cosine", "prediction": "noise", "mask": "block", "mask_block_size": 2, "lr": 0.001, "dim": 32,
              "ema_decay": 0.5, "clip_norm": 1, "warmup_steps": 0, "batch_size": 4}
    assert {name: record[name] for name in wanted} == wanted, record
    maskdm(*words, "--config", "bad.yaml", status=2,
           says=["bad.yaml: line 2: the MaskDM authors' configurations have no entry \"batchsize\"; the nearest is batch_size"])
    maskdm("sample", "--model", "run/model.safetensors", "--out", "grid.png", "--config", "theirs.yml", status=2,
           says=["theirs.yml: the MaskDM authors' configurations are for training, not for sample"])


def check_moved_installation():
    """Found from where the program is."""
    os.makedirs("usr/bin")
    os.makedirs("usr/share/maskdm/presets")
    os.makedirs("usr/lib/arch")
    write("usr/share/maskdm/presets/only.json", b'{"about": "x", "lr": 1}')
    library = os.environ["MASKDM_LIBRARY"]
    for name in os.listdir(os.path.dirname(library)):
        if name.startswith("libmaskdm.so") and os.path.isfile(os.path.join(os.path.dirname(library), name)):
            write("usr/lib/arch/" + name, read(os.path.join(os.path.dirname(library), name)))
    write("usr/bin/maskdm", read(PROGRAM))
    os.chmod("usr/bin/maskdm", 0o755)
    p = subprocess.run(["usr/bin/maskdm", "presets"], env={**os.environ, "LD_LIBRARY_PATH": os.path.abspath("usr/lib/arch")},
                       capture_output=True)
    assert p.returncode == 0 and p.stdout.split()[0] == b"only", p


if __name__ == "__main__":
    main(globals())
