# SPDX-License-Identifier: BSD-2-Clause
"""PyTorch's side of cuda.py: torch_step.py DEVICE COMPUTE MODE [FILE TASK NETWORK HEADS [once]]

A process that speaks in lines. When PyTorch is imported it says so and waits; then it makes what FILE (step_bench
--export) holds ready, says what it found, and from then on measures for each line. TASK is train or sample; MODE is
"eager", PyTorch as it comes, or "compile": torch.compile, the fastest attention that PyTorch has for the shape, and
the whole step in one CUDA graph. Both have bf16 autocast (where COMPUTE is bfloat16), fused AdamW, clipping and EMA; noise
is ready made, and nobody asks for a step's loss. MODE rates needs no file: a matrix product and a copy. "once": compile, and
leave what was compiled in the cache.
"""
import json
import sys
import time

import torch_networks
from torch_peer import read_tensors

EVALUATIONS = 20


def say(**facts):
    print(json.dumps(facts), flush=True)


class Peer:
    def __init__(self, torch, device, compute, mode):
        self.torch, self.device, self.mode = torch, torch.device(device), mode
        self.compute = compute
        self.gpu = self.device.type == "cuda"
        self.graphed = self.attention = ""
        if not self.gpu:
            torch.set_num_threads(1)
        if compute != "float32":
            torch.set_float32_matmul_precision("high")

    def wait(self):
        if self.gpu:
            self.torch.cuda.synchronize()

    def amp(self):
        return self.torch.autocast(self.device.type, dtype=self.torch.bfloat16, enabled=self.compute == "bfloat16")

    def seconds(self, run, least=0.5):
        """Of one, the mean over as many as fill about half a second."""
        self.wait()
        start, count, some = time.perf_counter(), 0, 1
        while time.perf_counter() - start < least:
            for _ in range(some):
                run()
            self.wait()
            count += some
            some = max(1, int(count * 0.25 * least / (time.perf_counter() - start)))
        return (time.perf_counter() - start) / count

    def choose_attention(self, batch, heads, tokens, width):
        """Leave PyTorch the one of its ways that is fastest forward and backward."""
        torch, cuda = self.torch, self.torch.backends.cuda
        from torch.nn.attention import SDPBackend, sdpa_kernel
        ways = {"flash": SDPBackend.FLASH_ATTENTION, "cudnn": SDPBackend.CUDNN_ATTENTION,
                "efficient": SDPBackend.EFFICIENT_ATTENTION}
        kind = torch.bfloat16 if self.compute == "bfloat16" else torch.float32
        qkv = torch.randn(batch, tokens, 3, heads, width, device=self.device, dtype=kind, requires_grad=True)
        taken = {}

        def run():
            q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
            y = torch.nn.functional.scaled_dot_product_attention(q, k, v)
            y.backward(y)
            qkv.grad = None

        for name, way in ways.items():
            try:
                with sdpa_kernel(way):
                    run()
                    taken[name] = self.seconds(run, 0.1)
            except RuntimeError:
                pass
        self.attention = min(taken, key=taken.get) if taken else ""
        if self.attention:
            cuda.enable_flash_sdp(self.attention == "flash")
            cuda.enable_cudnn_sdp(self.attention == "cudnn")
            cuda.enable_mem_efficient_sdp(self.attention == "efficient")
            self.attention += " %.2f ms of %s" % (1e3 * min(taken.values()), {n: round(1e3 * t, 2) for n, t in taken.items()})

    def graph(self, run):
        """run() once captured; or run, and why not."""
        torch = self.torch
        if not self.gpu:
            return run
        try:
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(3):
                    run()
            torch.cuda.current_stream().wait_stream(side)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                run()
            self.graphed = "yes"
            return graph.replay
        except RuntimeError as why:
            self.graphed = "no: " + str(why).splitlines()[0]
            return run


def read(peer, path):
    tensors = {n: t.to(peer.device) for n, t in read_tensors(path, peer.torch).items()}
    batch = {n[5:]: tensors.pop(n) for n in list(tensors) if n.startswith("peer.")}
    return tensors, batch["x_t"], batch["index"].long(), batch["target"], batch["times"]


