# SPDX-License-Identifier: BSD-2-Clause
"""step_bench prints a well-formed line for its tiny workload: smoke.py STEP_BENCH. Ratios are never tested."""
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
assert subprocess.run([sys.argv[1], "C99"], stderr=subprocess.PIPE).returncode == 2
