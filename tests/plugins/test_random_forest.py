"""The random forest against scikit-learn's, and arrays that cannot be trees."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mgrkit_classical import trees
from mgrkit_classical.arrays import Place
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from mgrkit.errors import BundleError
from tests.plugins.classical import examples, fitted, make


@pytest.mark.parametrize("rival", [RandomForestClassifier, ExtraTreesClassifier])
@pytest.mark.parametrize("labels", [2, 3, 9])
@pytest.mark.parametrize(
    "options", [{}, {"max_depth": 1}, {"min_samples_leaf": 5}, {"max_leaf_nodes": 7}]
)
def test_shares_are_those_of_scikit_learn(
    rival: type, labels: int, options: dict[str, int]
) -> None:
    train = examples(labels, columns=5, each=15)
    forest = rival(n_estimators=9, random_state=0, **options).fit(train.x, train.y)
    state = trees.gathered(forest.estimators_, forest.classes_, labels)
    probabilities = trees.Trees(trees.checked(state, 5, labels), Place.of("cpu")).mean(train.x)
    assert abs(probabilities - forest.predict_proba(train.x)).max() < 1e-6


def test_values_on_a_threshold_go_where_scikit_learn_sends_them() -> None:
    rng = np.random.default_rng(0)
    values = np.float32(8) + np.arange(40) * np.spacing(np.float32(8))
    x = rng.choice(values, (400, 2)).astype(np.float32)
    tree = DecisionTreeClassifier().fit(x, (x[:, 0] + x[:, 1] > x.mean() * 2).astype(int))
    thresholds = tree.tree_.threshold
    assert (thresholds != thresholds.astype(np.float32)).any()
    state = trees.checked(trees.gathered([tree], tree.classes_, 2), 2, 2)
    probabilities = trees.Trees(state, Place.of("cpu")).mean(x)
    assert np.array_equal(probabilities, tree.predict_proba(x))


def test_a_forest_is_as_good_as_scikit_learns() -> None:
    train, held = examples(5, each=40), examples(5, each=40)
    settings = {"n_estimators": 60, "max_features": 0.25, "min_samples_leaf": 2}
    rival = RandomForestClassifier(**settings, random_state=0)
    theirs = rival.fit(train.x[::2], train.y[::2]).predict(held.x[1::2])
    half = type(train)(*(getattr(train, f)[::2] for f in ("x", "y", "tracks", "groups")))
    model = fitted("random_forest", half, 5, trees=60)
    ours = model.predict_proba(held.x[1::2]).argmax(1)
    assert (ours == held.y[1::2]).mean() > (theirs == held.y[1::2]).mean() - 0.06


def test_parameters_reach_the_trees() -> None:
    train = examples(each=30)

    def leaves(**options: Any) -> int:
        return len(fitted("random_forest", train, **options).state()["leaves"])

    assert leaves(max_depth=1) == 2 * 12
    assert leaves(min_samples_leaf=10) < leaves(min_samples_leaf=1) / 2
    assert leaves(trees=1) < leaves(trees=2)
    everything = fitted("random_forest", train, max_features=1.0, max_depth=1)
    assert len(set(everything.state()["features"])) < 6


def test_balanced_leaves_count_genres_alike() -> None:
    train = examples(2, each=40)
    kept = np.flatnonzero((train.y == 0) | (np.arange(len(train)) % 8 == 0))
    few = type(train)(*(getattr(train, f)[kept] for f in ("x", "y", "tracks", "groups")))
    plain, balanced = (
        fitted("random_forest", few, 2, max_depth=1, class_weight=weight).predict_proba(few.x)
        for weight in ("none", "balanced")
    )
    assert balanced[:, 1].mean() > plain[:, 1].mean() + 0.1


def _set(name: str, place: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(state: dict[str, Any]) -> None:
        state[name] = state[name].copy()
        state[name][place] = value

    return change


def _first_inner(state: dict[str, Any]) -> int:
    return int(np.flatnonzero(state["children"].any(axis=1))[0])


def _child(value: Callable[[dict[str, Any], int], int]) -> Callable[[dict[str, Any]], None]:
    def change(state: dict[str, Any]) -> None:
        node = _first_inner(state)
        _set("children", (node, 1), value(state, node))(state)

    return change


def _cycle(state: dict[str, Any]) -> None:
    """Every node has its one parent, and the last leaf leads back to the beginning."""
    state["children"] = state["children"].copy()
    state["children"][-1] = 1
    state["leaves"] = state["leaves"][:-1]


def _beyond(state: dict[str, Any]) -> None:
    """Every node has its one parent, and the last leaf leads to two that do not exist."""
    _cycle(state)
    state["children"][-1] = len(state["children"]) + np.arange(2)


def _fewer_trees(state: dict[str, Any]) -> None:
    """All but the last tree, which are a forest too."""
    nodes = state["roots"][-1]
    leaves = int((state["children"][:nodes] == 0).all(axis=1).sum())
    ends = {"roots": -1, "leaves": leaves}
    for name, array in state.items():
        state[name] = array[: ends.get(name, nodes)]


def _no_trees(state: dict[str, Any]) -> None:
    for name, array in state.items():
        state[name] = array[:0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_child(lambda _, node: node), "not trees"),
        (_child(lambda _, __: 0), "not trees"),
        (_child(lambda s, node: s["children"][node, 0]), "not trees"),
        (_child(lambda s, _: s["roots"][1]), "not trees"),
        (_child(lambda s, _: len(s["children"])), "not trees"),
        (_child(lambda _, __: 2**31 - 1), "not trees"),
        (_child(lambda _, __: -1), "not trees"),
        (_cycle, "not trees"),
        (_beyond, "not trees"),
        (_set("children", slice(None), 0), "leaves has shape"),
        (_set("features", 0, -1), "look at columns"),
        (_set("features", 0, 6), "look at columns"),
        (_set("features", 0, 2**31 - 1), "look at columns"),
        (_set("roots", 0, 1), "roots"),
        (_set("roots", 1, 0), "roots"),
        (_set("roots", -1, 2**31 - 1), "roots"),
        (_set("roots", 1, 2), "not trees"),
        (_set("roots", -1, -(2**31)), "roots"),
        (_fewer_trees, "has 11 trees, its parameters say 12"),
        (_set("leaves", 0, 0.9), "leaves"),
        (_set("leaves", (0, 0), -1), "leaves"),
        (_set("leaves", 0, [-0.5, 1.0, 0.5, 0.0]), "leaves"),
        (_set("leaves", (0, 0), 2), "leaves"),
        (_set("thresholds", 0, np.nan), "thresholds"),
        (_no_trees, "roots"),
    ],
)
def test_arrays_that_are_no_trees(change: Callable[[dict[str, Any]], None], said: str) -> None:
    state = dict(fitted("random_forest", examples()).state())
    change(state)
    with pytest.raises(BundleError, match=said):
        make("random_forest").restore(state)


def test_a_single_leaf_is_a_tree() -> None:
    train = examples()
    model = fitted("random_forest", train, min_samples_leaf=100)
    assert len(model.state()["children"]) == 12
    probabilities = model.predict_proba(train.x)
    assert np.array_equal(probabilities, np.repeat(probabilities[:1], len(train), axis=0))


def chain(depth: int, alone: int) -> dict[str, Any]:
    """A tree that is one path of this depth, and so many trees that are one leaf."""
    inner, nodes = np.arange(depth) * 2, 2 * depth + 1 + alone
    children = np.zeros((nodes, 2), np.int32)
    children[inner] = np.stack([inner + 1, inner + 2], axis=1)
    return {
        "roots": np.array([0, *range(2 * depth + 1, nodes)], np.int32),
        "features": np.zeros(nodes, np.int32),
        "thresholds": np.zeros(nodes, np.float32),
        "children": children,
        "leaves": np.tile(np.array([[1, 0]], np.float32), (depth + 1 + alone, 1)),
    }


def test_trees_that_are_too_deep_are_refused() -> None:
    model = make("random_forest", 2, 1, trees=3)
    model.restore(chain(trees.DEEPEST, 2))
    assert np.array_equal(model.predict_proba(np.ones((1, 1), np.float32)), [[1, 0]])
    for depth in (trees.DEEPEST + 1, 10 * trees.DEEPEST):
        with pytest.raises(BundleError, match="deeper than 10000 nodes"):
            model.restore(chain(depth, 2))


def test_a_tree_that_has_ended_is_not_descended_on() -> None:
    state = chain(40, 500)
    state["leaves"][:41] = np.eye(2)[1]
    asked: list[int] = []

    class Watched(Place):
        def picked(self, array: Any, numbers: Any) -> Any:
            if array is forest.thresholds:
                asked.append(numbers.size)
            return super().picked(array, numbers)

    forest = trees.Trees(trees.checked(state, 1, 2), Watched(np, "cpu"))
    probabilities = forest.mean(np.array([[-1], [1]], np.float32))
    assert sum(asked) == 2 * 40
    assert np.allclose(probabilities, [[500 / 501, 1 / 501]] * 2)


def test_trees_in_groups_are_those_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    train = examples(4)
    forest = fitted("random_forest", train)
    whole = forest.predict_proba(train.x)
    monkeypatch.setattr(trees, "_CELLS", 40)  # five rows and eight of the twelve trees
    assert np.array_equal(forest.predict_proba(train.x), whole)


def test_few_tracks_of_each_genre_are_no_reason_to_warn() -> None:
    train = examples(labels=24, each=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted("random_forest", train, 24)
