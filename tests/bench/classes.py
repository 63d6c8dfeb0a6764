# SPDX-License-Identifier: BSD-2-Clause
"""What share of sampled images a classifier takes for the label that they were asked for.

    classes.py [--epochs N] TRAIN TEST SAMPLES...

TRAIN and TEST have a folder for each class; a small convolutional network is trained on the former and judged on the
latter. SAMPLES are folders as `maskdm sample --label 0,1,...` writes them: image i was asked for label i modulo the
number of classes. One line a folder: the share that is called right, and how sure the classifier was of the label.
"""
import argparse
import os
import sys

try:
    import numpy
    import torch
    from PIL import Image
    from torch import nn
except ImportError:
    print("torch, numpy and Pillow are not all installed: nothing judged")
    sys.exit(77)


def files(folder):
    return sorted(os.path.join(folder, name) for name in os.listdir(folder) if name.endswith((".png", ".jpg", ".jpeg")))


def images(paths):
    pixels = numpy.stack([numpy.asarray(Image.open(path).convert("RGB")) for path in paths])
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1


def labelled(root):
    classes = sorted(name for name in os.listdir(root) if os.path.isdir(os.path.join(root, name)))
    lists = [files(os.path.join(root, name)) for name in classes]
    labels = torch.tensor([i for i, paths in enumerate(lists) for _ in paths])
    return images([path for paths in lists for path in paths]), labels, classes


def stage(before, after):
    return [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(),
            nn.Conv2d(after, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2)]


def train(x, labels, classes, epochs):
    torch.manual_seed(1)
    net = nn.Sequential(*stage(3, 24), *stage(24, 48), *stage(48, 96), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                        nn.Dropout(0.3), nn.Linear(96, classes))
    steps = epochs * (len(x) // 128)
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    for _ in range(epochs):
        order = torch.randperm(len(x))
        for some in order[:len(x) // 128 * 128].split(128):
            batch = torch.where(torch.rand(len(some), 1, 1, 1) < 0.5, x[some].flip(3), x[some])
            batch = nn.functional.pad(batch, (4, 4, 4, 4), mode="reflect")
            top, left = torch.randint(0, 9, (2,)).tolist()
            loss = nn.functional.cross_entropy(net(batch[:, :, top:top + 32, left:left + 32]), labels[some])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return net.eval()


@torch.no_grad()
def judge(net, x, labels):
    sure = torch.cat([net(some).softmax(1) for some in x.split(500)])
    return (sure.argmax(1) == labels).float().mean().item(), sure[torch.arange(len(x)), labels].mean().item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("train")
    parser.add_argument("test")
    parser.add_argument("samples", nargs="*")
    args = parser.parse_args()
    x, labels, classes = labelled(args.train)
    net = train(x, labels, len(classes), args.epochs)
    test, test_labels, _ = labelled(args.test)
    print("%s: right %.3f, sure %.3f" % ((args.test,) + judge(net, test, test_labels)), flush=True)
    for folder in args.samples:
        paths = files(folder)
        asked = torch.tensor([int(os.path.splitext(os.path.basename(path))[0]) % len(classes) for path in paths])
        print("%s: right %.3f, sure %.3f" % ((folder,) + judge(net, images(paths), asked)), flush=True)


main()
