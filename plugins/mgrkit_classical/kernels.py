"""From examples and support vectors to probabilities, in NumPy or torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mgrkit_classical.arrays import Place
    from mgrkit_classical.hooks import SVMParameters

SLOPE = 3.0
"""How much the log odds of a pair grow with a margin. One number for all: on artist-grouped folds
a sigmoid fit to each pair (Platt 1999) cost ten points of accuracy, there are too few artists."""

CERTAIN = 12.0
"""No pair's log odds are farther from 0 than this."""


def kernel(place: Place, x: Any, y: Any, parameters: SVMParameters, gamma: float) -> Any:
    """How like each x is to each y: ``(n, columns)`` and ``(m, columns)`` to ``(n, m)``."""
    if parameters.kernel == "linear":
        return x @ y.T
    if parameters.kernel == "poly":
        return (gamma * (x @ y.T) + parameters.coef0) ** parameters.degree
    return place.xp.exp(-gamma * squares(place, x, y))


def squares(place: Place, x: Any, y: Any) -> Any:
    """The squared distances of x ``(n, columns)`` from y ``(m, columns)``: ``(n, m)``."""
    distances = (x * x).sum(1)[:, None] + (y * y).sum(1)[None]
    product = x @ y.T
    product *= 2
    distances -= product
    return place.xp.clip(distances, 0, None)


def decisions(place: Place, likeness: Any, weights: Any, bias: Any, counts: Sequence[int]) -> Any:
    """One-against-one decision values ``(n, k, k)``: above 0 in row i, column j is for i.

    Parameters
    ----------
    likeness : ``(n, m)``, from `kernel`.
    weights : ``(m, k)``, of each support vector against each label; 0 against its own.
    bias : ``(k, k)``, antisymmetric.
    counts : how many of the vectors are of each label, in order.
    """
    sides, start = [], 0
    for count in counts:
        end = start + count
        sides.append(likeness[:, start:end] @ weights[start:end])
        start = end
    towards = place.xp.stack(sides, 1)
    return towards - towards.swapaxes(1, 2) + bias


def coupled(place: Place, decided: Any) -> Any:
    """Probabilities ``(n, k)`` that agree best with those of all pairs.

    The second method of Wu, Lin and Weng 2004, whose minimum is a linear system.

    Parameters
    ----------
    decided : decision values ``(n, k, k)``, antisymmetric.
    """
    xp = place.xp
    n, k = len(decided), decided.shape[1]
    odds = xp.clip(SLOPE * decided, -CERTAIN, CERTAIN)
    wins = 1 / (1 + xp.exp(-odds))
    losses = wins.swapaxes(1, 2)
    unit = place.put(np.eye(k))
    losses_square = losses * losses * (1 - unit)
    system = place.put(np.zeros((n, k + 1, k + 1)))
    # The last row and column hold the sum of the probabilities at one.
    system[:, :k, :k] = unit * losses_square.sum(2)[:, :, None] - (1 - unit) * wins * losses
    system[:, :k, k] = 1
    system[:, k, :k] = 1
    right = place.put(np.zeros((n, k + 1, 1)))
    right[:, k] = 1
    solved = xp.linalg.solve(system, right)[:, :k, 0]
    positive = xp.where(solved > 0, solved, 0.0)
    return positive / positive.sum(1)[:, None]
