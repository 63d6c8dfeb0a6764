# SPDX-License-Identifier: BSD-2-Clause
"""Bad input gets a status and one sentence with the names and the numbers, and nothing is lost."""
import bz2
import gzip
import lzma
import os
import pickle
import resource
import subprocess
import zipfile

from rig import PROGRAM, TINY, Skip, checkpoints, faces, main, maskdm, read, write

IMAGES = 12


def prepare():
    """A folder of images and a trained model that the cases lean on."""
    faces("data", IMAGES)
    maskdm("pretrain", "--data", "data", "--out", "run", *TINY, "--steps", 2)
    os.mkdir("empty")
    os.mkdir("broken")
    write("broken/a.png", b"hello\n")
    write("text", b"hello\n")


def refused(words, status, says):
    """The sentence is on stderr, and neither the run's folder nor the picture was begun."""
    said = maskdm(*words, status=status, says=says).stderr
    assert not os.path.exists("out") and not os.path.exists("grid.png"), "%s left something behind" % words
    assert "step " not in said, "work was done before the refusal: " + said
    assert all(line.isprintable() for line in said.splitlines()), said


def pretrain(*more):
    return ["pretrain", "--data", "data", "--out", "out", *TINY, "--steps", 2, *more]


def finetune(*more):
    return ["finetune", "--init", "run/model.safetensors", "--data", "data", "--out", "out", "--batch-size", 8, *more]


def sample(*more):
    return ["sample", "--model", "run/model.safetensors", "--out", "grid.png", "--count", 2, "--steps", 2, *more]


def convert(*more):
    return ["convert", "--out", "out", *more]


def check_command_line():
    prepare()
    for words, says in (
            ([], ["--help"]),
            (["pretrian"], ["pretrian", "nearest is pretrain"]),
            (["finetun", "--help"], ["finetun", "nearest is finetune"]),
            (["training"], ["training", "nearest is train"]),
            (["stages"], ["stages", "nearest is train"]),
            (["generate"], ["generate", "nearest is sample"]),
            (["frobnicate"], ["no command \"frobnicate\"; maskdm --help lists them\n"]),
            (["help", "frobnicate"], ["no command or topic \"frobnicate\""]),
            (["--data", "data"], ["the command comes before its flags"]),
            (pretrain("--bath-size", 3), ["--bath-size", "the nearest is --batch-size"]),
            (pretrain("--mask-blok-size=3"), ["--mask-blok-size", "the nearest is --mask-block-size"]),
            (pretrain("--learning-rate", 1), ["--learning-rate", "see --lr (learning rate"]),
            (pretrain("--num-steps", 1), ["--num-steps", "see --steps ("]),
            (pretrain("--gpu", 1), ["has no option \"--gpu\"\n"]),
            (sample("-n", 1), ["see --count ("]),
            (pretrain("data2"), ["data2", "--help"]),
            (pretrain("-x"), ["-x"]),
            (pretrain("-lr", 1), ["\"-lr\" is no flag; --lr is"]),
            (pretrain("--"), ["--"]),
            (pretrain("--steps"), ["--steps needs a value"]),
            (pretrain("--config"), ["--config needs a value"]),
            (pretrain("--lr", "--steps", 3), ["--lr needs a value, and --steps is a flag"]),
            (pretrain("--lr", "=", 3), ["--lr=3"]),
            (pretrain("--lr", "=3"), ["--lr=3"]),
            (pretrain("--measure", "yes"), ["--measure=yes"]),
            (pretrain("--steps", 0), ["option --steps is 0", "at least 1"]),
            (pretrain("--steps", "1e3"), ["--steps", "1e3"]),
            (pretrain("--steps", ""), ["--steps"]),
            (pretrain("--ema-decay", 1.5), ["--ema-decay", "1.5", "0 .. 1"]),
            (pretrain("--lr", "nan"), ["--lr", "nan"]),
            (pretrain("--image-size", "16,16,16"), ["--image-size", "2"]),
            (pretrain("--channels", 5), ["--channels", "5", "1 .. 4"]),
            (pretrain("--schedule", "cosin"), ["cosin", "linear|cosine|shifted_cosine"]),
            (pretrain("--flip=yes"), ["--flip", "yes"]),
            (pretrain("--resume=maybe"), ["--resume", "maybe"]),
            (pretrain("--no-steps"), ["--no-steps"]),
            (pretrain("--" + 63 * "a", 1), ["has no option"]),
            (pretrain("--" + 64 * "a", 1), ["is no flag"]),
            (pretrain("--mask", "patch", "--mask-block-size", 2), ["--mask-block-size", "--mask=block", "patch"]),
            (pretrain("--mask", "crop"), ["--mask-crop-size"]),
            (["pretrain", "--data", "data"], ["option --out must be given"]),
            (["sample", "--out", "grid.png"], ["option --model must be given"]),
            (sample("--sampler", "eulre"), ["eulre", "ddim|ddpm|dpmpp|unipc|euler|euler_ancestral|heun"]),
            (sample("--sampler", "dpmpp", "--eta", 1), ["--eta", "--sampler=ddim", "euler_ancestral", "dpmpp"]),
            (pretrain("--process", "edm", "--timesteps", 100), ["--timesteps", "--process=discrete", "edm"]),
            (sample("--sampler", "ddpm", "--churn", 1), ["--churn", "ddpm"]),
            (pretrain("--config", "text"), ["text", "JSON"])):
        refused(words, 2, says)
    refused(pretrain("--process", "flow", "--prediction", "v"), 1, ["--prediction v", "flow", "velocity|x0|noise"])
    refused(pretrain("--out", "run", "--resume", "--no-resume"), 1, ["run is not empty"])
    write("large.json", b"{}" + b" " * ((1 << 20) - 2))
    refused(pretrain("--config", "large.json"), 1, ["large.json", "less than 1 MiB"])
    write("config.json", b"{\"learning_rate\": 1}")
    refused(pretrain("--config", "config.json"), 2, ["config.json: pretrain has no option \"learning_rate\"; see lr ("])


