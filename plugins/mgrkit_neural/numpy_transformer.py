"""The layers of ``vit`` in NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mgrkit_neural.numpy_layers import Convolution, Linear, padded, softmax
from mgrkit_neural.pictures import CELL

if TYPE_CHECKING:
    from mgrkit.classifiers.base import Floats
    from mgrkit_neural.arrays import Arrays

_EACH = 32
"""Numbers of a head."""


class Patches:
    """Patches as vectors; see `mgrkit_neural.layers.Patches`."""

    def __init__(
        self,
        arrays: Arrays,
        bands: int,
        patch: tuple[int, int],
        width: int,
        channels: int = 1,
    ) -> None:
        self._patch = patch
        steps = ((channels, 16, (2, 2)), (16, 32, (2, 2)), (32, 64, (2, 1)))
        self._convolutions = [
            Convolution(arrays, (f"project.{i}.0", f"project.{i}.1"), *step)
            for i, step in enumerate(steps)
        ]
        self._cells = (patch[0] // CELL[0], patch[1] // CELL[1])
        kernel = arrays("project.3.weight", width, 64, *self._cells)
        self._kernel = np.ascontiguousarray(kernel.transpose(2, 3, 1, 0).reshape(-1, width))
        rows = -(-bands // patch[0])
        place = arrays("place", 1, width, rows, 1)[0].transpose(1, 2, 0)
        self._bias = place + arrays("project.3.bias", width)

    def __call__(self, x: Floats) -> Floats:
        """Of ``(n, channels, bands, frames)``: ``(n, patches, width)``."""
        x = padded(x, -x.shape[2] % self._patch[0], -x.shape[3] % self._patch[1])
        for number, convolution in enumerate(self._convolutions):
            x = convolution(f"convolution {number}", x)
        inside = x[:, 1:-1, 1:-1]
        channels, bands, frames, n = inside.shape
        down, right = self._cells
        cut = inside.reshape(channels, bands // down, down, frames // right, right, n)
        vectors = cut.transpose(5, 1, 3, 2, 4, 0).reshape(n, bands // down, frames // right, -1)
        y: Floats = vectors @ self._kernel
        y += self._bias
        y += np.float32(0.1) * waves(y.shape[3], y.shape[2])
        return y.reshape(n, -1, y.shape[3])


def waves(width: int, frames: int) -> Floats:
    """Sines and cosines of the frames' numbers, float32 ``(frames, width)``."""
    rates = np.float32(1000) ** (-np.arange(0, width, 2, dtype=np.float32) / np.float32(width))
    phase = np.arange(frames, dtype=np.float32)[:, None] * rates
    return np.concatenate([np.sin(phase), np.cos(phase)], 1)


class Transformer:
    """Encoder blocks and the mean of what comes out; see `mgrkit_neural.layers.Transformer`."""

    def __init__(self, arrays: Arrays, heads: int, depth: int) -> None:
        width, blocks = _EACH * heads, arrays.under("blocks")
        self._blocks = [_Block(blocks.under(f"{number}"), heads) for number in range(depth)]
        self._norm = _Norm(blocks.under(f"{depth}"), width, 1e-5)

    def __call__(self, x: Floats) -> Floats:
        """Of ``(n, length, width)``: ``(n, width)``."""
        for block in self._blocks:
            x = block(x)
        mean: Floats = self._norm(x).mean(1)
        return mean


class _Block:
    """Attention, then a layer twice as wide, each on normalised vectors and added to them."""

    def __init__(self, arrays: Arrays, heads: int) -> None:
        width = _EACH * heads
        attention = arrays.under("self_attention")
        self._heads = heads
        self._first, self._second = (_Norm(arrays.under(f"ln_{i}"), width, 1e-6) for i in (1, 2))
        self._queries = Linear(attention, width, 3 * width, ("in_proj_weight", "in_proj_bias"))
        self._out = Linear(attention.under("out_proj"), width, width)
        self._wider = Linear(arrays.under("mlp.0"), width, 2 * width)
        self._narrower = Linear(arrays.under("mlp.3"), 2 * width, width)

    def __call__(self, x: Floats) -> Floats:
        x = x + self._out(self._attended(self._queries(self._first(x))))
        return x + self._narrower(gelu(self._wider(self._second(x))))

    def _attended(self, x: Floats) -> Floats:
        n, length, _ = x.shape
        queries, keys, values = x.reshape(n, length, 3, self._heads, _EACH).transpose(2, 0, 3, 1, 4)
        weights = softmax(queries @ keys.swapaxes(2, 3) * np.float32(_EACH**-0.5))
        attended: Floats = weights @ values
        return attended.transpose(0, 2, 1, 3).reshape(n, length, -1)


class _Norm:
    """Layer normalisation (Ba, Kiros, Hinton 2016)."""

    def __init__(self, arrays: Arrays, width: int, epsilon: float) -> None:
        self._scale, self._bias = arrays("weight", width), arrays("bias", width)
        self._epsilon = np.float32(epsilon)

    def __call__(self, x: Floats) -> Floats:
        y: Floats = x - x.mean(-1, keepdims=True)
        y /= np.sqrt(np.square(y).mean(-1, keepdims=True) + self._epsilon)
        y *= self._scale
        y += self._bias
        return y


def gelu(x: Floats) -> Floats:
    """Hendrycks, Gimpel 2016: each number times the share of normal numbers below it."""
    return x * (np.float32(0.5) + np.float32(0.5) * erf(x * np.float32(0.5**0.5)))


_OVER = (
    1.12837878, 0.206114696, 0.0513973444, 0.00397291235, 0.00014898719, -1.9942995e-06,
    1.99213864e-08,
)  # fmt: skip
_UNDER = (1.0, 0.515993159, 0.117564756, 0.0148892597, 0.0010241286)
_ONE = 3.92
"""From where on erf is 1 in float32."""


def erf(x: Floats) -> Floats:
    """The error function of float32, within 5e-7: NumPy has none, and scipy's takes long to import.

    A rational function of the square, fit to `math.erf` within 5e-8; the rest is rounding.
    """
    x = np.clip(x, np.float32(-_ONE), np.float32(_ONE))
    square = x * x
    return x * _polynomial(square, _OVER) / _polynomial(square, _UNDER)


def _polynomial(x: Floats, factors: tuple[float, ...]) -> Floats:
    y = np.full_like(x, factors[-1])
    for factor in factors[-2::-1]:
        y *= x
        y += np.float32(factor)
    return y
