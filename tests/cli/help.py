# SPDX-License-Identifier: BSD-2-Clause
"""Help, man pages and doc/options.md say what the option tables say.

    help.py --write       brings doc/options.md up to date (MASKDM and MASKDM_SOURCE set, as meson devenv does)
"""
import os
import re
import shutil
import sys

from rig import SOURCE, main, maskdm, run, write

COMMANDS = ("train", "pretrain", "finetune", "tune", "sample", "evaluate", "convert", "export", "merge", "average", "pack", "data", "info", "plot", "presets", "completion")
REFERENCE = os.path.join(SOURCE, "doc", "options.md")


def reference():
    """The head of the tree's file and what the program says today."""
    text = open(REFERENCE).read()
    return text[:text.index("\n## maskdm ") + 1], "".join(maskdm(c, "--help=markdown").stdout for c in COMMANDS if c not in ("info", "presets", "completion"))


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
    assert flags - documented == {"--config", "--stages", "--preset", "--comm", "--help"} and documented <= flags and len(flags) > 50, flags ^ documented


def check_words():
    """What people try first."""
    assert maskdm("help").stdout == maskdm("-h").stdout == maskdm("--help").stdout
    assert maskdm("version").stdout == maskdm("-V").stdout == maskdm("--version").stdout
    for c in COMMANDS:
        assert maskdm("help", c).stdout == maskdm(c, "--help").stdout


def check_width():
    """Nothing but a word that cannot be broken is wider than a terminal is without one."""
    for c in COMMANDS:
        for line in maskdm(c, "--help").stdout.split("\n"):
            assert len(line) <= 80 or " " not in line.strip(), line


def check_first():
    """The flags that people use first stand in front, at most twelve, each with an example that is one."""
    for c in ("train", "pretrain", "finetune", "tune", "sample", "evaluate", "data"):
        said = maskdm(c, "--help").stdout
        first = said[said.index("\nfirst: "):]
        first = first[:first.index("\n\n", 1)]
        flags, shown = re.findall("^  (--[a-z-]+)", first, re.M), re.findall("as in (--[a-z-]+)", first)
        assert flags == shown and 8 <= len(flags) <= 12, (c, flags, shown)
        assert all(len(re.findall("^  %s[ \n]" % f, said, re.M)) == 1 for f in flags), c


def check_topics():
    said = maskdm("help", "mask").stdout
    assert "--mask-ratio" in said and "--lr" not in said and "of maskdm train, pretrain, finetune, tune" in said, said
    for topic in ("lr", "--lr", "learning_rate", "learning-rate"):
        said = maskdm("help", topic).stdout
        assert said.startswith("  --lr X") and "as in --lr 2e-4" in said, said
    assert "sampler" in maskdm("help", "topics").stdout and "--guidance" in maskdm("help", "guidance").stdout
    maskdm("help", "zzzz", status=2, says=['there is no command or topic "zzzz"', "help topics"])
    assert maskdm("help", "generate").stdout == maskdm("help", "sample").stdout  # as others call it


def check_completion():
    """What bash completes; and every flag, of the tables or not, in each shell's words."""
    write("c.bash", maskdm("completion", "bash").stdout.encode())
    script = ". ./c.bash; COMP_WORDS=(%s); COMP_CWORD=%d; _maskdm; echo ${COMPREPLY[@]}"
    for words, expected in (("maskdm pre", "pretrain presets"), ("maskdm pretrain --mask-rat", "--mask-ratio"),
                            ("maskdm pretrain --lr-sch", "--lr-schedule"), ("maskdm sample --weights o", "online"),
                            ("maskdm completion f", "fish"), ("maskdm data --no-pa", "--no-pad")):
        said = run("bash", "-c", script % (words, len(words.split()) - 1)).stdout.split()
        assert expected.split()[0] in said and set(expected.split()) <= set(said), (words, said)
    flags = re.findall("^[|] `(--[a-z0-9-]+)", maskdm("pretrain", "--help=markdown").stdout, re.M) + ["--config", "--stages", "--preset", "--comm"]
    for shell, word in (("bash", "%s "), ("zsh", "'%s["), ("fish", "-l %s ")):
        said = maskdm("completion", shell).stdout
        missing = [f for f in flags if word % (f[2:] if shell == "fish" else f) not in said]
        assert not missing, (shell, missing)
        write("script", said.encode())
        if shutil.which(shell):
            run(shell, "-n", "script")
    maskdm("completion", status=2, says=["usage: maskdm completion bash|zsh|fish"])
    maskdm("completion", "tcsh", status=2, says=["usage"])


def check_examples():
    """Those of the pages run, small."""
    from readme import run_page
    for c in COMMANDS:
        page = maskdm(c, "--help=man").stdout
        if ".SH EXAMPLES" not in page:
            continue
        examples = page[page.index(".nf\n") + 4:page.index(".fi\n")].replace("\\-", "-").strip().split("\n")
        os.mkdir(c)
        os.chdir(c)
        write("page.md", "".join("    %s\n" % e for e in examples).encode())
        run_page(os.path.abspath("page.md"))
        os.chdir("..")


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
        assert ".SH FILES" in page or name.split("-")[-1][:-2] not in ("pretrain", "finetune", "sample", "train", "maskdm"), name
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
