#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Build with sanitizers and run what they can say something about.
#
#     sh tests/sanitize.sh [FOLDER]        default: build-sanitize
#
# Two builds: in FOLDER/address, address and undefined behaviour (with leaks) over all suites but lint, command line
# and benches; in FOLDER/thread, data races in what runs on several threads. The first error ends a test.
set -eu
cd "$(dirname "$0")/.."
folder=${1:-build-sanitize}
here=$PWD/tests

# Alone, the program, the examples and the static library are not what is looked for.
prepare() {
    [ -f "$1/build.ninja" ] || meson setup "$1" -Dtests=enabled -Dprogram=disabled -Dexamples=disabled -Dbuildtype=plain \
        "-Dc_args=-O1 -g -fno-omit-frame-pointer" "-Db_sanitize=$2" -Db_lundef=false >/dev/null
}

status=0
prepare "$folder/address" address,undefined
meson compile -C "$folder/address" >/dev/null
ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:allocator_may_return_null=1 \
UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
LSAN_OPTIONS="suppressions=$here/leaks.supp:print_suppressions=0" \
    meson test -C "$folder/address" --no-rebuild --print-errorlogs --timeout-multiplier 4 --suite unit --suite kernel \
    --suite grad --suite reference --suite train --suite api --suite guard --suite fuzz || status=$?

# Where addresses are drawn from more bits than ThreadSanitizer bears, it needs them fixed; not every container lets.
wrapper=
if setarch "$(uname -m)" -R true 2>/dev/null; then
    wrapper="setarch $(uname -m) -R"
fi
prepare "$folder/thread" thread
meson compile -C "$folder/thread" unit_pool unit_loader unit_control unit_handle unit_hosted api_data api_threads api_cancel >/dev/null
if $wrapper "$folder/thread/tests/unit/unit_control" 2>&1 | grep -q "unexpected memory mapping"; then
    echo "ThreadSanitizer cannot run on this kernel: skipped"
    exit "$status"
fi
TSAN_OPTIONS="halt_on_error=1:second_deadlock_stack=1:suppressions=$here/races.supp" \
    meson test -C "$folder/thread" --no-rebuild --print-errorlogs --timeout-multiplier 8 "--wrapper=$wrapper" \
    pool loader control handle hosted api_data api_threads api_cancel || status=$?
exit "$status"
