# SPDX-License-Identifier: BSD-2-Clause
"""Habits that a grep can hold: style.py ROOT."""
import os
import re
import sys

SOURCE = (".c", ".h", ".cc", ".cpp", ".cu", ".cuh", ".py", ".sh", ".build", ".map", ".md", ".txt")
CODE = (".c", ".h", ".cc", ".cpp", ".cu", ".cuh")


OURS = ("doc", "examples", "include", "src", "tests")  # what else stands beside them is a packager's or a build's


def files(root):
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if f != "__pycache__" and (folder != root or f in OURS))
        for name in sorted(names):
            if name.endswith(SOURCE):
                yield os.path.relpath(os.path.join(folder, name), root)


def check(root):
    bad = []
    for path in files(root):
        raw = open(os.path.join(root, path), "rb").read()
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            bad.append(path + ": not UTF-8")
            continue
        if text and not text.endswith("\n"):
            bad.append(path + ": no newline at the end")
        if path.endswith(CODE) and "SPDX-License-Identifier: BSD-2-Clause" not in text.split("\n", 1)[0]:
            bad.append(path + ": the first line names no licence")
        if path.endswith((".h", ".cuh")):
            stem = path.split(os.sep, 1)[1] if path.startswith("src" + os.sep) else path
            guard = re.sub(r"\W", "_", stem.replace("include" + os.sep, "")).upper()
            guard = guard if guard.startswith("MASKDM_") else "MASKDM_" + guard
            if path.split(os.sep)[0] in ("src", "include") and "#ifndef %s\n" % guard not in text:
                bad.append("%s: the guard is not %s" % (path, guard))
        for number, line in enumerate(text.split("\n"), 1):
            where = "%s:%d: " % (path, number)
            if line != line.rstrip():
                bad.append(where + "blanks at the end")
            if "\t" in line:
                bad.append(where + "a tab")
            if re.search("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]", line):
                bad.append(where + "an invisible character")
            if path.endswith(CODE):
                if len(line) > 118:
                    bad.append(where + "%d columns, more than 118" % len(line))
                if re.search(r"\b(TODO|FIXME|XXX)\b", line):
                    bad.append(where + "a note to oneself")
                if re.match(r"\s*//", line):
                    bad.append(where + "a // comment")
    return bad


found = check(sys.argv[1])
print("\n".join(found) or "style holds")
sys.exit(bool(found))
