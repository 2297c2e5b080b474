"""Onset strength and tempo.

Boeck and Widmer, Maximum filter vibrato suppression for onset detection, DAFx 2013; Ellis,
Beat tracking by dynamic programming, Journal of New Music Research 36 (2007), with the
tempogram of Grosche, Mueller and Kurth, ICASSP 2010, as in librosa.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.compute.fourier import fourier

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.frontend import Transform
    from mgrkit.spectrograms.transform import Floats

_SECONDS = 8.0
_USUAL, _FASTEST = 120.0, 320.0


def onset_strength(levels: Floats, transform: Transform) -> Floats:
    """The median over bands of how much each frame's level rose, float32 ``(frames,)``.

    Delayed by half a window, because a frame sees an onset that much early.

    Parameters
    ----------
    levels : mel spectrum in dB, ``(frames, bands)``, an even number of bands.
    """
    rise = np.diff(levels, axis=0)
    np.maximum(rise, 0, out=rise)
    middle = rise.shape[1] // 2
    rise.partition((middle - 1, middle), axis=1)
    delay = 1 + transform.n_fft // (2 * transform.hop_length)
    strength = np.zeros(len(levels), np.float32)
    medians = (rise[:, middle - 1] + rise[:, middle]) / 2
    strength[delay:] = medians[: max(len(levels) - delay, 0)]
    return strength


def tempo(strength: Floats, frame_rate: float) -> float:
    """Beats per minute, below 320; 0 where there is no onset.

    The period at which the onsets of 8 seconds repeat most on average, weighted by a
    log-normal prior around 120.

    Parameters
    ----------
    strength : `onset_strength`.
    frame_rate : frames per second.
    """
    if not strength.any():
        return 0.0
    size = int(_SECONDS * frame_rate)
    period = np.arange(1, size)
    bpm = 60 * frame_rate / period
    prior = -0.5 * np.log2(bpm / _USUAL) ** 2
    prior[bpm >= _FASTEST] = -np.inf
    score = np.log1p(1e6 * _repetition(strength, size)[1:]) + prior
    return float(bpm[np.argmax(score)])


def _repetition(strength: Floats, size: int) -> NDArray[np.floating[Any]]:
    """The autocorrelation of windows around all frames, each one's scaled to 1 at lag 0, mean.

    As the mean is linear, only the mean spectrum is transformed back.
    """
    padded = np.pad(strength.astype(np.float64), size // 2, "linear_ramp", end_values=0)
    windows = np.lib.stride_tricks.sliding_window_view(padded, size)[: len(strength)]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    length = fourier.next_fast_len(2 * size - 1)
    spectra = fourier.rfft(windows * window, length)
    power = spectra.real**2 + spectra.imag**2
    power *= _scale(power, length)
    return fourier.irfft(power.mean(axis=0) + 0j, length)[:size]


def _scale(power: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """One over the autocorrelation at lag 0, 1 where that is 0: ``(windows, 1)``."""
    once = power[:, 0] + (power[:, -1] if length % 2 == 0 else 0)
    energy = (2 * power.sum(axis=1) - once) / length
    energy[energy < np.finfo(np.float64).tiny] = 1
    scale: NDArray[np.float64] = 1 / energy[:, None]
    return scale
