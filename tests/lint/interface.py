# SPDX-License-Identifier: BSD-2-Clause
"""Habits of the public headers, which a program in any language may count on: interface.py INCLUDE.

A function bears the prefix of its handle, or stands in the lists below. What a call makes is its first argument, and the
handle that it works on comes next. Enumerations cross the border as int. No name is a function's and a type's. A function
answers int, int64_t, double, a pointer or nothing: what is negative is a status."""
import os
import re
import sys

# The product's verbs: whole jobs, which work on no handle.
JOBS = {"maskdm_pretrain", "maskdm_finetune", "maskdm_sample", "maskdm_convert"}
# What the library says of itself and of the last call.
LIBRARY = {"maskdm_last_error", "maskdm_status_name", "maskdm_version", "maskdm_version_string"}
# Of a kind of options, before there is a handle.
OF_A_KIND = {"maskdm_options_kind", "maskdm_options_kind_help", "maskdm_options_count", "maskdm_options_describe",
             "maskdm_options_type"}
folder = os.path.join(sys.argv[1], "maskdm")
text = "\n".join(open(os.path.join(folder, n)).read() for n in sorted(os.listdir(folder)) if n.endswith(".h"))
text = re.sub(r"^\s*#.*(?:\\\n.*)*$", "", re.sub(r"/\*.*?\*/", "", text, flags=re.S), flags=re.M)
handles = set(re.findall(r"typedef struct (maskdm_\w+) \1;", text))
functions = re.findall(r"\bMASKDM_API\s+(?:MASKDM_MUST_CHECK\s+)?([^;{(]*?)\b(maskdm_\w+)\s*\(([^;]*)\)\s*;", text)
types = set(re.findall(r"\b(?:struct|enum) (maskdm_\w+)\s*\{", text)) | handles
types |= set(re.findall(r"\(\*(maskdm_\w+)\)\(", text))
bad = []
for m in re.finditer(r"\benum maskdm_\w+(?!\s*\{)\b", re.sub(r"\benum maskdm_\w+\s*\{", "", text)):
    bad.append("%s crosses the border as itself, not as int" % m.group())
for result, name, arguments in functions:
    result, arguments = result.strip(), [" ".join(a.split()) for a in arguments.split(",")]
    owners = [h for h in handles if name.startswith(h + "_")]
    owner = max(owners, key=len) if owners else None
    if name in types:
        bad.append("%s is a type as well" % name)
    if not re.match(r"(int|int64_t|double|void|const char \*|const float \*|const int32_t \*)$", result):
        bad.append("%s answers %s" % (name, result))
    if not owner and name not in JOBS | LIBRARY:
        bad.append("%s has no handle's prefix" % name)
    made = [bool(re.match(r"(?!const)\w+ \*\*\w+$", a)) for a in arguments]
    if sorted(made, reverse=True) != made:
        bad.append("%s: what it makes is not its first argument" % name)
    rest = [a for a, m in zip(arguments, made) if not m]
    if owner and True not in made and name not in OF_A_KIND and not re.match(r"size_t \*", rest[0]) and \
            not re.match(r"(const )?%s \*" % owner, rest[0]):
        bad.append("%s: %s is not its first argument" % (name, owner))
print("\n".join(bad) or "%d functions of %d handles keep the habits" % (len(functions), len(handles)))
sys.exit(bool(bad))
