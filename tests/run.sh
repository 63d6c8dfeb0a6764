#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Install what the tests need, build, run all of them, and close with a line that counts them.
#
#     sh tests/run.sh [BUILD_FOLDER]        default: build
#
# Then the same with sanitizers (tests/sanitize.sh), in BUILD_FOLDER-sanitize; MASKDM_SANITIZE=0 leaves that out.
# Cases of the paper authors' program and hostile files beyond those in the tree are used where
# MASKDM_REFERENCE and MASKDM_HOSTILE name folders of them (or ../shared has them).
set -eu
cd "$(dirname "$0")/.."
. tests/packages.sh
# shellcheck disable=SC2086
need_packages $BUILD_PACKAGES g++ check libsimde-dev libopenmpi-dev openmpi-bin python3 binutils strace

# Check ends a test after four seconds, which a busy machine may take for any; meson has limits too.
export CK_DEFAULT_TIMEOUT=60

build=${1:-build}
if [ -z "${MASKDM_REFERENCE:-}" ] && [ -d ../shared/reference ]; then
    MASKDM_REFERENCE=$(cd ../shared/reference && pwd):$(cd ../shared/methods 2>/dev/null && pwd)
    export MASKDM_REFERENCE
fi
if [ -z "${MASKDM_HOSTILE:-}" ] && [ -f ../shared/hostile/hostile_corpus.py ]; then
    MASKDM_HOSTILE=$(mktemp -d)
    trap 'rm -rf "$MASKDM_HOSTILE"' EXIT
    export MASKDM_HOSTILE
    script=$(cd ../shared/hostile && pwd)/hostile_corpus.py
    (cd "$MASKDM_HOSTILE" && python3 "$script" "$MASKDM_HOSTILE" >/dev/null)
fi

# One kind of GPU is enough to see that its module compiles.
[ -f "$build/build.ninja" ] || meson setup "$build" -Dtests=enabled -Dwerror=true -Ddefault_library=both -Dgpu_targets=90
meson compile -C "$build"
status=0
meson test -C "$build" --no-rebuild --print-errorlogs || status=$?
logs=$build/meson-logs/testlog.json
if [ "${MASKDM_SANITIZE:-1}" != 0 ]; then
    sh tests/sanitize.sh "$build-sanitize" || status=$?
    logs="$logs $build-sanitize/address/meson-logs/testlog.json $build-sanitize/thread/meson-logs/testlog*.json"
fi
# shellcheck disable=SC2086
python3 tests/count.py "$status" $logs
