"""Kind ``chroma-cqt``: a constant-Q transform folded to twelve pitch classes.

As ``librosa.feature.chroma_cqt`` gives it. The transform and the search for the tuning are ours, as
they take nearly all of the time; librosa folds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.frontend import Transform
from mgrkit.frontend.notes import hertz_of
from mgrkit.spectrograms import chroma, exact
from mgrkit.spectrograms.constantq import constant_q
from mgrkit.spectrograms.kinds import Code
from mgrkit.spectrograms.kinds.chroma_stft import marks
from mgrkit.spectrograms.kinds.cqt import shape_of

if TYPE_CHECKING:
    from mgrkit.frontend import FrontEnd
    from mgrkit.spectrograms.transform import Floats

_TUNED = Transform()
"""What librosa finds the tuning by, whatever the hop."""
_ROUNDING = np.float32(1e-6)


def values(samples: Floats, frontend: FrontEnd) -> Floats:
    """Chroma in the tuning of the sound, float32 ``(12, frames)``, each frame's largest 1."""
    import librosa

    found: Floats = librosa.feature.chroma_cqt(**magnitudes(samples, frontend))
    return found


def magnitudes(samples: Floats, frontend: FrontEnd) -> dict[str, Any]:
    """The transform in the tuning of the sound, as librosa's functions of chroma take it.

    Frames that are 120 dB below the loudest are zeros: what is left there of digital silence is the
    rounding of the transform, which would be divided by its own largest.
    """
    shape, rate = shape_of(frontend), frontend.rate
    tuned = _tuning(samples, rate, shape.bins_per_octave)
    magnitude = constant_q(samples, rate, tuned, shape, frontend.transform.hop_length)
    largest = magnitude.max(axis=0)
    magnitude[:, largest < _ROUNDING * largest.max()] = 0
    return {
        "C": magnitude,
        "fmin": hertz_of(shape.fmin),
        "bins_per_octave": shape.bins_per_octave,
        "n_octaves": shape.octaves,
    }


def _tuning(samples: Floats, rate: int, bins: int) -> int:
    """In hundredths of a bin; 0 where there are no peaks."""
    found = [
        chroma.spectral_peaks(magnitude, rate, _TUNED.n_fft)
        for _, magnitude in exact.magnitudes(samples, _TUNED)
    ]
    return chroma.tuning(found, bins)


CODE = Code(values=values, axis="pitch class", marks=marks)
