# SPDX-License-Identifier: BSD-2-Clause
"""Training and sampling on a GPU, beside PyTorch there: cuda.py STEP_BENCH [flags]

A table of G1 to G5 of step_bench: images/s, useful FLOPs (the library's own count; what is computed twice counts once)
a second, their share of 989 TFLOP/s and of what a product of 8192x8192 matrices gives in PyTorch in the same minutes,
and how many times longer PyTorch takes (eager; compiled, with CUDA graphs: torch_step.py says what both have). Losses
and gradients' norms are compared first. What is compared is measured in turns, round by round; a ratio is the median of
the rounds' quotients. Everything goes to --out as it comes, a JSON line each, so that a run that is cut off leaves what
it had. A peer that is not ready in time is left out, and so is what fails.

    cuda.py build/tests/bench/step_bench --configs G1,G2 --peers eager,compile --rounds 5 --seconds 120 --out bench.jsonl
"""
import argparse
import json
import os
import queue
import statistics
import subprocess
import sys
import tempfile
import threading
import time

NOMINAL = 989  # TFLOP/s of an H100 or H200, bf16
# label: task, network, heads, goal of the share, then a later one; goal of the ratio; or milliseconds instead
CONFIGS = {"T0": ("train", "uvit", 1, ""), "T1": ("sample", "uvit", 1, ""),
           "G1": ("train", "uvit", 8, "42 %, then 46 %; 1.3"), "G2": ("train", "uvit", 8, "40 %, then 46 %; 1.4"),
           "G3": ("train", "uvit", 12, "43 %, then 47 %; 1.05"), "G4": ("train", "uvit", 12, "46 %, then 51 %; 1.15"),
           "G5": ("sample", "uvit", 8, "6 ms, then 3")}
# How far a loss, and the norm of all gradients, may be from PyTorch's
BOUND = {"float32": (1e-5, 1e-4), "tf32": (1e-3, 5e-3), "bfloat16": (5e-3, 2e-2)}
HERE = os.path.dirname(os.path.abspath(__file__))


