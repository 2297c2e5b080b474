"""The residual layer of Won et al. 2020; importing this module imports torch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mgrkit_neural.literature.stack import unbiased


class Strided(nn.Module):
    """Two 3x3 convolutions beside a third; it halves bands and frames, rounding up."""

    def __init__(self, into: int, out: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            unbiased(nn.Conv2d(into, out, 3, 2, 1)), nn.BatchNorm2d(out), nn.ReLU(),
            unbiased(nn.Conv2d(out, out, 3, 1, 1)), nn.BatchNorm2d(out),
        )  # fmt: skip
        self.shortcut = nn.Sequential(unbiased(nn.Conv2d(into, out, 3, 2, 1)), nn.BatchNorm2d(out))

    def forward(self, x: Tensor) -> Tensor:
        """``(n, into, bands, frames)`` to ``(n, out, half, half)``."""
        return torch.relu(self.shortcut(x) + self.convolutions(x))
