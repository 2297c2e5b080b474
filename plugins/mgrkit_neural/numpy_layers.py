"""The layers of `mgrkit_neural.layers` in NumPy, for predicting on a CPU without torch.

Pictures lie as ``(channels, bands, frames, n)``, around them a border of zeros: so neighbours in
bands and in frames are whole runs of memory, and a convolution is a copy and a matrix product.
All of them lie in memory of the thread, valid until the same layer computes again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import as_strided

from mgrkit.compute.scratch import Scratch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.classifiers.base import Floats
    from mgrkit_neural.arrays import Arrays

_EPSILON = 1e-5
"""That torch's batch norms add to variances."""
_COLUMNS = 160_000
"""Numbers that are multiplied at once: they stay in a core's second cache."""

_scratch = Scratch()


class Convolution:
    """A 3x3 convolution with batch normalisation, what a short cut adds to it, and the ReLU.

    Parameters
    ----------
    arrays : of the layers around.
    names : of the convolution and of its norm.
    into, out : channels.
    stride : in bands and in frames.
    beside : channels of the short cut that ``shortcut``, a 1x1 convolution, makes ``out`` of; 0
        if it has so many, or if there is none.
    """

    def __init__(
        self,
        arrays: Arrays,
        names: tuple[str, str],
        into: int,
        out: int,
        stride: tuple[int, int] = (1, 1),
        beside: int = 0,
    ) -> None:
        kernel, bias = _folded(arrays, *names, (out, into, 3, 3))
        parts = [kernel.transpose(0, 2, 3, 1).reshape(out, -1)]
        if beside:
            short, more = _folded(arrays, "shortcut.0", "shortcut.1", (out, beside, 1, 1))
            parts.append(short.reshape(out, -1))
            bias += more
        self._matrix = np.concatenate([*parts, bias[:, None]], 1).astype(np.float32)
        self._out, self._stride, self._beside = out, stride, beside

    def __call__(self, name: str, x: Floats, short: Floats | None = None) -> Floats:
        """The convolved picture, in the thread's memory of that name; all have a border."""
        into, _, _, n = x.shape
        down, right = self._stride
        bands, frames = -(-(x.shape[1] - 2) // down), -(-(x.shape[2] - 2) // right)
        y = bordered(name, (self._out, bands, frames, n))
        inside = y[:, 1:-1, 1:-1]
        depth, line = self._matrix.shape[1], frames * n
        at_once = max(1, min(bands, _COLUMNS // (depth * line)))
        columns: Floats = _scratch("columns", (depth, at_once * line), np.float32)
        columns[-1] = 1  # what the biases are multiplied by
        product: Floats = _scratch("product", (self._out, at_once * line), np.float32)
        c, b, f, each = x.strides
        taps = as_strided(x, (3, 3, into, bands, frames, n), (b, f, c, down * b, right * f, each))
        for first in range(0, bands, at_once):
            rows = min(bands, first + at_once) - first
            part = columns[:, : rows * line]
            shape = (3, 3, into, rows, frames, n)
            np.copyto(part[: 9 * into].reshape(shape), taps[:, :, :, first : first + rows])
            own = slice(1 + first, 1 + first + rows)
            if short is not None and self._beside:
                target = part[9 * into : -1].reshape(-1, rows, frames, n)
                np.copyto(target, short[:, own, 1:-1])
            told = np.matmul(self._matrix, part, out=product[:, : rows * line])
            told = told.reshape(-1, rows, frames, n)
            if short is not None and not self._beside:
                told += short[:, own, 1:-1]
            np.maximum(told, 0, out=inside[:, first : first + rows])
        return y


def _folded(
    arrays: Arrays, convolution: str, norm: str, shape: tuple[int, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Kernel and bias of a convolution that does its batch norm's work too, in float64."""
    kernel = arrays(f"{convolution}.weight", *shape).astype(np.float64)
    parts = ("weight", "bias", "running_mean", "running_var")
    scale, bias, mean, variance = (
        arrays(f"{norm}.{part}", shape[0]).astype(np.float64) for part in parts
    )
    arrays.count(f"{norm}.num_batches_tracked")
    scale /= np.sqrt(variance + _EPSILON)
    return kernel * scale[:, None, None, None], bias - mean * scale


class Residual:
    """Two convolutions beside a short cut; see `mgrkit_neural.layers.Residual`."""

    def __init__(self, arrays: Arrays, into: int, out: int) -> None:
        beside = into if into != out else 0
        self._first = Convolution(arrays, ("convolutions.0.0", "convolutions.0.1"), into, out)
        self._second = Convolution(
            arrays, ("convolutions.1", "convolutions.2"), out, out, beside=beside
        )

    def __call__(self, x: Floats) -> Floats:
        return self._second("second", self._first("first", x), x)


class Trunk:
    """The convolutions of cnn and crnn: four residual stages, pools between them.

    Parameters
    ----------
    width : channels of the first stage.
    last : bands and frames of the last pool.
    channels : of the pictures.
    """

    def __init__(
        self, arrays: Arrays, width: int, last: tuple[int, int], channels: int = 1
    ) -> None:
        sizes = (width, width, 2 * width, 4 * width, 8 * width)
        self._first = Convolution(arrays, ("0.0", "0.1"), channels, width, (2, 2))
        self._stages = [
            Residual(arrays.under(f"{2 * i + 1}"), sizes[i], sizes[i + 1]) for i in range(4)
        ]
        self._pools = ((2, 2), (2, 2), last)

    def __call__(self, x: Floats) -> Floats:
        """Float32 ``(n, channels, bands, frames)`` to ``(8 width, bands, frames, n)``, bare."""
        y = self._stages[0](self._first("begun", padded(x)))
        for size, stage in zip(self._pools, self._stages[1:], strict=True):
            y = stage(pooled(y, *size))
        return y[:, 1:-1, 1:-1]


def padded(x: Floats, above: int = 0, beside: int = 0) -> Floats:
    """Pictures ``(n, channels, bands, frames)`` as layers take them, filled up with zeros."""
    n, channels, bands, frames = x.shape
    y = bordered("padded", (channels, bands + above, frames + beside, n))
    y[:, 1 + bands :], y[:, :, 1 + frames :] = 0, 0
    np.copyto(y[:, 1 : 1 + bands, 1 : 1 + frames], x.transpose(1, 2, 3, 0))
    return y


def bordered(name: str, shape: tuple[int, int, int, int]) -> Floats:
    """Memory for pictures with a border of zeros; inside is anything."""
    channels, bands, frames, n = shape
    x: Floats = _scratch(name, (channels, bands + 2, frames + 2, n), np.float32)
    x[:, 0], x[:, -1], x[:, :, 0], x[:, :, -1] = 0, 0, 0, 0
    return x


def pooled(x: Floats, down: int, right: int) -> Floats:
    """The greatest of each ``down`` bands x ``right`` frames; what is left over counts too."""
    inside = x[:, 1:-1, 1:-1]
    channels, bands, frames, n = inside.shape
    fewer = -(-bands // down)
    rows: Floats = _scratch("rows", (channels, fewer, frames, n), np.float32)
    np.copyto(rows, inside[:, ::down])
    for step in range(1, down):
        other = inside[:, step::down]
        part = rows[:, : other.shape[1]]
        np.maximum(part, other, out=part)
    y = bordered("pooled", (channels, fewer, -(-frames // right), n))
    into = y[:, 1:-1, 1:-1]
    np.copyto(into, rows[:, :, ::right])
    for step in range(1, right):
        other = rows[:, :, step::right]
        part = into[:, :, : other.shape[2]]
        np.maximum(part, other, out=part)
    return y


class Linear:
    """A linear layer on the last axis."""

    def __init__(
        self, arrays: Arrays, into: int, out: int, names: tuple[str, str] = ("weight", "bias")
    ) -> None:
        self._kernel, self._bias = arrays(names[0], out, into), arrays(names[1], out)

    def __call__(self, x: Floats) -> Floats:
        # One product for all: NumPy would make one for each example of a stack.
        y = x.reshape(-1, x.shape[-1]) @ self._kernel.T
        y += self._bias
        return y.reshape(*x.shape[:-1], -1)


def softmax(x: Floats) -> Floats:
    """Along the last axis, written over x."""
    x -= x.max(-1, keepdims=True)
    np.exp(x, out=x)
    x /= x.sum(-1, keepdims=True)
    return x
