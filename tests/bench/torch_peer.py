# SPDX-License-Identifier: BSD-2-Clause
"""The same training step in PyTorch, where it is installed: torch_peer.py STEP_BENCH [--threads N] [--rounds N] [LABEL ...]

step_bench writes weights, a batch and its loss; PyTorch must find the same loss (to 1e-5) before it is timed. Each
round times a step of ours, one of PyTorch's as it comes ("eager") and one through torch.compile; `ratio` is the
median of theirs over ours. All have AdamW, gradient clipping and EMA in the step, PyTorch in its fused and foreach
forms; a U-Net is timed with its channels last as well. Peak memory is the process's, less what it had before the
network was made. Labels: C1 to C4, C13 and C14; C2 without one.
C12 are convolutions alone, forward and backward, on the same numbers, whose results must have the same mean squares (to
1e-5): PyTorch's time is the better of its two layouts, channels first ("eager") and last.
"""
import argparse
import json
import os
import re
import resource
import statistics
import struct
import subprocess
import sys
import tempfile
import time

import torch_networks

NETWORK = {"C1": ("uvit", 8), "C2": ("uvit", 8), "C3": ("uvit", 8), "C4": ("uvit", 12), "T0": ("uvit", 1),
           "C13a": ("jit", 8), "C13b": ("jit", 8), "C14": ("unet", 0)}
MODES = {"uvit": ("eager", "compiled"), "jit": ("eager", "compiled"),
         "unet": ("eager", "channels_last", "compiled")}
CONVOLUTION = {"C12a": (64, 32), "C12b": (128, 16), "C12c": (256, 8)}  # channels, side
DTYPE = {"F32": "float32", "F64": "float64", "I32": "int32"}


