# SPDX-License-Identifier: BSD-2-Clause
"""Runs from outside and by their folder alone: going on, status, plots; of folders that were cut, edited or are being
written."""
import json
import os
import signal
import struct
import subprocess
import xml.etree.ElementTree as xml

from rig import NETWORK, PROGRAM, TINY, checkpoints, faces, idat, main, maskdm, png_header, read, same, write

LONG = 10**8


def pretrain(out, *more, **expected):
    return maskdm("pretrain", "--data", "data", "--out", out, *TINY, "--log-every", 1, *more, **expected)


def info(run):
    return json.loads(maskdm("info", "--json", run).stdout)


def check_resume_by_folder():
    """Everything stands in the folder, which may have moved; flags change what may be changed, before and behind it."""
    faces("data", 12)
    pretrain("once", "--steps", 9, "--lr", "1e-3", "--mask", "patch", "--mask-ratio", 0.5)
    pretrain("run", "--steps", 4, "--lr", "1e-3", "--mask", "patch", "--mask-ratio", 0.5)
    os.rename("run", "moved run")
    maskdm("pretrain", "--steps", 6, "--resume", "moved run", says=["checkpoint-4"])
    maskdm("pretrain", "--resume=moved run", "--steps", 9, "--keep", 5, says=["checkpoint-6"])
    same("once/model.safetensors", "moved run/model.safetensors")
    assert checkpoints("moved run") == [4, 6, 9]
    maskdm("pretrain", "--resume", "moved run", "--lr", "5e-4", status=1, says=["--lr 0.001", "0.0005"])
    maskdm("pretrain", "--resume", "moved run", "--out", "other", status=2, says=["--out other", "moved run"])
    maskdm("finetune", "--resume", "moved run", status=2, says=["moved run", "pretrain", "finetune"])
    maskdm("pretrain", "--resume", "nowhere", status=2, says=["nowhere"])
    maskdm("sample", "--model", "once/model.safetensors", "--out", "images", "--count", 2, "--steps", 2)
    maskdm("sample", "--resume", "images", "--count", 3)
    assert len([n for n in os.listdir("images") if n.endswith(".png")]) == 3


def check_override():
    """Rates become others where somebody says so, which the log keeps; from then on they are the run's."""
    faces("data", 12)
    pretrain("run", "--steps", 4, "--lr", "1e-3", "--warmup-steps", 0)
    pretrain("plain", "--steps", 4, "--lr", "1e-3", "--warmup-steps", 0)
    maskdm("pretrain", "--resume", "run", "--steps", 6, "--override", "lr=5e-5 weight_decay=0", says=["lr 0.00005 in place of 0.001"])
    lines = [json.loads(line) for line in read("run/log.jsonl").splitlines()]
    notes = [line for line in lines if "note" in line and "in place of" in line["note"]]
    assert len(notes) == 1 and notes[0]["step"] == 4 and "weight_decay 0 in place of" in notes[0]["note"], notes
    assert [line["lr"] for line in lines if line["step"] > 4] == [5e-5, 5e-5]
    maskdm("pretrain", "--resume", "run", "--steps", 8)
    assert json.loads(read("run/options.json"))["lr"] == 5e-5
    maskdm("pretrain", "--resume", "plain", "--steps", 8)
    assert read("plain/model.safetensors") != read("run/model.safetensors")
    maskdm("pretrain", "--resume", "run", "--override", "batch_size=4", status=1, says=["batch-size", "--override", "optimizer"])
    maskdm("pretrain", "--resume", "run", "--override", "lr=fast", status=1, says=["lr", "fast"])
    maskdm("pretrain", "--data", "data", "--out", "new", *TINY, "--override", "lr=1", status=1, says=["--override", "--resume"])


def check_recompute():
    """What backward keeps or makes again changes memory, and not a bit of the model."""
    faces("data", 12)
    taken = {}
    for how in ("auto", "yes", "no"):
        pretrain(how, "--steps", 3, "--recompute", how, "--network", "uvit")
        same("yes/model.safetensors" if how == "no" else "auto/model.safetensors", how + "/model.safetensors")
        taken[how] = [json.loads(line)["memory"] for line in read(how + "/log.jsonl").splitlines()][-1]
    assert taken["auto"] == taken["yes"] < taken["no"], taken
    limit = (taken["yes"] + taken["no"]) // 2
    pretrain("fits", "--steps", 1, "--network", "uvit", "--recompute", "yes", "--memory-limit", limit)
    pretrain("large", "--steps", 1, "--network", "uvit", "--recompute", "no", "--memory-limit", limit, status=1,
             says=["recompute=yes takes less"])


