"""Curves over the frames of a magnitude spectrum, and over those of the samples."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.frontend import Transform
    from mgrkit.spectrograms.transform import Floats

_ROLLOFF = np.float32(0.85)
_ZERO = np.float32(1e-10)


class Shape(NamedTuple):
    """Where a spectrum's magnitude lies: float64 ``(frames,)`` in Hz, 0 in silent frames.

    ``centroid`` is the mean frequency, ``bandwidth`` the deviation from it, and below
    ``rolloff`` lie 85 % (Klapuri and Davy, Signal processing methods for music transcription,
    2006, chapter 5).
    """

    centroid: NDArray[np.float64]
    bandwidth: NDArray[np.float64]
    rolloff: NDArray[np.float64]


def shape(magnitude: Floats, rate: int, n_fft: int) -> Shape:
    """The shape of each spectrum.

    Parameters
    ----------
    magnitude : ``(frames, n_fft // 2 + 1)``.
    """
    sums = magnitude.astype(np.float64) @ _powers(magnitude.shape[1])
    total = np.where(sums[:, 0] > 0, sums[:, 0], 1)
    centroid, square = sums[:, 1] / total, sums[:, 2] / total
    bandwidth = np.sqrt(np.maximum(square - centroid**2, 0))
    below = np.cumsum(magnitude, axis=1)
    rolloff = np.count_nonzero(below < below[:, -1:] * _ROLLOFF, axis=1)
    hertz = rate / n_fft
    return Shape(centroid * hertz, bandwidth * hertz, rolloff * hertz)


@functools.lru_cache(maxsize=8)
def _powers(bins: int) -> NDArray[np.float64]:
    """1, k and k squared of each bin."""
    return np.vander(np.arange(float(bins)), 3, increasing=True)


def windowed_mean_square(power: Floats, n_fft: int) -> NDArray[np.float64]:
    """The mean square of each frame's samples under its window, float64 ``(frames,)``.

    Parameters
    ----------
    power : ``(frames, n_fft // 2 + 1)``, n_fft even.
    """
    once = (power[:, 0].astype(np.float64) + power[:, -1]) / 2
    squares: NDArray[np.float64] = 2 * (power.sum(axis=1) - once) / n_fft**2
    return squares


def root_mean_square(samples: Floats, transform: Transform) -> NDArray[np.float64]:
    """Of each frame, the sound mirrored about its ends: float64 ``(frames,)``.

    Parameters
    ----------
    samples : float32 ``(frames,)``, at least ``n_fft`` of them, a multiple of the hop.
    """
    padded = np.pad(samples, transform.n_fft // 2, mode="reflect")
    np.square(padded, out=padded)
    power = _frame_sums(padded, transform) / transform.n_fft
    return np.sqrt(power, out=power)


def zero_crossing_rate(samples: Floats, transform: Transform) -> NDArray[np.float64]:
    """Changes of sign per sample of each frame, the outermost samples repeated beyond the ends.

    Parameters as for `root_mean_square`; a level of at most 1e-10 counts as positive.
    """
    half = transform.n_fft // 2
    is_negative = samples < -_ZERO
    crossed = np.zeros(len(samples) + 2 * half, np.bool_)
    inside = crossed[half : half + len(samples)]
    np.not_equal(is_negative[1:], is_negative[:-1], out=inside[1:])
    sums = _frame_sums(crossed, transform)
    # A frame does not know what was before its first sample.
    starts = crossed[:: transform.hop_length][: len(sums)]
    return (sums - starts) / transform.n_fft


def _frame_sums(padded: NDArray[np.generic], transform: Transform) -> NDArray[np.float64]:
    """The sum over each frame of padded samples, from sums over hops."""
    hop = transform.hop_length
    overlap = transform.n_fft // hop
    hops = len(padded) // hop
    sums = padded[: hops * hop].reshape(hops, hop).sum(axis=1).astype(np.float64)
    frames = hops - overlap + 1
    total = np.zeros(frames)
    for k in range(overlap):
        total += sums[k : k + frames]
    return total
