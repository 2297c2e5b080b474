"""A network of two layers that has learnt nothing: even so, it hears what sounds alike."""

import math

import numpy as np

from mgrkit import seeds
from mgrkit.features.windows import windows
from mgrkit.spectrograms import decibels
from mgrkit_ears.hooks import FRONT_END

WINDOW, HOP = 100, 50  # frames of 20 ms
SHAPES = (8, 1, 3, 3), (16, 8, 3, 3)


class Ears:
    def __init__(self, weights, device):
        import torch

        # With weights, their arrays are `safetensors.torch.load_file(weights)`.
        draw = seeds.generator(0, "made-ears").standard_normal
        kernels = [draw(shape, np.float32) / math.prod(shape[1:]) ** 0.5 for shape in SHAPES]
        self.kernels = [torch.from_numpy(kernel).to(device) for kernel in kernels]
        self.device = device

    def prepare(self, samples):
        levels, _ = decibels(samples, FRONT_END)
        return windows(levels.T, WINDOW, HOP) / np.float32(80) + 1

    def embed(self, prepared):
        # A GPU is full only with several pieces at once. A CPU would not gain by them, and might
        # add up in another order: there a piece's rows must not depend on those beside it.
        batches = prepared if self.device == "cpu" else [np.concatenate(prepared)]
        rows = np.concatenate([self.rows(batch) for batch in batches])
        return np.split(rows, np.cumsum([len(piece) for piece in prepared])[:-1])

    def rows(self, batch):
        import torch
        from torch.nn.functional import conv2d, max_pool2d

        with torch.inference_mode():
            x = torch.from_numpy(batch)[:, None].to(self.device)
            for kernel in self.kernels:
                x = max_pool2d(conv2d(x, kernel).relu(), 2)
            return torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1).cpu().numpy()