def check_resume_stages():
    faces("data", 12)
    write("stages.json", b'[{"steps": 2, "mask": "patch", "mask_ratio": 0.5}, {"steps": 2, "mask": "none"}]')
    maskdm("train", "--data", "data", "--out", "run", *NETWORK, "--batch-size", 8, "--threads", 1, "--stages", "stages.json")
    write("more.json", b'[{"steps": 2, "mask": "patch", "mask_ratio": 0.5}, {"steps": 2, "mask": "none"}, {"steps": 3}]')
    os.remove("run/checkpoint-4.safetensors")
    os.remove("run/model.safetensors")
    maskdm("train", "--resume", "run", says=["checkpoint-2", "stage 2 of 2"])
    maskdm("train", "--stages", "more.json", "--resume", "run", status=2, says=["run", "stages"])
    maskdm("train", "--data", "data", "--out", "run", *NETWORK, "--batch-size", 8, "--threads", 1, "--stages", "more.json", "--resume", says=["checkpoint-4"])
    assert checkpoints("run")[-1] == 7 and info("run")["steps"] == 7


def check_next_commands():
    """What a run says at its end can be typed, whatever its name."""
    faces("data", 12)
    said = pretrain("it's a run", "--steps", 2).stderr
    for line in [line for line in said.splitlines() if line.startswith("next: ")]:
        words = line[len("next: maskdm"):].replace("DIR", "data").replace("RUN", "tuned --batch-size 4 --steps 1")
        p = subprocess.run(["sh", "-c", PROGRAM + words], capture_output=True, text=True)
        assert p.returncode == 0, (line, p.stderr)
    assert os.path.exists("grid.png") and os.path.exists("tuned") and os.path.exists("loss.svg")
    page = maskdm("info", "it's a run").stdout
    assert "finished" in page and "step 2 of 2 (100 %)" in page, page
    nexts = [line for line in page.splitlines() if line.startswith("next: ")]
    assert nexts and all(subprocess.run(["sh", "-c", PROGRAM + n[len("next: maskdm"):]], capture_output=True).returncode == 0
                         for n in nexts), page


def listing(folder):
    return {n: read(os.path.join(folder, n)) for n in os.listdir(folder)} if os.path.isdir(folder) else None


def check_plan():
    """What a run comes to is said before its first step, and when it will be done behind three of them."""
    faces("data", 12)
    said = pretrain("run", "--steps", 6, "--batch-size", 4, "--mask", "none", "--val-share", 0).stderr
    plan = [line for line in said.splitlines() if line.startswith("6 steps, network uvit: 24 images, 2 epochs, 384 tokens seen")]
    assert plan, said
    disk = [line for line in said.splitlines() if line.startswith("disk: ")][0]
    assert "at most in run" in disk and "a checkpoint" in disk and disk.endswith("are free"), disk
    assert said.index("6 steps, network") < said.index("disk: ") < said.index("\nstep 1 ") < said.index(" s a step, as 3 steps were timed")
    assert any(line.startswith("memory: ") and line.split()[1][-1] in "KMG" for line in said.splitlines()), said
    held = sum(os.path.getsize("run/" + n) for n in os.listdir("run"))
    foretold = disk.split()[1]
    assert held <= float(foretold[:-1]) * 1024 ** (1 + "KMGTPE".index(foretold[-1])), (held, disk)


def check_dry_run():
    """The plan and three steps; nothing stays, in a new folder and in one that goes on."""
    faces("data", 12)
    said = pretrain("run", "--steps", 500, "--dry-run", says=["500 steps, network uvit", "disk: ", "steps were timed", "nothing was written"]).stderr
    assert not os.path.exists("run") and "next: " not in said and "\nstep " not in said, said
    pretrain("run", "--steps", 4)
    before = listing("run")
    maskdm("pretrain", "--resume", "run", "--steps", 9, "--dry-run", says=["resuming from run/checkpoint-4", "9 steps"])
    assert listing("run") == before
    maskdm("pretrain", "--resume", "run", "--steps", 9)
    assert '"dry_run": false' in read("run/options.json").decode()


