# SPDX-License-Identifier: BSD-2-Clause
"""As a part of another meson project: subproject.py ROOT. It is found by name and version, is of the kind of library that
the other project wants, and brings nothing but the library."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

PARENT = """project('host', 'c', default_options: ['default_library=%s'])
maskdm = dependency('maskdm', version: '>=0.1', fallback: ['maskdm', 'maskdm_dep'])
executable('host', 'host.c', dependencies: maskdm)
"""
root, meson = sys.argv[1], shutil.which("meson")
if not meson:
    print("no meson on the path: skipped")
    sys.exit(77)


def run(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode:
        sys.exit("%s\n%s%s" % (" ".join(command), done.stdout, done.stderr))
    return done.stdout


def targets(folder, kind):
    """Names and kinds of what a project with default_library=kind would build."""
    os.makedirs(os.path.join(folder, "subprojects"))
    os.symlink(root, os.path.join(folder, "subprojects", "maskdm"))
    with open(os.path.join(folder, "meson.build"), "w") as f:
        f.write(PARENT % kind)
    with open(os.path.join(folder, "host.c"), "w") as f:
        f.write("#include <maskdm/maskdm.h>\nint main(void) { return maskdm_version() != MASKDM_VERSION; }\n")
    build = os.path.join(folder, "build")
    # A package of ours that is installed here is not what is asked about.
    run(meson, "setup", "--force-fallback-for=maskdm", build, folder)
    return {(t["name"], t["type"]) for t in json.loads(run(meson, "introspect", "--targets", build))
            if not t["name"].startswith(("cpu_", "maskdm_common", "api.json"))}  # parts of the library


with tempfile.TemporaryDirectory() as folder:
    for kind in ("static", "shared"):
        found = targets(os.path.join(folder, kind), kind)
        assert found == {("maskdm", kind + " library"), ("host", "executable")}, found
print("a subproject is the library alone")
