# SPDX-License-Identifier: BSD-2-Clause
"""What would end a run finishes the step, saves and says how to go on, and what was ignored stays ignored; a reader of
the lines that goes away ends nothing; a terminal gets one live line, a pipe and a dumb terminal plain lines."""
import fcntl
import os
import pty
import re
import resource
import select
import shlex
import signal
import subprocess
import termios
import time

from rig import PROGRAM, TINY, Skip, checkpoints, faces, main, maskdm, png_header, read

LONG = 10**8
STEP = rb"\bstep \d"  # a line of steps done; "a step takes" stands before them
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGXCPU, signal.SIGUSR1, signal.SIGUSR2)


def start(*words, stderr=subprocess.PIPE, **more):
    return subprocess.Popen([PROGRAM, *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=stderr, **more)


def pretrain(out, *more):
    return ["pretrain", "--data", "data", "--out", out, *TINY, "--steps", LONG, "--log-every", 1, *more]


TRAINING = tuple(n for n in ENDING if n != signal.SIGUSR1)


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
    for number in TRAINING:
        out = "it's run %d" % number
        p = start(*pretrain(out))
        said = stop_behind_first_step(p, number)
        assert p.returncode == 128 + number, (p.returncode, said)
        steps = checkpoints(out)
        assert steps and os.path.exists(out + "/model.safetensors"), said
        last = said.strip().splitlines()[-1]
        assert last.startswith("to go on: maskdm pretrain --resume "), said
        words = shlex.split(last.split("maskdm ", 1)[1])
        assert out in words
        maskdm(*words, "--steps", steps[-1] + 2, says=["checkpoint-%d" % steps[-1]])
        assert checkpoints(out)[-1] == steps[-1] + 2


def check_save_and_go_on():
    """SIGUSR1 saves and ends nothing: steps follow. The last signal may come before the step behind the second save."""
    faces("data", 8)
    p = start(*pretrain("run", "--steps", LONG))
    saved = []
    for line in p.stderr:
        if line.startswith(b"step ") and len(saved) < 2:
            p.send_signal(signal.SIGUSR1)
        if line.startswith(b"saved step "):
            saved.append(int(line.split()[2]))
            assert saved[-1] in checkpoints("run") and os.path.exists("run/model.safetensors"), line
        if len(saved) == 2:
            break
    said = stop_behind_first_step(p, signal.SIGTERM)
    assert p.returncode == 143 and saved[0] < saved[1] <= checkpoints("run")[-1], (saved, p.returncode, said)


def check_second_signal():
    """The second one drops the step at hand; what was done before is saved all the same."""
    faces("data", 8)
    p = start(*pretrain("run"))
    said = stop_behind_first_step(p, signal.SIGINT, signal.SIGINT)
    assert p.returncode == 130 and "to go on:" in said, (p.returncode, said)
    assert checkpoints("run")


def check_way_to_go_on_is_one_line():
    """Whatever is in a name, and a shell reads it back."""
    faces("data", 8)
    out = "a\n\t'b\\"
    p = start(*pretrain(out))
    said = stop_behind_first_step(p, signal.SIGINT)
    last = said.strip().splitlines()[-1]
    assert last.startswith("to go on: maskdm pretrain "), said
    p = subprocess.run(["bash", "-c", "printf '%s\\0' " + last.split("maskdm ", 1)[1]], capture_output=True)
    assert out.encode() in p.stdout.split(b"\0"), last


def check_first_signal_counts():
    faces("data", 8)
    p = start(*pretrain("run"))
    said = stop_behind_first_step(p, signal.SIGHUP, signal.SIGTERM)
    assert p.returncode == 129 and checkpoints("run"), (p.returncode, said)


def check_ignored_stays_ignored():
    """As under nohup."""
    faces("data", 8)
    for number in ENDING:
        out = "run%d" % number

        def ignore():
            signal.signal(signal.SIGQUIT, signal.SIG_DFL)  # or it looks like a script's "&"
            signal.signal(number, signal.SIG_IGN)

        p = start(*pretrain(out, "--steps", 60), preexec_fn=ignore)
        said = stop_behind_first_step(p, number, number)
        assert p.returncode == 0 and "step 60 of 60" in said and checkpoints(out) == [60], (p.returncode, said)


def as_in_background():
    """What a script's "&" does to a command, so that ^C is for what runs in front alone."""
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)


