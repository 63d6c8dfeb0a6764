# SPDX-License-Identifier: BSD-2-Clause
"""What a 64 x 64 model is worth at 128 x 128: transfer.py MASKDM FACES FOLDER [STEPS].

Drawn faces at both sizes (FACES is examples/faces). A primer of STEPS (400) on 64 x 64, masked; then its held-out loss on
whole images of 128 x 128 after the first step, beside that of fresh weights after a tenth of STEPS there. doc/transfer.md
has what it printed."""
import json
import os
import subprocess
import sys

maskdm, faces, folder = (os.path.abspath(p) for p in sys.argv[1:4])
steps = int(sys.argv[4]) if len(sys.argv) > 4 else 400
os.makedirs(folder)
os.chdir(folder)
for size in 64, 128:
    os.mkdir("faces%d" % size)
    subprocess.run([faces, "faces%d" % size, "800", str(size)], check=True, stdout=subprocess.DEVNULL)


def loss(command, out, *flags):
    subprocess.run([maskdm, command, "--out", out, "--batch-size", "16", "--val-share", "0.05", "--seed", "1",
                    "--prediction", "x0", *map(str, flags)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return [line for line in map(json.loads, open(out + "/log.jsonl")) if "held_out_loss" in line][-1]["held_out_loss"]


network = ["--image-size", 64, "--patch-size", 8, "--dim", 128, "--depth", 5, "--heads", 4, "--lr", 5e-4]
primer = loss("pretrain", "primer", "--data", "faces64", "--mask", "patch", "--mask-ratio", 0.5, "--steps", steps, *network)
first = loss("finetune", "first", "--init", "primer/model.safetensors", "--data", "faces128", "--image-size", 128, "--steps", 1,
             "--lr", 5e-4)
network[1] = 128
fresh = [loss("pretrain", "fresh%d" % n, "--data", "faces128", "--steps", n, *network) for n in (1, max(steps // 10, 2))]
print("64 x 64 after %d steps: %.5f" % (steps, primer))
print("128 x 128: the primer after 1 step %.5f, fresh weights after 1 step %.5f, after %d steps %.5f"
      % (first, fresh[0], max(steps // 10, 2), fresh[1]))
sys.exit(first >= fresh[1])
