# SPDX-License-Identifier: BSD-2-Clause
"""step_bench prints a well-formed line for its tiny workload, and cuda.py runs it: smoke.py STEP_BENCH. Ratios are never
tested."""
import os
import re
import subprocess
import sys

line = subprocess.run([sys.argv[1], "--threads", "1", "--rounds", "2", "T0"], check=True, text=True,
                      stdout=subprocess.PIPE).stdout
assert line.count("\n") == 1 and line.startswith("T0 "), line
fields = dict(re.findall(r"(\w+)=(\"[^\"]*\"|\S+)", line))
for name in ("step_ms", "floor_ms", "ratio", "ratio_min", "ratio_max", "fma_gflops", "memory_gbs"):
    assert float(fields[name]) > 0, (name, line)
assert float(fields["ratio_min"]) <= float(fields["ratio"]) <= float(fields["ratio_max"]), line
# The instruction set that is asked for is in the line; one that is nowhere is refused.
assert fields["instruction_set"] in ("c", "avx2", "avx512", "neon"), line
line = subprocess.run([sys.argv[1], "--threads", "1", "--rounds", "1", "--instruction-set", "c", "T0"], check=True, text=True,
                      stdout=subprocess.PIPE).stdout
assert " instruction_set=c " in line, line
refused = subprocess.run([sys.argv[1], "--instruction-set", "mmx", "T0"], text=True, stderr=subprocess.PIPE)
assert refused.returncode == 1 and "has no mmx" in refused.stderr, refused
assert subprocess.run([sys.argv[1], "C99"], stderr=subprocess.PIPE).returncode == 2

# What cuda.py asks of it, on whatever device there is.
script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cuda.py")
table = subprocess.run([sys.executable, script, sys.argv[1], "--device", "cpu", "--options", "", "--threads", "1", "--rounds",
                        "1", "--configs", "T0,T1"], check=True, text=True, stdout=subprocess.PIPE).stdout
for label in ("T0", "T1"):
    row = [line.split() for line in table.splitlines() if line.startswith(label)][-1]
    assert float(row[1]) > 0 and float(row[2]) > 0, table