def read_tensors(path, torch):
    with open(path, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        data = bytearray(f.read())
    header.pop("__metadata__", None)
    tensors = {}
    for name, t in header.items():
        start, end = t["data_offsets"]
        tensors[name] = torch.frombuffer(data, dtype=getattr(torch, DTYPE[t["dtype"]]), offset=start,
                                         count=(end - start) * 8 // int(t["dtype"][1:])).reshape(t["shape"]).clone()
    return tensors


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def worker(path, mode, threads, network, heads):
    """A line with the difference of the losses; then a step, and a line of its milliseconds, for each line read."""
    import torch
    torch.set_num_threads(threads)
    before = peak()
    tensors = read_tensors(path, torch)
    batch = {n[5:]: tensors.pop(n) for n in list(tensors) if n.startswith("peer.")}
    x, index = batch["x_t"], batch["index"].long()
    target = torch_networks.visible(batch["target"], index).flatten(2)
    if mode == "channels_last":
        images = {n: t.contiguous(memory_format=torch.channels_last) for n, t in tensors.items() if t.dim() == 4}
        tensors.update(images)
    weights = {n: t.requires_grad_(n != "pos_embed") for n, t in tensors.items()}
    trained = [t for t in weights.values() if t.requires_grad]
    average = [t.detach().clone() for t in trained]
    optimizer = torch.optim.AdamW(trained, lr=2e-4, betas=(0.99, 0.99), weight_decay=0.03, fused=True)
    predict = getattr(torch_networks, network)
    forward = torch.compile(predict) if mode == "compiled" else predict

    def find_loss():
        return ((forward(torch, weights, heads, x, batch["times"], index) - target) ** 2).mean()

    loss = find_loss()
    print(abs(loss.item() / batch["loss"].item() - 1), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        loss = find_loss()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0, foreach=True)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        with torch.no_grad():
            torch._foreach_lerp_(average, trained, 1e-4)
        print((time.perf_counter() - start) * 1e3, peak() - before, flush=True)


class Peer:
    def __init__(self, path, mode, threads, network):
        setting = [path, mode, str(threads), *map(str, network)]
        self.p = subprocess.Popen([sys.executable, __file__, "--worker", *setting],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.difference = float(self.p.stdout.readline() or "nan")
        if not self.difference < 1e-5:
            sys.exit("torch_peer: PyTorch's loss (%s) is off by %g" % (mode, self.difference))

    def step(self):
        self.p.stdin.write("\n")
        self.p.stdin.flush()
        return [float(v) for v in self.p.stdout.readline().split()]

    def close(self):
        self.p.stdin.close()
        self.p.wait()


def our_step(bench, label, threads, names=("step_ms", "peak_mib")):
    line = subprocess.run([bench, "--threads", str(threads), "--rounds", "1", label], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    return [float(re.search(r"\b%s=(\S+)" % name, line).group(1)) for name in names]


def compare(bench, label, threads, rounds, folder):
    path = os.path.join(folder, label + ".safetensors")
    subprocess.run([bench, "--threads", str(threads), "--export", path, label], check=True)
    peers = {mode: Peer(path, mode, threads, NETWORK[label]) for mode in MODES[NETWORK[label][0]]}
    for peer in peers.values():
        peer.step()
    ours, theirs = [], {mode: [] for mode in peers}
    for _ in range(rounds):
        ours.append(our_step(bench, label, threads))
        for mode, peer in peers.items():
            theirs[mode].append(peer.step())
    for mode, peer in peers.items():
        ratio = sorted(t[0] / o[0] for t, o in zip(theirs[mode], ours))
        print("%s %s ratio=%.3f ratio_min=%.3f ratio_max=%.3f step_ms=%.1f peer_step_ms=%.1f peak_mib=%.0f "
              "peer_peak_mib=%.0f loss_difference=%.1e threads=%d" % (
                  label, mode, statistics.median(ratio), ratio[0], ratio[-1], statistics.median(o[0] for o in ours),
                  statistics.median(t[0] for t in theirs[mode]), max(o[1] for o in ours),
                  max(t[1] for t in theirs[mode]), peer.difference, threads), flush=True)
        peer.close()


def convolution(torch, channels, side, layout, batch=16):
    """A function that runs forward and backward once, and another for the mean squares of y, dx and dw."""
    def values(*shape):
        n = torch.arange(torch.tensor(shape).prod().item())
        return (((n * 2654435761) & 0xffffffff) >> 16).float().div(32768).sub(1).reshape(shape)

    def image():
        return values(batch, side, side, channels).permute(0, 3, 1, 2).contiguous(memory_format=layout)

    x, w = image().requires_grad_(), values(channels, channels, 3, 3).contiguous(memory_format=layout).requires_grad_()
    b, dy, made = values(channels).requires_grad_(), image(), []

    def run():
        x.grad = w.grad = b.grad = None
        made[:] = [torch.nn.functional.conv2d(x, w, b, padding=1)]
        made[0].backward(dy)

    return run, lambda: [t.detach().double().square().mean().item() for t in (made[0], x.grad, w.grad)]


def timed(run):
    """Milliseconds of one, the mean over as many as fill about half a second."""
    start, n = time.perf_counter(), 0
    while time.perf_counter() - start < 0.5:
        run()
        n += 1
    return (time.perf_counter() - start) / n * 1e3


def compare_convolution(bench, label, threads, rounds, torch):
    torch.set_num_threads(threads)
    channels, side = CONVOLUTION[label]
    layouts = {"eager": torch.contiguous_format, "channels_last": torch.channels_last}
    peers = {name: convolution(torch, channels, side, layout) for name, layout in layouts.items()}
    ours, theirs = [], {name: [] for name in peers}
    for _ in range(rounds):
        ours.append(our_step(bench, label, threads, ("step_ms", "y", "dx", "dw")))
        for name, (run, squares) in peers.items():
            run()
            worst = max(abs(got / want - 1) for got, want in zip(squares(), ours[-1][1:]))
            if not worst < 1e-5:
                sys.exit("torch_peer: PyTorch's %s (%s) is off by %g" % (label, name, worst))
            theirs[name].append(timed(run))
    best = min(theirs, key=lambda name: statistics.median(theirs[name]))
    ratio = sorted(t / o[0] for t, o in zip(theirs[best], ours))
    print("%s %s ratio=%.3f ratio_min=%.3f ratio_max=%.3f step_ms=%.2f peer_step_ms=%.2f threads=%d" % (
        label, best, statistics.median(ratio), ratio[0], ratio[-1], statistics.median(o[0] for o in ours),
        statistics.median(theirs[best]), threads), flush=True)


def main():
    if sys.argv[1:2] == ["--worker"]:
        worker(sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5], int(sys.argv[6]))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step_bench")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("labels", nargs="*", default=["C2"])
    a = parser.parse_intermixed_args()
    try:
        import torch
    except ImportError:
        sys.exit("torch_peer: PyTorch is not installed, so there is nothing to compare with")
    print("PyTorch %s" % torch.__version__)
    with tempfile.TemporaryDirectory() as folder:
        for label in a.labels:
            if label in CONVOLUTION:
                compare_convolution(os.path.abspath(a.step_bench), label, a.threads, a.rounds, torch)
            else:
                compare(os.path.abspath(a.step_bench), label, a.threads, a.rounds, folder)


if __name__ == "__main__":
    main()
