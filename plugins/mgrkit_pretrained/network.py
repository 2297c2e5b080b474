"""musicnn in torch, for GPUs: the log-mel of pieces in, three layers for each window out.

Pons, Serra, musicnn: pre-trained convolutional neural networks for music audio tagging, ISMIR
2019, late-breaking demo; Pons et al., End-to-end learning for music audio tagging at scale,
ISMIR 2018. What need not be computed is left out as `folding` says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from mgrkit_neural.predicting import in_float32
from torch.nn import functional

from mgrkit.features.windows import windows
from mgrkit_pretrained.folding import Front, dense, layer, norm
from mgrkit_pretrained.layout import HEARD, HOP, POOLED, WINDOW, Layers

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    Floats = NDArray[np.float32]
    Arrays = Mapping[str, Floats]
    Doubles = NDArray[np.float64]

_WINDOWS = 256
"""That go through the network at once: the largest tensor is 313 MB (17 filters by 187 frames by
96 bands, 256 times)."""


class Network:
    """The trained network on a device.

    Parameters
    ----------
    arrays : of `layout.TENSORS`.
    device : 'cuda', 'cuda:1', 'mps'; 'cpu' gives what `numpy_network` does, up to rounding, in
        five times the time.
    """

    def __init__(self, arrays: Arrays, device: str) -> None:
        def placed(values: NDArray[np.floating]) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(values, np.float32)).to(device)

        def column(values: Doubles) -> Tensor:
            return placed(values[:, None])

        self._device = device
        self._input = [placed(values) for values in norm(arrays, 0)]
        front = Front(arrays)
        self._kernels = [placed(kernel) for kernel in front.kernels]
        self._sign, self._bias, self._scale, self._shift = map(
            column, (front.sign, front.bias, front.scale, front.shift)
        )
        self._middle = [
            (placed(kernel), placed(bias), column(scale), column(shift))
            for kernel, bias, scale, shift in _middle(arrays, front)
        ]
        alive = np.concatenate([front.live, np.ones(POOLED - HEARD, bool)])
        self._alive = torch.from_numpy(np.flatnonzero(alive)).to(device)
        self._still = placed(np.concatenate([front.still, np.zeros(POOLED - HEARD)]))
        self._dense = [tuple(map(placed, layer)) for layer in dense(arrays)]

    def __call__(self, pieces: Sequence[Floats]) -> list[Layers]:
        """The layers of each piece, whose windows go through the network together.

        Parameters
        ----------
        pieces : log-mel float32 ``(frames, 96)`` of each, 187 frames at least.
        """
        cut = [windows(levels, WINDOW, HOP) for levels in pieces]
        ends = np.cumsum([len(piece) for piece in cut])[:-1]
        split = (np.split(layer, ends) for layer in self.of_windows(np.concatenate(cut)))
        return [Layers(*rows) for rows in zip(*split, strict=True)]

    def of_windows(self, cut: Floats) -> Layers:
        """The layers of windows of log-mel float32 ``(n, 187, 96)``."""
        parts = []
        with in_float32(self._device), torch.inference_mode():
            for first in range(0, len(cut), _WINDOWS):
                block = torch.from_numpy(np.array(cut[first : first + _WINDOWS]))
                found = self._layers(block.to(self._device))
                parts.append([layer.cpu().numpy() for layer in found])
        return Layers(*map(np.concatenate, zip(*parts, strict=True)))

    def _layers(self, windows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        scale, shift = self._input
        maps = [self._heard((windows * scale + shift)[:, None])]
        x = torch.cat([maps[0], torch.ones_like(maps[0][:, :1])], 1)
        for kernel, bias, scale, shift in self._middle:
            y = functional.relu(functional.conv1d(x, kernel, bias, padding=3)) * scale + shift
            x = x + y if len(maps) > 1 else y
            maps.append(x)
        found = torch.cat(maps, 1)
        pool = self._still.repeat(len(windows), 2, 1)
        pool[:, 0, self._alive], pool[:, 1, self._alive] = found.amax(2), found.mean(2)
        pool = pool.flatten(1)
        hidden, last = self._dense
        penultimate = functional.relu(functional.linear(pool, *hidden[:2])) * hidden[2] + hidden[3]
        return functional.linear(penultimate, *last).sigmoid(), penultimate, pool

    def _heard(self, x: Tensor) -> Tensor:
        """The filters that live, float32 ``(n, live, 187)``, of ``(n, 1, 187, 96)``."""
        loudest = [
            functional.conv2d(functional.pad(x, (0, 0, *_padding(kernel))), kernel).amax(3)
            for kernel in self._kernels
        ]
        # A bias is the same for all bands, so that it can wait until one of them is left.
        heard = functional.relu(torch.cat(loudest, 1) * self._sign + self._bias)
        return heard * self._scale + self._shift


def _padding(kernel: Tensor) -> tuple[int, int]:
    """Frames before and after, for as many frames out as in."""
    return (kernel.shape[2] - 1) // 2, kernel.shape[2] // 2


def _middle(arrays: Arrays, front: Front) -> list[tuple[Doubles, Doubles, Doubles, Doubles]]:
    """Kernel ``(64, maps, 7)``, bias, scale and shift of three layers.

    The first has the maps that live and one more that is 1 everywhere: what all others add
    together. It cannot go into the bias, for zeros are around a window, not constants.
    """
    layers = []
    for number in range(5, 8):
        kernel, bias = layer(arrays, "conv2d", number)
        kernel = kernel[:, :, 0].transpose(2, 1, 0)
        if number == 5:
            others = np.einsum("oit,i->ot", kernel, front.still)
            kernel = np.concatenate([kernel[:, front.live], others[:, None]], 1)
        layers.append((kernel, bias, *norm(arrays, number + 1)))
    return layers
