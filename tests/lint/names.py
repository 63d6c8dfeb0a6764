# SPDX-License-Identifier: BSD-2-Clause
"""One name per thing: names.py ROOT. What hosts see begins with maskdm_ and stands in include/; the same thing inside bears
the same name behind mdm_. Words that meant a public thing twice stay gone. In the public headers, and among the options, a thing is
called the same wherever it is an argument, a member, an option, or part of a function's name."""
import os
import re
import sys

sys.path.insert(0, os.path.join(sys.argv[1], "include"))
import api

SYNONYMS = ("weights", "training", "sampling", "dataset", "picture", "adamw", "masking", "diffusion", "solving", "optionset")
# What is called so has another name already.
INSTEAD = {}
for line in """rng random randomness: seed
num number cnt len length total: count
nbytes num_bytes: size
idx ix: i or index
param params parameters: parameter
dev devices: device
opt opts settings config: options
img imgs picture pictures: image
ctx context opaque userdata user_data arg_user: user
buf: buffer
dst dest: out
fn func cb: a word for what it does
h w c: height, width, channels
dataset: data
t timestep sigmas: times
lr_rate learning learning_rate: lr
prob probability: ratio, share or fraction, or nothing
noisy noised: x_t
pred: prediction
grads: gradients
cls class_labels klass: label
wd decay_weight: weight_decay
batchsize bs: batch_size
stride: row_stride or image_stride""".split("\n"):
    words, right = line.split(": ")
    INSTEAD.update({word: right for word in words.split()})
# What has one of these names has this type; and a size_t has one of the names of SIZES.
MEANS = {"bytes": r"(const )?void \*", "data": r"(const )?maskdm_data \*\*?", "size": r"size_t( \*)?",
         "count": r"int64_t( \*)?", "capacity": r"(size_t|int|int64_t)", "n": r"int64_t", "i": r"int64_t", "which": r"int",
         "user": r"void \*", "times": r"(const )?double \*", "index": r"(const )?int32_t \*", "out": r".*\*",
         "device": r"(const )?maskdm_device \*\*?", "options": r"(const )?maskdm_options \*\*?"}
SIZES = ("size", "capacity", "row_stride", "image_stride", "struct_size")
root = sys.argv[1]


def text(folder):
    for where, _, names in sorted(os.walk(os.path.join(root, folder))):
        for name in sorted(n for n in names if n.endswith((".c", ".h", ".cu", ".cuh"))):
            path = os.path.join(where, name)
            yield os.path.relpath(path, root), open(path).read()


public = {n for _, t in text("include") for n in re.findall(r"\b(?:maskdm|MASKDM)_\w+", t)}
bad = []
for folder in ("src", "tests"):
    for path, t in text(folder):
        for name in sorted(set(re.findall(r"\b(?:maskdm|MASKDM)_\w+", t)) - public):
            if folder == "src" and not name.endswith(("_H", "_CUH")):  # a header's guard
                bad.append("%s: %s is in no public header: mdm_" % (path, name))
        for word in SYNONYMS:
            for name in sorted(set(re.findall(r"\bmdm_%s(?:_\w+)?\b" % word, t))):
                bad.append("%s: %s: %s has another name" % (path, name, word))
public_api = api.read(os.path.join(root, "include", "maskdm"))
for d in public_api["functions"] + public_api["callbacks"] + public_api["structs"]:
    for p in d.get("parameters", d.get("members")):
        name, kind, where = p["name"], p["type"], d["name"]
        if name in INSTEAD:
            bad.append("%s: %s is called %s elsewhere" % (where, name, INSTEAD[name]))
        if name in MEANS and not re.fullmatch(MEANS[name], kind):
            bad.append("%s: %s is no \"%s\", which is %s elsewhere" % (where, kind, name, MEANS[name]))
        if kind == "size_t" and name not in SIZES:
            bad.append("%s: a number of bytes is one of %s, not %s" % (where, ", ".join(SIZES), name))
        if name == "n" and not {"batch", "count"} & {q["name"] for q in d["parameters"]}:
            bad.append("%s: n is the values of one image; a number of things is count" % where)
for f in public_api["functions"]:
    for word in set(f["name"].split("_")) & set(INSTEAD):
        bad.append("%s: %s is called %s elsewhere" % (f["name"], word, INSTEAD[word]))
for path, t in text("src"):
    for name in re.findall(r"\bMDM_(?:OPTION|CHOICE)\(\w+, (\w+)\)", t):
        if name in INSTEAD:
            bad.append("%s: option %s is called %s elsewhere" % (path, name, INSTEAD[name]))
print("\n".join(bad) or "one name per thing")
sys.exit(bool(bad))
