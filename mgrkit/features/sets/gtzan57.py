"""The 57 numbers of Kaggle's GTZAN table, all from one short-time Fourier transform.

Tzanetakis and Cook, Musical genre classification of audio signals, IEEE Transactions on Speech
and Audio Processing 10 (2002). The table was made with librosa; what is computed here equals
librosa 0.11 with ``pad_mode="reflect"``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mgrkit.compute.fourier import fourier
from mgrkit.features.descriptors.hpss import separate
from mgrkit.features.descriptors.levels import to_decibels
from mgrkit.features.descriptors.rhythm import onset_strength, tempo
from mgrkit.features.descriptors.spectra import transformed
from mgrkit.features.descriptors.spectral import Shape, root_mean_square, shape, zero_crossing_rate
from mgrkit.features.sets.columns import GTZAN57_COLUMNS, GTZAN57_FRONT_END, N_MFCC
from mgrkit.spectrograms.chroma import Peaks, chroma, spectral_peaks, tuning
from mgrkit.spectrograms.exact import blocks
from mgrkit.spectrograms.image import checked
from mgrkit.spectrograms.kinds import mel
from mgrkit.spectrograms.transform import scratch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.spectrograms.transform import Floats

    Doubles = NDArray[np.float64]

COLUMNS = GTZAN57_COLUMNS
FRONT_END = GTZAN57_FRONT_END

_TRANSFORM = FRONT_END.transform
_RATE, _N_FFT, _HOP = FRONT_END.rate, _TRANSFORM.n_fft, _TRANSFORM.hop_length


def gtzan57(samples: Floats) -> Doubles:
    """The numbers of ``COLUMNS`` for one piece, float64 ``(1, 57)``.

    Parameters
    ----------
    samples : mono, float ``(frames,)``, full scale 1, at 22,050 Hz.

    Raises
    ------
    ItemError : ``too-short`` (less than 2,048 samples), ``silent`` (see `check_audible`),
        ``non-finite`` (a sample that is no number, or beyond 1e9).
    """
    samples = checked(samples, FRONT_END)
    spectra = transformed(samples, _TRANSFORM)
    magnitude: Floats = scratch("magnitude", spectra.shape, np.float32)
    levels = np.empty((len(spectra), FRONT_END.bands), np.float32)
    shapes: list[Shape] = []
    peaks: list[Peaks] = []
    for block in blocks(len(spectra)):
        part = np.abs(spectra[block], out=magnitude[block])
        power = part**2
        levels[block] = mel.project(power, FRONT_END)
        shapes.append(shape(part, _RATE, _N_FFT))
        peaks.append(spectral_peaks(power, _RATE, _N_FFT))
    to_decibels(levels, FRONT_END.in_decibels)
    onsets = onset_strength(levels, _TRANSFORM)
    cepstra = fourier.dct(levels)
    numbers = [
        *_moments(_chroma(magnitude, tuning(peaks))),
        *_moments(root_mean_square(samples, _TRANSFORM)),
        *(number for curve in zip(*shapes, strict=True) for number in _moments(*curve)),
        *_moments(zero_crossing_rate(samples, _TRANSFORM)),
        *(n for half in separate(samples, spectra, magnitude, _TRANSFORM) for n in _moments(half)),
        tempo(onsets, _RATE / _HOP),
        *(number for row in cepstra[:, :N_MFCC].T for number in _moments(row)),
    ]
    return np.array([numbers])


def _chroma(magnitude: Floats, tuning: int) -> Floats:
    """Of every frame, in the tuning of the whole piece."""
    parts = [chroma(magnitude[b] ** 2, _RATE, _N_FFT, tuning) for b in blocks(len(magnitude))]
    return np.concatenate(parts)


def _moments(*parts: Floats | Doubles) -> tuple[float, float]:
    """Mean and variance of all values of a curve."""
    values = np.concatenate([part.reshape(-1) for part in parts], dtype=np.float64)
    mean = values.mean()
    values -= mean
    return float(mean), float(values @ values) / len(values)
