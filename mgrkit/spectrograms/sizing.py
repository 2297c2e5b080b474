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
        return values[np.ix_(rows_of_mesh(bands, height), columns_of_mesh(frames, width))]
    from PIL import Image

    methods = {
        "nearest": Image.Resampling.NEAREST,
        "bilinear": Image.Resampling.BILINEAR,
        "area": Image.Resampling.BOX,
    }
    picture = Image.fromarray(np.ascontiguousarray(values[::-1]))
    return np.ascontiguousarray(np.asarray(picture.resize((width, height), methods[method]))[::-1])


def columns_of_mesh(frames: int, pixels: int, border: float = 0.0) -> NDArray[np.intp]:
    """The frame that each pixel of a row shows where matplotlib's pcolormesh fills the width.

    It is the one in the middle of the pixel, as edges are moved to the nearest whole pixel. Where
    one lies just in the middle of a pixel, rounding tells: so this rounds where matplotlib does.

    Parameters
    ----------
    border : pixels in front of the first, to the last bit as matplotlib lays it out.
    """
    scale, start = _transform(frames, pixels, border)
    edges = np.floor(scale * (np.arange(frames) - 0.5) + start + 0.5)
    return np.searchsorted(edges - round(border), np.arange(pixels), side="right") - 1


def rows_of_mesh(bands: int, pixels: int) -> NDArray[np.intp]:
    """The band that each pixel of a column shows, from below; they are counted from above."""
    scale, start = _transform(bands, pixels, 0.0)
    edges = pixels - np.floor(-scale * (np.arange(bands) - 0.5) + (pixels - start) + 0.5)
    return np.searchsorted(edges, np.arange(pixels), side="right") - 1


def _transform(lines: int, pixels: int, border: float) -> tuple[float, float]:
    """The width of a line in pixels, and where the middle of the first one lies."""
    each = 1 / lines
    return pixels * each, pixels * (0.5 * each) + border


def on_one_grid(planes: Sequence[Pixels]) -> Pixels:
    """Planes ``(bands, frames)`` of any sizes as ``(3, bands, frames)`` of the most of both."""
    height, width = (max(plane.shape[axis] for plane in planes) for axis in (0, 1))
    return np.stack([resampled(plane, width, height, "nearest") for plane in planes])
