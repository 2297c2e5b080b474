"""Fewer columns: principal components, discriminants, or the columns that tell most."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.errors import UsageError
from mgrkit_classical import groups
from mgrkit_classical.parameters import reduction

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.classifiers.base import Run, Task
    from mgrkit_classical.arrays import Numbers


def fit(z: Numbers, y: NDArray[np.int64], text: str, task: Task, run: Run) -> Numbers | None:
    """A map of scaled examples to fewer columns, learnt from these; None where none is asked for.

    Principal components are those of scikit-learn's ``PCA``, discriminants those of its
    ``LinearDiscriminantAnalysis``, and columns are chosen by its ``f_classif``. The map is scaled
    so that the mean square of mapped examples is the number of their columns, as before it.

    Parameters
    ----------
    z : ``(n, columns)``, standardised.
    text : see `parameters.reduction`.

    Returns
    -------
    ``(columns, fewer)``; examples are multiplied with it from the left. Where these examples have
    fewer directions than asked for, it has as many as there are, and a note says so.

    Raises
    ------
    UsageError : more is asked for than the task can have.
    """
    asked = reduction(text)
    if asked is None:
        return None
    how, amount = asked
    most = len(task.labels) - 1 if how == "lda" else task.shape[0]
    if amount > most:
        why = f"{len(task.labels)} genres" if how == "lda" else f"{most} columns"
        raise UsageError(f"reduce={text} asks for more than {most}: there are {why}")
    run.check()
    found = _MAPS[how](z, y, amount) if z.any() else np.eye(z.shape[1])[:, :1]
    run.check()
    if found.shape[1] < amount:
        run.note(f"reduce={text}: train has {found.shape[1]} such directions, not {amount:g}")
    size = np.square(z @ found).mean()
    matrix: Numbers = found / np.sqrt(size) if size > 0 else found
    return matrix


def whitening(
    z: Numbers,
    y: NDArray[np.int64],
    artists: NDArray[np.int64],
    text: str,
    share: float,
    task: Task,
    run: Run,
) -> Numbers:
    """One map ``(columns, fewer)`` that reduces as `fit` and whitens as `groups.whitening`."""
    matrix = fit(z, y, text, task, run)
    if matrix is None:
        return groups.whitening(z, artists, share)
    both: Numbers = matrix @ groups.whitening(z @ matrix, artists, share)
    return both


def _components(z: Numbers, _: Any, amount: float) -> Numbers:
    from sklearn.decomposition import PCA

    most = min(z.shape) if amount >= 1 else 1
    components: Numbers = PCA(min(amount, most), svd_solver="full").fit(z).components_.T
    return components


def _discriminants(z: Numbers, y: NDArray[np.int64], amount: float) -> Numbers:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    if len(z) == len(np.unique(y)):
        return np.eye(z.shape[1])[:, :1]  # nothing differs within a genre
    directions: Numbers = LinearDiscriminantAnalysis().fit(z, y).scalings_
    return directions[:, : min(int(amount), len(np.unique(y)) - 1)]


def _selected(z: Numbers, y: NDArray[np.int64], amount: float) -> Numbers:
    from sklearn.feature_selection import f_classif

    varying = np.flatnonzero(np.ptp(z, axis=0) > 0)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # of columns that do not differ within a genre
        values = np.nan_to_num(f_classif(z[:, varying], y)[0], nan=0.0)
    best = varying[np.argsort(-values, kind="stable")[: int(amount)]]
    return np.eye(z.shape[1])[:, np.sort(best)]


_MAPS = {"pca": _components, "lda": _discriminants, "select": _selected}