def check_all_problems_at_once():
    faces("data", 12)
    os.mkdir("full")
    write("full/file", b"x")
    said = maskdm("pretrain", "--data", "nowhere", "--out", "full", *TINY, "--patch-size", 5, "--dry-run", status=1,
                  says=["nowhere", "full is not empty", "--patch-size 5", "3 problems"]).stderr
    assert said.count("problem ") == 3, said
    maskdm("pretrain", "--data", "data", "--out", "new", *TINY, "--batch-size", 100, "--learning-rate", 3, "--dim", "many", "--dry-run",
           status=2, says=["--learning-rate", "--lr", "--dim", "many", "100 is larger than the data"])
    maskdm("pretrain", *TINY, "--dry-run", status=1, says=["--data is not given", "--out is not given"])
    assert not os.path.exists("new") and os.listdir("full") == ["file"]
    maskdm("pretrain", "--data", "data", "--out", "full", *TINY, status=1, says=["full is not empty"])


def check_info():
    faces("data", 12)
    pretrain("run", "--steps", 6, "--val-share", 0.3, "--val-every", 2, "--save-every", 2, "--keep", 2)
    told = info("run")
    assert told["kind"] == "pretrain" and told["finished"] and not told["running"], told
    assert (told["step"], told["steps"], told["checkpoints"], told["held_out_step"]) == (6, 6, [4, 6], 6), told
    assert told["files"] == len(os.listdir("run")) and told["unread_lines"] == 0
    assert told["bytes"] == sum(os.path.getsize("run/" + n) for n in os.listdir("run"))
    lines = [json.loads(line) for line in read("run/log.jsonl").splitlines()]
    assert told["mean_loss"] == lines[-1]["mean_loss"]
    assert told["lowest_held_out_loss"] == min(line["held_out_loss"] for line in lines if "held_out_loss" in line)
    maskdm("info", "data", status=1, says=["data", "no folder of a run"])
    os.remove("run/checkpoint-6.safetensors")
    page = maskdm("info", "run").stdout
    assert "not running, not finished" in page and "next: maskdm pretrain --resume run\n" in page, page


def check_damaged():
    """Cut, edited, half written: said, and no failure."""
    faces("data", 12)
    pretrain("run", "--steps", 6)
    log = read("run/log.jsonl")
    lines = log.splitlines(True)
    write("run/log.jsonl", lines[0] + b"what is this\n" + lines[1] + b'{"step":"x"}\n' + lines[2][:-1] + b',\n' + lines[3]
          + lines[1] + lines[4][:20])
    told = info("run")
    assert told["unread_lines"] == 3 and told["step"] == 2, told
    assert "3 lines of log.jsonl cannot be read" in maskdm("info", "run").stdout
    maskdm("plot", "run", "--out", "cut.svg")
    write("run/log.jsonl", log[:10])
    assert info("run")["step"] == 6 and "step 6 of 6" in maskdm("info", "run").stdout
    maskdm("plot", "run", "--out", "no.svg", status=1, says=["run is no folder of a run whose log"])
    assert not os.path.exists("no.svg")
    options = read("run/options.json")
    for text, says in ((options[:100], "options.json"), (b"{}", "does not say"), (b'{"kind": "cooking"}', "cooking"),
                       (options.replace(b'"steps": 6', b'"steps": "many"'), "steps")):
        write("run/options.json", text)
        page = maskdm("info", "run").stdout
        assert "warning: " in page and says in page and "checkpoints 6" in page, page
        assert info("run")["steps"] is None
    os.remove("run/options.json")
    assert "step 6" in maskdm("info", "run").stdout


def check_while_it_runs():
    """A run is seen at work, and is not disturbed by who looks."""
    faces("data", 12)
    p = subprocess.Popen([PROGRAM, "pretrain", "--data", "data", "--out", "run", *TINY, "--steps", str(LONG), "--log-every", "1"],
                         stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    for line in p.stderr:
        if line.startswith(b"step 3 "):
            break
    told = info("run")
    assert told["running"] and not told["finished"] and told["step"] >= 3 and told["seconds_left"] > 0, told
    assert "running" in maskdm("info", "run").stdout
    maskdm("plot", "run", "--out", "now.png", "--x", "images")
    p.send_signal(signal.SIGTERM)
    p.stderr.read()
    p.stderr.close()
    assert p.wait(60) == 143
    assert not info("run")["running"]


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xa282ead8) & 0xffffffff


def fields(data):
    """Fields of a message of protocol buffers: (number, value), in order."""
    def varint(at):
        x = shift = 0
        while True:
            x |= (data[at] & 0x7f) << shift
            shift, at = shift + 7, at + 1
            if not data[at - 1] & 0x80:
                return x, at
    at = 0
    while at < len(data):
        key, at = varint(at)
        if key & 7 == 0:
            value, at = varint(at)
        elif key & 7 == 2:
            n, at = varint(at)
            value, at = data[at:at + n], at + n
        else:
            value, at = struct.unpack_from("<d" if key & 7 == 1 else "<f", data, at)[0], at + (8 if key & 7 == 1 else 4)
        yield key >> 3, value


