"""Kind ``tempogram``: how much onsets repeat after each lag, as ``librosa.feature.tempogram``.

Grosche, Mueller and Kurth, Cyclic tempogram, ICASSP 2010: the autocorrelation of the onset
strength (Boeck and Widmer 2013, without its filter) under a window around each frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mgrkit.compute.fourier import fourier
from mgrkit.spectrograms.exact import blocks
from mgrkit.spectrograms.kinds import Code, Marks
from mgrkit.spectrograms.kinds.mel import mel_decibels
from mgrkit.spectrograms.transform import exact_window

if TYPE_CHECKING:
    from mgrkit.frontend import FrontEnd
    from mgrkit.spectrograms.transform import Floats

_BPM = (8, 10, 15, 20, 30, 60, 120, 240)


def _values(samples: Floats, frontend: FrontEnd) -> Floats:
    """Float32 ``(lags, frames)``, each frame's largest 1."""
    assert frontend.autocorrelation
    lags = frontend.autocorrelation.lags
    strength = onset_strength(mel_decibels(samples, frontend), frontend)
    padded = np.pad(strength.astype(np.float64), lags // 2, "linear_ramp", end_values=0)
    around = np.lib.stride_tricks.sliding_window_view(padded, lags)[: len(strength)]
    window = exact_window(lags)
    length = fourier.next_fast_len(2 * lags - 1)
    found = np.empty((lags, len(around)), np.float32)
    for block in blocks(len(around)):
        spectra = fourier.rfft(around[block] * window, length)
        power = spectra.real**2 + spectra.imag**2
        repeated = fourier.irfft(power + 0j, length)[:, :lags]
        largest = np.abs(repeated).max(axis=1, keepdims=True)
        largest[largest < np.finfo(np.float32).tiny] = 1
        found[:, block] = (repeated / largest).T
    return found


def onset_strength(levels: Floats, frontend: FrontEnd) -> Floats:
    """The mean over bands of how much the level rose, ``(frames,)``, of decibels (frames, bands).

    Delayed by half a window, because a frame sees an onset that much early.
    """
    transform = frontend.transform
    rise = np.diff(levels, axis=0)
    np.maximum(rise, 0, out=rise)
    delay = 1 + transform.n_fft // (2 * transform.hop_length)
    strength = np.zeros(len(levels), np.float32)
    strength[delay:] = rise.mean(axis=1)[: max(len(levels) - delay, 0)]
    return strength


def _marks(frontend: FrontEnd) -> Marks:
    """Beats per minute; a beat in each second repeats after a second of frames."""
    frames = 60 * frontend.rate / frontend.transform.hop_length
    return [(frames / bpm, str(bpm)) for bpm in _BPM]


CODE = Code(values=_values, axis="beats per minute", marks=_marks)
