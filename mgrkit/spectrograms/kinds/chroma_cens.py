"""Kind ``chroma-cens``: chroma energy normalised statistics, as ``librosa.feature.chroma_cens``.

Mueller and Ewert, Chroma toolbox, ISMIR 2011: shares of pitch classes in steps, averaged over
41 frames.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgrkit.spectrograms.kinds import Code
from mgrkit.spectrograms.kinds.chroma_cqt import magnitudes
from mgrkit.spectrograms.kinds.chroma_stft import marks

if TYPE_CHECKING:
    from mgrkit.frontend import FrontEnd
    from mgrkit.spectrograms.transform import Floats


def _values(samples: Floats, frontend: FrontEnd) -> Floats:
    import librosa

    found: Floats = librosa.feature.chroma_cens(**magnitudes(samples, frontend))
    return found


CODE = Code(values=_values, axis="pitch class", marks=marks)
