#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The program and the MPI module with sanitizers, under the mpirun that is at hand: 1, 2 and 4 ranks train, on masked and then on
# whole images, to the bits of one process, and nothing is found.
#
#     sh tests/mpi/sanitize.sh [FOLDER]        default: build-mpi-sanitize
#
# Not part of the tests, which see the same code in threads of one process (tests/unit/ranks.h): MPI's own leaks and locks are
# left out by what is known of Open MPI's.
set -eu
cd "$(dirname "$0")/../.."
folder=${1:-build-mpi-sanitize}
here=$PWD/tests/mpi
mpirun="mpirun --bind-to none"
if mpirun --version | grep -q "Open MPI"; then
    mpirun="$mpirun --allow-run-as-root --oversubscribe"
fi
wrapper=
if setarch "$(uname -m)" -R true 2>/dev/null; then
    wrapper="setarch $(uname -m) -R" # ThreadSanitizer does not bear all random addresses
fi
export ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export TSAN_OPTIONS="second_deadlock_stack=1:exitcode=66:suppressions=$here/races.supp"

# OUT FLAG...: six steps.
train() {
    out=$1
    shift
    rm -rf "$out"
    set -- "$build/src/cli/maskdm" pretrain --data "$folder/faces" --out "$out" --image-size 16 --patch-size 4 --dim 32 --depth 3 \
        --heads 2 --mask block --mask-ratio 0.5 --mask-steps 3 --steps 6 --batch-size 8 --accumulate 4 --threads 2 --seed 5 "$@"
    # shellcheck disable=SC2086
    $wrapper $start "$@" >"$out.log" 2>&1 || {
        cat "$out.log"
        echo "FAILED: $out"
        exit 1
    }
}

for kind in address,undefined thread; do
    build=$folder/${kind%%,*}
    [ -f "$build/build.ninja" ] ||
        meson setup "$build" -Dmpi=enabled -Dcuda=disabled "-Db_sanitize=$kind" -Db_lundef=false >/dev/null
    meson compile -C "$build" >/dev/null
    if [ ! -d "$folder/faces" ]; then
        mkdir "$folder/faces"
        "$build/examples/faces" "$folder/faces" 24 16
    fi
    start=
    train "$build/self" --comm self
    for ranks in 1 2 4; do
        start="$mpirun -n $ranks"
        train "$build/of-$ranks" --comm "mpi module=$build/src/maskdm-mpi.so"
        cmp "$build/self/model.safetensors" "$build/of-$ranks/model.safetensors"
    done
    echo "$kind: 1, 2 and 4 ranks have the bits of one process, and nothing was found"
done
