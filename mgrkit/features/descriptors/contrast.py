"""Spectral contrast: how far peaks stand above valleys, octave by octave.

Jiang, Lu, Zhang, Tao and Cai, Music type classification by spectral contrast feature, ICME 2002,
as in librosa.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from mgrkit.spectrograms.transform import Floats

_LOWEST = 200.0
_OCTAVES = 6
BANDS = _OCTAVES + 1
_SHARE = 0.02
"""Of a band's bins, which make its peak and its valley."""


class _Band(NamedTuple):
    """Bins ``first`` to ``stop - 1``, of which ``few`` make the peak and as many the valley."""

    first: int
    stop: int
    few: int


def extremes(magnitude: Floats, rate: int, n_fft: int) -> tuple[Floats, Floats]:
    """The means of the largest and of the smallest magnitudes of each band, ``(7, frames)`` each.

    Bands are 0 to 200 Hz, the five octaves above, and all beyond 6,400 Hz.

    Parameters
    ----------
    magnitude : ``(frames, n_fft // 2 + 1)``.
    """
    shape = (BANDS, len(magnitude))
    peak, valley = np.empty(shape, np.float32), np.empty(shape, np.float32)
    for number, band in enumerate(_bands(rate, n_fft)):
        ordered = np.sort(magnitude[:, band.first : band.stop], axis=1)
        mean = np.full(band.few, 1 / band.few, np.float32)
        np.matmul(ordered[:, -band.few :], mean, out=peak[number])
        np.matmul(ordered[:, : band.few], mean, out=valley[number])
    return peak, valley


@functools.lru_cache(maxsize=8)
def _bands(rate: int, n_fft: int) -> tuple[_Band, ...]:
    """As librosa takes them: each but the first begins a bin early, each but the last ends so."""
    hertz = np.arange(n_fft // 2 + 1) * rate / n_fft
    edges = [0.0, *(_LOWEST * 2.0**octave for octave in range(_OCTAVES + 1))]
    found = []
    for number in range(BANDS):
        inside = np.flatnonzero((hertz >= edges[number]) & (hertz <= edges[number + 1]))
        first, stop = int(inside[0]) - (number > 0), int(inside[-1]) + 1
        is_last = number == BANDS - 1
        if is_last:
            stop = len(hertz)
        few = max(round(_SHARE * (stop - first)), 1)
        found.append(_Band(first, stop if is_last else stop - 1, few))
    return tuple(found)
