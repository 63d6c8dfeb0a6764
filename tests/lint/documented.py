# SPDX-License-Identifier: BSD-2-Clause
"""Every public function stands below a comment or in a group that one comment opens: documented.py INCLUDE."""
import os
import re
import sys

folder = os.path.join(sys.argv[1], "maskdm")
bad, count = [], 0
SELF_EVIDENT = re.compile(r"_(release|create_clone)$")
for name in sorted(n for n in os.listdir(folder) if n.endswith(".h")):
    lines = open(os.path.join(folder, name)).read().split("\n")
    covered = False
    for line in lines:
        if re.match(r"\s*(/\*\*|\*|\*/)", line) or "*/" in line:
            covered = True
        elif not line.strip():
            covered = False
        m = re.search(r"\b(maskdm_\w+)\s*\(", line) if line.startswith("MASKDM_API") else None
        if m:
            count += 1
            if not covered and not SELF_EVIDENT.search(m.group(1)):
                bad.append("%s: %s has no comment" % (name, m.group(1)))
print("\n".join(bad) or "%d public functions are documented" % count)
sys.exit(bool(bad))
