"""Overlapping stretches of arrays as views."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import as_strided

from mgrkit_pretrained.layout import HOP, WINDOW

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]


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
