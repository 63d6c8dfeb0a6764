# SPDX-License-Identifier: BSD-2-Clause
"""The MPI module under mpirun: sums to the bit, and what those hear who wait for a rank that went away."""
from mpi import launch, main, unsupervised


def check_sum():
    for ranks in 1, 2, 4:
        said = launch(ranks, "ranks", "sum").stdout
        assert all(", rank %d of %d" % (r, ranks) in said for r in range(ranks)), said


def check_leave():
    """One that goes in peace before the others are done."""
    said = launch(3, "ranks", "leave", status=None, launcher=unsupervised()).stdout
    assert "rank 0 lost 2: rank 2 of 3 (process " in said and said.count("lost 2") == 2, said


def check_end():
    """One that ends without a word, where the launcher does not end the others."""
    said = launch(3, "ranks", "end", status=None, launcher=unsupervised()).stdout
    assert said.count("lost 2: rank 2 of 3 (process ") == 2 and "has ended" in said, said


if __name__ == "__main__":
    main(globals())
