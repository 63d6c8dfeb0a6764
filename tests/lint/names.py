# SPDX-License-Identifier: BSD-2-Clause
"""One name per thing: names.py ROOT. What hosts see begins with maskdm_ and stands in include/; the same thing inside bears
the same name behind mdm_. Words that meant a public thing twice stay gone."""
import os
import re
import sys

SYNONYMS = ("weights", "training", "sampling", "dataset", "picture", "adamw", "masking", "diffusion", "solving", "optionset")
root = sys.argv[1]


def text(folder):
    for where, _, names in sorted(os.walk(os.path.join(root, folder))):
        for name in sorted(n for n in names if n.endswith((".c", ".h"))):
            path = os.path.join(where, name)
            yield os.path.relpath(path, root), open(path).read()


public = {n for _, t in text("include") for n in re.findall(r"\b(?:maskdm|MASKDM)_\w+", t)}
bad = []
for folder in ("src", "tests"):
    for path, t in text(folder):
        for name in sorted(set(re.findall(r"\b(?:maskdm|MASKDM)_\w+", t)) - public):
            if folder == "src" and not name.endswith("_H"):  # a header's guard
                bad.append("%s: %s is in no public header: mdm_" % (path, name))
        for word in SYNONYMS:
            for name in sorted(set(re.findall(r"\bmdm_%s(?:_\w+)?\b" % word, t))):
                bad.append("%s: %s: %s has another name" % (path, name, word))
print("\n".join(bad) or "one name per thing")
sys.exit(bool(bad))
