"""The constant-Q transform: a spectrum whose bins are equal parts of octaves.

Schoerkhuber and Klapuri, Constant-Q transform toolbox for music processing, SMC 2010: the
filters of the highest octave serve all, as the sound is halved in rate from octave to octave.
The numbers are those of ``librosa.cqt``; but where librosa multiplies spectra by sparse filters,
these filters are brought back to time once, and multiply the sound itself.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.frontend import ConstantQ

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.spectrograms.transform import Floats

    Doubles = NDArray[np.float64]

SEMITONES = ConstantQ()
"""Seven octaves from C1 on."""
_HOP = 512
_DISCARDED = 0.01
"""The part of each filter's magnitude that librosa leaves out for sparse matrices."""
_HELD = 32


def constant_q(
    samples: Floats, rate: int, tuning: int, shape: ConstantQ = SEMITONES, hop: int = _HOP
) -> Floats:
    """Magnitudes, float32 ``(shape.bins, frames)``, a frame every ``hop`` samples.

    Equal to ``abs(librosa.cqt(...))``.

    Parameters
    ----------
    samples : float32 ``(frames,)``.
    rate : at least ``shape.lowest_rate``.
    tuning : of the sound, in hundredths of a bin, -50 to 50.
    hop : a multiple of ``shape.hop_unit``.
    """
    halvings = _early_halvings(rate, tuning, shape, hop)
    sound, step = _slower(samples, 2**halvings), hop >> halvings
    window = filters(rate, halvings, tuning, shape)
    count, bins = 1 + len(sound) // step, shape.bins_per_octave
    magnitude = np.empty((shape.bins, count), np.float32)
    for octave in reversed(range(shape.octaves)):
        filtered = _frames(sound, len(window), step, count) @ window
        np.hypot(filtered[:, :bins].T, filtered[:, bins:].T, out=magnitude[octave * bins :][:bins])
        if octave:
            sound, step = _slower(sound, 2), step // 2
    return magnitude


def _frequencies(tuning: int, shape: ConstantQ) -> Doubles:
    """Of all bins, in Hz."""
    octaves: Doubles = np.arange(shape.bins) / shape.bins_per_octave
    return shape.lowest_hertz(tuning) * 2**octaves


def _early_halvings(rate: int, tuning: int, shape: ConstantQ, hop: int) -> int:
    """How often the rate can be halved before the highest octave; librosa halves once less."""
    spare = math.ceil(math.log2(rate / 2 / shape.highest_hertz(tuning))) - 2
    twos = (hop & -hop).bit_length() - 1
    return min(max(spare, 0), max(twos - shape.octaves + 1, 0))


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
def filters(rate: int, halvings: int, tuning: int, shape: ConstantQ = SEMITONES) -> Floats:
    """The filters of the highest octave, float32 ``(length, 2 bins_per_octave)``.

    The real parts, then the imaginary ones: windowed tones, each as long as its Q says, the sum of
    magnitudes 1; then divided by the root of that length, as ``librosa.cqt`` scales what comes out.
    """
    slow = rate / 2**halvings
    frequencies = _frequencies(tuning, shape)[-shape.bins_per_octave :]
    lengths = shape.q * slow / frequencies
    size = 2 ** math.ceil(math.log2(lengths.max()))
    tones = np.zeros((len(frequencies), size), np.complex64)
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
