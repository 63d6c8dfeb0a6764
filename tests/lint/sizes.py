# SPDX-License-Identifier: BSD-2-Clause
"""Files and functions that fit a reader: sizes.py ROOT. Exceptions stand in EXCEPT with their reason."""
import os
import sys

FILE, FUNCTION = 300, 60
EXCEPT = {}


def check(root):
    bad = []
    for top in ("src", "include", "examples"):
        for folder, _, files in sorted(os.walk(os.path.join(root, top))):
            for name in sorted(files):
                if not name.endswith((".c", ".h", ".cc", ".cu", ".cuh")):
                    continue
                path = os.path.relpath(os.path.join(folder, name), root)
                lines = open(os.path.join(folder, name)).read().split("\n")
                if len(lines) > FILE and path not in EXCEPT:
                    bad.append("%s: %d lines, more than %d" % (path, len(lines), FILE))
                start = None
                for number, line in enumerate(lines, 1):
                    if line == "{":
                        start = number
                    elif line == "}" and start:
                        if number - start - 1 > FUNCTION and path not in EXCEPT:
                            bad.append("%s:%d: a function of %d lines, more than %d"
                                       % (path, start, number - start - 1, FUNCTION))
                        start = None
    return bad


found = check(sys.argv[1])
print("\n".join(found) or "every file and function fits")
sys.exit(bool(found))
