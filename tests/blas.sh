#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The test suite once with every BLAS that is at hand, and once without any.
#
#     sh tests/blas.sh [FOLDER [TEST ...]]        default: build-blas, all tests
#
# Debian has three OpenBLAS side by side (libopenblas0-serial, -pthread, -openmp), of which the administrator chooses one.
# Each is put in front of it by LD_LIBRARY_PATH, which the library's loading and the tests' linking both follow. CBLAS
# that are no OpenBLAS (libblas3, libblis4-pthread) are loaded in its place by -Dblas_library; what the tests themselves
# link stays OpenBLAS. MASKDM_OPENBLAS names further folders with a libopenblas.so.0, parted by ":".
set -eu
cd "$(dirname "$0")/.."
folder='build-blas'
if [ $# -gt 0 ]; then
    folder=$1
    shift
fi
status=0

# NAME LIBRARY_PATH TEST...: the suite in FOLDER/NAME with the path in front.
run() {
    name=$1
    path=$2
    shift 2
    echo "== $name"
    LD_LIBRARY_PATH=$path${path:+${LD_LIBRARY_PATH:+:}}${LD_LIBRARY_PATH:-} \
        meson test -C "$folder/build-$build" --print-errorlogs --logbase "$name" "$@" || {
        echo "FAILED with $name"
        status=1
    }
}

# NAME OPTION: a build of that name.
prepare() {
    build=$1
    [ -f "$folder/build-$build/build.ninja" ] ||
        meson setup "$folder/build-$build" -Dtests=enabled -Dcuda=disabled "$2" >/dev/null
    meson compile -C "$folder/build-$build" >/dev/null
}

prepare openblas -Dblas=enabled
found=0
for flavour in /usr/lib/*/openblas-* $(echo "${MASKDM_OPENBLAS:-}" | tr : ' '); do
    if [ -e "$flavour/libopenblas.so.0" ]; then
        run "$(basename "$flavour")" "$flavour" "$@"
        found=$((found + 1))
    fi
done
[ $found -gt 2 ] || echo "only $found OpenBLAS here; Debian's other ones are libopenblas0-serial, -pthread and -openmp"

for package in blas blis-pthread; do
    for other in /usr/lib/*/"$package"; do
        if [ -e "$other/libblas.so.3" ]; then
            prepare "$package" "-Dblas_library=$other/libblas.so.3"
            run "$package" "" "$@"
        else
            echo "skipped: no CBLAS of $package here"
        fi
    done
done

prepare none -Dblas=disabled
run none "" "$@"
exit $status
