"""Support vector machines of all pairs of labels, by scikit-learn (libsvm)."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.errors import UsageError
from mgrkit_classical.solvers.sklearn import unwarned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.classifiers.base import Run
    from mgrkit_classical.arrays import Numbers, Place
    from mgrkit_classical.hooks import SVMParameters

_STEPS = 1_000_000
"""Of the solver for one pair, which nothing can stop; what settles at all takes fewer."""


def machines(
    z: Numbers,
    y: NDArray[np.int64],
    weight: Numbers,
    asked: SVMParameters,
    gamma: float,
    place: Place,
    run: Run,
) -> tuple[Numbers, Numbers]:
    """How much each example counts against each other label, and the bias of each pair.

    Parameters
    ----------
    z : ``(n, columns)``, scaled, in the labels' order.
    y : ``(n,)``, 0 to k - 1, rising.
    weight : ``(n,)``, 1 on average.

    Returns
    -------
    ``(n, k)``, the dual variables, 0 against its own label; and ``(k, k)``, antisymmetric: see
    `kernels.decisions`.

    Raises
    ------
    UsageError : the fit did not settle.
    """
    del place
    k = int(y[-1]) + 1
    weights, bias = np.zeros((len(y), k)), np.zeros((k, k))
    pairs = list(itertools.combinations(range(k), 2))
    for done, (i, j) in enumerate(pairs):
        run.check()
        of_i, of_j = np.flatnonzero(y == i), np.flatnonzero(y == j)
        both = np.concatenate([of_i, of_j])
        second = np.arange(len(both)) >= len(of_i)
        machine = _machine(z[both], second, weight[both], asked, gamma)
        # scikit-learn's two-class machine is for the second; here row i is for i.
        supports = both[machine.support_]
        opponent = np.where(supports < of_j[0], j, i)
        weights[supports, opponent] = np.abs(machine.dual_coef_[0])
        bias[i, j], bias[j, i] = -machine.intercept_[0], machine.intercept_[0]
        run.progress(done + 1, len(pairs), {})
    return weights, bias


def _machine(
    z: Numbers, second: NDArray[np.bool_], weight: Numbers, asked: SVMParameters, gamma: float
) -> Any:
    """scikit-learn's machine of one pair."""
    from sklearn.svm import SVC

    machine = SVC(
        C=asked.C,
        kernel=asked.kernel,
        gamma=gamma,
        degree=asked.degree,
        coef0=asked.coef0,
        max_iter=_STEPS,
        # None would draw from NumPy's global generator, though nothing here is random.
        random_state=0,
    )
    with unwarned():
        machine.fit(z, second, weight)
    if machine.fit_status_:
        raise UsageError(
            f"the svm's {asked.kernel} kernel did not settle", "give a smaller C or gamma"
        )
    return machine
