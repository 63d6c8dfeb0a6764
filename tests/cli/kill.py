# SPDX-License-Identifier: BSD-2-Clause
"""SIGKILL at random moments of a run that saves at every step: the newest checkpoint always loads, the run goes on,
and what comes out equals a run that nobody killed, byte for byte. The same of a run that saves by the clock alone, as it
does by default, where no more than those minutes are lost.

MASKDM_SEED sets the moments, MASKDM_KILLS their number (50; by the clock 30).
"""
import json
import os
import random
import statistics
import subprocess
import sys
import time

from rig import PROGRAM, checkpoints, faces, main, maskdm, same

KILLS = int(os.environ.get("MASKDM_KILLS", "50"))
SEED = int(os.environ.get("MASKDM_SEED", "1"))
NETWORK = "--network uvit --mask block --image-size 8 --patch-size 4 --dim 16 --depth 3 --heads 2 --batch-size 4 --threads 1 --ema-start 3"
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


MINUTES = 0.1 / 60  # a tenth of a second in place of ten minutes
SLACK = 0.1        # seconds that a step and a save may take on top, in most of the runs: a machine may stand still in any


def kill_by_the_clock(moment):
    """As kill_once(), of a run with default options but for the minutes; kills `moment` seconds behind its first step. The
    steps that it told of, each with the moment at which that was heard, and the moment of the kill."""
    p = subprocess.Popen([PROGRAM, *command("clock", WHOLE, "--save-minutes", str(MINUTES), "--log-every", "1", "--resume")],
                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    heard, until = [], None
    for line in p.stderr:
        if line.startswith(b"step "):
            heard.append((int(line.split()[1]), time.monotonic()))
            until = until or heard[0][1] + moment
        if until and time.monotonic() >= until:
            break
    p.kill()
    killed = time.monotonic()
    rest = p.stderr.read().decode()
    p.wait()
    p.stderr.close()
    heard += [(int(line.split()[1]), killed) for line in rest.splitlines() if line.startswith("step ") and line.endswith(" left")]
    assert heard, rest
    return heard, killed


def steps_in(path):
    """Of the whole lines that tell of a step; a note may stand beside one."""
    lines = [json.loads(line) for line in open(path).read().splitlines(True) if line.endswith("\n")]
    return [line["step"] for line in lines if "note" not in line]


def check_kill_by_the_clock():
    moments = random.Random(SEED + 1)
    faces("data", 12, 8)
    lost = []
    for _ in range(min(KILLS, 30)):
        heard, killed = kill_by_the_clock(moments.uniform(0.2, 0.6))
        logged = steps_in("clock/log.jsonl")
        assert {step for step, _ in heard} <= set(logged), "a step was told of that is not in the log"
        assert logged == sorted(set(logged))
        saved = checkpoints("clock")[-1] if checkpoints("clock") else 0
        behind = [moment for step, moment in heard if step > saved]
        lost.append(killed - behind[0] if behind else 0)
    middle = statistics.median(lost)
    print("lost %.3f s at most, %.3f s in the median" % (max(lost), middle))
    assert checkpoints("clock"), "nothing was ever saved by the clock"
    assert middle <= 60 * MINUTES + SLACK, "more was lost than the time between two saves"


def time_start():
    """Seconds from a program's start to the first step that is saved, as busy as the machine is."""
    began = time.monotonic()
    maskdm(*command("start", 1))
    return time.monotonic() - began


def check_kill():
    moments = random.Random(SEED)
    print("seed %d, %d kills" % (SEED, KILLS))
    faces("data", 12, 8)
    newest, latest = 0, 0.3 + 2 * time_start()
    for _ in range(KILLS):
        said = kill_once(moments.uniform(0.005, latest))
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
    lines = steps_in("run/log.jsonl")
    assert lines == sorted(set(lines)), "a step is twice in the log"


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    main(globals())
