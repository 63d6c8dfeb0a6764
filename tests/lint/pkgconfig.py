# SPDX-License-Identifier: BSD-2-Clause
"""The pkg-config file names no BLAS flavour and gives consumers nothing but our own: pkgconfig.py FOLDER
[FLAG ...], of libraries that this build has beside those that each has."""
import os
import sys

text = open(os.path.join(sys.argv[1], "maskdm.pc")).read()
field = dict(line.split(":", 1) for line in text.splitlines() if ":" in line and "=" not in line.split(":")[0])
variable = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and ":" not in line.split("=")[0])
bad = []


def words(name):
    """Of a field, each once, with variables of our own filled in."""
    value = field.get(name, "")
    for ours in ("headers", "libraries"):
        value = value.replace("${%s}" % ours, variable[ours])
    return list(dict.fromkeys(value.split()))


if words("Cflags") != ["-I${includedir}"]:
    bad.append("Cflags: " + field.get("Cflags", "(none)"))
if words("Libs") != ["-L${libdir}", "-lmaskdm"]:
    bad.append("Libs: " + field.get("Libs", "(none)"))
bad += ["names a flavour: " + line for line in text.splitlines()
        if "openblas" in line and "-lopenblas" not in line or "openblas-" in line]
bad += ["a static consumer would miss " + flag for flag in (*sys.argv[2:], "-lpng", "-lz")
        if flag not in field.get("Libs.private", "").split()]
if "Requires.private" in field:
    bad.append("a shared consumer would need the packages of " + field["Requires.private"].strip())
print("\n".join(bad) or "the pkg-config file is clean")
sys.exit(bool(bad))
