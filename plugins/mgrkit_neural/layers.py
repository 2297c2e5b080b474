"""Parts that the networks share; importing this module imports torch.

All take pictures ``(n, channels, bands, frames)`` of any size. Where a size is halved, it is
rounded up, so that a picture of one frame passes too.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mgrkit_neural import vision
from mgrkit_neural.pictures import CELL


def convolved(into: int, out: int, stride: tuple[int, int] = (1, 1)) -> nn.Sequential:
    """A 3x3 convolution, batch normalisation and ReLU; a stride of 2 halves bands or frames."""
    return nn.Sequential(
        nn.Conv2d(into, out, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(out),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    """Two 3x3 convolutions beside a short cut (He et al. 2016, figure 2); the size stays."""

    def __init__(self, into: int, out: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            convolved(into, out), nn.Conv2d(out, out, 3, padding=1, bias=False), nn.BatchNorm2d(out)
        )
        self.shortcut: nn.Module = nn.Identity()
        if into != out:
            self.shortcut = nn.Sequential(nn.Conv2d(into, out, 1, bias=False), nn.BatchNorm2d(out))

    def forward(self, x: Tensor) -> Tensor:
        """``(n, into, bands, frames)`` to ``(n, out, bands, frames)``."""
        return torch.relu_(self.shortcut(x) + self.convolutions(x))


def pool(bands: int = 2, frames: int = 2) -> nn.MaxPool2d:
    """The greatest of each ``bands`` x ``frames``; what is left over at the edge counts too."""
    return nn.MaxPool2d((bands, frames), ceil_mode=True)


class MeanBands(nn.Module):
    """A picture as a sequence in time: the mean over the bands."""

    def forward(self, x: Tensor) -> Tensor:
        """``(n, channels, bands, frames)`` to ``(n, frames, channels)``."""
        return x.mean(2).transpose(1, 2)


class Recurrent(nn.Module):
    """A GRU over time in both directions, and the mean of its outputs."""

    def __init__(self, into: int, hidden: int) -> None:
        super().__init__()
        self.gru = nn.GRU(into, hidden, batch_first=True, bidirectional=True)

    def forward(self, x: Tensor) -> Tensor:
        """``(n, frames, into)`` to ``(n, 2 * hidden)``."""
        columns: Tensor = self.gru(x)[0]
        return columns.mean(1)


class Patches(nn.Module):
    """Patches side by side, each as one vector, with its place added.

    Three convolutions of stride 2 (the last one in bands only) lie between the pixels and the
    patches, as in Xiao et al. 2021. What is left over at the upper bands or the last frames is
    filled up with zeros, the mean of the pictures. The place among the bands is learnt; that in
    time is a fixed sum of waves (Vaswani et al. 2017), so that no number of frames is too many.

    Parameters
    ----------
    bands : of the pictures.
    patch : bands and frames of a patch, multiples of `pictures.CELL`.
    width : length of the vectors, even.
    channels : of the pictures.
    """

    def __init__(self, bands: int, patch: tuple[int, int], width: int, channels: int = 1) -> None:
        super().__init__()
        self.patch = patch
        cells = (patch[0] // CELL[0], patch[1] // CELL[1])
        self.project = nn.Sequential(
            convolved(channels, 16, (2, 2)),
            convolved(16, 32, (2, 2)),
            convolved(32, 64, (2, 1)),
            nn.Conv2d(64, width, cells, cells),
        )
        self.place = nn.Parameter(0.02 * torch.randn(1, width, -(-bands // patch[0]), 1))

    def forward(self, x: Tensor) -> Tensor:
        """``(n, channels, bands, frames)`` to ``(n, patches, width)``."""
        above, beside = -x.shape[2] % self.patch[0], -x.shape[3] % self.patch[1]
        x = self.project(nn.functional.pad(x, (0, beside, 0, above))) + self.place
        x = x + 0.1 * waves(x.shape[1], x.shape[3], x.device)
        return x.flatten(2).transpose(1, 2)


def waves(width: int, frames: int, device: torch.device) -> Tensor:
    """Sines and cosines of the frames' numbers, float32 ``(width, 1, frames)``."""
    rates = 1000.0 ** (-torch.arange(0, width, 2, device=device) / width)
    phase = rates[:, None, None] * torch.arange(frames, device=device)
    return torch.cat([phase.sin(), phase.cos()])


class Transformer(nn.Module):
    """Encoder blocks of torchvision over a sequence, and the mean of what comes out.

    Parameters
    ----------
    heads : of attention; the vectors are 32 times as long.
    depth : number of blocks.
    drop : share of the sequence that is left out in training, another one for each example.
    """

    def __init__(self, heads: int, depth: int, drop: float) -> None:
        super().__init__()
        width, block = 32 * heads, vision.models("vision_transformer").EncoderBlock
        self.drop = drop
        self.blocks = nn.Sequential(
            *(block(heads, width, 2 * width, 0.0, 0.0) for _ in range(depth)), nn.LayerNorm(width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """``(n, length, width)`` to ``(n, width)``."""
        if self.training and self.drop:
            kept = max(1, round(x.shape[1] * (1 - self.drop)))
            chosen = torch.rand(x.shape[:2], device=x.device).argsort(1)[:, :kept, None]
            x = x.gather(1, chosen.expand(-1, -1, x.shape[2]))
        columns: Tensor = self.blocks(x)
        return columns.mean(1)
