# SPDX-License-Identifier: BSD-2-Clause
"""The same evaluation by pytorch-fid, where it is installed: evaluate_peer.py MASKDM IMAGES [--count N] [--blocks N]
[--threads N]

Weights of Inception-v3 by a formula from the names of its tensors (real ones are no quicker) go to pytorch-fid as
the file that it looks for, and to `maskdm evaluate` by way of `maskdm convert`. First both tell the FID of two folders
of 100 images of IMAGES, which must agree to 1e-3. Then each block of --count other images is looked at by both, one
after the other, in turn the one first and the other: mean and covariance of a folder's features. Ours is a process a
block, its start and its weights in its time; pytorch-fid has started and read its weights before. `ratio` is theirs
over ours of the time, processor_ratio and memory_ratio of processor time and of memory at the most; the last line has
the medians of the blocks.
"""
import argparse
import importlib.metadata
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

WEIGHTS = "pt_inception-2015-12-05-6726825d.pth"  # by the name that pytorch-fid downloads it
AGREE, BATCH, DIMS = 100, 50, 2048


# ---- weights ----

def formula(torch, name, tensor):
    """tests/reference/inception.c has the same: splitmix64 of the hash of the name."""
    import numpy as np
    h = 0xcbf29ce484222325
    for c in name.encode():
        h = (h ^ c) * 0x100000001b3 % 2 ** 64
    with np.errstate(over="ignore"):
        z = np.arange(tensor.numel(), dtype=np.uint64) + np.uint64(h) + np.uint64(0x9e3779b97f4a7c15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xbf58476d1ce4e5b9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94d049bb133111eb)
        u = ((z ^ (z >> np.uint64(31))) >> np.uint64(40)).astype(np.float64) / 2 ** 24
    if name.endswith(("bn.weight", "bn.running_var")):
        value = 0.5 + u
    else:
        product = name.endswith(("conv.weight", "fc.weight"))
        value = (2 * u - 1) * ((6 / tensor[0].numel()) ** 0.5 if product else 0.1)
    return torch.from_numpy(value.astype(np.float32)).reshape(tensor.shape)


def make_weights(path):
    """In a process of its own, since the peak memory of a child counts from its parent's on. Names and shapes are
    pytorch-fid's own: its network is made without a file by leaving out what reads one."""
    import torch
    from pytorch_fid import inception
    kept, inception.load_state_dict_from_url = inception.load_state_dict_from_url, lambda *_, **__: None
    load, torch.nn.Module.load_state_dict = torch.nn.Module.load_state_dict, lambda *_, **__: None
    try:
        names = inception.fid_inception_v3().state_dict()
    finally:
        inception.load_state_dict_from_url, torch.nn.Module.load_state_dict = kept, load
    torch.save({n: torch.tensor(0) if t.dim() == 0 else formula(torch, n, t) for n, t in names.items()}, path)


# ---- both programs ----

def worker(threads):
    """For each line, one folder or two: seconds, processor seconds and MiB, and the FID of two."""
    import torch
    from pytorch_fid import fid_score, inception
    fid_score.tqdm = lambda batches: batches
    torch.set_num_threads(threads)
    model = inception.InceptionV3([inception.InceptionV3.BLOCK_INDEX_BY_DIM[DIMS]])
    print("ready", flush=True)
    for line in sys.stdin:
        start, busy = time.perf_counter(), time.process_time()
        made = [fid_score.compute_statistics_of_path(folder, model, BATCH, DIMS, "cpu", 0)
                for folder in json.loads(line)]
        spent = [time.perf_counter() - start, time.process_time() - busy,
                 resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]
        if len(made) == 2:
            spent.append(float(fid_score.calculate_frechet_distance(*made[0], *made[1])))
        print(json.dumps(spent), flush=True)


