"""Pictures as networks see them, on whatever they compute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.classifiers.base import Task

MEAN, DEVIATION = 0.121, 0.183
"""Of the pixels, as shares of 255, of mel pictures of music."""
CELL = (8, 4)
"""How many bands and frames the convolutions of ``vit`` make one, before there are patches."""


def checked(x: NDArray[Any], task: Task) -> NDArray[np.uint8]:
    """The pictures, uint8 ``(n, *task.shape)``, rows in one piece.

    Raises
    ------
    UsageError : pictures of another shape or type.
    """
    x = np.asarray(x)
    if x.shape[1:] != task.shape or x.ndim != 3 or x.dtype != np.uint8:
        bands, frames = task.shape
        raise UsageError(
            f"examples are {x.dtype} of shape {x.shape}, not pictures: "
            f"uint8 of shape (n, {bands}, {frames})"
        )
    return np.ascontiguousarray(x)


def starts(frames: int, width: int, views: int) -> list[int]:
    """The first columns of the crops that are averaged, from one end to the other.

    Parameters
    ----------
    width, views : columns and number of the crops; with 0 views ``width`` is ``frames``.
    """
    places = np.linspace(0, frames - width, max(1, views)).round().astype(int)
    return sorted(set(places.tolist()))