class Child:
    """A process that is asked by lines and answers by lines, with a time limit for each."""

    def __init__(self, *words):
        environment = dict(os.environ, PYTHONUNBUFFERED="1")
        environment.setdefault("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True")
        environment.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "4")
        self.errors = tempfile.TemporaryFile("w+")
        self.p = subprocess.Popen([str(w) for w in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                  stderr=self.errors, env=environment)
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.p.stdout:
            self.lines.put(line)
        self.p.wait()
        self.lines.put("")

    def tell(self):
        try:
            self.p.stdin.write("\n")
            self.p.stdin.flush()
        except OSError:
            pass

    def hear(self, until):
        """An answer; None where there is none by then."""
        try:
            line = self.lines.get(timeout=max(0.01, until - time.time()))
        except queue.Empty:
            return None
        return json.loads(line) if line else None

    def why(self):
        if self.p.poll() is None:
            return "no answer in time"
        self.errors.seek(0)
        said = [line.strip() for line in self.errors.read().splitlines() if line.strip()]
        return said[-1][:300] if said else "it ended"

    def close(self):
        try:
            self.p.stdin.close()
        except OSError:
            pass
        try:
            self.p.wait(10)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()


class Bench:
    def __init__(self, args, folder):
        self.a, self.folder, self.failed = args, folder, False
        self.peers = [p for p in args.peers.split(",") if p]
        self.until = time.time() + args.total
        self.table, self.exported, self.started = [], {}, {}

    def record(self, **facts):
        if self.a.out:
            with open(self.a.out, "a", encoding="utf-8") as f:
                f.write(json.dumps(facts) + "\n")

    def file(self, label):
        return os.path.join(self.folder, label + ".safetensors")

    def ours(self, label, *more):
        return [self.a.step_bench, "--device", self.a.device, "--options", self.device_options(), "--threads",
                self.a.threads, *more, label]

    def device_options(self):
        return self.a.options.replace("COMPUTE", self.a.compute)

    def peer(self, label, mode, *more):
        task, network, heads, _ = CONFIGS[label]
        return Child(sys.executable, os.path.join(HERE, "torch_step.py"), self.a.peer_device, self.a.compute, mode,
                     self.file(label), task, network, heads, *more)

    def prepare(self, labels):
        """Weights and batches of all, then what PyTorch compiles, each all at once: none is timed."""
        start = time.time()
        if not self.peers:
            return
        children = {c: Child(*self.ours(c, "--serve", "--export", self.file(c))) for c in labels}
        for label, child in children.items():
            facts = child.hear(min(self.until, start + self.a.seconds))
            self.record(config=label, exported=facts, error=None if facts else child.why())
            self.exported[label] = facts
            child.close()
        print("weights and batches written in %.0f s" % (time.time() - start), flush=True)
        if "compile" not in self.peers:
            return
        start = time.time()
        children = {c: self.peer(c, "compile", "once") for c in labels if os.path.exists(self.file(c))}
        for child in children.values():
            child.tell()
        for label, child in children.items():
            until = min(self.until, start + self.a.seconds)
            facts = child.hear(until) and child.hear(until)
            if not facts:
                print("%s: was not compiled: %s" % (label, child.why()), flush=True)
                child.p.kill()
            child.close()
        print("compiled in %.0f s" % (time.time() - start), flush=True)

    def start(self, label):
        """Peers import PyTorch, which takes long, and touch no device yet: those of the next label do it early."""
        if self.peers and label and label not in self.started:
            rates = Child(sys.executable, os.path.join(HERE, "torch_step.py"), self.a.peer_device, self.a.compute, "rates")
            self.started[label] = {"rates": rates, **{m: self.peer(label, m) for m in self.peers}}
        return self.started.get(label, {})

    def open(self, label, following):
        """What is to be measured, by name, and what each says of itself."""
        until = min(self.until, time.time() + self.a.seconds)
        children, facts = {"ours": Child(*self.ours(label, "--serve")), **self.start(label)}, {}
        self.start(following)
        for name, child in children.items():
            if name != "ours" and child.hear(until):
                child.tell()
        for name, child in list(children.items()):
            facts[name] = child.hear(until)
            if not facts[name]:
                print("%s: %s is left out: %s" % (label, name, child.why()), flush=True)
                self.record(config=label, name=name, error=child.why())
                child.p.kill()
                children.pop(name).close()
                self.failed |= name == "ours"
        return children, facts

    def compare(self, label, facts, exported):
        """How far PyTorch's loss and gradients are from ours."""
        loss_bound, norm_bound = BOUND[self.a.compute]
        for mode in self.peers:
            theirs = facts.get(mode)
            if not theirs or not exported:
                continue
            loss = abs(theirs["loss"] / exported["loss"] - 1)
            norm = abs(theirs["grad_norm"] / exported["grad_norm"] - 1) if "grad_norm" in exported else 0
            good = loss <= loss_bound and norm <= norm_bound
            self.failed |= not good
            print("%s: %s's loss is off by %.1e (at most %g), its gradient's norm by %.1e (%g)%s; %s%s" % (
                label, mode, loss, loss_bound, norm, norm_bound, "" if good else ": NOT THE SAME NETWORK",
                "attention %s, " % theirs["attention"] if theirs["attention"] else "",
                "graph: %s" % theirs["graph"] if theirs["graph"] else "no graph"), flush=True)

    def rounds(self, label, children):
        taken = []
        for number in range(self.a.rounds):
            this = {}
            for name, child in children.items():
                child.tell()
                said = child.hear(min(self.until, time.time() + 60))
                if said is None:
                    print("%s: %s stopped: %s" % (label, name, child.why()), flush=True)
                    self.failed |= name == "ours"
                    return taken
                this[name] = said["ms"] if isinstance(said, dict) and "ms" in said else said
            taken.append(this)
            self.record(config=label, round=number, measured=this)
        return taken

    def measure(self, label, following):
        children, facts = self.open(label, following)
        if "ours" in children:
            self.compare(label, facts, self.exported.get(label))
            taken = self.rounds(label, children)
            if taken:
                self.tell(label, facts, taken)
        for child in children.values():
            child.close()
        if self.a.profile and CONFIGS[label][0] == "train":
            said = subprocess.run([str(w) for w in self.ours(label, "--rounds", 3, "--profile")], text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=self.a.seconds, check=False)
            print(said.stdout, flush=True)

    def tell(self, label, facts, taken):
        own = facts["ours"]
        ms = statistics.median(t["ours"] for t in taken)
        tflops = own["gflop"] / ms
        row = {"config": label, "what": own["what"], "device": own["device"], "batch": own["batch"],
               "tokens": own["tokens"], "ms": ms, "images_per_s": own["batch"] / ms * 1e3, "tflops": tflops,
               "share": tflops / NOMINAL, "peak_mib": own["peak_mib"], "goal": CONFIGS[label][3],
               "rounds": len(taken)}
        if "rates" in taken[0]:
            row["matrix_tflops"] = statistics.median(t["rates"]["tflops"] for t in taken)
            row["copy_gbs"] = statistics.median(t["rates"]["gbs"] for t in taken)
            row["matrix_share"] = tflops / row["matrix_tflops"]
        for mode in self.peers:
            if mode in taken[0]:
                ratio = sorted(t[mode] / t["ours"] for t in taken)
                row[mode] = {"ms": statistics.median(t[mode] for t in taken), "ratio": statistics.median(ratio),
                             "least": ratio[0], "most": ratio[-1], "peak_mib": facts[mode]["peak_mib"],
                             "attention": facts[mode]["attention"], "graph": facts[mode]["graph"]}
        self.record(result=row)
        print(line(row), flush=True)
        self.table.append(line(row))

    def run(self, labels):
        self.prepare(labels)
        for label, following in zip(labels, labels[1:] + [""]):
            if time.time() < self.until:
                self.measure(label, following)
        for child in (c for started in self.started.values() for c in started.values()):
            child.close()
        print("\n" + HEAD)
        print("\n".join(self.table), flush=True)


HEAD = ("config      ms   images/s TFLOP/s  of 989  matrix  of it  copy GB/s  MiB    eager ms (ratio)  "
        "compiled ms (ratio)  goal")


def line(r):
    peers = "  ".join("%8.2f (%5.2f)" % (r[m]["ms"], r[m]["ratio"]) if m in r else "       - (    -)"
                      for m in ("eager", "compile"))
    matrix = "%6.0f %5.1f %% %8.0f" % (r["matrix_tflops"], 100 * r["matrix_share"], r["copy_gbs"]) \
        if "matrix_tflops" in r else "     -     -          -"
    return "%-6s %8.3f %10.1f %7.1f %5.1f %%  %s %7.0f  %s   %s" % (
        r["config"], r["ms"], r["images_per_s"], r["tflops"], 100 * r["share"], matrix, r["peak_mib"], peers, r["goal"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step_bench")
    parser.add_argument("--device", default="cuda:0", help="ours")
    parser.add_argument("--compute", default="bfloat16", choices=sorted(BOUND))
    parser.add_argument("--options", default="compute=COMPUTE", help="of the device, with COMPUTE in place of the type")
    parser.add_argument("--peer-device", default="cuda", help="PyTorch's")
    parser.add_argument("--configs", default="G1,G2,G3,G4,G5")
    parser.add_argument("--peers", default="", help="eager,compile; none without it")
    parser.add_argument("--threads", type=int, default=min(64, os.cpu_count() or 1))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=120, help="for whatever has to be ready")
    parser.add_argument("--total", type=float, default=1e6, help="nothing is begun after so many seconds")
    parser.add_argument("--profile", action="store_true", help="where a step goes, for each")
    parser.add_argument("--out", default="", help="JSON lines are appended here")
    a = parser.parse_args()
    a.step_bench = os.path.abspath(a.step_bench)
    with tempfile.TemporaryDirectory() as folder:
        a.out = a.out or os.path.join(folder, "cuda.jsonl")
        bench = Bench(a, folder)
        bench.run(a.configs.split(","))
    sys.exit(bench.failed)


if __name__ == "__main__":
    main()