def training(peer, path, network, heads, once):
    torch = peer.torch
    tensors, x, index, target, times = read(peer, path)
    target = torch_networks.visible(target, index).flatten(2)
    weights = {n: t.requires_grad_(n != "pos_embed") for n, t in tensors.items()}
    trained = [t for t in weights.values() if t.requires_grad]
    average = [t.detach().clone() for t in trained]
    compiled = peer.mode == "compile"
    optimizer = torch.optim.AdamW(trained, lr=2e-4, betas=(0.99, 0.99), weight_decay=0.03, fused=True,
                                  capturable=compiled and peer.gpu)
    predict = getattr(torch_networks, network)
    if compiled and peer.gpu:
        dim = heads * 64
        peer.choose_attention(x.shape[0], heads, index.shape[1] + 1, dim // heads)

    def find_loss():
        with peer.amp():
            out = predict(torch, weights, heads, x, times, index)
        return ((out.float() - target) ** 2).mean()

    forward = torch.compile(find_loss, dynamic=False) if compiled else find_loss

    def step():
        loss = forward()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(trained, 1.0, foreach=True)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        with torch.no_grad():
            torch._foreach_lerp_(average, trained, 1e-4)
        return loss.detach(), norm

    loss, norm = (v.item() for v in step())
    if once:
        return None, loss, norm
    return peer.graph(step) if compiled else step, loss, norm


def sampling(peer, path, network, heads, once):
    """DDIM's updates with whatever factors: what they are costs nothing."""
    torch = peer.torch
    tensors, x, index, _, times = read(peer, path)
    if peer.compute == "bfloat16":
        tensors = {n: t.bfloat16() if t.dim() > 1 and n.endswith("weight") else t for n, t in tensors.items()}
    predict = getattr(torch_networks, network)
    compiled = peer.mode == "compile"
    side, p = x.shape[1], torch_networks.PATCH
    if compiled and peer.gpu:
        peer.choose_attention(x.shape[0], heads, index.shape[1] + 1, 64)

    def evaluate(x, times, a, b):
        with peer.amp():
            out = predict(torch, tensors, heads, x, times, index).float()
        image = out.reshape(x.shape[0], side // p, side // p, p, p, 3).transpose(2, 3).reshape(x.shape)
        return a * x + b * image

    forward = torch.compile(evaluate, dynamic=False) if compiled else evaluate
    at = [times * (1 - k / EVALUATIONS) for k in range(EVALUATIONS)]
    a, b = (torch.tensor(v, device=peer.device) for v in (0.99, -0.01))

    @torch.no_grad()
    def images():
        y = x
        for t in at:
            y = forward(y, t, a, b)
        return y

    with torch.no_grad():
        out = evaluate(x, times, torch.zeros_like(a), torch.ones_like(b))
    loss = out.square().mean().item()
    images()
    if once:
        return None, loss, -1
    return peer.graph(images) if compiled else images, loss, -1


def rates(peer):
    """What a product of matrices and a copy come to."""
    torch = peer.torch
    n, many = (8192, 1 << 28) if peer.gpu else (512, 1 << 22)
    kind = torch.bfloat16 if peer.compute == "bfloat16" else torch.float32
    a, b = (torch.randn(n, n, device=peer.device, dtype=kind) for _ in range(2))
    c = torch.empty_like(a)
    x = torch.randn(many, device=peer.device)
    y = torch.empty_like(x)

    def measure():
        return {"tflops": 2 * n ** 3 / peer.seconds(lambda: torch.mm(a, b, out=c), 0.1) / 1e12,
                "gbs": 8 * many / peer.seconds(lambda: y.copy_(x), 0.05) / 1e9}

    measure()
    name = torch.cuda.get_device_name(peer.device) if peer.gpu else "the processor"
    say(name=name)
    for _ in sys.stdin:
        say(**measure())


def main():
    device, compute, mode = sys.argv[1:4]
    import torch
    say(torch=torch.__version__)
    if not sys.stdin.readline():
        return
    peer = Peer(torch, device, compute, mode)
    start = time.perf_counter()
    if mode == "rates":
        rates(peer)
        return
    path, task, network, heads = sys.argv[4:8]
    once = sys.argv[8:] == ["once"]
    run, loss, norm = (training if task == "train" else sampling)(peer, path, network, int(heads), once)
    if run:
        run()
        peer.wait()
    peak = torch.cuda.max_memory_allocated() / 2 ** 20 if peer.gpu else 0
    say(loss=loss, grad_norm=norm, peak_mib=peak, attention=peer.attention, graph=peer.graphed,
        ready_seconds=time.perf_counter() - start)
    for _ in sys.stdin if run else ():
        say(ms=1e3 * peer.seconds(run))


if __name__ == "__main__":
    main()
