# SPDX-License-Identifier: BSD-2-Clause
"""What tests of several processes share: mpirun, of whichever MPI the module is for.

meson says where things are: MPIRUN, MASKDM_TEST_MPI (the module's file), RANKS (tests/mpi/ranks.c)."""
import functools
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from rig import PROGRAM, Skip, main, run  # noqa: F401

MPIRUN, MODULE = os.environ.get("MPIRUN", ""), os.environ.get("MASKDM_TEST_MPI", "")
WORDS = {"ranks": [os.environ.get("RANKS", "")], "maskdm": [PROGRAM]}


def is_open_mpi():
    said = subprocess.run([MPIRUN, "--version"], stdin=subprocess.DEVNULL, capture_output=True)
    return b"Open MPI" in said.stdout + said.stderr


@functools.lru_cache(None)
def launcher():
    if not MPIRUN or not MODULE:
        raise Skip("there is no mpirun, or no module for it")
    # Open MPI asks that whoever is root, or has fewer cores than ranks, says so.
    words = [MPIRUN, "--allow-run-as-root", "--oversubscribe", "--bind-to", "none"] if is_open_mpi() else [MPIRUN]
    tried = subprocess.run(words + ["-n", "2", "true"], stdin=subprocess.DEVNULL, capture_output=True)
    if tried.returncode:
        raise Skip("mpirun cannot start even two of true(1): %s" % tried.stderr.decode("utf-8", "replace").strip()[-300:])
    return words


def unsupervised():
    """One that does not end all ranks for one that ended, so that they have to find out themselves."""
    return launcher() + (["--mca", "orte_enable_recovery", "1"] if is_open_mpi() else ["-disable-auto-cleanup"])


def need_survivors():
    """MPICH's launcher ends the others of a rank that was killed in any case, and says so itself."""
    if launcher() and not is_open_mpi():
        raise Skip("this launcher lets no rank survive another")


def launch(ranks, program, *words, launcher=launcher, status=0, **more):
    """The same command line in every rank."""
    start = launcher() if callable(launcher) else launcher
    words = [str(w) for w in start + ["-n", ranks] + WORDS[program] + list(words)]
    if status is not None:
        return run(*words, status=status, **more)
    said = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, **more)
    said.stdout, said.stderr = said.stdout.decode("utf-8", "replace"), said.stderr.decode("utf-8", "replace")
    return said
