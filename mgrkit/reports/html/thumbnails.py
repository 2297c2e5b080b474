"""Small spectrograms of whole sounds: as PNG of a few kilobytes, for people only."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mgrkit.frontend import front_end
from mgrkit.reports.overview import overview
from mgrkit.spectrograms.kinds import mel
from mgrkit.spectrograms.palettes import palette
from mgrkit.spectrograms.png import read_png

if TYPE_CHECKING:
    from numpy.typing import NDArray

WIDTH, HEIGHT = 240, 64
_FLOOR_DB = 80.0
_STEPS = 32
"""Colours: fewer of them take less room, and nobody sees more at that size."""


def thumbnail(path: Path, heard: Callable[[float], None] | None = None) -> bytes:
    """The mel spectrogram of all of a sound, or a picture of mgrkit's, `WIDTH` by `HEIGHT` pixels.

    A column is the average power of its stretch of the sound, in dB below the largest.

    Parameters
    ----------
    heard : called with the seconds of sound decoded so far.

    Raises
    ------
    ItemError : the file cannot be used; of sound as `mgrkit.reports.overview.overview` raises it.
    OSError : it cannot be read.
    """
    if path.suffix.lower() == ".png":
        values = read_png(path).values
        return _png(_fitted(values if values.ndim == 2 else values.mean(0)))
    power = mel.project(overview(path, allow_truncated=True, heard=heard).power, front_end()).T
    shrunk = np.maximum(_fitted(power), 1e-10)
    levels = 10 * np.log10(shrunk / shrunk.max())
    return _png(255 * np.clip(1 + levels / _FLOOR_DB, 0, 1))


def _fitted(values: NDArray[np.floating] | NDArray[np.uint8]) -> NDArray[np.float64]:
    """Averages of bands and of frames ``(HEIGHT, WIDTH)``; fewer of either are repeated."""
    wide = _averaged(np.asarray(values, np.float64), WIDTH)
    return _averaged(wide.T, HEIGHT).T


def _averaged(values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """The means of ``size`` even stretches along the last axis."""
    count = values.shape[-1]
    if count < size:
        return values[..., np.arange(size) * count // size]
    starts = np.arange(size) * count // size
    lengths = np.diff([*starts, count])
    means: NDArray[np.float64] = np.add.reduceat(values, starts, axis=-1) / lengths
    return means


def _png(values: NDArray[np.float64]) -> bytes:
    """Values from 0 to 255 ``(bands, frames)``, row 0 the lowest, in the colours of magma."""
    from PIL import Image

    step = 256 // _STEPS
    places = np.clip(values / step, 0, _STEPS - 1).astype(np.uint8)
    image = Image.fromarray(np.ascontiguousarray(places[::-1]), "P")
    colours = np.frombuffer(palette("magma"), np.uint8).reshape(256, 3)[step // 2 :: step]
    image.putpalette(colours.tobytes())
    written = io.BytesIO()
    image.save(written, "PNG", optimize=True)
    return written.getvalue()
