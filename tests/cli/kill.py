# SPDX-License-Identifier: BSD-2-Clause
"""SIGKILL at random moments of a run that saves at every step: the newest checkpoint always loads, the run goes on,
and what comes out equals a run that nobody killed, byte for byte.

MASKDM_SEED sets the moments, MASKDM_KILLS their number (50).
"""
import json
import os
import random
import subprocess
import sys
import time

from rig import PROGRAM, checkpoints, faces, main, maskdm, same

KILLS = int(os.environ.get("MASKDM_KILLS", "50"))
SEED = int(os.environ.get("MASKDM_SEED", "1"))
NETWORK = "--image-size 8 --patch-size 4 --dim 16 --depth 3 --heads 2 --batch-size 4 --threads 1 --ema-start 3"
WHOLE = 10**9  # steps that no run reaches before it is killed


def command(out, steps, *more):
    return ["pretrain", "--data", "data", "--out", out, *NETWORK.split(), "--steps", str(steps), *more]


def kill_once(moment):
    """Start or go on, and kill after `moment` seconds. Gives what the run said."""
    with open("said", "w+") as said:
        p = subprocess.Popen([PROGRAM, *command("run", WHOLE, "--save-every", "1", "--log-every", "1", "--resume")],
                             stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        try:
            time.sleep(moment)
            assert p.poll() is None, "the run ended by itself:\n" + open("said").read()
        finally:
            p.kill()
            p.wait()
        return open("said").read()


def check_kill():
    moments = random.Random(SEED)
    print("seed %d, %d kills" % (SEED, KILLS))
    faces("data", 12, 8)
    newest = 0
    for _ in range(KILLS):
        said = kill_once(moments.uniform(0.005, 0.3))
        assert "broken checkpoint" not in said, said
        if not os.path.isdir("run") or not checkpoints("run"):
            assert newest == 0
            continue
        steps = checkpoints("run")
        assert steps[-1] >= newest, "step %d was acknowledged, the newest is %d" % (newest, steps[-1])
        newest = steps[-1]
        told = json.loads(maskdm("info", "--json", "run/checkpoint-%d.safetensors" % newest).stdout)
        assert told["metadata"]["maskdm.step"] == str(newest)
    print("killed at step %d at the latest" % newest)
    assert newest > KILLS // 4, "too few steps between the kills"
    maskdm(*command("run", newest + 5, "--resume"), says=["checkpoint-%d" % newest])
    maskdm(*command("once", newest + 5))
    same("run/model.safetensors", "once/model.safetensors")
    left = [n for n in os.listdir("run") if ".tmp" in n]
    assert not left, "temporary files were left: %s" % left
    lines = [json.loads(line)["step"] for line in open("run/log.jsonl")]
    assert lines == sorted(set(lines)), "a step is twice in the log"


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    main(globals())
