# SPDX-License-Identifier: BSD-2-Clause
"""What several processes cost: scaling.py PROGRAM DATA [--module FILE] [--ranks 1,2,4] [--steps 20] [FLAGS...].

Weak scaling on one machine: ranks of one thread, each with the same number of images a step. Time is the processor's, of all
ranks, divided by ranks and steps, since a machine that does other work says nothing by the wall, which stands beside it for one
that does not; a run of few steps is taken off one of many, so that beginning and end do not count. A rank that waits for another spins a little, then
sleeps. With --model the table of doc/scaling.md: a step of so many seconds and parameters on paper."""
import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time

BUCKET, MEMORY = 4 << 20, 6  # bytes; passes over the gradients in memory: out, in, twice read, written, back
NETWORKS = [("10 Gbit/s Ethernet, TCP", 1.25e9, 50e-6), ("100 Gbit/s Ethernet, TCP", 12.5e9, 50e-6),
            ("InfiniBand HDR, 200 Gbit/s", 25e9, 1.5e-6)]


def exchange(nodes, parameters, bandwidth, latency, memory=10e9):
    """Seconds that the sum of a step's gradients takes, none of it hidden behind anything."""
    size = 4 * parameters
    buckets = -(-size // BUCKET)
    wire = 2 * (nodes - 1) / nodes * size / bandwidth
    return wire + 2 * buckets * (nodes - 1) * latency + MEMORY * size / memory if nodes > 1 else 0


def model(parameters, steps):
    print("| network | " + " | ".join("%d" % 2 ** k for k in range(1, 7)) + " |")
    for name, bandwidth, latency in NETWORKS:
        for label, seconds in steps:
            row = [seconds / (seconds + exchange(2 ** k, parameters, bandwidth, latency)) for k in range(1, 7)]
            print("| %s, %s | " % (name, label) + " | ".join("%.2f" % e for e in row) + " |")


def spend(words):
    """Seconds of processors that a command and all that it starts take, and by the wall."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(words, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True)
    after, ended = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, ended - began


def measure(told, ranks, flags):
    def run(steps):
        with tempfile.TemporaryDirectory() as out:
            start = [] if ranks == 0 else ["mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "-n", ranks]
            comm = ["--comm", "mpi" + (" module=" + told.module if told.module else "")]
            words = start + [told.program, "pretrain", "--data", told.data, "--out", os.path.join(out, "run"), "--threads", 1,
                             "--batch-size", told.images * max(ranks, 1), "--steps", steps, "--val-every", 0, "--sample-every", 0,
                             "--val-share", 0, "--save-minutes", 0] + (comm if ranks else []) + flags
            return spend([str(w) for w in words])
    few = told.steps // 5
    (spent, passed), (first_spent, first_passed) = run(told.steps), run(few)
    steps = told.steps - few
    return (spent - first_spent) / steps / max(ranks, 1), (passed - first_passed) / steps


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("program", nargs="?")
    p.add_argument("data", nargs="?")
    p.add_argument("--module", default="")
    p.add_argument("--ranks", default="0,1,2,4")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--steps", type=int, default=20)
    p.add_argument("--images", type=int, default=8, help="of a rank and step")
    p.add_argument("--model", action="store_true")
    told, flags = p.parse_known_args()
    if told.model:
        return model(44e6, (("C1, 7.02 s", 7.02), ("C3, 0.44 s", 0.44)))
    best = {}
    for _ in range(told.rounds):
        for ranks in (int(r) for r in told.ranks.split(",")):
            best[ranks] = tuple(map(min, best.get(ranks, (1e9, 1e9)), measure(told, ranks, flags)))
    alone = best[min(best)]
    for ranks, (spent, passed) in best.items():
        print("%s: %.4f s of a processor a step and rank, efficiency %.3f; %.4f s by the wall, %.3f" % (
            "%d ranks" % ranks if ranks else "no communicator", spent, alone[0] / spent, passed, alone[1] / passed))


if __name__ == "__main__":
    sys.exit(main())
