# SPDX-License-Identifier: BSD-2-Clause
"""The commands of the documentation work: every indented or fenced `maskdm` line of README.md and doc/*.md is run, in
the order of its page, with smaller numbers appended (the last value wins); what they are about is made first."""
import glob
import os
import re
import shlex
import shutil
import tarfile

from generation import png
from rig import BUILD, SOURCE, TINY, faces, main, maskdm, run
from torchfile import checkpoint, save

UNET = "--steps 3 --batch-size 8 --block-out-channels 8,16,16 --norm-num-groups 4 --attention-head-dim 8 " \
    "--sample-every 0 --threads 1"
SMALL = {
    "train": "--dim 32 --heads 2 --depth 3 --val-count 8 --sample-every 0 --threads 1",
    "pretrain": "--steps 3 --batch-size 8 --dim 32 --heads 2 --depth 3 --val-count 8 --sample-every 0 --threads 1",
    "finetune": "--steps 3 --batch-size 8 --val-count 8 --sample-every 0 --threads 1",
    "tune": "--steps 3 --batch-size 8 --sample-every 0 --threads 1",
    "sample": "--count 4 --threads 1",
    "convert": "--heads 2",
    "evaluate": "--val-count 8 --threads 1",
}


def commands(path):
    """Lines of code in a page, their continuations joined."""
    code, fenced, joined = [], False, ""
    for line in open(path, encoding="utf-8").read().split("\n"):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            joined += line.strip()
            if joined.endswith("\\"):
                joined = joined[:-1]
                continue
            code.append(joined)
        joined = ""
    return code


def shrink(text):
    """A document of stages with steps and batches that take no time."""
    text = re.sub(r'"steps": [0-9]+', '"steps": 2', text)
    return re.sub(r'"batch_size": [0-9]+', '"batch_size": 4', text)


def make_documents(path):
    """The page's own document under the name in its first line, and the presets, all of them small."""
    for block in re.findall(r"```json\n(.*?)```", open(path, encoding="utf-8").read(), re.S):
        with open(block.split("\n")[0].removeprefix("// "), "w") as f:
            f.write(shrink(block))
    os.makedirs("presets", exist_ok=True)
    for preset in glob.glob(os.path.join(SOURCE, "share", "maskdm", "presets", "*.json")):
        with open(os.path.join("presets", os.path.basename(preset)), "w") as f:
            f.write(shrink(open(preset, encoding="utf-8").read()))


def ours(path):
    return [c for c in commands(path) if re.match(r"(\$ )?maskdm( |$)", c)]