class Peer:
    def __init__(self, home, threads):
        self.p = subprocess.Popen([sys.executable, __file__, "--worker", str(threads)], text=True,
                                  env={**os.environ, "TORCH_HOME": home},
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self.p.stdout.readline() != "ready\n":
            sys.exit("evaluate_peer: pytorch-fid did not start")

    def look(self, *folders):
        self.p.stdin.write(json.dumps(folders) + "\n")
        self.p.stdin.flush()
        return json.loads(self.p.stdout.readline())

    def close(self):
        self.p.stdin.close()
        self.p.wait()


class Ours:
    def __init__(self, program, features, threads, out):
        self.command = [program, "evaluate", "--features", features, "--threads", str(threads)]
        self.out = out

    def run(self, *arguments):
        """Seconds, processor seconds, MiB, and what it says."""
        start = time.perf_counter()
        p = subprocess.Popen([*self.command, *arguments], text=True, stdout=subprocess.PIPE)
        said = p.stdout.read()
        _, status, used = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
        if p.returncode:
            sys.exit("evaluate_peer: maskdm evaluate failed")
        return [time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, said]

    def look(self, folder):
        return self.run("--images", folder, "--save-statistics", self.out)[:3]

    def fid(self, images, reference):
        return json.loads(self.run("--images", images, "--reference", reference, "--json")[3])["fid"]


# ---- images ----

def all_images(folder):
    """In an order that goes over the classes."""
    found = sorted(os.path.join(at, name) for at, _, names in os.walk(folder) for name in names
                   if name.endswith((".jpg", ".png")))
    random.Random(0).shuffle(found)
    return found


def lay_out(images, folder):
    """pytorch-fid takes flat folders."""
    os.mkdir(folder)
    for i, path in enumerate(images):
        shutil.copyfile(path, os.path.join(folder, "%05d%s" % (i, os.path.splitext(path)[1])))
    return folder


# ---- the comparison ----

def check_fids(ours, peer, a, b):
    """By a peer that ends then, so that the matrix root's memory is not in that of the blocks."""
    mine, theirs = ours.fid(a, b), peer.look(a, b)[3]
    peer.close()
    difference = abs(mine / theirs - 1)
    print("fid=%.4f peer_fid=%.4f difference=%.1e" % (mine, theirs, difference), flush=True)
    if not difference < 1e-3:
        sys.exit("evaluate_peer: the FIDs differ by more than 1e-3")


def print_block(name, count, mine, theirs):
    ratios = [t / m for m, t in zip(mine, theirs)]
    print("%s images_per_s=%.2f peer_images_per_s=%.2f ratio=%.3f processor_ms=%.0f peer_processor_ms=%.0f "
          "processor_ratio=%.3f peak_mib=%.0f peer_peak_mib=%.0f memory_ratio=%.2f" % (
              name, count / mine[0], count / theirs[0], ratios[0], mine[1] / count * 1e3, theirs[1] / count * 1e3,
              ratios[1], mine[2], theirs[2], ratios[2]), flush=True)


def compare(a, folder):
    images = all_images(a.images)
    if len(images) < 2 * AGREE + a.count:
        sys.exit("evaluate_peer: %d images in %s, and %d are needed" % (len(images), a.images, 2 * AGREE + a.count))
    weights = os.path.join(folder, "hub", "checkpoints", WEIGHTS)
    features = os.path.join(folder, "inception.safetensors")
    os.makedirs(os.path.dirname(weights))
    subprocess.run([sys.executable, __file__, "--weights", weights], check=True)
    subprocess.run([a.maskdm, "convert", "--from", weights, "--out", features], check=True, stdout=subprocess.DEVNULL)
    ours = Ours(a.maskdm, features, a.threads, os.path.join(folder, "s.safetensors"))
    pair = [lay_out(images[k * AGREE:][:AGREE], os.path.join(folder, "pair%d" % k)) for k in range(2)]
    check_fids(ours, Peer(folder, a.threads), *pair)
    peer, mine, theirs = Peer(folder, a.threads), [], []
    for block in range(a.blocks):
        first = 2 * AGREE + block * a.count % (len(images) - 2 * AGREE - a.count + 1)
        at = lay_out(images[first:][:a.count], os.path.join(folder, "block%d" % block))
        for one, out in ((ours, mine), (peer, theirs))[::1 if block % 2 == 0 else -1]:
            out.append(one.look(at))
        print_block("block%d" % block, a.count, mine[-1], theirs[-1])
    peer.close()
    middle = [[statistics.median(b[k] for b in blocks) for k in range(3)] for blocks in (mine, theirs)]
    print_block("all", a.count, *middle)


def main():
    if sys.argv[1:2] == ["--worker"]:
        worker(int(sys.argv[2]))
        return
    if sys.argv[1:2] == ["--weights"]:
        make_weights(sys.argv[2])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("maskdm")
    parser.add_argument("images", help="a folder of PNGs and JPEGs, and of folders of them")
    parser.add_argument("--count", type=int, default=500, help="images of a block")
    parser.add_argument("--blocks", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    a = parser.parse_args()
    a.maskdm = os.path.abspath(a.maskdm)
    try:
        versions = tuple(importlib.metadata.version(name) for name in ("torch", "torchvision", "pytorch-fid"))
    except importlib.metadata.PackageNotFoundError as e:
        sys.exit("evaluate_peer: %s is not installed, so there is nothing to compare with" % e.name)
    print("PyTorch %s, torchvision %s, pytorch-fid %s, %d threads" % (*versions, a.threads), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        compare(a, folder)


if __name__ == "__main__":
    main()
