#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Cross-compile for aarch64 and run under qemu-user what the processor has a say in: every kernel, NEON's and the portable
# ones, against its twin in double; a trainer's parts; and a short run of the program, trained and sampled on one thread
# and on three, whose files must be equal. Takes a quarter of an hour.
#
#     sh tests/aarch64.sh [FOLDER [KERNEL ...]]        default: build-aarch64, all kernels
#
# On Debian that takes gcc-aarch64-linux-gnu, qemu-user, and after dpkg --add-architecture arm64 libpng-dev:arm64 and
# check:arm64. Where the machine is an aarch64 itself, tests/run.sh does all of it and more.
set -eu
cd "$(dirname "$0")/.."
folder='build-aarch64'
if [ $# -gt 0 ]; then
    folder=$1
    shift
fi
for program in aarch64-linux-gnu-gcc qemu-aarch64; do
    command -v $program >/dev/null || {
        echo "there is no $program"
        exit 77
    }
done

[ -f "$folder/build.ninja" ] || meson setup "$folder" --cross-file tests/aarch64.ini -Dtests=enabled -Dblas=disabled \
    -Djpeg=disabled -Dcuda=disabled >/dev/null
# shellcheck disable=SC2046
[ $# -gt 0 ] || set -- $(sed -n "s/^  '\([a-z_]*\)',$/\1/p" tests/kernel/meson.build | grep -vx gemm)
# shellcheck disable=SC2046
ninja -C "$folder" src/cli/maskdm examples/faces tests/train/train_trainer $(printf 'tests/kernel/kernel_%s ' "$@")
for name in "$@"; do
    echo "== $name"
    CK_DEFAULT_TIMEOUT=3600 qemu-aarch64 "$folder/tests/kernel/kernel_$name"
done
echo "== trainer"
CK_DEFAULT_TIMEOUT=3600 qemu-aarch64 "$folder/tests/train/train_trainer"

runs=$(mktemp -d)
trap 'rm -rf "$runs"' EXIT
maskdm() {
    qemu-aarch64 "$folder/src/cli/maskdm" "$@" 2>"$runs/log" || {
        cat "$runs/log"
        exit 1
    }
}
mkdir "$runs/data"
qemu-aarch64 "$folder/examples/faces" "$runs/data" 24 16 1 >/dev/null
for threads in 1 3; do
    maskdm pretrain --data "$runs/data" --out "$runs/$threads" --image-size 16 --patch-size 2 --dim 32 --depth 3 --heads 2 \
        --batch-size 8 --steps 12 --threads $threads
    maskdm sample --model "$runs/$threads/model.safetensors" --out "$runs/$threads.png" --count 4 --steps 6 \
        --threads $threads
done
cmp "$runs/1/model.safetensors" "$runs/3/model.safetensors"
cmp "$runs/1.png" "$runs/3.png"
echo "one thread and three trained and sampled to the same bytes"
