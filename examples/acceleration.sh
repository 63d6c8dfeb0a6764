#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What is masked pre-training worth? Faces, trained at equal FLOPs from scratch and with three quarters of the patches hidden
# first, each at a learning rate of its own; the held-out error of both at two budgets, and how much of its FLOPs the
# mask saves.
#
#     sh examples/acceleration.sh [--data DIR,HELD_OUT] [--out DIR] [--plan FILE] [--jobs N] [--minutes N] [--short]
#
# Without --data it draws faces (about an hour and a half of a core). What was stopped goes on with the same command. --short
# does a few steps only, to see that all of it works. doc/acceleration.md has what the whole study found, by
# --plan tests/bench/acceleration.json on CIFAR-10.
set -eu

data="" out=acceleration plan="" jobs=1 minutes=100000 short=""
usage() { sed -n '7,11s/^# \{0,1\}//p' "$0"; exit "$1"; }
while [ $# -gt 0 ]; do
    case $1 in
    --data) data=${2:?--data needs two folders}; shift ;;
    --out) out=${2:?--out needs a folder}; shift ;;
    --plan) plan=${2:?--plan needs a file}; shift ;;
    --jobs) jobs=${2:?--jobs needs a number}; shift ;;
    --minutes) minutes=${2:?--minutes needs a number}; shift ;;
    --short) short=yes ;;
    --help | -h) usage 0 ;;
    *) echo "acceleration.sh: what is $1?" >&2; usage 2 >&2 ;;
    esac
    shift
done
root=$(cd "$(dirname "$0")/.." && pwd)
build=${MASKDM_BUILD:-$root/build}
case $build in /*) ;; *) build=$PWD/$build ;; esac
mkdir -p "$out"

# 1. Faces, and others to hold out.
if [ -z "$data" ]; then
    count=6000 held_out=512 side=64
    [ -z "$short" ] || count=48 held_out=16 side=16
    data=$out/faces,$out/held-out
    if [ ! -d "$out/held-out" ]; then
        mkdir -p "$out/faces" "$out/drawing"
        "$build/examples/faces" "$out/faces" $count $side
        "$build/examples/faces" "$out/drawing" $held_out $side 1
        mv "$out/drawing" "$out/held-out"
    fi
fi

# 2. The plan: two arms of one network, 256 patches of 4 x 4.
if [ -z "$plan" ]; then
    plan=$out/plan.json
    size='"image_size": 64, "patch_size": 4, "dim": 128, "depth": 6, "heads": 4, "batch_tokens": 2048'
    budgets='0.004, 0.008, 0.016' tuned=0.004 first=0.004
    if [ -n "$short" ]; then
        size='"image_size": 16, "patch_size": 4, "dim": 16, "depth": 3, "heads": 2, "batch_tokens": 64'
        budgets='4e-7, 8e-7' tuned=4e-7 first=4e-7
    fi
    cat >"$plan" <<END
{
"common": {"network": "jit", $size, "bottleneck": 32, "in_context_len": 0, "ema_start": 20, "beta1": 0.9,
           "process": "flow", "flow_time": "data", "time_scale": 1, "prediction": "x0", "weight": "v", "time_mean": 0.8,
           "time_std": 0.8, "time_spread": "even"},
"networks": {"jit": {}},
"groups": {"faces": {"data": "faces", "about": "faces", "options": {}, "budgets": [$budgets], "tuned": [$tuned],
                     "held_out_count": 0, "authors": "scratch", "scratch": "scratch"}},
"tuning": {"share": 0.5, "seed": 100, "beta2": [0.95], "beyond": 1, "held_out_count": 0},
"seeds": [1, 2, 3],
"arms": [
  {"name": "scratch", "group": "faces", "network": "jit", "about": "whole images, the rate falling in the second half",
   "lr": [0.002, 0.004], "stages": [{"share": 1, "warmup_share": 0.05, "decay_share": 0.5}]},
  {"name": "masked", "group": "faces", "network": "jit", "about": "60 % of the FLOPs on 1 of 2 x 2 patches, then whole images",
   "lr": [0.002, 0.004], "budgets": [$first],
   "stages": [{"share": 0.6, "warmup_share": 0.05, "mask": "grid"}, {"share": 0.4, "carry": "all", "decay_share": 1}]}
]
}
END
fi

# 3. Every run, then tables and a plot.
python3 "$root/tests/bench/study.py" "$build/src/cli/maskdm" "$plan" "$out/results.jsonl" "$out/runs" --data "faces=$data" \
    --jobs "$jobs" --minutes "$minutes"
page=$out/acceleration.md
if [ ! -f "$page" ]; then
    for name in faces "faces acceleration" "faces settings" "faces tuning"; do
        printf '<!-- study: %s -->\n<!-- end -->\n\n' "$name"
    done >"$page"
    echo "![error over FLOPs](acceleration-faces.svg)" >>"$page"
fi
python3 "$root/tests/bench/study_report.py" "$plan" "$out/results.jsonl" "$page" "$out"
cat "$page"
