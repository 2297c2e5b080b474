"""Views of overlapping stretches, and memory that is used again."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import as_strided

from mgrkit_pretrained.layout import HOP, WINDOW

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]


class Scratch(threading.local):
    """Memory by name, each thread's own: fresh memory would cost more than what is written there.

    What is taken under a name is overwritten by whoever takes that name next on this thread.
    """

    def __init__(self) -> None:
        self._kept: dict[str, Floats] = {}

    def take(self, name: str, *shape: int) -> Floats:
        """An array of this shape, float32, filled with whatever was there."""
        size = math.prod(shape)
        if name not in self._kept or self._kept[name].size < size:
            self._kept[name] = np.empty(size, np.float32)
        return self._kept[name][:size].reshape(shape)


def windowed(values: Floats, count: int) -> Floats:
    """So many windows of the last axis, ``(..., count, 187)``, a view."""
    step = values.strides[-1]
    shape = (*values.shape[:-1], count, WINDOW)
    return _view(values, shape, (*values.strides[:-1], HOP * step, step))


def neighbours(values: Floats, taps: int, size: int, axis: int) -> Floats:
    """What a kernel of so many taps sees at ``size`` places of the last axis, a view.

    The taps become an axis of their own, in front of ``axis``.
    """
    *before, step = values.strides
    shape = (*values.shape[:axis], taps, *values.shape[axis:-1], size)
    return _view(values, shape, (*before[:axis], step, *before[axis:], step))


def _view(values: Floats, shape: tuple[int, ...], strides: tuple[int, ...]) -> Floats:
    """As NumPy's own `sliding_window_view`, which has no axis in the middle and no hop."""
    reach = sum((size - 1) * step for size, step in zip(shape, strides, strict=True))
    whole = sum((size - 1) * step for size, step in zip(values.shape, values.strides, strict=True))
    assert reach <= whole, "the view would reach beyond its values"
    return as_strided(values, shape, strides, writeable=False)
