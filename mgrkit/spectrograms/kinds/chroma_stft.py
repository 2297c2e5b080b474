"""Kind ``chroma-stft``: the power in twelve pitch classes, as ``librosa.feature.chroma_stft``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mgrkit.spectrograms import chroma, exact
from mgrkit.spectrograms.kinds import Code, Marks
from mgrkit.spectrograms.transform import frame_count, scratch

if TYPE_CHECKING:
    from mgrkit.frontend import FrontEnd
    from mgrkit.spectrograms.transform import Floats

NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def values(samples: Floats, frontend: FrontEnd) -> Floats:
    """Chroma in the tuning of the sound, float32 ``(12, frames)``, each frame's largest 1."""
    transform, rate = frontend.transform, frontend.rate
    shape = (frame_count(len(samples), transform), transform.n_fft // 2 + 1)
    power: Floats = scratch("power-of-all", shape, np.float32)
    peaks = []
    for block, magnitude in exact.magnitudes(samples, transform):
        part = np.square(magnitude, out=power[block])
        peaks.append(chroma.spectral_peaks(part, rate, transform.n_fft))
    found = chroma.chroma(power, rate, transform.n_fft, chroma.tuning(peaks))
    return np.ascontiguousarray(found.T)


def marks(frontend: FrontEnd) -> Marks:
    """The pitch classes."""
    del frontend
    return [(float(number), name) for number, name in enumerate(NAMES)]


CODE = Code(values=values, axis="pitch class", marks=marks)
