"""What musicnn has learnt, made ready to compute with: what both networks share, in float64.

What is computed is what the original computes, up to rounding, in a small part of the time:

- Of a filter only the largest value over the bands is kept, after ReLU and batch normalisation.
  Both never change order, but for a negative scale, which turns it round; so the kernels of such
  filters are negated, and one maximum right behind the convolution is enough.
- Nine of ten filters of the published front end are dead: weight decay has brought their kernels
  to nothing, and they give the same whatever they hear. They are not computed (see `alive`).
- The other batch normalisations are folded into scale and shift, or into the layer behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from mgrkit_pretrained.layout import POOLED, TEMPORAL, TIMBRAL, numbered

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[np.float32]]
    Doubles = NDArray[np.float64]
    Mask = NDArray[np.bool_]

_UNSEEN = 1e-6
"""A filter is dead where |scale| x sum |kernel| is below this: more its output cannot change
while its normalised input stays within -1 and 1, beside values that are about 1 themselves. Of
the published network's 204, 204, 51, 51 and 51 filters 23, 14, 3, 7 and 17 live; the least of
them reaches 9e-3, the most that a dead one reaches is 2e-9. Of each 64 in the middle 20, 61 and
63 live."""

_EPSILON = 1e-3  # of tf.layers.batch_normalization


class Front:
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
            kernel, bias = layer(arrays, "conv2d", number)
            scale, shift = norm(arrays, number + 1)
            live = alive(kernel, scale)
            sign = np.where(scale < 0, -1.0, 1.0)
            kernels.append((kernel * sign)[..., live].transpose(3, 2, 0, 1))
            parts.append((live, sign, bias, scale, shift))
        self.kernels = kernels
        live, sign, bias, scale, shift = (np.concatenate(part) for part in zip(*parts, strict=True))
        self.live = live
        self.still = np.where(live, 0.0, constant(bias, scale, shift))
        self.sign, self.bias, self.scale, self.shift = (
            part[live] for part in (sign, bias, scale, shift)
        )


def alive(kernel: Doubles, scale: Doubles) -> Mask:
    """Which filters of a kernel ``(..., filters)`` are not dead."""
    heard = np.abs(kernel).sum(tuple(range(kernel.ndim - 1)))
    living: Mask = np.abs(scale) * heard >= _UNSEEN
    return living


def constant(bias: Doubles, scale: Doubles, shift: Doubles) -> Doubles:
    """What dead filters give, whatever they hear."""
    given: Doubles = np.maximum(bias, 0) * scale + shift
    return given


def dense(arrays: Arrays) -> tuple[tuple[Doubles, ...], tuple[Doubles, ...]]:
    """Kernel ``(out, in)`` and bias of the last two layers; scale and shift behind the first.

    The original has maximum and mean of each map side by side; here the maxima come first.
    """
    kernel, bias = layer(arrays, "dense", 0)
    scale, shift = norm(arrays, 9)
    bias = bias + shift @ kernel
    kernel = (kernel * scale[:, None]).reshape(POOLED, 2, -1).transpose(1, 0, 2)
    last, last_bias = layer(arrays, "dense", 1)
    hidden = kernel.reshape(2 * POOLED, -1).T, bias, *norm(arrays, 10)
    return hidden, (last.T, last_bias)


def layer(arrays: Arrays, kind: str, number: int) -> tuple[Doubles, Doubles]:
    """Kernel and bias of a layer, as the checkpoint has them."""
    name = numbered(kind, number)
    return arrays[f"{name}/kernel"].astype(np.float64), arrays[f"{name}/bias"].astype(np.float64)


def norm(arrays: Arrays, number: int) -> tuple[Doubles, Doubles]:
    """Scale and shift of a batch normalisation."""
    name = numbered("batch_normalization", number)
    gamma, beta, mean, variance = (
        arrays[f"{name}/{moment}"].astype(np.float64)
        for moment in ("gamma", "beta", "moving_mean", "moving_variance")
    )
    scale = gamma / np.sqrt(variance + _EPSILON)
    return scale, beta - mean * scale