def check_what_is_typed_steers_no_terminal():
    """Every message is one line, whatever stands on the command line or in a name."""
    prepare()
    strange = "a\n\033[31mb\u009bc"
    shown = "a\\x0a\\x1b[31mb\\xc2\\x9bc"
    for words, status in ((pretrain("--" + strange, 1), 2), (pretrain(strange), 2), (pretrain("-" + strange), 2),
                          ([strange], 2), (["--help=" + strange], 2), (["info", "--" + strange], 2),
                          (["info", strange], 1), (pretrain("--data", strange), 1), (pretrain("--lr", strange), 2),
                          (pretrain("--config", strange), 1), (sample("--model", strange), 1)):
        said = maskdm(*words, status=status, says=[shown]).stderr
        assert said.count("\n") == 1, said
    os.mkdir(strange)
    write(os.path.join(strange, "m"), read("run/model.safetensors"))
    assert maskdm("info", os.path.join(strange, "m")).stdout.startswith(shown)


def check_devices():
    """A device that is not there is refused with the reason, and with "auto" the reason stands beside what is taken."""
    prepare()
    gone = ["--module", "gone.so"]
    why = "cannot load gone.so: "
    for words in (pretrain(), finetune(), sample(),
                  ["tune", "--init", "run/model.safetensors", "--data", "data", "--out", "out"]):
        refused(words + ["--device", "cuda:1"] + gone, 1, [why])
    refused(["evaluate", "--model", "run/model.safetensors", "--data", "data", "--device", "cuda"] + gone, 1, [why])
    refused(pretrain("--device", "gpu"), 1, ["there is no device \"gpu\"; known: cpu"])
    refused(pretrain("--device", "cpu:2"), 1, ["cpu:2"])
    refused(pretrain("--compute", "bfloat16"), 1, ["the device \"cpu\" computes in float32 alone"])
    refused(pretrain("--compute", "tf32", "--device", "auto", *gone), 1, ["float32 alone; and of \"cuda:0\": " + why])
    said = maskdm(*pretrain("--device", "auto", *gone)).stderr
    assert said.count("computing on ") == 1 and "computing on cpu, " in said and " (auto: " + why in said, said
    assert "computing on" not in maskdm(*sample()).stderr
    maskdm(*pretrain("--resume", "--steps", 3, "--device", "cpu"))


def check_data():
    prepare()
    for words, says in (
            (pretrain("--data", "missing"), ["missing"]),
            (pretrain("--data", "empty"), ["empty", "PNG, JPEG or WebP"]),
            (pretrain("--data", "text"), ["text"]),
            (pretrain("--data", "broken", "--batch-size", 1), ["broken", "broken/a.png", "1 file"]),
            (pretrain("--batch-size", 16), ["16", "12 images"]),
            (pretrain("--val", "missing"), ["missing"]),
            (pretrain("--config", "missing.json"), ["missing.json"])):
        refused(words, 1, says)
    if os.getuid() != 0:
        os.mkdir("closed", 0)
        refused(pretrain("--data", "closed"), 1, ["closed", "ermission"])


def check_broken_among_good():
    prepare()
    whole = read("data/face-00000.png")
    write("data/cut.png", whole[:-30])
    write("data/flipped.png", whole[:60] + bytes([whole[60] ^ 255]) + whole[61:])
    write("data/text.png", b"hello\n")
    os.mkfifo("data/pipe.png")
    said = maskdm(*pretrain()).stderr
    for name in ("data/cut.png", "data/flipped.png", "data/text.png"):
        assert name in said, said
    assert "12 images" in said, said
    assert checkpoints("out") == [2]


