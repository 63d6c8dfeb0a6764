# SPDX-License-Identifier: BSD-2-Clause
"""Exports = map = headers, names of the binary interface, and what the library must not call, among it functions of its
own that another copy could stand in for: exports.py ROOT LIBRARY RELEASE."""
import os
import re
import subprocess
import sys

root, library, release = sys.argv[1:4]
bad = []


def nm(*arguments):
    out = subprocess.run(["nm", *arguments, library], check=True, capture_output=True, text=True).stdout
    return {line.split()[-1].split("@")[0] for line in out.splitlines() if line.strip()}


exported = {s for s in nm("-D", "--defined-only") if not s.startswith("MASKDM_")}
text = re.sub(r"/\*.*?\*/", "", open(os.path.join(root, "src", "libmaskdm.map")).read(), flags=re.S)
mapped = set(re.findall(r"\b(maskdm_\w+);", text))
declared = set()
folder = os.path.join(root, "include", "maskdm")
for name in sorted(os.listdir(folder)):
    if not name.endswith(".h"):
        continue
    header = re.sub(r"/\*.*?\*/", "", open(os.path.join(folder, name)).read(), flags=re.S)
    declared |= set(re.findall(r"MASKDM_API[^;{]*?\b(maskdm_\w+)\s*\(", header))

for title, a, b in (("exported but not in the map", exported, mapped), ("in the map but not exported", mapped, exported),
                    ("exported but in no header", exported, declared), ("in a header but not exported", declared, exported)):
    bad += ["%s: %s" % (title, s) for s in sorted(a - b)]

abi = re.search(r"#define MASKDM_ABI (\d+)", open(os.path.join(folder, "version.h")).read()).group(1)
dynamic = subprocess.run(["readelf", "-dW", library], check=True, capture_output=True, text=True).stdout
for what, pattern, where in (("the map's node", r"MASKDM_(\d+) \{", text), ("the soname", r"soname: \[\w+\.so\.(\d+)\]", dynamic)):
    if re.findall(pattern, where) != [abi]:
        bad.append("%s does not bear MASKDM_ABI, %s" % (what, abi))

relocations = subprocess.run(["readelf", "-rW", library], check=True, capture_output=True, text=True).stdout
bad += ["a call of %s may land in another copy of the library" % s
        for s in sorted(set(re.findall(r"\s(maskdm_\w+)(?:@\S+)? \+ 0$", relocations, flags=re.M)))]

FORBIDDEN = re.compile(r"^_*(abort|_?exit|_Exit|quick_exit|assert_fail|assert|v?f?printf(_chk)?|vdprintf|dprintf|puts|fputs|"
                       r"putchar|fwrite|fputc|putc|perror|stdout|stderr|stdin|signal|sigaction|setlocale|setenv|putenv|"
                       r"fesetround|fesetenv|system|fork|chdir|umask)$")
if release == "true":
    bad += ["the library calls " + s for s in sorted(nm("-D", "-u")) if FORBIDDEN.match(s)]

print("\n".join(bad) or "%d functions: exports, map and headers agree" % len(exported))
sys.exit(bool(bad))
