# SPDX-License-Identifier: BSD-2-Clause
"""What is asked of options by name is the name of a row of some table: options.py SRC. Values are read into structs,
whose members the compiler knows; setting, and naming in error lines, go by name."""
import os
import re
import sys

files = {}
for where, _, names in sorted(os.walk(sys.argv[1])):
    for name in sorted(n for n in names if n.endswith(".c") or n == "options.h"):
        path = os.path.join(where, name)
        files[os.path.relpath(path, sys.argv[1])] = open(path).read()

rows = {m for t in files.values() for m in re.findall(r"\bMDM_(?:OPTION|CHOICE)(?:_IN)?\((?:\w+, )+(\w+)\)", t)}
prefixes = {m for t in files.values() for m in re.findall(r'\bmdm_option_table \w+ = \{\s*"\w+", "(\w+_)"', t)}
known = rows | {p + r for p in prefixes for r in rows} | {p[:-1] for p in prefixes if "type" in rows}
call = re.compile(r'\bmdm_options_(?:set|set_int|set_number|said|is_set|text)\([^,;]+,\s*"(\w+)"')
bad = ["%s: no table has an option \"%s\"" % (path, name) for path, t in files.items() for name in call.findall(t)
       if name not in known]
asked = sum(len(call.findall(t)) for t in files.values())
if not asked or not prefixes:
    bad.append("nothing is asked by name, or no table was found: this test looks for the wrong words")
print("\n".join(bad) or "%d options are asked for by names that %d rows have" % (asked, len(rows)))
sys.exit(bool(bad))