def check_network():
    prepare()
    for words, says in (
            (pretrain("--patch-size", 5), ["--patch-size 5", "--image-size 16"]),
            (pretrain("--image-size", "16,18"), ["--patch-size 4", "18"]),
            (pretrain("--heads", 3), ["--heads 3", "--dim 32"]),
            (pretrain("--mask", "patch", "--mask-ratio", 1), ["patch", "4 x 4"]),
            (pretrain("--mask", "crop", "--mask-crop-size", 20), ["20", "4"]),
            (pretrain("--accumulate", 3), ["--accumulate 3", "--batch-size 8"]),
            (pretrain("--device", "gpu"), ["gpu"]),
            (pretrain("--memory-limit", 100000), ["100000", "bytes"]),
            (pretrain("--memory-limit", 1000000), ["1000000", "bytes"]),
            (pretrain("--dim", 16384, "--depth", 255, "--memory-limit", 1 << 30), [str(1 << 30), "bytes"])):
        refused(words, 1, says)


def check_models():
    prepare()
    whole = read("run/model.safetensors")
    header = 8 + int.from_bytes(whole[:8], "little")
    for cut in (0, 1, 7, 8, 100, header - 1, header, header + 1, len(whole) // 2, len(whole) - 1):
        write("cut.safetensors", whole[:cut])
        refused(sample("--model", "cut.safetensors"), 1, ["cut.safetensors"])
        refused(finetune("--init", "cut.safetensors"), 1, ["cut.safetensors"])
    nan = bytearray(whole)
    nan[header:header + 4] = b"\xff\xff\xff\xff"
    write("nan.safetensors", nan)
    for words, says in (
            (sample("--model", "missing.safetensors"), ["missing.safetensors"]),
            (sample("--model", "empty"), ["empty"]),
            (sample("--model", "text"), ["text", "6"]),
            (sample("--model", "nan.safetensors"), ["nan.safetensors", "finite"]),
            (sample("--sampler", "ddim", "--steps", 2000), ["2000", "1000"]),
            (sample("--label", 3), ["label 3", "0 classes"]),
            (sample("--bits", 9), ["9", "8 or 16"]),
            (sample("--memory-limit", 1000), ["1000 allowed", "bytes"]),
            (sample("--out", "missing/grid.png"), ["missing/grid.png", "no folder missing"]),
            (sample("--out", "data"), ["data", "not empty"]),
            (finetune("--dim", 64), ["--dim is 64", "32", "run/model.safetensors"]),
            (finetune("--prediction", "v"), ["prediction", "x0", "run/model.safetensors"])):
        refused(words, 1, says)


def check_what_files_are():
    """A file that is no model is named as what it is, wherever a model is asked for; so are folders and files mixed up."""
    prepare()
    with zipfile.ZipFile("x.npz", "w") as z:
        z.writestr("arr_0.npy", b"\x93NUMPY")
    with zipfile.ZipFile("script.pt", "w") as z:
        for name in ("m/data.pkl", "m/code/__torch__.py", "m/constants.pkl"):
            z.writestr(name, b"\x80\x02.")
    for name, data, says in (
            ("lfs", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", ["LFS", "git lfs pull"]),
            ("page", b"<!doctype html><html>", ["HTML page"]),
            ("list.json", b"{\n}", ["JSON text"]),
            ("x.gz", gzip.compress(b"x"), ["gzip archive", "unpack"]),
            ("x.xz", lzma.compress(b"x"), ["xz archive", "unpack"]),
            ("x.bz2", bz2.compress(b"x"), ["bzip2 archive", "unpack"]),
            ("x.png", read("data/face-00000.png"), ["PNG picture"]),
            ("x.pkl", pickle.dumps({"a": 1}), ["Python pickle", "torch.save"]),
            ("x.npz", read("x.npz"), ["NumPy archive"]),
            ("zeros", bytes(100000), ["zeros", "100000", "cut short"]),
            ("nothing", b"", ["is empty"])):
        write(name, data)
        info = [["info", name]] if name != "x.png" else []  # which it tells of
        for words in (*info, sample("--model", name), finetune("--init", name), convert("--from", name)):
            refused(words, 1, [name] + says)
    for words in (["info", "script.pt"], convert("--from", "script.pt")):
        refused(words, 1, ["script.pt", "TorchScript", "state_dict"])
    refused(sample("--model", "script.pt"), 1, ["script.pt", "zip archive"])
    for words in (sample("--model", "run"), finetune("--init", "run"), convert("--from", "run")):
        refused(words, 1, ["run is a folder", "run/model.safetensors"])
    refused(sample("--model", "data"), 1, ["data is a folder"])
    refused(sample("--model", "gone"), 1, ["cannot find gone"])
    refused(pretrain("--data", "run/model.safetensors"), 1, ["run/model.safetensors: it holds no array of images"])
    refused(pretrain("--data", "gone"), 1, ["cannot find gone"])
    refused(pretrain("--data", "text/gone"), 1, ["cannot find text/gone"])


def check_run_folder():
    prepare()
    before = {n: read("run/" + n) for n in sorted(os.listdir("run"))}
    again = ["pretrain", "--data", "data", "--out", "run", *TINY, "--steps", 2]
    for words, says in (
            (again, ["run is not empty", "--resume goes on"]),
            (again + ["--resume", "--lr", "2e-4"], ["lr", "0.001", "0.0002"]),
            (again + ["--resume", "--dim", 64], ["dim", "32", "64"]),
            (again + ["--resume", "--seed", 9], ["seed", "0", "9"]),
            (again + ["--resume", "--data", "other"], ["other"]),
            (again + ["--out", "text"], ["text is not a folder"]),
            (again + ["--out", "text/run"], ["folder text"]),
            (again + ["--out", "/dev/null/run"], ["/dev/null"])):
        refused(words, 1, says)
    assert {n: read("run/" + n) for n in sorted(os.listdir("run"))} == before, "a refused run changed the folder"


def check_another_network():
    """A checkpoint of another network under a run's name."""
    prepare()
    maskdm("pretrain", "--data", "data", "--out", "other", *TINY, "--dim", 64, "--steps", 2)
    os.replace("other/checkpoint-2.safetensors", "run/checkpoint-2.safetensors")
    refused(["pretrain", "--data", "data", "--out", "run", *TINY, "--steps", 4, "--resume"], 1,
            ["checkpoint-2.safetensors", "32", "64"])


def check_damaged_checkpoint():
    """A flipped bit is found; without an older checkpoint the run does not start over in silence."""
    prepare()
    state = bytearray(read("run/checkpoint-2.safetensors"))
    state[-100] ^= 1
    write("run/checkpoint-2.safetensors", state)
    refused(["pretrain", "--data", "data", "--out", "run", *TINY, "--steps", 4, "--resume"], 1,
            ["checkpoint-2.safetensors"])
    assert read("run/checkpoint-2.safetensors") == state


def check_no_space():
    """Files may not grow beyond a limit, as on a full disk: the save fails, the previous checkpoint stands."""
    prepare()
    size = os.path.getsize("run/checkpoint-2.safetensors")

    def limit():
        import signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # write fails with an error instead
        resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, size // 2))

    before = read("run/model.safetensors"), read("run/checkpoint-2.safetensors")
    go_on = ["pretrain", "--data", "data", "--out", "run", *TINY, "--resume"]
    maskdm(*go_on, "--steps", 4, status=1, says=["checkpoint-4.safetensors"], preexec_fn=limit)
    assert checkpoints("run") == [2]
    assert (read("run/model.safetensors"), read("run/checkpoint-2.safetensors")) == before
    assert not [n for n in os.listdir("run") if ".tmp" in n]
    maskdm(*go_on, "--steps", 4, says=["checkpoint-2.safetensors"])
    maskdm(*sample("--out", "grid.png"), status=0)
    maskdm(*sample("--out", "other.png", "--count", 400), status=1, says=["other.png"],
           preexec_fn=lambda: (limit(), resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))))
    assert not os.path.exists("other.png")


