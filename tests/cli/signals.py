# SPDX-License-Identifier: BSD-2-Clause
"""^C and SIGTERM finish the step, save and say how to go on; a terminal gets one live line, a pipe plain lines."""
import os
import pty
import select
import shlex
import signal
import subprocess
import time

from rig import PROGRAM, TINY, Skip, checkpoints, faces, main, maskdm, read

LONG = 10**8


def start(*words, stderr=subprocess.PIPE):
    return subprocess.Popen([PROGRAM, *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=stderr)


def pretrain(out, *more):
    return ["pretrain", "--data", "data", "--out", out, *TINY, "--steps", LONG, "--log-every", 1, *more]


def stop_behind_first_step(p, *signals):
    """Wait for a line about a step, send the signals; gives the lines behind them."""
    for line in p.stderr:
        if line.startswith(b"step "):
            break
    for s in signals:
        p.send_signal(s)
    rest = p.stderr.read().decode()
    p.stderr.close()
    p.wait(30)
    return rest


def check_signals():
    faces("data", 8)
    for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        out = "it's run %d" % number
        p = start(*pretrain(out))
        said = stop_behind_first_step(p, number)
        assert p.returncode == status, (p.returncode, said)
        steps = checkpoints(out)
        assert steps and os.path.exists(out + "/model.safetensors"), said
        last = said.strip().splitlines()[-1]
        assert last.startswith("to go on: maskdm pretrain ") and last.endswith(" --resume"), said
        words = shlex.split(last.split("maskdm ", 1)[1])
        assert out in words
        maskdm(*words, "--steps", steps[-1] + 2, says=["checkpoint-%d" % steps[-1]])
        assert checkpoints(out)[-1] == steps[-1] + 2


def check_second_signal():
    """The second one drops the step at hand; what was done before is saved all the same."""
    faces("data", 8)
    p = start(*pretrain("run"))
    said = stop_behind_first_step(p, signal.SIGINT, signal.SIGINT)
    assert p.returncode == 130 and "to go on:" in said, (p.returncode, said)
    assert checkpoints("run")


def check_resume_is_said_once():
    faces("data", 8)
    p = start(*pretrain("run", "--resume"))
    said = stop_behind_first_step(p, signal.SIGINT)
    assert said.count("--resume") == 1, said


def check_sampling():
    faces("data", 8)
    maskdm("pretrain", "--data", "data", "--out", "run", *TINY, "--steps", 1)
    p = start("sample", "--model", "run/model.safetensors", "--count", 10**6, "--out", "images")
    time.sleep(0.5)
    p.send_signal(signal.SIGINT)
    said = p.stderr.read().decode()
    p.stderr.close()
    assert p.wait(30) == 130 and "--resume" not in said, (p.returncode, said)


def check_terminal():
    faces("data", 8)
    try:
        control, terminal = pty.openpty()
    except OSError as why:
        raise Skip("no terminal to be had: %s" % why)
    p = start("pretrain", "--data", "data", "--out", "run", *TINY, "--steps", 30, stderr=terminal)
    os.close(terminal)
    text = b""
    while select.select([control], [], [], 60)[0]:
        try:
            part = os.read(control, 4096)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        text += part
    os.close(control)
    assert p.wait(30) == 0, text
    assert text.count(b"\r") >= 1 and b"\033[K" in text and b"step 30 of 30" in text, text
    assert text.endswith(b"\n") and text.count(b"step ") == text.count(b"\033[K"), text


def check_pipe():
    faces("data", 8)
    said = maskdm("pretrain", "--data", "data", "--out", "run", *TINY, "--steps", 7, "--log-every", 3).stderr
    assert "\r" not in said and "\033" not in said
    assert [l.split()[1] for l in said.splitlines() if l.startswith("step ")] == ["3", "6", "7"], said
    assert read("run/log.jsonl").count(b"\n") == 3


if __name__ == "__main__":
    main(globals())