def check_background_takes_kill():
    faces("data", 8)
    p = start(*pretrain("run"), preexec_fn=as_in_background)
    said = stop_behind_first_step(p, signal.SIGINT)
    assert p.returncode == 130 and "to go on:" in said and checkpoints("run"), (p.returncode, said)


def check_background_ignores_terminal():
    faces("data", 8)
    try:
        control, terminal = pty.openpty()
    except OSError as why:
        raise Skip("no terminal to be had: %s" % why)

    def take():
        os.setsid()
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
        as_in_background()

    p = start(*pretrain("run", "--steps", 900), stderr=terminal, preexec_fn=take)
    os.close(terminal)
    text = b""
    while b"step 900 of 900" not in text and b"cancelled" not in text:
        if re.search(STEP, text) and b"^C" not in text:
            os.write(control, b"\x03")  # which the terminal shows as ^C
        text += os.read(control, 4096)
    assert p.wait(60) == 0 and b"^C" in text and checkpoints("run")[-1:] == [900], (p.returncode, text)
    os.close(control)


def check_killed():
    """SIGKILL leaves what the clock saved."""
    faces("data", 8)
    p = start(*pretrain("run", "--save-minutes", 1e-4))
    for line in p.stderr:
        if line.startswith(b"step ") and int(line.split()[1]) > 3 and checkpoints("run"):
            break
    p.kill()
    p.stderr.close()
    p.wait(30)
    steps = checkpoints("run")
    assert 1 <= len(steps) <= 3, steps
    maskdm(*pretrain("run", "--resume", "--steps", steps[-1] + 2), says=["checkpoint-%d" % steps[-1]])


def check_reader_goes_away():
    faces("data", 8)
    p = start(*pretrain("run", "--steps", 60))
    p.stderr.readline()
    p.stderr.close()
    assert p.wait(60) == 0 and checkpoints("run") == [60]
    p = start(*pretrain("stopped"))
    for line in p.stderr:
        if line.startswith(b"step "):
            break
    p.stderr.close()
    p.terminate()
    assert p.wait(60) == 143 and checkpoints("stopped")


def check_terminal_closes():
    """Of another session: lines are lost, the run goes on. Our own: the run ends in good order."""
    faces("data", 8)
    for out, own in (("other", False), ("own", True)):
        try:
            control, terminal = pty.openpty()
        except OSError as why:
            raise Skip("no terminal to be had: %s" % why)

        def take():
            os.setsid()
            if own:
                fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)

        p = start(*pretrain(out, "--steps", LONG if own else 60), stderr=terminal, preexec_fn=take)
        os.close(terminal)
        text = b""
        while not re.search(STEP, text):
            text += os.read(control, 4096)
        os.close(control)
        assert p.wait(60) == (129 if own else 0) and checkpoints(out), (out, p.returncode)


