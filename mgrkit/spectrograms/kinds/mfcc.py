"""Kind ``mfcc``: mel-frequency cepstral coefficients, as ``librosa.feature.mfcc`` gives them.

Davis and Mermelstein, Comparison of parametric representations for monosyllabic word recognition,
1980: a discrete cosine transform of the decibels in mel bands.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from mgrkit.spectrograms.kinds import Code, Marks
from mgrkit.spectrograms.kinds.mel import mel_decibels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.frontend import FrontEnd
    from mgrkit.spectrograms.transform import Floats


def values(samples: Floats, frontend: FrontEnd) -> Floats:
    """The coefficients, float32 ``(n_mfcc, frames)``."""
    found: Floats = _cosines(frontend) @ mel_decibels(samples, frontend).T
    return found


@functools.lru_cache(maxsize=8)
def _cosines(frontend: FrontEnd) -> Floats:
    """The first rows of the orthonormal transform, liftered: float32 ``(n_mfcc, n_mels)``."""
    assert frontend.cepstrum
    assert frontend.mel
    cepstrum, n_mels = frontend.cepstrum, frontend.mel.n_mels
    rows = _TRANSFORMS[cepstrum.dct_type](n_mels)[: cepstrum.n_mfcc]
    if cepstrum.lifter > 0:
        wave = np.sin(np.pi * np.arange(1, cepstrum.n_mfcc + 1) / cepstrum.lifter)
        rows *= 1 + cepstrum.lifter / 2 * wave[:, None]
    return rows.astype(np.float32)


def _first(size: int) -> NDArray[np.float64]:
    last = max(size - 1, 1)
    ends = np.ones(size)
    ends[[0, -1]] = np.sqrt(0.5)
    turns = np.multiply.outer(np.arange(size), np.arange(size))
    cosines: NDArray[np.float64] = np.cos(np.pi * turns / last) * np.sqrt(2 / last)
    return cosines * np.multiply.outer(ends, ends)


def _second(size: int) -> NDArray[np.float64]:
    turns = np.multiply.outer(np.arange(size), np.arange(size) + 0.5)
    cosines: NDArray[np.float64] = np.cos(np.pi * turns / size) * np.sqrt(2 / size)
    cosines[0] *= np.sqrt(0.5)
    return cosines


def _third(size: int) -> NDArray[np.float64]:
    return _second(size).T.copy()


_TRANSFORMS = {1: _first, 2: _second, 3: _third}
"""Orthonormal discrete cosine transforms by type, ``(size, size)``."""


def widest(values: Floats, frontend: FrontEnd) -> Floats:
    """The largest magnitude of each coefficient: the first ones are far larger than the last."""
    del frontend
    largest: Floats = np.abs(values).max(axis=1)
    return largest


def marks(frontend: FrontEnd) -> Marks:
    """The numbers of the coefficients, counted from 0."""
    step = max(1, frontend.bands // 10)
    return [(float(number), str(number)) for number in range(0, frontend.bands, step)]


CODE = Code(values=values, axis="coefficient", marks=marks, widest=widest)
