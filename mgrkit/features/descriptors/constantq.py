"""The constant-Q transform: a spectrum whose bins are semitones.

Schoerkhuber and Klapuri, Constant-Q transform toolbox for music processing, SMC 2010: the
filters of the highest octave serve all, as the sound is halved in rate from octave to octave.
The numbers are those of ``librosa.cqt(y, sr=rate, hop_length=512, n_bins=84, tuning=...)``; but
where librosa multiplies spectra by sparse filters, these filters are brought back to time once,
and multiply the sound itself.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.features.descriptors.chroma import CLASSES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.spectrograms.transform import Floats

    Doubles = NDArray[np.float64]

OCTAVES = 7
_HOP = 512
_LOWEST = 440 * 2 ** ((24 - 69) / CLASSES)
"""C1 in Hz."""
_HALF_WIDTH = 0.75
"""Half the noise bandwidth of a Hann window, in bins."""
_DISCARDED = 0.01
"""The part of each filter's magnitude that librosa leaves out for sparse matrices."""
_HELD = 32

# A semitone either way, by the mean frequency: librosa's relative bandwidth, one over Q.
_WIDE = 2 ** (2 / CLASSES)
_Q = (_WIDE + 1) / (_WIDE - 1)


def constant_q(samples: Floats, rate: int, tuning: int) -> Floats:
    """Magnitudes from C1 on, float32 ``(84, frames)``, a frame every 512 samples.

    Parameters
    ----------
    samples : float32 ``(frames,)``.
    rate : at least `lowest_rate`.
    tuning : of the sound, in hundredths of a semitone.
    """
    halvings = _early_halvings(rate, tuning)
    sound, step = _slower(samples, 2**halvings), _HOP >> halvings
    window = filters(rate, halvings, tuning)
    count = 1 + len(sound) // step
    magnitude = np.empty((OCTAVES * CLASSES, count), np.float32)
    for octave in reversed(range(OCTAVES)):
        filtered = _frames(sound, len(window), step, count) @ window
        np.hypot(
            filtered[:, :CLASSES].T,
            filtered[:, CLASSES:].T,
            out=magnitude[octave * CLASSES :][:CLASSES],
        )
        if octave:
            sound, step = _slower(sound, 2), step // 2
    return magnitude


def lowest_rate() -> int:
    """In Hz: the highest filter of any tuning lies below half of it."""
    return math.ceil(2 * _highest(tuning=50))


def _highest(tuning: int) -> float:
    """The frequency in Hz up to which the highest filter reaches."""
    return float(_frequencies(tuning)[-1] * (1 + _HALF_WIDTH / _Q))


def _frequencies(tuning: int) -> Doubles:
    """Of all bins, in Hz."""
    lowest = _LOWEST * 2 ** (tuning / 100 / CLASSES)
    octaves: Doubles = np.arange(OCTAVES * CLASSES) / CLASSES
    return lowest * 2**octaves


def _early_halvings(rate: int, tuning: int) -> int:
    """How often the rate can be halved before the highest octave; librosa halves once less."""
    spare = math.ceil(math.log2(rate / 2 / _highest(tuning))) - 2
    return min(max(spare, 0), int(math.log2(_HOP)) - OCTAVES + 1)


def _slower(samples: Floats, factor: int) -> Floats:
    """The sound at a rate divided by ``factor``, of the same energy per sample."""
    if factor == 1:
        return samples
    import soxr

    resampled = soxr.resample(samples, factor, 1, quality="soxr_hq")
    count = -(-len(samples) // factor)
    slower: Floats = np.zeros(count, np.float32)
    slower[: len(resampled)] = resampled[:count]
    slower *= np.float32(math.sqrt(factor))
    return slower


def _frames(sound: Floats, length: int, step: int, count: int) -> Floats:
    """``(count, length)``, centred on every ``step``-th sample, with zeros beyond the ends."""
    padded = np.pad(sound, length // 2)
    cut = np.lib.stride_tricks.sliding_window_view(padded, length)
    return np.ascontiguousarray(cut[::step][:count])


@functools.lru_cache(maxsize=_HELD)
def filters(rate: int, halvings: int, tuning: int) -> Floats:
    """The filters of the highest octave, float32 ``(length, 24)``: real parts, imaginary parts.

    Windowed tones of twelve semitones, each as long as its Q says, the sum of magnitudes 1; then
    divided by the root of that length, as ``librosa.cqt`` scales what comes out.
    """
    slow = rate / 2**halvings
    frequencies = _frequencies(tuning)[-CLASSES:]
    lengths = _Q * slow / frequencies
    size = 2 ** math.ceil(math.log2(lengths.max()))
    tones = np.zeros((CLASSES, size), np.complex64)
    for tone, frequency, length in zip(tones, frequencies, lengths, strict=True):
        time = np.arange(-length // 2, length // 2)
        wave = np.exp(2j * np.pi * frequency / slow * time) * _hann(len(time))
        first = (size - len(time)) // 2
        tone[first : first + len(time)] = wave / np.abs(wave).sum()
    tones *= (lengths / size)[:, None]
    spectra = _without_the_least(np.fft.fft(tones)[:, : size // 2 + 1])
    # What sums over frequencies of a frame's spectrum becomes a sum over its samples.
    in_time = np.fft.fft(spectra, size) / np.sqrt(lengths)[:, None]
    return np.concatenate([in_time.real, in_time.imag]).T.astype(np.float32, order="C")


def _without_the_least(spectra: NDArray[Any]) -> NDArray[np.complex128]:
    """Zero where a row's smallest magnitudes sum up to a hundredth of all of them."""
    magnitude = np.abs(spectra)
    ordered = np.sort(magnitude, axis=1)
    below = np.cumsum(ordered / magnitude.sum(axis=1, keepdims=True), axis=1) < _DISCARDED
    least = np.take_along_axis(ordered, below.argmin(axis=1)[:, None], axis=1)
    return np.where(magnitude >= least, spectra, 0).astype(np.complex128)


def _hann(length: int) -> Doubles:
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
