"""Kind ``kaggle-images``: mel as the public pictures of GTZAN show it.

The pictures (``images_original`` of Kaggle's GTZAN dataset) were drawn by librosa and matplotlib
with ``amplitude_to_db`` of the mel POWER, so that 80 dB of them are 40 dB of sound, on an area of
334.8 pixels. Found out by comparing pictures with their clips: of 44, 42 come back bit for bit
and two but for one pixel each.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mgrkit.frontend import KAGGLE, KINDS
from mgrkit.spectrograms.kinds import Code, mel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.frontend import FrontEnd
    from mgrkit.spectrograms.transform import Floats

COLUMNS = 334
_FRAMES, _WIDTH = 1293, 334.8
_NEAR = 0.05
# matplotlib counts in 256ths of a pixel: an edge belongs to the pixel that it is half of one into.
_EDGE = 1 / 512


def columns(frames: int) -> NDArray[np.intp]:
    """The frame that each column of the picture shows.

    334 columns for a clip of about 30 s (1,293 frames, give or take 5 %), else one for every 3.86
    frames, at least one. Column 0 is the first that the public pictures show unblended.
    """
    per_column = frames / _WIDTH
    count = COLUMNS
    if abs(frames - _FRAMES) > _NEAR * _FRAMES:
        per_column = KINDS[KAGGLE].frames_a_column
        count = max(1, int(frames / per_column))
    right = np.arange(2, count + 2) - _EDGE
    return np.minimum((right * per_column).astype(np.intp), frames - 1)


def shown(logs: Floats, peak: float, frontend: FrontEnd) -> tuple[Floats, float]:
    """The logarithms of the power ``(frames, bands)`` and their peak, as the picture takes them.

    The square of the power, in the columns shown: the law of decibels then makes 20 log10 of it.
    """
    return 2 * logs[columns(len(logs))], max(2 * peak, math.log(frontend.in_decibels.amin))


# matplotlib chooses among 256 colours: 256 steps, fractions cut off, the last one 255. And decibels
# were taken of power as if it were amplitude: half of them are real.
CODE = Code(mel.project, mel.place, columns=shown, steps=(0.0, 256.0), decibels=0.5)