def check_tensorboard():
    """Event files say what the log says; each record has its length and masked CRC-32C, as TFRecords have."""
    assert crc32c(b"123456789") == 0xe3069283
    faces("data", 12)
    pretrain("run", "--steps", 3, "--val-share", 0.3, "--val-every", 3, "--tensorboard")
    name, = [n for n in os.listdir("run") if n.startswith("events.out.tfevents.")]
    data, at, events = read("run/" + name), 0, []
    while at < len(data):
        n, = struct.unpack_from("<Q", data, at)
        assert struct.unpack_from("<I", data, at + 8)[0] == masked(data[at:at + 8])
        assert struct.unpack_from("<I", data, at + 12 + n)[0] == masked(data[at + 12:at + 12 + n])
        events.append(dict(fields(data[at + 12:at + 12 + n])))
        at += 16 + n
    assert events[0][3] == b"brain.Event:2" and events[0][1] > 1.7e9
    told = {}
    for event in events[1:]:
        scalar = dict(fields(dict(fields(event[5]))[1]))
        told[event[2], scalar[1].decode()] = scalar[2]
    for line in map(json.loads, read("run/log.jsonl").splitlines()):
        for key in ("loss", "lr", "grad_norm", "held_out_loss"):
            if "loss" in line and key in line:
                assert abs(told[line["step"], key] - line[key]) <= 1e-6 * abs(line[key]), (line, key)
    assert (3, "held_out_loss") in told and (2, "held_out_loss") not in told


def check_plot():
    faces("data", 12)
    pretrain("a", "--steps", 70, "--val-share", 0.3, "--val-every", 10)
    pretrain("b", "--steps", 5)
    os.makedirs("x/b")
    for name in ("log.jsonl", "options.json"):
        os.link("b/" + name, "x/b/" + name)
    maskdm("plot", "a", "b", "x/b", "--out", "loss.svg")
    picture = xml.parse("loss.svg").getroot()
    words = ["".join(e.itertext()) for e in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert {"training loss", "held-out loss", "a", "b", "x/b", "steps"} <= set(words), words
    curves = [e.get("points").split() for e in picture.iter("{http://www.w3.org/2000/svg}polyline")]
    assert sorted(len(c) for c in curves)[-2:] == [70, 70] and sorted(len(c) for c in curves)[-3] == 7
    for axis in ("hours", "images", "epochs", "tokens", "flops"):
        maskdm("plot", "a", "--x", axis, "--y", "held_out_loss", "--out", "one.svg")
        assert len(xml.parse("one.svg").getroot().findall(".//{http://www.w3.org/2000/svg}polyline")) > 10
    maskdm("plot", "a", "b", "--out", "loss.png", "--width", 640, "--height", 400)
    assert png_header("loss.png") == (640, 400, 8, 2)
    assert len(set(idat("loss.png"))) > 50
    maskdm("plot", "a", "b", "--out", "all.csv")
    rows = [line.split(",") for line in read("all.csv").decode().splitlines()]
    assert len(rows) == 76 and rows[0][:2] == ["run", "step"] and {len(r) for r in rows} == {len(rows[0])}
    first = json.loads(read("a/log.jsonl").splitlines()[0])
    assert [float(rows[1][rows[0].index(k)]) for k in ("step", "mean_loss", "elapsed")] == \
        [first[k] for k in ("step", "mean_loss", "elapsed")]
    assert maskdm("plot", "b", "--format", "csv", "--out", "/dev/stdout").stdout.count("\n") == 6
    for words, says in ((["a", "--out", "loss.pdf"], ["loss.pdf", ".svg, .png or .csv"]),
                        (["a", "data", "--out", "x.svg"], ["data is no folder of a run"]),
                        (["b", "--y", "held_out_loss", "--out", "x.svg"], ["held-out loss"]),
                        (["a", "--out", "missing/x.svg"], ["missing/x.svg"])):
        maskdm("plot", *words, status=1, says=says)
    maskdm("plot", "--out", "x.svg", status=2, says=["usage"])
    maskdm("plot", "a", status=2, says=["--out"])
    assert not os.path.exists("x.svg")


if __name__ == "__main__":
    main(globals())
