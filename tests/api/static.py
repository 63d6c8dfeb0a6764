# SPDX-License-Identifier: BSD-2-Clause
"""A fully static program with each flavour of OpenBLAS that is installed: static.py BUILD PROGRAM.c CC...

It links by what pkg-config says and nothing more, knows its flavour, and trains to the same bits on one thread and on
four, time after time. MASKDM_OPENBLAS names further folders, parted by ":", that have a libopenblas.a."""
import glob
import os
import subprocess
import sys
import tempfile

build, program, cc = sys.argv[1], sys.argv[2], sys.argv[3:]
FLAVOURS = {"serial": "OpenBLAS serial", "pthread": "OpenBLAS pthread", "openmp": "OpenBLAS OpenMP"}


def folders():
    named = [f for f in os.environ.get("MASKDM_OPENBLAS", "").split(":") if f]
    found = glob.glob("/usr/lib/*/openblas-*") + named
    return [f for f in found if os.path.exists(os.path.join(f, "libopenblas.a"))]


def flags():
    """What the package file says, with the folders of an installation taken for those of source and build."""
    env = dict(os.environ, PKG_CONFIG_PATH=os.path.join(build, "meson-private"))
    include = os.path.join(os.path.dirname(program), "..", "..", "include")
    said = subprocess.run(["pkg-config", "--define-variable=includedir=" + include,
                           "--define-variable=libdir=" + os.path.join(build, "src"), "--static", "--cflags", "--libs",
                           "maskdm"], env=env, capture_output=True, text=True)
    return said.stdout.split() if said.returncode == 0 else None


def link(where, out, words):
    return subprocess.run(cc + ["-static", program, "-o", out, "-L" + where] + words, capture_output=True, text=True)


def skip(why):
    print("skipped: " + why)
    sys.exit(77)


try:
    words = flags()
except OSError:
    skip("no pkg-config")
if words is None:
    skip("pkg-config does not find what a static program needs")
if not folders():
    skip("no static OpenBLAS is installed")
with tempfile.TemporaryDirectory() as t:
    empty = os.path.join(t, "empty.c")
    with open(empty, "w") as f:
        f.write("int main(void) { return 0; }\n")
    if subprocess.run(cc + ["-static", empty, "-o", os.path.join(t, "empty"), "-lpng", "-ljpeg", "-lz"],
                      capture_output=True).returncode:
        skip("the system's libraries are not there as static ones")
    tried, bad, bits = [], [], set()
    for where in folders():
        out = os.path.join(t, "program")
        linked = link(where, out, words)
        if linked.returncode:
            bad.append("%s: cannot link: %s" % (where, linked.stderr.strip()[-500:]))
            continue
        for threads in "1", "4":
            ran = subprocess.run([out, threads], capture_output=True, text=True, timeout=100)
            if ran.returncode:
                bad.append("%s, %s threads: %s, %s" % (where, threads, ran.returncode, ran.stderr.strip()))
                continue
            about, h = ran.stdout.split("\n")[:2]
            bits.add(h)
            want = [name for flavour, name in FLAVOURS.items() if flavour in os.path.basename(where)]
            if want and want[0] not in about:
                bad.append("%s is not known as %s: %s" % (where, want[0], about))
        tried.append(os.path.basename(where))
if len(bits) > 1:
    bad.append("the bits depend on the threads or the flavour: " + " ".join(sorted(bits)))
print("\n".join(bad) or "the same bits by " + ", ".join(tried))
sys.exit(bool(bad))