def check_full_disk():
    """The same on a file system of its own, where this user may make one."""
    script = """mount -t tmpfs -o size=300k none full && "$0" pretrain --data data --out full/run --image-size 16 \\
        --dim 32 --depth 3 --heads 2 --batch-size 8 --threads 1 --steps 50 --save-every 1 --keep 9"""
    prepare()
    os.mkdir("full")
    shell = ["unshare", "-rm", "sh", "-c"]
    try:
        if subprocess.run(shell + ["mount -t tmpfs none full"], capture_output=True).returncode != 0:
            raise Skip("no mount in a namespace of one's own")
    except FileNotFoundError:
        raise Skip("no unshare")
    script += "; echo status $?; ls full/run; \"$0\" info full/run/checkpoint-%s.safetensors | head -n 1"
    p = subprocess.run(shell + [script % 1, PROGRAM], capture_output=True, text=True)
    told = p.stdout + p.stderr
    assert "status 1" in told and "o space left" in told and ".tmp" not in told, told


def check_output():
    """Output that cannot be written is a failure as well."""
    prepare()
    with open("/dev/full", "w") as full:
        for words in (["info", "run/model.safetensors"], ["--version"], ["--help"], ["sample", "--help=man"]):
            p = subprocess.run([PROGRAM, *words], stdout=full, stderr=subprocess.PIPE)
            assert p.returncode == 1 and b"output" in p.stderr, words


if __name__ == "__main__":
    main(globals())
