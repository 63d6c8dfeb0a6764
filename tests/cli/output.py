# SPDX-License-Identifier: BSD-2-Clause
"""What stands where output goes: links lead and stay, devices and pipes are written into, secrets stay secret."""
import json
import os
import stat
import subprocess
import threading

from rig import PROGRAM, TINY, Skip, checkpoints, faces, main, maskdm, read, same

RUN = ["pretrain", "--data", "data", "--out", "run", *TINY, "--log-every", 1]


def train():
    faces("data", 8)
    maskdm(*RUN, "--steps", 1)


def is_device(path):
    return stat.S_ISCHR(os.lstat(path).st_mode)


def check_run_behind_links():
    """Model, log and options lie on another disk; the run goes on there, and a resumed one too."""
    faces("data", 8)
    maskdm(*RUN[:4], "plain", *RUN[5:], "--steps", 4)
    for folder in ("run", "far"):
        os.mkdir(folder)
    names = "model.safetensors", "log.jsonl", "options.json"
    maskdm(*RUN, "--steps", 2)
    for name in names:
        os.rename("run/" + name, "far/" + name)
        os.symlink("../far/" + name, "run/" + name)
    os.remove("far/model.safetensors")
    maskdm(*RUN, "--steps", 4, "--resume")
    for name in names:
        assert os.path.islink("run/" + name) and not os.path.islink("far/" + name), name
    same("far/model.safetensors", "plain/model.safetensors")
    assert read("far/log.jsonl").count(b"\n") == 4
    assert sorted(os.listdir("far")) == sorted(names)
    os.chmod("far/model.safetensors", 0o600)
    maskdm(*RUN, "--steps", 5, "--resume")
    assert stat.S_IMODE(os.stat("far/model.safetensors").st_mode) == 0o600


def check_run_folder_that_is_a_dangling_link():
    faces("data", 8)
    os.mkdir("far")
    os.symlink("far/run", "run")
    maskdm(*RUN, "--steps", 1)
    assert os.path.islink("run") and checkpoints("far/run") == [1]


def check_log_into_a_device():
    train()
    os.remove("run/log.jsonl")
    os.symlink("/dev/null", "run/log.jsonl")
    maskdm(*RUN, "--steps", 3, "--resume")
    assert checkpoints("run")[-1] == 3 and is_device("/dev/null") and os.path.islink("run/log.jsonl")


def sample(out, *more, **expected):
    return maskdm("sample", "--model", "run/model.safetensors", "--count", 2, "--steps", 2, "--out", out, *more, **expected)


def check_grid_into_a_pipe():
    train()
    sample("grid.png")
    os.mkfifo("pipe.png")
    said = sample("pipe.png", status=1, says=["pipe.png", "nothing reads"], timeout=60).stderr
    assert "step " not in said, said
    got = []
    reader = threading.Thread(target=lambda: got.append(read("pipe.png")))
    reader.start()
    while True:  # until the reader is there
        try:
            held = os.open("pipe.png", os.O_WRONLY | os.O_NONBLOCK)
            break
        except OSError:
            pass
    sample("pipe.png")
    os.close(held)
    reader.join()
    assert got == [read("grid.png")] and stat.S_ISFIFO(os.lstat("pipe.png").st_mode)


def check_reader_that_goes_away():
    """An error of one line, not SIGPIPE."""
    train()
    os.mkfifo("pipe.png")
    held = os.open("pipe.png", os.O_RDONLY | os.O_NONBLOCK)
    p = subprocess.Popen([PROGRAM, "sample", "--model", "run/model.safetensors", "--count", "64", "--steps", "50",
                          "--out", "pipe.png"], stderr=subprocess.PIPE, text=True)
    p.stderr.readline()
    os.close(held)
    said = p.stderr.read()
    p.stderr.close()
    assert p.wait(60) == 1 and "pipe.png: Broken pipe" in said, (p.returncode, said)


def check_standard_output():
    train()
    sample("grid.png")
    p = subprocess.run([PROGRAM, "sample", "--model", "run/model.safetensors", "--count", "2", "--steps", "2", "--out",
                        "/dev/stdout"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert p.returncode == 0 and p.stdout == read("grid.png"), p.stderr


def check_closed_descriptors():
    """What is said where nobody listens goes into no file of the run, though its files could get those numbers."""
    faces("data", 8)
    model = None
    for i in range(8):
        closed = [fd for fd in range(3) if i >> fd & 1]
        words = ["pretrain", "--data", "data", "--out", "run%d" % i, *TINY, "--steps", 9, "--log-every", 1,
                 "--save-every", 2, "--sample-every", 3, "--sample-count", 1, "--sample-steps", 1]
        p = subprocess.Popen([PROGRAM, *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, preexec_fn=lambda: [os.close(fd) for fd in closed])
        assert p.wait(60) == 0, closed
        with open("run%d/log.jsonl" % i) as log:
            assert [json.loads(line)["step"] for line in log] == list(range(1, 10)), closed
        model = model or read("run0/model.safetensors")
        assert read("run%d/model.safetensors" % i) == model, closed


def check_devices():
    train()
    sample("/dev/null")
    assert is_device("/dev/null")
    sample("/dev/full", status=1, says=["/dev/full", "o space left"])
    os.symlink("/dev/null", "link.png")
    sample("link.png")
    assert os.path.islink("link.png") and is_device("/dev/null")
    maskdm(*RUN[:4], "/dev/null", *RUN[5:], "--steps", 1, status=1, says=["/dev/null is not a folder"])


def check_device_of_ones_own():
    """As root the folder of a device can be written to, and a rename would put a file in the device's place."""
    train()
    if os.getuid() != 0:
        raise Skip("only root makes devices")
    os.mknod("null.png", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    try:
        open("null.png", "wb").close()
    except OSError:
        raise Skip("mounted without devices")
    sample("null.png")
    assert is_device("null.png")


def check_refused_kinds():
    import socket
    train()
    with socket.socket(socket.AF_UNIX) as s:
        s.bind("socket.png")
        sample("socket.png", status=1, says=["socket.png", "a socket"])
        assert stat.S_ISSOCK(os.lstat("socket.png").st_mode)
    os.symlink("loop.png", "loop.png")
    said = sample("loop.png", status=1, says=["loop.png", "symbolic links"]).stderr
    assert "step " not in said and os.path.islink("loop.png"), said


if __name__ == "__main__":
    main(globals())
