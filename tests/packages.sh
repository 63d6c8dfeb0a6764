# shellcheck shell=sh disable=SC2034
# SPDX-License-Identifier: BSD-2-Clause
# Sourced by tests/run.sh and examples/quickstart.sh: install what is missing of Debian's packages.
#
#     need_packages PACKAGE...      as root, or through sudo; does nothing when all are there

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        echo "need to install packages, but this is not root and there is no sudo: $*" >&2
        return 1
    fi
}

need_packages() {
    missing=
    for package in "$@"; do
        state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
        [ "$state" = installed ] || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "please install what corresponds to Debian's packages:$missing" >&2
        return 1
    fi
    echo "installing:$missing"
    as_root apt-get update -qq
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

# dpkg-dev is what meson asks where Debian has its libraries; without it they go to a lib64 that nobody looks into.
BUILD_PACKAGES="gcc libc6-dev meson ninja-build pkg-config dpkg-dev libopenblas-dev libpng-dev libjpeg-dev libwebp-dev liblmdb-dev libyaml-dev"
