"""Pieces cut into overlapping windows, and windows summed up again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.errors import ItemError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def windows(values: NDArray[Any], length: int, hop: int) -> NDArray[Any]:
    """Windows every ``hop`` from the start, as many as fit: ``(n, length, ...)``, a view.

    A piece of at least half a window is repeated until it fills one, so that no border comes
    into it.

    Parameters
    ----------
    values : ``(frames, ...)``.

    Raises
    ------
    ItemError : ``too-short``, for less than half a window.
    """
    size = len(values)
    if 2 * size < length:
        raise ItemError("too-short", f"{size} frames, half a window has {-(-length // 2)}")
    if size < length:
        return values[np.arange(length) % size][None]
    cut = np.lib.stride_tricks.sliding_window_view(values, length, axis=0)[::hop]
    return np.moveaxis(cut, -1, 1)


def summary(values: NDArray[Any], form: str) -> NDArray[np.float64]:
    """The mean of windows, or mean and standard deviation, float64 ``(1, columns)``.

    Parameters
    ----------
    values : ``(windows, columns)``.
    form : 'mean', or 'mean-sd' for all means and then all standard deviations.
    """
    exact = values.astype(np.float64)
    parts = [exact.mean(axis=0)]
    if form == "mean-sd":
        parts.append(exact.std(axis=0))
    return np.concatenate(parts)[None]