def run_page(path):
    """In a folder of its own, with a data set under each name that --data and --val give."""
    make_documents(path)
    for command in ours(path):
        words = shlex.split(command.removeprefix("$ "), comments=True)[1:]
        words = [w for w in words if w != "[--json]"]
        if words and words[0] == "info" and "FILE" in words:
            continue
        if words[:1] == ["data"] and not os.path.exists(words[1]):
            faces(words[1], 40, 32)
        for flag, folder in zip(words, words[1:]):
            if flag == "--from" and "." not in folder:
                shutil.copytree(os.path.join(SOURCE, "tests", "api", "pipelines", "ddpm"), folder)
            elif flag == "--from":
                network = ["--network", "jit", "--classes", 1000] if "jit" in folder else \
                    ["--network", "dit", "--learn-sigma"] if "dit" in folder else \
                    ["--form", "wavelet"] if "dwt" in folder else []
                shutil.rmtree("authors", ignore_errors=True)
                maskdm("pretrain", "--data", faces("few", 8), "--out", "authors", *TINY, "--steps", 2, "--ema-start", 1,
                       *network)
                save(folder, checkpoint("authors/model.safetensors", [0.1, 0.2, 0.3, 0.5]))
            if flag == "--model" and words[0] == "evaluate" and not os.path.exists(folder):
                maskdm("pretrain", "--data", faces("few", 8), "--out", os.path.dirname(folder), *TINY, "--steps", 2)
            if flag in ("--images", "--reference") and "." not in folder:
                faces(folder, 12, 32, len(folder))
            if flag in ("--data", "--val") and not os.path.exists(folder):
                for label in range(int(words[words.index("--classes") + 1]) if "--classes" in words else 0):
                    faces(os.path.join(folder, str(label)), 1, 32, label)
                faces(folder, 40, 32)
                if folder.endswith(".tar"):
                    os.rename(folder, "unpacked")
                    with tarfile.open(folder, "w") as t:
                        t.add("unpacked", "unpacked")
            if flag in ("--init-image", "--inpaint"):
                faces(os.path.dirname(folder), 40, 32)
            if flag == "--hole":
                png(folder, 32, 32, lambda x, y: (255 if x >= 16 else 0,), 1)
        ddpm = ("ddpm" in words and "--steps" not in words) or "consistency" in words
        small = SMALL.get(words[0] if words else "", "") + ("" if ddpm or words[:1] != ["sample"] else " --steps 3")
        if "--interpolate" in words:
            small = small.replace("--count", "--frames")  # which are its count
        if "--seeds" in words:  # which say the count
            small = small.replace("--count 4", "--seeds 0-3")
        if "--preset" in words:
            small = SMALL["train"]  # whose stages say the steps
        if words[:1] == ["pretrain"] and "unet" in words:
            small = UNET
        if "--batch-tokens" in words:
            small = small.replace("--batch-size 8", "--batch-tokens 128")
        if words[:1] == ["pretrain"] and "sit" in words:
            small = small.replace("--depth 3", "--middle-depth 2")
        if "--network" in words and "--route-ratio" in words:
            small = small.replace("--depth 3", "--depth 7")  # of which three stand behind
        if words[:1] == ["convert"] and "." not in words[words.index("--from") + 1]:
            small = ""  # a folder says how many heads there are
        if words[:1] == ["evaluate"] and ("--images" in words or "--reference" in words):
            small = small.replace("--val-count 8", "--count 6" + " --subsets 2" * ("--reference" in words))
        if "--evaluate-every" in words:
            small += " --evaluate-count 4 --sample-steps 2"
        said = maskdm(*words, *small.split(), env={**os.environ, "MASKDM_PRESETS": os.path.abspath("presets")})
        print("   ", command[:100])
        for flag, out in zip(words, words[1:]):
            assert flag not in ("--out", "--animate") or "--dry-run" in words or os.path.exists(out), said.stderr


def check_readme():
    path = os.path.join(SOURCE, "README.md")
    assert {c.split()[1] for c in ours(path)} == {"pretrain", "finetune", "sample", "convert", "export", "average", "evaluate", "info"}, ours(path)
    run_page(path)


def check_pages():
    for path in sorted(glob.glob(os.path.join(SOURCE, "doc", "*.md"))) + [os.path.join(SOURCE, "examples", "README.md")]:
        folder = os.path.basename(path)
        os.mkdir(folder)
        os.chdir(folder)
        run_page(path)
        os.chdir("..")


def check_links():
    """What the pages point to is there."""
    for path in [os.path.join(SOURCE, "README.md")] + glob.glob(os.path.join(SOURCE, "*", "*.md")):
        for target in re.findall(r"\]\(([^)#:]+)\)", open(path, encoding="utf-8").read()):
            assert os.path.exists(os.path.join(os.path.dirname(path), target)), "%s: no %s" % (path, target)


def check_library_use():
    """README's C lines, compiled with what the installed pkg-config file says."""
    text = open(os.path.join(SOURCE, "README.md"), encoding="utf-8").read()
    block = next(b for b in text.split("\n\n") if b.lstrip().startswith("#include <maskdm/maskdm.h>"))
    body = text[text.index(block):]
    lines = [l for l in body[:body.index("\n\nLink")].split("\n") if not l or l.startswith("    ")]
    with open("use.c", "w") as f:
        f.write("#include <stdio.h>\n%s\nint main(void)\n{\n%s\nreturn 0;\n}\n" % (lines[0], "\n".join(lines[1:])))
    compiler = os.environ.get("CC", "cc").split()
    if shutil.which(compiler[0]):
        run(*compiler, "-std=c11", "-Wall", "-Werror", "-I", os.path.join(SOURCE, "include"), "use.c", "-o", "use",
            "-L", os.path.join(BUILD, "src"), "-lmaskdm")


if __name__ == "__main__":
    main(globals())
