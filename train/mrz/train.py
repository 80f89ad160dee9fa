"""Trains the reader of MRZ lines on synthetic strips and writes it as ONNX.

    /usr/bin/python3 train/mrz/train.py --minutes 25 --out mrz.onnx

Input [1, 1, 32, W] grey with mean 0 and deviation 1, W a multiple of 8 up to 1024. Output [1, W/4, 38] logits:
class 0 is the CTC blank, then A-Z, 0-9 and <.
"""

import argparse
import math
import random
import time

import cv2
import numpy as np
import torch
from torch import nn

from lines import ALPHABET, HEIGHT, Lines

BATCH, RATE = 24, 3e-3


def conv(i, o, kernel=3, groups=1, padding=None):
    padding = kernel // 2 if padding is None else padding
    return nn.Sequential(
        nn.Conv2d(i, o, kernel, padding=padding, groups=groups, bias=False), nn.BatchNorm2d(o), nn.ReLU(True)
    )


def separable(i, o):
    return nn.Sequential(conv(i, i, 3, i), conv(i, o, 1))


def context(channels):
    """Lets each step see two steps to either side."""
    return nn.Sequential(conv(channels, channels, (1, 5), channels, (0, 2)), conv(channels, channels, 1))


class Reader(nn.Module):
    """100 k parameters: 32 rows shrink to one, the width to a quarter."""

    def __init__(self):
        super().__init__()
        self.see = nn.Sequential(
            conv(1, 16), nn.MaxPool2d(2),
            conv(16, 32), nn.MaxPool2d(2),
            separable(32, 64), separable(64, 64), nn.MaxPool2d((2, 1)),
            separable(64, 96), separable(96, 96), nn.MaxPool2d((2, 1)),
            separable(96, 128), nn.Conv2d(128, 128, (2, 1), groups=128), conv(128, 128, 1),
        )
        self.read = nn.Sequential(context(128), context(128), nn.Conv2d(128, len(ALPHABET) + 1, 1))

    def forward(self, x):
        return self.read(self.see(x)).squeeze(2).transpose(1, 2)


class Batches(torch.utils.data.IterableDataset):
    """Endless batches: strips padded to one width, targets joined, and the lengths of both."""

    def __init__(self, fonts, seed, margins):
        self.fonts, self.seed, self.margins = fonts, seed, margins

    def __iter__(self):
        cv2.setNumThreads(0)
        worker = torch.utils.data.get_worker_info()
        lines = Lines(self.fonts, random.Random(self.seed * 1000 + (worker.id if worker else 0)), self.margins)
        while True:
            batch = [lines.sample() for _ in range(BATCH)]
            x = np.zeros((BATCH, 1, HEIGHT, max(s.shape[1] for s, _ in batch)), np.float32)
            for k, (strip, _) in enumerate(batch):
                x[k, 0, :, : strip.shape[1]] = strip
            yield (
                torch.from_numpy(x),
                torch.tensor([ALPHABET.index(c) + 1 for _, text in batch for c in text]),
                torch.tensor([len(text) for _, text in batch]),
                torch.tensor([s.shape[1] // 4 for s, _ in batch]),
            )


def train(options):
    torch.manual_seed(options.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu":
        torch.set_num_threads(1)  # the workers that draw need the other cores
    net = Reader().to(device)
    print("parameters", sum(p.numel() for p in net.parameters()), "on", device)
    source = Batches(options.fonts, options.seed, (2, options.margin))
    batches = iter(torch.utils.data.DataLoader(source, batch_size=None, num_workers=options.workers, prefetch_factor=4))
    optimiser = torch.optim.AdamW(net.parameters(), RATE, weight_decay=1e-4)
    loss_of, start, step, mean = nn.CTCLoss(zero_infinity=True), time.time(), 0, None
    while (done := (time.time() - start) / 60 / options.minutes) < 1:
        for group in optimiser.param_groups:  # a short warm-up, then half a cosine
            group["lr"] = RATE * min(1, step / 100 + 0.01) * (0.5 + 0.5 * math.cos(math.pi * done))
        x, targets, target_lengths, lengths = next(batches)
        scores = net(x.to(device)).log_softmax(2).transpose(0, 1)
        loss = loss_of(scores, targets.to(device), lengths, target_lengths)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 2)
        optimiser.step()
        step, mean = step + 1, loss.item() if mean is None else 0.95 * mean + 0.05 * loss.item()
        if step % 100 == 0:
            print(f"step {step} loss {mean:.4f} after {(time.time() - start) / 60:.1f} min", flush=True)
    return net.cpu().eval()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--minutes", type=float, default=25)
    p.add_argument("--out", default="mrz.onnx")
    p.add_argument("--fonts", default="/usr/share/fonts/opentype/ocr-b", help="folder of OCRB.otf and its cuts")
    p.add_argument("--margin", type=float, default=20, help="greatest space above and below a line; see lines.py")
    p.add_argument("--workers", type=int, default=1)
    p.add_argument("--seed", type=int, default=1)
    options = p.parse_args()
    net = train(options)
    torch.onnx.export(
        net, torch.zeros(1, 1, HEIGHT, 512), options.out, input_names=["x"], output_names=["y"],
        dynamic_axes={"x": {3: "w"}, "y": {1: "t"}}, opset_version=13,
    )


if __name__ == "__main__":
    main()
