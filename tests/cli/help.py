# SPDX-License-Identifier: BSD-2-Clause
"""Help, man pages and doc/options.md say what the option tables say.

    help.py --write       brings doc/options.md up to date (MASKDM and MASKDM_SOURCE set, as meson devenv does)
"""
import os
import re
import shutil
import sys

from rig import SOURCE, main, maskdm, run, write

COMMANDS = ("train", "pretrain", "finetune", "tune", "sample", "evaluate", "convert", "export", "merge", "average", "pack", "data", "info", "plot", "presets")
REFERENCE = os.path.join(SOURCE, "doc", "options.md")


def reference():
    """The head of the tree's file and what the program says today."""
    text = open(REFERENCE).read()
    return text[:text.index("\n## maskdm ") + 1], "".join(maskdm(c, "--help=markdown").stdout for c in COMMANDS if c not in ("info", "presets"))


def check_reference():
    head, body = reference()
    if open(REFERENCE).read() != head + body:
        raise AssertionError("doc/options.md is not what the program says; `meson compile options-reference` writes it")


def check_text():
    assert all(c in maskdm("--help").stdout for c in COMMANDS)
    version = open(os.path.join(SOURCE, "include", "maskdm", "version.h")).read()
    parts = [re.search("MASKDM_VERSION_%s +([0-9]+)" % p, version).group(1) for p in ("MAJOR", "MINOR", "PATCH")]
    assert maskdm("--version").stdout == "maskdm %s\n" % ".".join(parts)
    for c in COMMANDS:
        assert maskdm(c, "-h").stdout.startswith("usage: maskdm %s " % c)
        assert maskdm(c, "--help").stdout == maskdm(c, "--help=text").stdout
    flags = set(re.findall("^  (--[a-z0-9-]+)", maskdm("pretrain", "--help").stdout, re.M))
    documented = set(re.findall("^[|] `(--[a-z0-9-]+)", maskdm("pretrain", "--help=markdown").stdout, re.M))
    assert flags - documented == {"--config", "--stages", "--preset", "--help"} and documented <= flags and len(flags) > 50, flags ^ documented


def check_words():
    """What people try first."""
    assert maskdm("help").stdout == maskdm("-h").stdout == maskdm("--help").stdout
    assert maskdm("version").stdout == maskdm("-V").stdout == maskdm("--version").stdout
    for c in COMMANDS:
        assert maskdm("help", c).stdout == maskdm(c, "--help").stdout


def check_wrong():
    maskdm("pretrain", "--help=html", status=2, says=["html", "markdown"])
    maskdm("--help=html", status=2, says=["html"])
    with open("/dev/full", "w") as full:
        import subprocess
        import rig
        assert subprocess.run([rig.PROGRAM, "--help"], stdout=full, stderr=subprocess.DEVNULL).returncode == 1


def check_man():
    pages = {"maskdm.1": maskdm("--help=man").stdout}
    pages.update(("maskdm-%s.1" % c, maskdm(c, "--help=man").stdout) for c in COMMANDS)
    for name, page in pages.items():
        write(name, page.encode())
        assert page.startswith(".TH MASKDM") and ".SH NAME\nmaskdm" in page and ".SH SYNOPSIS" in page
        assert not re.search(r"[^\\]--", page), "a dash that cannot be copied in " + name
        if shutil.which("mandoc"):
            run("mandoc", "-T", "lint", "-W", "warning", name)
        if shutil.which("groff"):
            assert run("groff", "-man", "-ww", "-z", name).stderr == ""


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write(REFERENCE, "".join(reference()).encode())
        sys.exit(0)
    main(globals())
