"""Kind ``tonnetz``: tonal centroids, as ``librosa.feature.tonnetz`` gives them of a sound.

Harte, Sandler and Gasser, Detecting harmonic change in musical audio, 2006: where chroma lies on
the circles of fifths, of minor and of major thirds, from -1 to 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mgrkit.spectrograms.kinds import Code, Marks
from mgrkit.spectrograms.kinds.chroma_cqt import values as chroma_of

if TYPE_CHECKING:
    from mgrkit.frontend import FrontEnd
    from mgrkit.spectrograms.transform import Floats

NAMES = ("fifths x", "fifths y", "minor x", "minor y", "major x", "major y")


def _values(samples: Floats, frontend: FrontEnd) -> Floats:
    import librosa

    chroma = chroma_of(samples, frontend)
    found: Floats = librosa.feature.tonnetz(chroma=chroma, sr=frontend.rate).astype(np.float32)
    return found


def _widest(values: Floats, frontend: FrontEnd) -> Floats:
    del frontend
    return np.ones(len(values), np.float32)


def _marks(frontend: FrontEnd) -> Marks:
    del frontend
    return [(float(number), name) for number, name in enumerate(NAMES)]


CODE = Code(values=_values, axis="tonal centroid", marks=_marks, widest=_widest)
