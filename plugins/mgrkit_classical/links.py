"""From a value for each label to probabilities, in NumPy or torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit_classical.kernels import CERTAIN, SLOPE

if TYPE_CHECKING:
    from mgrkit_classical.arrays import Numbers, Place


def softmax(place: Place, values: Any) -> Any:
    """Of log odds ``(n, k)``."""
    powers = place.xp.exp(values - place.xp.amax(values, 1)[:, None])
    return powers / powers.sum(1)[:, None]


def margins(place: Place, values: Any) -> Any:
    """Of margins, with the odds that svm gives to those of a pair.

    The log odds of two labels are `kernels.SLOPE` times the difference of their values, and none
    is surer than `kernels.CERTAIN`: what `kernels.coupled` makes of such pairs.
    """
    odds = SLOPE * (values - place.xp.amax(values, 1)[:, None])
    return softmax(place, place.xp.where(odds > -CERTAIN, odds, -CERTAIN))


def logistic(place: Place, values: Any) -> Any:
    """Of log odds of each label against all others."""
    xp = place.xp
    return softmax(place, xp.where(values < 0, values, 0.0) - xp.log1p(xp.exp(-xp.abs(values))))


def huber(place: Place, values: Any) -> Any:
    """Of values that a modified Huber loss was used for (Zadrozny, Elkan 2002); even for none."""
    shares = (place.xp.clip(values, -1, 1) + 1) / 2
    total = shares.sum(1)[:, None]
    even = 1 / shares.shape[1]
    return place.xp.where(total > 0, shares / place.xp.where(total > 0, total, 1.0), even)


LINKS = {"margins": margins, "log_loss": logistic, "modified_huber": huber}


def spread(values: Numbers) -> float:
    """The mean distance of values from the mean of their row; 1 where there is none."""
    size = float(np.abs(values - values.mean(axis=1, keepdims=True)).mean())
    return size if size > 0 else 1.0
