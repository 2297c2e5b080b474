"""What is told of a curve: seven statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Doubles = NDArray[np.float64]

STATISTICS = ("kurtosis", "max", "mean", "median", "min", "skew", "std")
_PRECISION = float(np.finfo(np.float32).eps)


def statistics(curves: Doubles) -> Doubles:
    """Those of `STATISTICS` of each curve, float64 ``(curves, 7)``.

    Deviation, skewness and kurtosis (0 for a normal distribution) are those of the values
    themselves, not estimates for what they are drawn from. A curve that does not change, as far as
    float32 can tell, has skewness 0 and kurtosis -3: so SciPy had it when FMA's table was made.
    Today's says NaN, which is nothing to learn from.

    Parameters
    ----------
    curves : float64 ``(curves, frames)``.
    """
    ordered = np.sort(curves, axis=1)
    frames = curves.shape[1]
    middle = (ordered[:, (frames - 1) // 2] + ordered[:, frames // 2]) / 2
    mean = curves.mean(axis=1)
    off = curves - mean[:, None]
    powers = off * off
    variance = powers.mean(axis=1)
    changes = variance > (_PRECISION * mean) ** 2
    scale = np.where(changes, variance, 1)
    kurtosis = np.where(changes, (powers * powers).mean(axis=1) / scale**2, 0) - 3
    powers *= off
    skew = np.where(changes, powers.mean(axis=1) / scale**1.5, 0)
    deviation = np.sqrt(variance)
    return np.stack([kurtosis, ordered[:, -1], mean, middle, ordered[:, 0], skew, deviation], 1)
