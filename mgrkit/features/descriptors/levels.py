"""Power to decibels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mgrkit.frontend import Decibels
    from mgrkit.spectrograms.transform import Floats


def to_decibels(power: Floats, law: Decibels) -> Floats:
    """Decibels above the power 1, at most ``top_db`` below the largest, in place of the power.

    In float32 as in librosa: many values may be the lowest, whose rounding then shows in means.

    Parameters
    ----------
    power : float32, of any shape, of a whole piece.
    """
    np.maximum(power, law.amin, out=power)
    np.log10(power, out=power)
    np.multiply(power, 10, out=power)
    np.maximum(power, power.max() - law.top_db, out=power)
    return power
