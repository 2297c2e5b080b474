"""Rules of a vote, against scikit-learn's and by what they promise."""

from __future__ import annotations

import numpy as np
import pytest

from mgrkit.errors import UsageError
from mgrkit.learning.voting import RULES, stacked_weights, vote


def drawn(models: int = 3, count: int = 50, labels: int = 4, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(labels), (models, count)).astype(np.float32)


@pytest.mark.parametrize("rule", RULES)
def test_rows_are_probabilities(rule):
    rows = vote(rule, drawn(), [0.5, 1, 0])
    assert rows.dtype == np.float32
    assert (rows >= 0).all()
    np.testing.assert_allclose(rows.sum(1), 1, atol=1e-6)


def test_the_means():
    models = drawn()
    np.testing.assert_allclose(vote("mean", models), models.mean(0), atol=1e-6)
    product = models.astype(float).prod(0) ** (1 / 3)
    expected = product / product.sum(1, keepdims=True)
    np.testing.assert_allclose(vote("geometric", models), expected, atol=1e-5)


def test_majority_is_the_hard_vote_of_scikit_learn():
    ensemble = pytest.importorskip("sklearn.ensemble")
    base = pytest.importorskip("sklearn.base")

    class Known(base.ClassifierMixin, base.BaseEstimator):
        def __init__(self, verdicts=None):
            self.verdicts = verdicts

        def fit(self, x, y):
            self.classes_ = np.unique(y)
            return self

        def predict(self, x):
            return self.classes_[self.verdicts[x[:, 0].astype(int)]]

    models = drawn()
    known = [(str(i), Known(one.argmax(1))) for i, one in enumerate(models)]
    x = np.arange(50.0)[:, None]
    hard = ensemble.VotingClassifier(known, voting="hard").fit(x, np.arange(50) % 4)
    np.testing.assert_array_equal(vote("majority", models).argmax(1), hard.predict(x))


def test_a_zero_of_one_model_does_not_decide_alone():
    models = np.array([[[0, 1.0]], [[0.9, 0.1]], [[0.9, 0.1]], [[0.9, 0.1]], [[0.9, 0.1]]])
    models = np.concatenate([models, models[1:], models[1:]])
    assert vote("geometric", models).argmax() == 0


def test_stacked_weights_follow_who_is_right_and_are_never_negative():
    rng = np.random.default_rng(1)
    y = rng.integers(0, 4, 300)
    right = np.eye(4)[y] * 0.6 + 0.1
    wrong = np.eye(4)[(y + 1) % 4] * 0.3 + 0.175
    noise = rng.dirichlet(np.ones(4) * 5, 300)
    weights = stacked_weights(np.stack([right, noise, wrong]), y)
    assert weights[0] > 1
    assert weights[1] < weights[0] / 4
    assert weights[2] == 0
    losses = [
        -np.log(vote("stacked", np.stack([right, noise, wrong]), w)[np.arange(300), y]).mean()
        for w in (weights, [1 / 3] * 3)
    ]
    assert losses[0] < losses[1]


def test_few_tracks_leave_weights_near_equal():
    weights = stacked_weights(drawn(2, 1), np.array([0]))
    assert np.allclose(weights, 0.5, atol=1)


def test_an_unknown_rule():
    with pytest.raises(UsageError, match="geometric, mean, majority, stacked, not 'loud'"):
        vote("loud", drawn())
