"""Images of another size, and several as the channels of one, by Pillow or as by matplotlib.

Resampled are the 8 bits, as the picture is seen, the highest band at the top.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]


def resampled(values: Pixels, width: int, height: int, method: str) -> Pixels:
    """Values ``(bands, frames)`` as ``(height, width)``.

    Parameters
    ----------
    method : 'nearest', 'bilinear' or 'area' (``PIL.Image.Resampling.BOX``); or 'matplotlib'.
    """
    if values.shape == (height, width):
        return values
    if method == "matplotlib":
        bands, frames = values.shape
        return values[np.ix_(middles(bands, height), middles(frames, width))]
    from PIL import Image

    methods = {
        "nearest": Image.Resampling.NEAREST,
        "bilinear": Image.Resampling.BILINEAR,
        "area": Image.Resampling.BOX,
    }
    picture = Image.fromarray(np.ascontiguousarray(values[::-1]))
    return np.ascontiguousarray(np.asarray(picture.resize((width, height), methods[method]))[::-1])


def middles(count: int, pixels: int) -> NDArray[np.intp]:
    """Which of so many lines lies in the middle of each pixel, as matplotlib paints them."""
    return ((np.arange(pixels) + 0.5) * count / pixels).astype(np.intp)


def on_one_grid(planes: Sequence[Pixels]) -> Pixels:
    """Planes ``(bands, frames)`` of any sizes as ``(3, bands, frames)`` of the most of both."""
    height, width = (max(plane.shape[axis] for plane in planes) for axis in (0, 1))
    return np.stack([resampled(plane, width, height, "nearest") for plane in planes])
