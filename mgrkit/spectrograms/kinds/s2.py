"""Kind ``s2-images``: the transform as SpectroTune draws it for its networks.

nikhilnair31/SpectroTune---Genre-Classifier shows ``librosa.stft`` in decibels by
``librosa.display.specshow`` of matplotlib, 4 x 3 inches without axes: 270 rows and 370 columns
within 15 white pixels. Found out by drawing 44 clips so: at most 16 of 99,900 pixels are another of
256 steps, the next one, as levels are computed in float32 here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mgrkit.frontend import KINDS, S2
from mgrkit.spectrograms.kinds import Code
from mgrkit.spectrograms.sizing import columns_of_mesh, rows_of_mesh
from mgrkit.spectrograms.transform import frame_count, short_time_power

if TYPE_CHECKING:
    from mgrkit.frontend import FrontEnd
    from mgrkit.spectrograms.transform import Floats

ROWS, COLUMNS = KINDS[S2].bands, KINDS[S2].width
_BORDER = 15.000000000000002
"""What ``tight_layout`` leaves free on the left; it decides which frame a pixel shows of two."""


def _values(samples: Floats, frontend: FrontEnd) -> Floats:
    """The power of all frequencies, as peak and least level are of all: ``(1025, frames)``."""
    transform = frontend.transform
    shape = frame_count(len(samples), transform), transform.n_fft // 2 + 1
    power: Floats = np.empty(shape, np.float32)
    for first, block in short_time_power(samples, transform):
        power[first : first + len(block)] = block
    return power.T


def _columns(logs: Floats, peak: float, frontend: FrontEnd) -> tuple[Floats, float]:
    del frontend
    frames, bins = logs.shape
    columns, rows = columns_of_mesh(frames, COLUMNS, _BORDER), rows_of_mesh(bins, ROWS)
    return logs[np.ix_(columns, rows)], peak


def _place(hertz: float, frontend: FrontEnd) -> float:
    bins = frontend.transform.n_fft // 2 + 1
    return (hertz * frontend.transform.n_fft / frontend.rate + 0.5) * ROWS / bins - 0.5


CODE = Code(None, _place, _values, columns=_columns)
