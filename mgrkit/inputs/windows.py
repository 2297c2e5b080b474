"""Values over time, and the windows of one length that they are cut into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def over_time(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture ``(bands, frames)`` or ``(3, bands, frames)`` with its frames as the first axis."""
    return np.ascontiguousarray(np.moveaxis(picture, -1, 0))


def windows(values: NDArray[Any], length: int) -> NDArray[Any]:
    """A piece cut into windows of one length, evenly spread over it, ``(n, length, ...)``.

    One that is up to half as long again is one window, its middle; a shorter one is repeated
    until it fills the window, so that no border comes into it.
    """
    size = len(values)
    if size < length:
        return values[np.arange(length) % size][None]
    return np.stack([values[start : start + length] for start in starts(size, length)])


def starts(size: int, length: int) -> list[int]:
    """Where the windows of a piece of this size begin."""
    count = max(1, int(size / length + 0.5))
    spare = max(0, size - length)
    return [spare // 2] if count == 1 else [k * spare // (count - 1) for k in range(count)]
