#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# From a clone to a grid of new images: install what is missing, build, train on masked images and then on whole ones,
# sample.
#
#     sh examples/quickstart.sh [--data DIR] [--out DIR] [--threads N] [--device NAME] [--short]
#
# Without --data it draws faces of its own and trains on those (about five minutes on two cores). --device cuda builds for
# a GPU too, which takes longer, and trains there. --short does a few steps only, to see that all of it works.
set -eu

data="" out=quickstart threads=0 device=cpu short=""
usage() { sed -n '4,9s/^# \{0,1\}//p' "$0"; exit "$1"; }
while [ $# -gt 0 ]; do
    case $1 in
    --data) data=${2:?--data needs a folder}; shift ;;
    --out) out=${2:?--out needs a folder}; shift ;;
    --threads) threads=${2:?--threads needs a number}; shift ;;
    --device) device=${2:?--device needs a name}; shift ;;
    --short) short=yes ;;
    --help | -h) usage 0 ;;
    *) usage 2 >&2 ;;
    esac
    shift
done
case $out in /*) ;; *) out=$PWD/$out ;; esac
case $data in '' | /*) ;; *) data=$PWD/$data ;; esac
if [ -e "$out" ] && [ -n "$(ls -A "$out")" ]; then
    echo "quickstart: \"$out\" is not empty; give another place with --out" >&2
    exit 1
fi
cd "$(dirname "$0")/.."

# 1. What is missing, and the build (MASKDM_BUILD names a folder where that is done).
build=${MASKDM_BUILD:-}
if [ -z "$build" ]; then
    build=build
    . tests/packages.sh
    # shellcheck disable=SC2086
    need_packages $BUILD_PACKAGES
    cuda=auto
    [ "$device" != cpu ] || cuda=disabled
    [ -f "$build/build.ninja" ] || meson setup "$build" --buildtype=release -Dtests=disabled "-Dcuda=$cuda" >/dev/null
    meson compile -C "$build" >/dev/null
fi
maskdm=$build/src/cli/maskdm

start=$(date +%s)

# 2. Data: faces, or the user's own.
mkdir -p "$out"
count=6000 steps=2040 samples=36 bound=0.035
if [ -n "$short" ]; then
    count=600 steps=80 samples=9 bound=0.60
fi
if [ -z "$data" ]; then
    data=$out/faces
    mkdir "$data"
    "$build/examples/faces" "$data" "$count"
    echo "drew $count faces in $data"
else
    bound=
fi

# 3. Train as the program does by itself, but for how long: a quarter of each image's patches first, then whole images
#    while the rate falls.
"$maskdm" pretrain --data "$data" --out "$out/run" --steps "$steps" --seed 1 --threads "$threads" --device "$device"

# 4. Sample, and check the loss on images that were held out (of 200 or more).
"$maskdm" sample --model "$out/run/model.safetensors" --count "$samples" --seed 1 --out "$out/grid.png" \
    --threads "$threads" --device "$device"
loss=$(sed -n 's/.*"held_out_loss": *\([0-9.eE+-]*\).*/\1/p' "$out/run/log.jsonl" | tail -n 1)
[ -z "$loss" ] || echo "loss on held-out images: $loss"
if [ -n "$bound" ] && ! awk "BEGIN { exit !($loss < $bound) }"; then
    echo "quickstart: that is not below $bound, something is wrong" >&2
    exit 1
fi
cat <<END

New images: $out/grid.png ($(($(date +%s) - start)) s behind the build)

Next:
  more images       $maskdm sample --model '$out/run/model.safetensors' --count 64 --seed 2 --out more.png
  train on          $maskdm finetune --init '$out/run/model.safetensors' --data '$data' --out longer --steps 2000
  your own images   sh examples/quickstart.sh --data DIR --out mine
  every flag        $maskdm pretrain --help
END
