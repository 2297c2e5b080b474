"""musicnn in torch: windows of log-mel in, three of its layers out.

Pons, Serra, musicnn: pre-trained convolutional neural networks for music audio tagging, ISMIR
2019, late-breaking demo; Pons et al., End-to-end learning for music audio tagging at scale,
ISMIR 2018. What is computed is what the original computes, up to rounding, in a twentieth
of the time:

- Of a filter only the largest value over the bands is kept, after ReLU and batch normalisation.
  Both never change order, but for a negative scale, which turns it round; so the kernels of such
  filters are negated, and one maximum right behind the convolution is enough.
- Nine of ten filters of the published front end are dead: weight decay has brought their kernels
  to nothing, and they give the same whatever they hear. They are not computed (see `_UNSEEN`).
- The other batch normalisations are folded into scale and shift, or into the layer behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch.nn import functional

from mgrkit_pretrained.layout import HEARD, POOLED, TEMPORAL, TIMBRAL, numbered

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    Arrays = Mapping[str, NDArray[np.float32]]
    Doubles = NDArray[np.float64]

_UNSEEN = 1e-6
"""A filter is dead where |scale| x sum |kernel| is below this: more its output cannot change
while its normalised input stays within -1 and 1, beside values that are about 1 themselves. Of
the published network's 204, 204, 51, 51 and 51 filters 23, 14, 3, 7 and 17 live; the least of
them reaches 9e-3, the most that a dead one reaches is 2e-9."""

_EPSILON = 1e-3  # of tf.layers.batch_normalization


class Layers(NamedTuple):
    """Of ``n`` windows: tags ``(n, 50)``, penultimate ``(n, 200)``, pool ``(n, 1506)``."""

    tags: Tensor
    penultimate: Tensor
    pool: Tensor


class Network:
    """The trained network on a device.

    Parameters
    ----------
    arrays : of `layout.TENSORS`.
    device : 'cpu', 'cuda', 'cuda:1', 'mps'.
    """

    def __init__(self, arrays: Arrays, device: str) -> None:
        def placed(values: NDArray[np.floating]) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(values, np.float32)).to(device)

        def column(values: Doubles) -> Tensor:
            return placed(values[:, None])

        self._input = [placed(values) for values in _norm(arrays, 0)]
        front = _Front(arrays)
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
        self._dense = [tuple(map(placed, layer)) for layer in _dense(arrays)]

    @torch.inference_mode()
    def __call__(self, windows: Tensor) -> Layers:
        """The layers for windows of log-mel float32 ``(n, 187, 96)``, on the network's device."""
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
        return Layers(functional.linear(penultimate, *last).sigmoid(), penultimate, pool)

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


class _Front:
    """The front end, made ready.

    Attributes
    ----------
    live : bool ``(561,)``: the filters that are not dead.
    still : ``(561,)``: what the others give, 0 for those that live.
    kernels : of the filters that live, ``(filters, 1, frames, bands)``, negated where the sign
        is -1.
    sign, bias, scale, shift : ``(live,)``.
    """

    def __init__(self, arrays: Arrays) -> None:
        parts, kernels = [], []
        for number in range(len(TIMBRAL + TEMPORAL)):
            kernel, bias = _layer(arrays, "conv2d", number)
            scale, shift = _norm(arrays, number + 1)
            live = np.abs(scale) * np.abs(kernel).sum((0, 1, 2)) >= _UNSEEN
            sign = np.where(scale < 0, -1.0, 1.0)
            kernels.append((kernel * sign)[..., live].transpose(3, 2, 0, 1))
            parts.append((live, sign, bias, scale, shift))
        self.kernels = kernels
        live, sign, bias, scale, shift = (np.concatenate(part) for part in zip(*parts, strict=True))
        self.live = live
        self.still = np.where(live, 0.0, np.maximum(bias, 0) * scale + shift)
        self.sign, self.bias, self.scale, self.shift = (
            part[live] for part in (sign, bias, scale, shift)
        )


def _middle(arrays: Arrays, front: _Front) -> list[tuple[Doubles, Doubles, Doubles, Doubles]]:
    """Kernel ``(64, maps, 7)``, bias, scale and shift of three layers.

    The first has the maps that live and one more that is 1 everywhere: what all others add
    together. It cannot go into the bias, for zeros are around a window, not constants.
    """
    layers = []
    for number in range(5, 8):
        kernel, bias = _layer(arrays, "conv2d", number)
        kernel = kernel[:, :, 0].transpose(2, 1, 0)
        if number == 5:
            others = np.einsum("oit,i->ot", kernel, front.still)
            kernel = np.concatenate([kernel[:, front.live], others[:, None]], 1)
        layers.append((kernel, bias, *_norm(arrays, number + 1)))
    return layers


def _dense(arrays: Arrays) -> tuple[tuple[Doubles, ...], tuple[Doubles, ...]]:
    """Kernel ``(out, in)`` and bias of the last two layers; scale and shift behind the first.

    The original has maximum and mean of each map side by side; here the maxima come first.
    """
    kernel, bias = _layer(arrays, "dense", 0)
    scale, shift = _norm(arrays, 9)
    bias = bias + shift @ kernel
    kernel = (kernel * scale[:, None]).reshape(POOLED, 2, -1).transpose(1, 0, 2)
    last, last_bias = _layer(arrays, "dense", 1)
    hidden = kernel.reshape(2 * POOLED, -1).T, bias, *_norm(arrays, 10)
    return hidden, (last.T, last_bias)


def _layer(arrays: Arrays, kind: str, number: int) -> tuple[Doubles, Doubles]:
    name = numbered(kind, number)
    return arrays[f"{name}/kernel"].astype(np.float64), arrays[f"{name}/bias"].astype(np.float64)


def _norm(arrays: Arrays, number: int) -> tuple[Doubles, Doubles]:
    """Scale and shift of a batch normalisation."""
    name = numbered("batch_normalization", number)
    gamma, beta, mean, variance = (
        arrays[f"{name}/{moment}"].astype(np.float64)
        for moment in ("gamma", "beta", "moving_mean", "moving_variance")
    )
    scale = gamma / np.sqrt(variance + _EPSILON)
    return scale, beta - mean * scale