def check_lines_meet_a_limit():
    """Lines into a file that has reached the limit of its size are lost, and that is all."""
    faces("data", 8)
    limit = 4 << 20
    with open("said", "wb") as said:
        said.truncate(limit)
        said.seek(0, 2)
        p = start(*pretrain("run", "--steps", 9), stderr=said,
                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    assert p.wait(60) == 0 and checkpoints("run") == [9] and os.path.getsize("said") == limit


def check_resume_is_said_once():
    faces("data", 8)
    p = start(*pretrain("run", "--resume"))
    said = stop_behind_first_step(p, signal.SIGINT)
    assert said.count("--resume") == 1, said


def check_sampling():
    """What is begun in a folder can be gone on with, a grid cannot."""
    faces("data", 8)
    maskdm("pretrain", "--data", "data", "--out", "run", *TINY, "--steps", 1)
    for number in ENDING:
        out = "images%d" % number
        p = start("sample", "--model", "run/model.safetensors", "--count", 10**6, "--batch-size", 1, "--steps", 5,
                  "--out", out)
        until = time.monotonic() + 60
        while time.monotonic() < until and not (os.path.isdir(out) and len(os.listdir(out)) > 4):
            time.sleep(0.02)
        p.send_signal(number)
        said = p.stderr.read().decode()
        p.stderr.close()
        assert p.wait(30) == 128 + number, (p.returncode, said)
        last = said.strip().splitlines()[-1]
        assert last == "to go on: maskdm sample --resume " + out, said
        drawn = [n for n in os.listdir(out) if n.endswith(".png") and not n.startswith(".")]
        assert len(drawn) > 3 and all(png_header(os.path.join(out, n))[:2] == (16, 16) for n in drawn), drawn
    p = start("sample", "--model", "run/model.safetensors", "--count", 10**4, "--out", "grid.png")
    said = stop_behind_first_step(p, signal.SIGINT)
    assert p.returncode == 130 and "to go on: " not in said and not os.path.exists("grid.png"), said


def on_terminal(*words, until=None, **variables):
    """Run the program on a terminal; once `until` is in what it says it is interrupted. Its status and its words."""
    try:
        control, terminal = pty.openpty()
    except OSError as why:
        raise Skip("no terminal to be had: %s" % why)
    env = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    env.update(TERM="xterm", **variables) if "TERM" not in variables else env.update(variables)
    p = start(*words, stderr=terminal, env=env)
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
        if until and until in text:
            p.send_signal(signal.SIGINT)
            until = None
    os.close(control)
    return p.wait(30), text


def many_large(folder, count):
    """One large picture under many names: reading them all takes a while."""
    faces("one", 1, 1024)
    os.mkdir(folder)
    for i in range(count):
        os.link("one/face-00000.png", "%s/%04d.png" % (folder, i))


def check_stop_while_reading():
    """What was found is said at once, and a signal does not wait for the images; nothing is left behind."""
    many_large("data", 600)
    for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        p = start(*pretrain("run"))
        assert p.stderr.readline() == b"found 600 images below data, without labels\n"
        p.send_signal(number)
        sent = time.monotonic()
        said = p.stderr.read().decode()
        p.stderr.close()
        assert p.wait(30) == status and time.monotonic() - sent < 5, (p.returncode, said)
        assert "reading the images was cancelled" in said and "step " not in said, said


def check_terminal_while_reading():
    many_large("data", 600)
    status, text = on_terminal(*pretrain("run"), until=b"reading images: ")
    assert status == 130, (status, text)
    assert re.search(rb"\rreading images: [1-9]\d* of 600\033\[K", text), text


def check_terminal():
    faces("data", 8)
    status, text = on_terminal("pretrain", "--data", "data", "--out", "run", *TINY, "--steps", 30)
    assert status == 0, text
    assert text.count(b"\r") >= 1 and b"\033[K" in text and b"step 30 of 30" in text, text
    assert text.endswith(b"\n") and len(re.findall(STEP, text)) == text.count(b"\033[K"), text


def check_plain_terminal():
    faces("data", 8)
    for i, variables in enumerate(({"TERM": "dumb"}, {"NO_COLOR": "1"})):
        status, text = on_terminal("pretrain", "--data", "data", "--out", "run%d" % i, *TINY, "--steps", 30, **variables)
        assert status == 0, text
        text = text.replace(b"\r\n", b"\n")
        assert b"\r" not in text and b"\033" not in text and len(re.findall(STEP, text)) == 3, text


def check_pipe():
    faces("data", 8)
    said = maskdm("pretrain", "--data", "data", "--out", "run", *TINY, "--steps", 7, "--log-every", 3).stderr
    assert "\r" not in said and "\033" not in said
    assert [l.split()[1] for l in said.splitlines() if l.startswith("step ")] == ["3", "6", "7"], said
    assert read("run/log.jsonl").count(b"\n") == 3


if __name__ == "__main__":
    for each in (*ENDING, signal.SIGQUIT):
        signal.signal(each, signal.SIG_DFL)  # under nohup or behind an "&" they would be ignored from the start
    main(globals())
