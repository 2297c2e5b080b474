"""The log odds of logistic regression, by scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mgrkit.errors import UsageError
from mgrkit_classical.solvers.sklearn import unwarned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.classifiers.base import Run
    from mgrkit_classical.arrays import Numbers, Place

_STRETCH, _STRETCHES = 20, 500
"""Steps of the solver, which nothing can stop, and how often it may go on from there; examples
that are scaled and whitened take some dozens of steps in all."""

_EXACT = 1e-6


def odds(
    z: Numbers, y: NDArray[np.int64], weight: Numbers, price: float, place: Place, run: Run
) -> tuple[Numbers, Numbers]:
    """Weights ``(columns, k)`` and bias ``(k,)`` of the log odds of the labels in y.

    Parameters
    ----------
    z : ``(n, columns)``, scaled.
    y : ``(n,)``; k different labels.
    weight : ``(n,)``, 1 on average.
    price : C, of a wrong example.

    Raises
    ------
    UsageError : the fit did not settle.
    """
    from sklearn.linear_model import LogisticRegression as Solver

    del place
    solver = Solver(C=price, max_iter=_STRETCH, tol=_EXACT, warm_start=True, random_state=0)
    for _ in range(_STRETCHES):
        run.check()
        with unwarned():
            solver.fit(z, y, weight)
        if solver.n_iter_[0] < _STRETCH:
            break
    else:
        raise UsageError("the logistic regression did not settle", "give a smaller C")
    run.check()
    weights, bias = solver.coef_.T, solver.intercept_
    if weights.shape[1] == 1:  # of two genres, the log odds of the second
        weights, bias = weights * [[-0.5, 0.5]], bias * [-0.5, 0.5]
    return np.ascontiguousarray(weights, np.float64), bias.astype(np.float64)
