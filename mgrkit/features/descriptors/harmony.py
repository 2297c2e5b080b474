"""What a constant-Q transform says of harmony: chroma, its smoothed statistics, tonal centroids.

CENS: Mueller and Ewert, Chroma toolbox, ISMIR 2011. Tonnetz: Harte, Sandler and Gasser, Detecting
harmonic change in musical audio, 2006. All as in librosa.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mgrkit.spectrograms.chroma import CLASSES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.spectrograms.transform import Floats

    Doubles = NDArray[np.float64]

_LEVELS = (0.05, 0.1, 0.2, 0.4)
_SMOOTH = 41
"""Frames, over which CENS are averaged."""
# Radius and pairs of sine and cosine of the circles of fifths, minor and major thirds.
_RADII = (1.0, 1.0, 1.0, 1.0, 0.5, 0.5)
_TURNS = (7 / 6, 7 / 6, 3 / 2, 3 / 2, 2 / 3, 2 / 3)


def folded(magnitude: Floats) -> Floats:
    """Semitones from C1 on, ``(84, frames)``, summed up over octaves: ``(12, frames)``."""
    classes: Floats = magnitude.reshape(-1, CLASSES, magnitude.shape[1]).sum(axis=0)
    return classes


def to_largest(chroma: Floats) -> Floats:
    """Chroma ``(12, frames)`` with each frame's largest 1; silent frames stay 0."""
    return _over(chroma, chroma.max(axis=0))


def cens(chroma: Floats) -> Floats:
    """Chroma energy normalised statistics, ``(12, frames)``, of chroma of the same shape.

    Each frame's shares in four steps, averaged over 41 frames by a Hann window, of length 1.
    """
    shares = _over(chroma, chroma.sum(axis=0))
    steps = np.zeros(shares.shape, np.float32)
    for level in _LEVELS:
        steps += shares > np.float32(level)
    window = np.hanning(_SMOOTH + 2)[1:-1]
    window /= 4 * window.sum()
    half = _SMOOTH // 2
    smooth = np.empty_like(steps)
    for k, row in enumerate(steps):
        smooth[k] = np.convolve(row, window)[half : half + len(row)]
    return _over(smooth, np.sqrt(np.square(smooth).sum(axis=0)))


def tonnetz(chroma: Floats) -> Doubles:
    """Tonal centroids ``(6, frames)``: x and y by fifths, minor and major thirds."""
    angles = np.multiply.outer(_TURNS, np.arange(CLASSES))
    angles[::2] -= 0.5
    weights = np.array(_RADII)[:, None] * np.cos(np.pi * angles)
    found: Doubles = weights @ _over(chroma, chroma.sum(axis=0))
    return found


def _over(values: Floats, size: Floats) -> Floats:
    """Each frame divided by its size, or left alone where that is none."""
    divisor = size.copy()
    divisor[divisor < np.finfo(np.float32).tiny] = 1
    return values / divisor
