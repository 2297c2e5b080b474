"""Missing values: medians of the train examples and of nothing else, kept with the model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mgrkit.classifiers import Classifier, Examples, Run, Task
from mgrkit.classifiers.filling import MEDIANS, Filled
from mgrkit.errors import BundleError, UsageError

NAN = float("nan")
TASK = Task(("a", "b"), (3,), ("p", "q", "r"))


class Watching(Classifier):
    """Keeps what it is given."""

    def fit(self, train: Examples, valid: Examples | None, run: Run) -> None:
        self.train, self.valid = train, valid

    def predict_proba(self, x: Any) -> Any:
        self.asked = x
        return np.full((len(x), 2), 0.5, np.float32)

    def strange(self, x: Any) -> Any:
        self.doubted = x
        return np.ones(len(x), bool)

    def state(self) -> dict[str, Any]:
        return {"sum": np.array([self.train.x.sum()])}

    def restore(self, state: Any, device: str = "cpu") -> None:
        assert set(state) == {"sum"}


def examples(*rows: list[float]) -> Examples:
    n = np.arange(len(rows))
    return Examples(np.array(rows, np.float32), n % 2, n, n)


def fitted(valid: Examples | None = None) -> tuple[Filled, Watching]:
    inside = Watching(TASK, None)
    model = Filled(inside)
    train = examples([1, NAN, NAN], [3, 5, NAN], [NAN, 7, NAN], [9, NAN, NAN])
    model.fit(train, valid, Run(0))
    return model, inside


def test_a_missing_value_is_the_median_of_its_column_in_train_and_of_nothing_else() -> None:
    model, inside = fitted(examples([100, 100, 100], [NAN, 200, NAN]))
    assert inside.train.x.tolist() == [[1, 6, 0], [3, 5, 0], [3, 7, 0], [9, 6, 0]]
    assert inside.valid
    assert inside.valid.x.tolist() == [[100, 100, 0], [3, 200, 0]]
    model.predict_proba(np.array([[NAN, NAN, 8]], np.float32))
    assert inside.asked.tolist() == [[3, 6, 0]]
    assert model.strange(np.array([[NAN, 2, NAN]], np.float32)).tolist() == [True]
    assert inside.doubted.tolist() == [[3, 2, 0]]


def test_what_was_missing_in_train_is_kept_with_the_model() -> None:
    state = fitted()[0].state()
    assert np.array_equal(state[MEDIANS], np.array([3, 6, NAN], np.float32), equal_nan=True)
    inside = Watching(TASK, None)
    again = Filled(inside)
    again.restore(state)
    again.predict_proba(np.array([[NAN, NAN, 8]], np.float32))
    assert inside.asked.tolist() == [[3, 6, 0]]


@pytest.mark.parametrize(
    "medians",
    [None, np.zeros(2, np.float32), np.zeros(3), np.array([1, np.inf, 2], np.float32)],
)
def test_medians_that_cannot_be_are_refused(medians: Any) -> None:
    state = {"sum": np.zeros(1)} | ({} if medians is None else {MEDIANS: medians})
    with pytest.raises(BundleError, match="medians"):
        Filled(Watching(TASK, None)).restore(state)


def test_examples_of_another_form_are_refused() -> None:
    model = Filled(Watching(TASK, None))
    with pytest.raises(UsageError, match="neither fit nor restored"):
        model.predict_proba(np.zeros((1, 3), np.float32))
    model, _ = fitted()
    for x in (np.zeros((1, 2), np.float32), np.zeros((1, 3)), np.zeros(3, np.float32)):
        with pytest.raises(UsageError, match="not float32 of shape"):
            model.predict_proba(x)
