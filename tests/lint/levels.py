# SPDX-License-Identifier: BSD-2-Clause
"""What belongs to one process stays with it: levels.py ROOT. Outside of the discrete process's own files nothing speaks of
its cumulative products or counts its times; everything else is written in levels of signal and noise."""
import os
import re
import sys

OWN = re.compile(r"^diffusion/discrete\w*\.[ch]$")
NAMES = {"run/convert_rest.c", "run/export_buffers.c"}  # what other programs call tensors of theirs
WORDS = re.compile("\\babar|alphas?_cumprod|alpha_?bar|\u1fb1|\u03b1\u0304|->timesteps\\b|\\.timesteps\\b")
MAY_COUNT = {"diffusion/ddim.c", "diffusion/ddpm.c", "run/preview.c", "run/convert_schedule.c", "api/scheduler.c"}

root = os.path.join(sys.argv[1], "src")
bad = []
for folder, _, names in sorted(os.walk(root)):
    for name in sorted(n for n in names if n.endswith((".c", ".h"))):
        path = os.path.relpath(os.path.join(folder, name), root)
        if OWN.match(path) or path in NAMES:
            continue
        for number, line in enumerate(open(os.path.join(folder, name), encoding="utf-8"), 1):
            m = WORDS.search(line)
            if m and not (path in MAY_COUNT and m.group().endswith("timesteps")):
                bad.append("src/%s:%d: %s is the discrete process's own" % (path, number, m.group()))
print("\n".join(bad) or "everything speaks of levels")
sys.exit(bool(bad))
