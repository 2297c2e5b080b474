"""The 518 numbers of FMA's ``features.csv``: seven statistics of each of 74 curves.

Defferrard, Benzi, Vandergheynst and Bresson, FMA: a dataset for music analysis, ISMIR 2017. They
are what its script ``features.py`` computes with librosa 0.11, but for two calls that mean another
thing today: ``rmse`` is called ``rms``, and the constant-Q transform has 12 bins per octave, which
``chroma_cqt`` and ``chroma_cens`` must now be told.

The script tells only ``cqt`` and ``melspectrogram`` the rate of the file. So its ``chroma_stft``,
and its centroid, bandwidth, contrast and rolloff, are those of sound played at 22,050 Hz: of a
file at 44,100 Hz half the hertz, and chroma an octave too low. The table has them so, and so has
this set.

The published table was made with librosa 0.5, whose numbers differ. ``zcr`` does not. ``rmse`` is
now 1 / 45.23 of what it was (there the mean of the spectrum's power, here the level of the sound).
What follows from the Fourier transform has zeros beyond the ends of the sound, where there was its
mirror image: of a clip only the first and last two frames change. The search for the tuning has 100
steps, not 99, which may choose another one for ``chroma_stft``. The constant-Q transform has longer
filters (Q 17.3, not 16.8) and resamples by soxr, not resampy, and CENS a symmetric window: so
``chroma_cqt``, ``chroma_cens`` and ``tonnetz`` are others by some hundredths of their deviation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mgrkit.compute.fourier import fourier
from mgrkit.errors import ItemError, UsageError
from mgrkit.features.descriptors import contrast, harmony
from mgrkit.features.descriptors.levels import to_decibels
from mgrkit.features.descriptors.spectral import (
    Shape,
    shape,
    windowed_mean_square,
    zero_crossing_rate,
)
from mgrkit.features.descriptors.statistics import statistics
from mgrkit.features.sets.columns import FMA518_COLUMNS, FMA518_CURVES, FMA518_FRONT_END, N_MFCC
from mgrkit.frontend import front_end
from mgrkit.spectrograms.chroma import Peaks, chroma, spectral_peaks, tuning
from mgrkit.spectrograms.constantq import SEMITONES, constant_q
from mgrkit.spectrograms.exact import blocks, by_block
from mgrkit.spectrograms.image import checked
from mgrkit.spectrograms.kinds import mel
from mgrkit.spectrograms.transform import frame_count, scratch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mgrkit.frontend import FrontEnd
    from mgrkit.spectrograms.transform import Floats

    Doubles = NDArray[np.float64]

COLUMNS = FMA518_COLUMNS
FRONT_END = FMA518_FRONT_END

_TRANSFORM = FRONT_END.transform
_N_FFT = _TRANSFORM.n_fft
_SUPPOSED = 22050
"""The rate that librosa supposes where it is not told any."""


def fma518(samples: Floats, rate: int) -> Doubles:
    """The numbers of ``COLUMNS`` for one piece, float64 ``(1, 518)``.

    Parameters
    ----------
    samples : mono, float ``(frames,)``, full scale 1.
    rate : samples per second, as the file has them.

    Raises
    ------
    ItemError : ``rate`` (so low or high that semitones or mel bands are not defined),
        ``too-short`` (less than 2,048 samples), ``silent`` (see `check_audible`),
        ``non-finite`` (a sample that is no number, or beyond 1e9).
    """
    bands = _mel_bands(rate)
    samples = checked(samples, FRONT_END)
    frames = frame_count(len(samples), _TRANSFORM)
    magnitude: Floats = scratch("magnitude", (frames, FRONT_END.bands), np.float32)
    found = []
    for block, spectra in by_block(samples, _TRANSFORM):
        found.append(_seen(np.abs(spectra, out=magnitude[block]), rate, bands))
    of_file, supposed = (tuning([seen.peaks[k] for seen in found]) for k in range(2))
    semitones = harmony.folded(constant_q(samples, rate, of_file))
    cens = harmony.cens(semitones)
    curves: dict[str, Floats | Doubles] = {
        "chroma_cens": cens,
        "chroma_cqt": harmony.to_largest(semitones),
        "chroma_stft": _chroma(magnitude, supposed).T,
        "tonnetz": harmony.tonnetz(cens),
        "zcr": zero_crossing_rate(samples, _TRANSFORM)[None],
        **_joined(found),
    }
    numbers = [statistics(curves[name].astype(np.float64)).T.reshape(-1) for name in FMA518_CURVES]
    return np.concatenate(numbers)[None]


class _Seen(NamedTuple):
    """What a block of frames gives by itself.

    ``peaks`` are those of the magnitude at the rate of the file and of the power at the supposed
    one, ``extremes`` the highest and the lowest of contrast.
    """

    mel: Floats
    energy: Doubles
    shape: Shape
    extremes: tuple[Floats, Floats]
    peaks: tuple[Peaks, Peaks]


def _seen(magnitude: Floats, rate: int, bands: FrontEnd) -> _Seen:
    power = magnitude**2
    return _Seen(
        mel.project(power, bands).copy(),
        windowed_mean_square(power, _N_FFT),
        shape(magnitude, _SUPPOSED, _N_FFT),
        contrast.extremes(magnitude, _SUPPOSED, _N_FFT),
        (spectral_peaks(magnitude, rate, _N_FFT), spectral_peaks(power, _SUPPOSED, _N_FFT)),
    )


def _joined(found: Sequence[_Seen]) -> dict[str, Floats | Doubles]:
    """The curves that follow from all blocks, by name, ``(count, frames)`` each."""
    law = FRONT_END.in_decibels
    levels = to_decibels(np.concatenate([seen.mel for seen in found]), law)
    peak, valley = (np.concatenate([seen.extremes[k] for seen in found], axis=1) for k in range(2))
    centroid, bandwidth, rolloff = np.concatenate([seen.shape for seen in found], axis=1)
    return {
        "mfcc": fourier.dct(levels)[:, :N_MFCC].T,
        "rmse": np.sqrt(np.concatenate([seen.energy for seen in found]))[None],
        "spectral_bandwidth": bandwidth[None],
        "spectral_centroid": centroid[None],
        "spectral_contrast": to_decibels(peak, law) - to_decibels(valley, law),
        "spectral_rolloff": rolloff[None],
    }


def _chroma(magnitude: Floats, supposed: int) -> Floats:
    """Of every frame, in the tuning of the whole piece."""
    parts = [
        chroma(magnitude[block] ** 2, _SUPPOSED, _N_FFT, supposed)
        for block in blocks(len(magnitude))
    ]
    return np.concatenate(parts)


def _mel_bands(rate: int) -> FrontEnd:
    """The front end of librosa's 128 mel bands at this rate."""
    try:
        if rate >= SEMITONES.lowest_rate:
            return front_end(sample_rate=rate)
    except UsageError:  # a band without a frequency
        pass
    raise ItemError(
        "rate",
        f"FMA's numbers are not defined at {rate} Hz",
        "resample it to 44,100 Hz",
    )
