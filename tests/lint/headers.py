# SPDX-License-Identifier: BSD-2-Clause
"""Each public header alone, as C99, C11, C++11 and C++20: headers.py INCLUDE CC CXX (CXX may be empty)."""
import os
import subprocess
import sys
import tempfile

include, cc, cxx = sys.argv[1:4]
runs = [(cc, ".c", s) for s in ("c99", "c11")] + [(cxx, ".cc", s) for s in ("c++11", "c++20") if cxx]
bad = 0
with tempfile.TemporaryDirectory() as folder:
    for name in sorted(n for n in os.listdir(os.path.join(include, "maskdm")) if n.endswith(".h")):
        for compiler, ending, standard in runs:
            path = os.path.join(folder, "one" + ending)
            with open(path, "w") as source:
                source.write("#include <maskdm/%s>\n#include <maskdm/%s>\nint main(void) { return 0; }\n" % (name, name))
            flags = ["-Wall", "-Wextra", "-Wpedantic", "-Wpadded", "-Wshadow", "-Werror", "-fsyntax-only"]
            flags += ["-Wstrict-prototypes", "-Wc++-compat"] if ending == ".c" else []
            done = subprocess.run(compiler.split() + ["-std=" + standard, *flags, "-I" + include, path],
                                  capture_output=True, text=True)
            if done.returncode:
                bad += 1
                print("%s as %s:\n%s" % (name, standard, done.stderr))
print("%d failures" % bad)
sys.exit(bool(bad))
