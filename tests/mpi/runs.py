# SPDX-License-Identifier: BSD-2-Clause
"""maskdm pretrain under mpirun: the bits of one process, also from a checkpoint of another number of ranks; one that is killed,
or asked to stop; and ranks that were not given the same."""
import json
import os
import signal
import subprocess
import time

from mpi import MODULE, launch, launcher, main, need_survivors, unsupervised
from rig import NETWORK, PROGRAM, SOURCE, checkpoints, faces, maskdm, read, same, write

SMALL = NETWORK + "--mask block --mask-ratio 0.5 --batch-size 8 --threads 1 --seed 5 --lr 1e-3 --warmup-steps 0".split()
MPI = ["--comm", "mpi module=" + MODULE]
FOUR = ["--accumulate", 4]


def train(ranks, out, *more, **how):
    comm = MPI if ranks else ["--comm", "self"]
    words = ["pretrain", "--data", "data", "--out", out, *SMALL, *comm, *more]
    return launch(ranks, "maskdm", *words, **how) if ranks else maskdm(*words)


def losses(out):
    lines = [json.loads(line) for line in read(out + "/log.jsonl").decode().splitlines()]
    return [(line["step"], line["loss"], line["grad_norm"]) for line in lines if "loss" in line]


def check_bits():
    """Checkpoint, model and what the log says of steps; and one voice."""
    faces("data", 24)
    train(0, "one", *FOUR, "--steps", 4, "--log-every", 1)
    for ranks in 2, 4:
        out = "of-%d" % ranks
        said = train(ranks, out, *FOUR, "--steps", 4, "--log-every", 1).stderr
        assert said.count("step 4 of 4") == 1 and said.count("next: maskdm sample") == 1, said
        same("one/checkpoint-4.safetensors", out + "/checkpoint-4.safetensors")
        same("one/model.safetensors", out + "/model.safetensors")
        assert losses("one") == losses(out)


def check_resume():
    """Begun by two with as many parts, gone on with by one and by two again; what says how many there are is in the run."""
    faces("data", 24)
    train(0, "whole", "--accumulate", 2, "--steps", 5)
    train(2, "run", "--steps", 2)
    maskdm("pretrain", "--resume", "run", "--steps", 3, "--comm", "self")
    launch(2, "maskdm", "pretrain", "--resume", "run", "--steps", 5, *MPI)
    same("whole/checkpoint-5.safetensors", "run/checkpoint-5.safetensors")


def check_page():
    """The commands of doc/scaling.md that need a launcher."""
    faces("faces", 24, 32)
    lines = [line.split() for line in read(SOURCE + "/doc/scaling.md").decode().split("\n") if line.startswith("    mpirun ")]
    assert lines
    for _, _, ranks, _, *words in lines:
        small = "--dim 32 --depth 3 --heads 2 --batch-size 8 --threads 1 --steps 2 --sample-every 0".split()
        launch(int(ranks), "maskdm", *words, *small, "--comm", "mpi module=" + MODULE)


def rank_of(process, mark):
    """Which rank a process is that was started with this mark in its environment; or None."""
    try:
        told = dict(w.split("=", 1) for w in read("/proc/%s/environ" % process).decode("utf-8", "replace").split("\0") if "=" in w)
        if told.get("MASKDM_TEST_MARK") != mark or os.path.realpath("/proc/%s/exe" % process) != os.path.realpath(PROGRAM):
            return None
    except OSError:
        return None
    return told.get("OMPI_COMM_WORLD_RANK", told.get("PMI_RANK"))


