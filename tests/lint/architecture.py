# SPDX-License-Identifier: BSD-2-Clause
"""doc/architecture.md against the tree: architecture.py ROOT. Its table of layers is the list of folders of src/, from the
top down, and every file that it names is there; NAME stands
for one that is to be added. What it says of an instruction set, that one row names it, holds."""
import os
import re
import sys

from layers import LAYERS

root = sys.argv[1]
src = os.path.join(root, "src")
text = open(os.path.join(root, "doc", "architecture.md"), encoding="utf-8").read()
bad = []

table = [row for row in re.findall(r"^\| `(\w+)` \|", text.split("## Layers")[1].split("\n## ")[0], flags=re.M)]
if table != ["cli"] + LAYERS[::-1]:
    bad.append("the table of layers is %s, the layers are %s" % (" ".join(table), " ".join(["cli"] + LAYERS[::-1])))
folders = {name for name in os.listdir(src) if os.path.isdir(os.path.join(src, name))}
if folders != set(LAYERS) | {"cli"}:
    bad.append("src/ has %s, the layers are %s" % (" ".join(sorted(folders)), " ".join(sorted(LAYERS))))

TOPS = folders | {"src", "tests", "include", "doc", "examples", "maskdm"}
for path in sorted(set(re.findall(r"`([\w.]+/[\w./]*)`", text))):
    if path.split("/")[0] in TOPS and "NAME" not in path and not any(
            os.path.exists(os.path.join(root, base, path)) for base in ("", "src", "include")):
        bad.append("there is no " + path)

# One row in one table is all that names an instruction set (of "c" too much is called so).
table = "backend/cpu/instruction_set.c"
for name in re.findall(r'^    \{("\w{2,}"), runs_', open(os.path.join(src, table)).read(), flags=re.M):
    for where, _, files in os.walk(src):
        for path in (os.path.relpath(os.path.join(where, f), src) for f in files if f.endswith((".c", ".h"))):
            if path != table and name in open(os.path.join(src, path), encoding="utf-8").read():
                bad.append("src/%s names the instruction set %s beside its row in %s" % (path, name, table))
print("\n".join(bad) or "the page describes the tree")
sys.exit(bool(bad))
