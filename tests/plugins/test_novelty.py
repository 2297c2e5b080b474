"""Networks say which pictures are unlike train, and bundles of before are read as they were."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from mgrkit.classifiers import Examples, Run, Task
from mgrkit.errors import BundleError
from tests.plugins.small_network import TOY, Quick, Small, fit, small

EVEN = np.full((1, *TOY.task.shape), 128, np.uint8)


def fitted() -> Small:
    model = small(epochs=1)
    fit(model)
    return model


def test_what_is_unlike_train_is_strange() -> None:
    model = fitted()
    assert model.strange(EVEN).tolist() == [True]
    assert model.strange(TOY.held_out.x).mean() < 0.5
    again = small(epochs=1)
    again.restore(model.state())
    assert again.strange(EVEN).tolist() == [True]


def test_a_bundle_of_before_knows_nothing_strange() -> None:
    state = {name: a for name, a in fitted().state().items() if not name.startswith("far.")}
    model = fitted()
    model.restore(state)
    assert not model.strange(EVEN).any()
    assert set(model.state()) == set(state)


def test_pictures_too_small_for_statistics_are_learnt_from_as_before() -> None:
    x = np.random.default_rng(0).integers(0, 255, (8, 40, 334), np.uint8)
    number = np.arange(8)
    model = Small(Task(("a", "b"), (40, 334)), Quick(epochs=1, batch=2))
    model.fit(Examples(x, number % 2, number, number), None, Run(0))
    assert not model.strange(x).any()
    assert not any(name.startswith("far.") for name in model.state())


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("far.limit", np.zeros(1)),
        ("far.limit", np.ones(2)),
        ("far.centres", np.ones((2, 3))),
        ("far.whitening", np.ones((335, 335), np.float32)),
        ("far.more", np.ones(1)),
    ],
)
def test_arrays_that_cannot_be(name: str, array: np.ndarray) -> None:
    model = fitted()
    with pytest.raises(BundleError):
        model.restore({**model.state(), name: array})
