"""335 statistics of a mel picture: levels, cepstrum, rhythm and contrast of its bands."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.classifiers.base import Task

    Floats = NDArray[np.float32]

LEAST_BANDS = 64
LEAST_FRAMES = 8
_LEVELS, _CEPSTRA, _WIDE = 32, 64, 8
"""Groups of bands of which levels, the cepstrum, and rhythm and contrast are taken."""
_COEFFICIENTS = 20
_SLOWEST, _FASTEST, _OCTAVES = 0.3, 5.5, 12
"""Hz of changes of loudness, and the steps between them."""
_FLOOR = 1e-4
COLUMN_SECONDS = 0.09
"""Of pictures of which nobody knows how they were drawn: about that of Kaggle's."""
COUNT = 5 * _LEVELS + 3 + 3 * _COEFFICIENTS + _WIDE * _OCTAVES + 2 * _WIDE


def column_seconds(task: Task) -> float:
    """From one frame of a task's pictures to the next."""
    return (task.frontend.column_seconds if task.frontend else 0.0) or COLUMN_SECONDS


def statistics(pictures: NDArray[np.uint8], column_seconds: float) -> Floats:
    """Describe pictures, each by itself.

    Parameters
    ----------
    pictures : ``(n, bands, frames)``, row 0 the lowest frequency, at least 64 bands and 8 frames.
    column_seconds : from one frame to the next.

    Returns
    -------
    float32 ``(n, 335)``: mean, deviation, change, tenth and ninetieth percentile of 32 groups of
    bands, and of their mean; mean, deviation and change of 20 cepstral coefficients; the size of
    changes of loudness in 8 groups at 12 rates from 0.3 to 5.5 Hz (the fluctuation patterns of
    Pampalk, Rauber, Merkl 2002); mean and deviation of the contrast within 8 groups (Jiang et al.
    2002).
    """
    found = np.zeros((len(pictures), COUNT), np.float32)
    for row, picture in zip(found, pictures, strict=True):
        values = picture.astype(np.float32) / np.float32(255)
        row[:] = np.concatenate(
            [_levels(values), _cepstrum(values), _rhythm(values, column_seconds), _contrast(values)]
        )
    return found


def _grouped(values: Floats, groups: int) -> Floats:
    """The mean over each of so many groups of bands, ``(groups, frames)``."""
    starts = np.arange(groups) * len(values) // groups
    sizes = np.diff(np.append(starts, len(values)))
    sums: NDArray[Any] = np.add.reduceat(values, starts)
    means: Floats = (sums / sizes[:, None]).astype(np.float32)
    return means


def _levels(values: Floats) -> Floats:
    level: NDArray[Any] = _grouped(values, _LEVELS)
    change = np.abs(np.diff(level)).mean(1)
    low, high = np.quantile(level, [0.1, 0.9], axis=1)
    loudness = level.mean(0)
    of_all = [loudness.mean(), loudness.std(), np.abs(np.diff(loudness)).mean()]
    return np.concatenate([level.mean(1), level.std(1), change, low, high, of_all])


def _cepstrum(values: Floats) -> Floats:
    coefficients = _COSINES @ _grouped(values, _CEPSTRA)
    change = np.diff(coefficients).std(1)
    return np.concatenate([coefficients.mean(1), coefficients.std(1), change])


def _rhythm(values: Floats, column_seconds: float) -> Floats:
    rises = np.maximum(np.diff(_grouped(values, _WIDE)), 0)
    rises -= rises.mean(1, keepdims=True)
    size = max(512, 1 << (rises.shape[1] - 1).bit_length())
    changes = np.abs(np.fft.rfft(rises * np.hanning(rises.shape[1]), n=size))
    edges = np.geomspace(_SLOWEST, _FASTEST, _OCTAVES + 1) * size * column_seconds
    last = changes.shape[1]
    energy = []
    for low, high in pairwise(edges):
        first = min(int(np.ceil(low)), last - 1)
        energy.append(changes[:, first : max(first + 1, int(np.ceil(high)))].mean(1))
    return np.log(np.stack(energy, 1).ravel() + _FLOOR)


def _contrast(values: Floats) -> Floats:
    """Of the loudest eighth of the bands of a group to the quietest quarter, frame by frame."""
    starts = np.arange(_WIDE + 1) * len(values) // _WIDE
    contrast = []
    for low, high in pairwise(starts):
        ranked = np.sort(values[low:high], axis=0)
        loud, quiet = max(1, len(ranked) // 8), max(1, len(ranked) // 4)
        contrast.append(ranked[-loud:].mean(0) - ranked[:quiet].mean(0))
    rows = np.stack(contrast)
    return np.concatenate([rows.mean(1), rows.std(1)])


def _cosines(count: int, size: int) -> Floats:
    """The first rows of the orthonormal DCT-II."""
    rows = np.cos(np.pi * np.arange(count)[:, None] * (np.arange(size) + 0.5) / size)
    rows *= np.sqrt(2 / size)
    rows[0] /= np.sqrt(2)
    return rows.astype(np.float32)


_COSINES = _cosines(_COEFFICIENTS, _CEPSTRA)