def begin(out, start, ranks=2):
    """A run without an end, which has saved; its launcher, and the process of each rank."""
    mark = os.path.realpath(out)
    words = start + ["-n", ranks, PROGRAM, "pretrain", "--data", "data", "--out", out, *SMALL, *MPI, "--steps", 1000000,
                     "--save-every", 10, "--val-every", 0, "--sample-every", 0]
    job = subprocess.Popen([str(w) for w in words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=open(out + ".said", "w"), env=dict(os.environ, MASKDM_TEST_MARK=mark))
    until = time.monotonic() + 60
    while not (os.path.isdir(out) and checkpoints(out)):
        assert time.monotonic() < until and job.poll() is None, read(out + ".said").decode()
        time.sleep(0.05)
    found = {rank_of(p, mark): int(p) for p in os.listdir("/proc") if p.isdigit() and rank_of(p, mark)}
    assert sorted(found) == [str(r) for r in range(ranks)], found
    return job, found


def end(job, out):
    """Within a minute; how a launcher ends that does not mind is its own affair."""
    job.wait(timeout=60)
    return read(out + ".said").decode()


def go_on(out):
    """The newest checkpoint is whole."""
    step = checkpoints(out)[-1]
    said = launch(2, "maskdm", "pretrain", "--resume", out, "--steps", step + 1, *MPI).stderr
    assert "resuming from " + out in said and "broken" not in said and checkpoints(out)[-1] == step + 1, said


def check_kill():
    """Where nobody but the other rank can know, and then rank 0 itself."""
    need_survivors()
    faces("data", 24)
    for dies in "1", "0":
        out = "without-" + dies
        job, process = begin(out, unsupervised())
        os.kill(process[dies], signal.SIGKILL)
        said = end(job, out)
        assert "rank %s of 2 (process %d on " % (dies, process[dies]) in said and "has ended" in said, said
    go_on("without-0")


def check_killed_under_mpirun():
    """The launcher ends the others, in its own words."""
    faces("data", 24)
    job, process = begin("run", launcher())
    os.kill(process["1"], signal.SIGKILL)
    end(job, "run")
    assert job.returncode != 0
    go_on("run")


def check_stop():
    """One is told to end: all end behind the same step, which rank 0 saves."""
    faces("data", 24)
    job, process = begin("run", launcher())
    os.kill(process["1"], signal.SIGTERM)
    said = end(job, "run")
    assert said.count("saved step %d in run" % checkpoints("run")[-1]) == 1, said


def unlike(first, second):
    """What is said where the two ranks have these flags each."""
    words = [str(w) for w in launcher()]
    for i, own in enumerate((first, second)):
        words += [":"] * i + ["-n", "1", PROGRAM, "pretrain", "--out", "run", "--steps", "2"] + SMALL + MPI + own
    said = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    assert said.returncode != 0 and not os.path.exists("run"), said
    return said.stderr.decode("utf-8", "replace")


def check_unlike():
    faces("data", 24)
    faces("fewer", 23)
    same_data = ["--data", "data"]
    said = unlike(same_data, same_data + ["--lr", "2e-3"])
    assert said.count("rank 0 has --lr 0.001, rank 1 has --lr 0.002") == 1, said
    said = unlike(same_data, ["--data", "fewer"])
    assert "rank 0 has 24 images of " in said and ", rank 1 has 23 images of " in said, said
    said = unlike(same_data, ["--data", "nowhere"])
    assert "maskdm pretrain: rank 1 of 2: " in said and "nowhere" in said, said


def check_no_mpi():
    """A module that is not there, and one whose MPI is not."""
    faces("data", 8)
    words = ["pretrain", "--data", "data", "--out", "run", *SMALL, "--comm"]
    maskdm(*words, "mpi module=/nowhere/mpi.so", status=1, says=["module=/nowhere/mpi.so: cannot load /nowhere/mpi.so: "])
    write("gone.so", read(MODULE).replace(b"libmpi.so", b"libmpx.so").replace(b"libmpich.so", b"libmpxch.so"))
    maskdm(*words, "mpi module=./gone.so", status=1, says=["cannot load ./gone.so: libmpx"])
    maskdm(*words, "smoke", status=1, says=["--comm smoke: there is no communicator \"smoke\"; known: self, mpi"])
    maskdm(*words, "mpi patience=no", status=1, says=["--comm mpi patience=no: option patience takes a number"])
    assert not os.path.exists("run")


if __name__ == "__main__":
    main(globals())
