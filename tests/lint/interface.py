# SPDX-License-Identifier: BSD-2-Clause
"""Habits of the public headers, which a program in any language may count on: interface.py API.json.

A function bears the prefix of its handle, or stands in the lists below. What a call makes is its first argument, and the
handle that it works on comes next. Enumerations cross the border as int. No name is a function's and a type's. A function
answers int, int64_t, double, a pointer or nothing: what is negative is a status."""
import json
import re
import sys

# The product's verbs: whole jobs, which work on no handle.
JOBS = {"maskdm_train", "maskdm_pretrain", "maskdm_finetune", "maskdm_tune", "maskdm_sample", "maskdm_convert", "maskdm_export",
        "maskdm_merge", "maskdm_average", "maskdm_evaluate", "maskdm_survey", "maskdm_pack", "maskdm_plot", "maskdm_report"}
# Arithmetic on a host's arrays alone.
ARRAYS = {"maskdm_loss", "maskdm_average_coefficients", "maskdm_average_exponent"}
# What the library says of itself and of the last call.
LIBRARY = {"maskdm_build_info", "maskdm_last_error", "maskdm_last_status", "maskdm_set_allocator", "maskdm_status_name",
           "maskdm_version", "maskdm_version_string"}
# Of a kind of options, before there is a handle.
OF_A_KIND = {"maskdm_options_kind", "maskdm_options_kind_help", "maskdm_options_count", "maskdm_options_describe",
             "maskdm_options_type", "maskdm_options_presets", "maskdm_options_preset_text"}
api = json.load(open(sys.argv[1]))
handles = {h["name"] for h in api["handles"]}
types = handles | {d["name"] for what in ("enums", "structs", "callbacks") for d in api[what]}
bad = []
for d in api["functions"] + api["callbacks"] + api["structs"]:
    for kind in [d.get("result", "")] + [p["type"] for p in d.get("parameters", d.get("members"))]:
        if "enum " in kind:
            bad.append("%s: %s crosses the border as itself, not as int" % (d["name"], kind))
for f in api["functions"]:
    name, arguments = f["name"], f["parameters"]
    owner = max((h for h in handles if name.startswith(h + "_")), key=len, default=None)
    if name in types:
        bad.append("%s is a type as well" % name)
    if not re.match(r"(int|int64_t|double|void|const (char|float|int32_t|double) \*)$", f["result"]):
        bad.append("%s answers %s" % (name, f["result"]))
    if not owner and name not in JOBS | LIBRARY | ARRAYS:
        bad.append("%s has no handle's prefix" % name)
    made = [bool(re.match(r"maskdm_\w+ \*\*$", a["type"])) for a in arguments]
    if sorted(made, reverse=True) != made:
        bad.append("%s: what it makes is not its first argument" % name)
    if owner and True not in made and name not in OF_A_KIND and \
            arguments[0]["type"] not in ("size_t *", owner + " *", "const %s *" % owner):
        bad.append("%s: %s is not its first argument" % (name, owner))
print("\n".join(bad) or "%d functions of %d handles keep the habits" % (len(api["functions"]), len(handles)))
sys.exit(bool(bad))
