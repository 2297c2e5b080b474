"""Votes: several models' probabilities of the same tracks as one.

Geometric and arithmetic mean: Kittler, Hatef, Duin, Matas 1998, "On combining classifiers" (the
product and the sum rule). Stacked: the logarithmic opinion pool (Heskes 1998, "Selecting weighting
factors in logarithmic opinion pools") with weights that are not negative (Breiman 1996, "Stacked
regressions").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

RULES = ("geometric", "mean", "majority", "stacked")
_FLOOR = 1e-6
"""No model is so sure that a genre cannot be: a zero would decide the product alone."""
_HOLD = 1.0
"""How strongly learnt weights are held towards equal ones; as much as one track counts."""


def vote(
    rule: str, probabilities: NDArray[Any], weights: Sequence[float] = ()
) -> NDArray[np.float32]:
    """One answer of several models.

    Parameters
    ----------
    rule : one of `RULES`. 'majority' counts verdicts; among equals the first label leads, as in
        scikit-learn's hard vote.
    probabilities : ``(models, n, labels)``, rows summing to one.
    weights : for 'stacked' one of each model, from `stacked_weights`; else none.

    Returns
    -------
    float32 ``(n, labels)``, rows summing to one.

    Raises
    ------
    UsageError : an unknown rule.
    """
    models = np.asarray(probabilities, np.float64)
    if rule not in RULES:
        raise UsageError(f"the rule of a vote must be {', '.join(RULES)}, not {rule!r}")
    if rule in ("mean", "majority"):
        counted = models if rule == "mean" else np.eye(models.shape[2])[models.argmax(2)]
        mean: NDArray[np.float64] = counted.mean(0)
        return mean.astype(np.float32)
    equal = np.full(len(models), 1 / len(models))
    return _pooled(_logs(models), np.asarray(weights) if rule == "stacked" else equal)


def stacked_weights(probabilities: NDArray[Any], y: NDArray[Any]) -> list[float]:
    """The weights, 0 or more, with the lowest log loss of tracks that no model was fit on.

    They are held towards equal ones. Their sum is free: it is a temperature.

    Parameters
    ----------
    probabilities : ``(models, n, labels)``.
    y : integers ``(n,)``, the true labels.
    """
    from scipy.optimize import minimize

    logs = _logs(np.asarray(probabilities, np.float64))
    models, count, _ = logs.shape
    right = logs[:, np.arange(count), y]
    equal = np.full(models, 1 / models)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        pool = np.tensordot(weights, logs, 1)
        top = pool.max(1, keepdims=True)
        powers = np.exp(pool - top)
        sums = powers.sum(1, keepdims=True)
        lost = float((np.log(sums) + top)[:, 0].sum() - weights @ right.sum(1))
        slope = (logs * (powers / sums)).sum((1, 2)) - right.sum(1)
        far = weights - equal
        return lost + _HOLD * float(far @ far) / 2, slope + _HOLD * far

    found = minimize(loss, equal, jac=True, method="L-BFGS-B", bounds=[(0, None)] * models)
    return [float(weight) for weight in found.x]


def _logs(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    logs: NDArray[np.float64] = np.log(np.maximum(probabilities, _FLOOR))
    return logs


def _pooled(logs: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float32]:
    pool = np.tensordot(weights, logs, 1)
    powers = np.exp(pool - pool.max(1, keepdims=True))
    pooled: NDArray[np.float32] = (powers / powers.sum(1, keepdims=True)).astype(np.float32)
    return pooled
