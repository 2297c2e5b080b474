"""A classifier of examples that may lack values, made of one that takes none such."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.classifiers.base import Classifier
from mgrkit.errors import BundleError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.classifiers.base import Examples, Floats, Run, State

MEDIANS = "mgrkit.medians"
"""The array of a state that is this class's; all others are those of the classifier inside."""


class Filled(Classifier):
    """Gives each value that is missing (NaN) the median of its column in train.

    What is learnt of columns is learnt in `fit`, of nothing but its train examples. A column
    without any value there but 0 is 0 in all examples, whatever they hold: so is a category that
    train lacks.

    The state is that of the classifier inside, and float32 `MEDIANS` ``(columns,)``, NaN for a
    column without any value but 0.

    Parameters
    ----------
    inside : a new classifier of features.
    """

    def __init__(self, inside: Classifier) -> None:
        super().__init__(inside.task, inside.parameters)
        self._inside = inside
        self._medians: Floats | None = None

    def fit(self, train: Examples, valid: Examples | None, run: Run) -> None:
        """See `Classifier.fit`."""
        self._medians = _medians(train.x)
        chosen_by = None if valid is None else self._filled(valid)
        self._inside.fit(self._filled(train), chosen_by, run)

    def predict_proba(self, x: NDArray[Any]) -> Floats:
        """See `Classifier.predict_proba`."""
        return self._inside.predict_proba(self._values(x))

    def strange(self, x: NDArray[Any]) -> NDArray[np.bool_]:
        """See `Classifier.strange`."""
        return self._inside.strange(self._values(x))

    def state(self) -> State:
        """See `Classifier.state`."""
        inside = self._inside.state()
        if self._medians is None:
            raise UsageError("the classifier was neither fit nor restored")
        return {**inside, MEDIANS: self._medians}

    def restore(self, state: State, device: str = "cpu") -> None:
        """See `Classifier.restore`."""
        medians = state.get(MEDIANS)
        if medians is None or medians.dtype != np.float32 or medians.shape != self.task.shape:
            raise BundleError(f"the model's {MEDIANS} are not a float32 for each column")
        if np.isinf(medians).any():
            raise BundleError(f"the model's {MEDIANS} are not finite")
        self._inside.restore({n: a for n, a in state.items() if n != MEDIANS}, device)
        self._medians = medians

    def _filled(self, examples: Examples) -> Examples:
        return replace(examples, x=self._values(examples.x))

    def _values(self, x: NDArray[Any]) -> Floats:
        x = np.asarray(x)
        if self._medians is None:
            raise UsageError("the classifier was neither fit nor restored")
        if x.dtype != np.float32 or x.shape[1:] != self.task.shape:
            raise UsageError(
                f"examples are {x.dtype} of shape {x.shape}, not float32 of shape "
                f"(n, {self.task.shape[0]})"
            )
        filled = np.where(np.isnan(x), self._medians, x)
        filled[:, np.isnan(self._medians)] = 0
        return filled


def _medians(x: NDArray[Any]) -> Floats:
    """Of each column's values; NaN for a column that has none but 0."""
    medians = np.full(x.shape[1], np.nan, np.float32)
    for column in range(x.shape[1]):  # one by one: a copy of all takes much memory
        values = x[:, column]
        values = values[~np.isnan(values)]
        if values.any():
            medians[column] = np.median(values)
    return medians
