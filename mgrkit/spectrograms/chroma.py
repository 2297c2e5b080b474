"""Chroma: how a spectrum's power is shared among the twelve pitch classes.

Ellis, Chroma feature analysis and synthesis, 2007, with the tuning found as in librosa: the
commonest deviation of spectral peaks from the semitones of A 440 Hz.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mgrkit.spectrograms.transform import Floats

CLASSES = 12
_LOWEST, _HIGHEST = 150.0, 4000.0
_LEAST = np.float32(0.1)
_STEPS = 100
_A0 = 27.5
_CENTRE, _WIDTH = 5.0, 2.0


class Peaks(NamedTuple):
    """Spectral peaks: frequency in Hz and interpolated power, float32 ``(n,)`` each."""

    hertz: Floats
    power: Floats


def spectral_peaks(power: Floats, rate: int, n_fft: int) -> Peaks:
    """The peaks between 150 and 4,000 Hz of above a tenth of their frame's largest power.

    Parameters
    ----------
    power : ``(frames, n_fft // 2 + 1)``.
    """
    first = math.ceil(_LOWEST * n_fft / rate)
    stop = math.ceil(_HIGHEST * n_fft / rate)
    least = power.max(axis=1, keepdims=True) * _LEAST
    middle = power[:, first:stop]
    is_peak = middle > least
    is_peak &= middle > power[:, first - 1 : stop - 1]
    is_peak &= middle >= power[:, first + 1 : stop + 1]
    # Of two axes, nonzero takes six times as long.
    frame, bin_ = np.divmod(np.flatnonzero(is_peak), is_peak.shape[1])
    bin_ += first
    height, before, after = power[frame, bin_], power[frame, bin_ - 1], power[frame, bin_ + 1]
    slope = (after - before) / 2
    bend = before + after - 2 * height
    # A parabola whose top is a bin away or more is not one of this peak.
    shift = np.where(np.abs(slope) < np.abs(bend), -slope, 0) / np.where(bend, bend, 1)
    hertz = ((bin_ + shift) * rate / n_fft).astype(np.float32)
    return Peaks(hertz, (height + slope * shift / 2).astype(np.float32))


def tuning(found: Sequence[Peaks], bins: int = CLASSES) -> int:
    """The commonest deviation of the stronger half of all peaks, in hundredths of a bin.

    From -50 to 49; 0 where there is no peak.

    Parameters
    ----------
    bins : of an octave; 12 are semitones.
    """
    hertz = np.concatenate([peaks.hertz for peaks in found])
    power = np.concatenate([peaks.power for peaks in found])
    if not len(hertz):
        return 0
    hertz = hertz[power >= np.median(power)]
    deviation = np.mod(bins * np.log2(hertz / np.float32(_A0)), 1)
    deviation[deviation >= 0.5] -= 1
    counts, _ = np.histogram(deviation, np.linspace(-0.5, 0.5, _STEPS + 1))
    return int(np.argmax(counts)) - _STEPS // 2


def chroma(power: Floats, rate: int, n_fft: int, tuning: int) -> Floats:
    """Chroma, float32 ``(frames, 12)``, class 0 is C; each frame's largest is 1.

    Parameters
    ----------
    power : ``(frames, n_fft // 2 + 1)``.
    tuning : in hundredths of a semitone.
    """
    raw: Floats = power @ filters(rate, n_fft, tuning).T
    largest = raw.max(axis=1, keepdims=True)
    largest[largest < np.finfo(np.float32).tiny] = 1
    raw /= largest
    return raw


@functools.lru_cache(maxsize=_STEPS)
def filters(rate: int, n_fft: int, tuning: int) -> Floats:
    """The weights of each bin in each class, float32 ``(12, n_fft // 2 + 1)``.

    Gaussian around the class, at least a semitone wide, each bin's of length 1; then weighted
    by the octave, a Gaussian of two octaves around the fifth. Equal to
    ``librosa.filters.chroma``.
    """
    reference = _A0 * 2 ** (tuning / _STEPS / CLASSES)
    semitones = CLASSES * np.log2(np.arange(1, n_fft) * rate / n_fft / reference)
    # 0 Hz is placed one and a half octaves below the first bin.
    semitones = np.concatenate([[semitones[0] - 1.5 * CLASSES], semitones])
    widths = np.maximum(np.diff(semitones), 1)[: n_fft // 2 + 1]
    semitones = semitones[: n_fft // 2 + 1]
    away = semitones - np.arange(CLASSES)[:, None]
    away = np.remainder(away + CLASSES / 2 + 10 * CLASSES, CLASSES) - CLASSES / 2
    weights: NDArray[np.float64] = np.exp(-0.5 * (2 * away / widths) ** 2)
    weights /= np.sqrt((weights**2).sum(axis=0))
    weights *= np.exp(-0.5 * ((semitones / CLASSES - _CENTRE) / _WIDTH) ** 2)
    # Semitones were counted from A.
    return np.roll(weights, -3, axis=0).astype(np.float32)
