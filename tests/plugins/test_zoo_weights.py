"""Genres and artists count as the parameters say, in every classifier of columns."""

from __future__ import annotations

import numpy as np
import pytest
from mgrkit_classical import groups
from mgrkit_classical.columns import ColumnClassifier

from mgrkit.classifiers import Examples, Run
from tests.plugins.classical import QUICK, examples, fitted, make

ZOO = [name for name in QUICK if isinstance(make(name), ColumnClassifier)]
ALL = pytest.mark.parametrize("name", ZOO)
SHALLOW: dict[str, dict[str, object]] = {
    "decision_tree": {"max_depth": 1}, "random_forest": {"max_depth": 1},
    "extra_trees": {"max_depth": 1}, "bagging": {"min_samples_leaf": 20},
    "adaboost": {"max_depth": 1, "n_estimators": 1}, "gradient_boosting": {"max_iter": 5},
    "knn": {"n_neighbors": 40, "weights": "uniform"},
}  # fmt: skip
"""What leaves them unsure, so that weights can show."""


@ALL
def test_a_balanced_rare_genre_is_likelier(name: str) -> None:
    train = examples(2, each=40)
    kept = (train.y == 0) | (np.arange(len(train)) % 8 == 0)
    few = Examples(*(getattr(train, f)[kept] for f in ("x", "y", "tracks", "groups")))
    more = SHALLOW.get(name, {})
    if name == "nearest_centroid":
        return  # means do not hang on how much their genre counts
    plain, balanced = (
        fitted(name, few, 2, **more, class_weight=how).predict_proba(train.x)[:, 1].mean()
        for how in ("none", "balanced")
    )
    assert balanced > plain + 1e-3


@ALL
def test_the_learner_is_given_the_weights_of_artists(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lessons = []
    train = examples()
    uneven = Examples(train.x, train.y, train.tracks, np.where(train.tracks < 20, 0, train.groups))
    model = make(name, even_groups=0.8, class_weight="balanced")
    learn = type(model).learn  # type: ignore[attr-defined]
    monkeypatch.setattr(
        type(model), "learn", lambda self, one, run: lessons.append(one) or learn(self, one, run)
    )
    model.fit(uneven, None, Run(0))
    [lesson] = lessons
    assert np.allclose(lesson.weight, groups.weights(uneven.y, uneven.groups, 0.8, True))


@ALL
def test_what_an_example_weighs_matters(name: str) -> None:
    train = examples()
    uneven = np.where(np.arange(len(train)) < 20, 0, train.groups)
    one = Examples(train.x, train.y, train.tracks, uneven)
    options = {**SHALLOW.get(name, {}), "class_weight": "none"}
    if "whiten" in make(name).parameters.__dataclass_fields__:
        options["whiten"] = 0
    found = [fitted(name, one, **options, even_groups=e).predict_proba(train.x) for e in (0, 1)]
    assert not np.allclose(found[0], found[1], atol=1e-4)
