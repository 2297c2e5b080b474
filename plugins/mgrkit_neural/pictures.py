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


def checked(x: NDArray[Any], task: Task) -> NDArray[Any]:
    """The examples of a task, rows in one piece.

    They are pictures, uint8 ``(n, bands, frames)`` or ``(n, channels, bands, frames)``, or
    samples, float32 ``(n, frames)``, as ``task.shape`` says.

    Raises
    ------
    UsageError : examples of another shape or type.
    """
    x, shape = np.asarray(x), task.shape
    what, dtype = ("samples", "float32") if len(shape) == 1 else ("pictures", "uint8")
    if x.shape[1:] != shape or not x.ndim or x.dtype != dtype:
        given, wanted = (sizes[-3] if len(sizes) == 3 else 1 for sizes in (x.shape[1:], shape))
        colours = f", {given} channels for a model of {wanted}" if given != wanted else ""
        raise UsageError(
            f"examples are {x.dtype} of shape {x.shape}{colours}, not {what}: "
            f"{dtype} of shape (n, {', '.join(map(str, shape))})"
        )
    return np.ascontiguousarray(x)


def channels(task: Task) -> int:
    """Of a task's pictures: 1, or 3 of planes."""
    return 1 if len(task.shape) == 2 else task.shape[0]


def starts(frames: int, width: int, views: int) -> list[int]:
    """The first columns of the crops that are averaged, from one end to the other.

    Parameters
    ----------
    width, views : columns and number of the crops; with 0 views ``width`` is ``frames``.
    """
    places = np.linspace(0, frames - width, max(1, views)).round().astype(int)
    return sorted(set(places.tolist()))
