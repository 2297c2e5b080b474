"""Classifiers of columns against scikit-learn: the same probabilities from the same fits."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from mgrkit_classical import groups, kernels, links
from mgrkit_classical.arrays import Place
from mgrkit_classical.columns import Lesson
from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)
from sklearn.ensemble import AdaBoostClassifier, HistGradientBoostingClassifier
from sklearn.ensemble._hist_gradient_boosting import binning
from sklearn.linear_model import Perceptron, RidgeClassifier, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.neural_network import MLPClassifier
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from mgrkit.classifiers import Examples, Run
from tests.plugins.classical import examples, fitted, make

HERE = Place.of("cpu")
CLOSE = 1e-6
EVEN = {"class_weight": "none", "even_groups": 0}
"""All examples count the same, for what scikit-learn cannot weigh."""

Fits = list[tuple[Any, Any]]
WATCHED = {
    DecisionTreeClassifier: "fit", ExtraTreeClassifier: "fit", RidgeClassifier: "fit",
    HistGradientBoostingClassifier: "fit", SGDClassifier: "fit",
    LinearSVC: "fit", MLPClassifier: "partial_fit",
}  # fmt: skip


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fits]:
    """What scikit-learn fits from here on: each estimator, and the examples it saw."""
    seen: dict[int, tuple[Any, Any]] = {}
    found: Fits = []

    def watch(kind: type, name: str) -> None:
        own = getattr(kind, name)

        def fit(self: Any, x: Any, *rest: Any, **named: Any) -> Any:
            if id(self) not in seen:
                seen[id(self)] = (self, x)
                found.append((self, x))
            return own(self, x, *rest, **named)

        monkeypatch.setattr(kind, name, fit)

    for kind, name in WATCHED.items():
        watch(kind, name)
    yield found
    assert found, "scikit-learn was not asked to fit"


def trees_of(train: Examples, fits: Fits, z: Any) -> Any:
    """The mean of trees, each of the columns that it was shown."""
    shown = [
        [int(np.flatnonzero((train.x == column[:, None]).all(0))[0]) for column in x.T]
        for _, x in fits
    ]
    return np.mean(
        [tree.predict_proba(z[:, s]) for (tree, _), s in zip(fits, shown, strict=True)], 0
    )


def values_of(fits: Fits, z: Any) -> Any:
    values = np.stack([machine.decision_function(z) for machine, _ in fits], axis=1)
    return values if values.shape[1] > 1 else values * [-0.5, 0.5]


def margins(values: Any) -> Any:
    """What svm's coupling makes of the differences of values, none beyond its limit to the best."""
    near = np.maximum(values, values.max(1, keepdims=True) - kernels.CERTAIN / kernels.SLOPE)
    return kernels.coupled(HERE, near[:, :, None] - near[:, None, :])


@pytest.mark.parametrize("labels", [2, 5])
@pytest.mark.parametrize("options", [{}, EVEN, {"max_features": 0.0}], ids=str)
@pytest.mark.parametrize("name", ["decision_tree", "extra_trees"])
def test_trees(name: str, labels: int, options: dict[str, Any], fits: Fits) -> None:
    train = examples(labels, each=20)
    model = fitted(name, train, labels, **options)
    assert abs(model.predict_proba(train.x) - trees_of(train, fits, train.x)).max() < CLOSE


@pytest.mark.parametrize("labels", [2, 5])
@pytest.mark.parametrize(
    ("options", "shown"),
    [({"max_features": 0.5}, 3), ({"max_features": 0.01, "max_samples": 0.3}, 1)],
    ids=str,
)
def test_bagging(labels: int, options: dict[str, Any], shown: int, fits: Fits) -> None:
    train = examples(labels, each=20)
    model = fitted("bagging", train, labels, **options)
    assert abs(model.predict_proba(train.x) - trees_of(train, fits, train.x)).max() < CLOSE
    assert {x.shape[1] for _, x in fits} == {shown}


@pytest.mark.parametrize("labels", [2, 5])
@pytest.mark.parametrize("depth", [1, 2, 10])
def test_adaboost(labels: int, depth: int) -> None:
    train = examples(labels, each=20)
    asked = {"n_estimators": 25, "learning_rate": 0.7}
    model = fitted("adaboost", train, labels, max_depth=depth, **asked)
    weight = groups.weights(train.y, train.groups, 0.5, True)
    tree = DecisionTreeClassifier(max_depth=depth)
    theirs = AdaBoostClassifier(tree, **asked, random_state=0)
    if theirs.get_params().get("algorithm") == "SAMME.R":  # scikit-learn 1.5
        theirs.set_params(algorithm="SAMME")
    theirs.fit(train.x, train.y, weight)
    assert abs(model.predict_proba(train.x) - theirs.predict_proba(train.x)).max() < CLOSE


@pytest.mark.parametrize("labels", [2, 5])
@pytest.mark.parametrize("options", [{"max_iter": 23}, {"max_leaf_nodes": 2}], ids=str)
def test_gradient_boosting(labels: int, options: dict[str, Any], fits: Fits) -> None:
    train = examples(labels, each=40)
    model = fitted("gradient_boosting", train, labels, **options)
    [(theirs, bins)] = fits
    assert abs(model.predict_proba(train.x) - theirs.predict_proba(bins)).max() < CLOSE
    assert theirs.n_iter_ == options.get("max_iter", 12)


@pytest.mark.parametrize("each", [40, 200])
def test_gradient_boosting_in_stretches_is_that_at_once(each: int) -> None:
    if each == 200 and "averaged_inverted_cdf" not in inspect.getsource(binning):
        pytest.skip("this release makes bins in another way")
    train = examples(each=each)  # of 800 values, bins hold several
    model = fitted("gradient_boosting", train, max_iter=23, **EVEN, max_features=1.0)
    theirs = HistGradientBoostingClassifier(
        max_iter=23, early_stopping=False, max_leaf_nodes=15, min_samples_leaf=5,
        l2_regularization=1.0,
    ).fit(train.x, train.y)  # fmt: skip
    assert abs(model.predict_proba(train.x) - theirs.predict_proba(train.x)).max() < CLOSE


@pytest.mark.parametrize("labels", [2, 5])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("ridge", {}),
        ("ridge", {**EVEN, "reduce": "pca:3"}),
        ("perceptron", {}),
        ("perceptron", {"average": False, "penalty": "l1"}),
        ("sgd", {"loss": "hinge"}),
        ("linear_svm", {}),
        ("linear_svm", {"loss": "hinge", "C": 1.0}),
    ],
    ids=str,
)
def test_linear_models_without_probabilities(
    name: str, options: dict[str, Any], labels: int, fits: Fits
) -> None:
    train = examples(labels)
    model = fitted(name, train, labels, **options)
    z = model.prepared(train.x)  # type: ignore[attr-defined]
    values = values_of(fits, z)
    if name == "perceptron":
        values = values / links.spread(values)
    probabilities = model.predict_proba(train.x)
    assert np.array_equal(probabilities.argmax(1), values.argmax(1))
    assert abs(probabilities - margins(values)).max() < CLOSE


@pytest.mark.parametrize("labels", [2, 5])
@pytest.mark.parametrize("loss", ["log_loss", "modified_huber"])
def test_linear_models_with_probabilities(loss: str, labels: int, fits: Fits) -> None:
    train = examples(labels)
    model = fitted("sgd", train, labels, loss=loss)
    theirs = SGDClassifier(loss=loss)
    theirs.coef_ = np.concatenate([machine.coef_ for machine, _ in fits])
    theirs.intercept_ = np.concatenate([machine.intercept_ for machine, _ in fits])
    theirs.classes_ = np.arange(labels)
    expected = theirs.predict_proba(model.prepared(train.x))  # type: ignore[attr-defined]
    assert abs(model.predict_proba(train.x) - expected).max() < CLOSE


@pytest.mark.parametrize("labels", [2, 5])
@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
@pytest.mark.parametrize("sizes", ["8", "9,7,5"])
def test_mlp(activation: str, labels: int, sizes: str, fits: Fits) -> None:
    train = examples(labels)
    options = {"activation": activation, "hidden_layer_sizes": sizes}
    model = fitted("mlp", train, labels, **options)
    [(theirs, _)] = fits
    expected = theirs.predict_proba(model.prepared(train.x))  # type: ignore[attr-defined]
    assert abs(model.predict_proba(train.x) - expected).max() < CLOSE


def qda(z: Any, y: Any, share: float) -> Any:
    """scikit-learn's of today; that of 1.5 divides by the number of examples less one."""
    theirs = QuadraticDiscriminantAnalysis(reg_param=share).fit(z, y)
    if "solver" not in theirs.get_params():
        for label, scales in enumerate(theirs.scalings_):
            n = (y == label).sum()
            scales[:] = (scales - share) * (n - 1) / n + share
    return theirs


def test_the_perceptron_is_that_of_scikit_learn(fits: Fits) -> None:
    train = examples(2)
    model: Any = fitted("perceptron", train, 2, average=False, penalty="l2", alpha=0.001)
    [(machine, z)] = fits
    weight = groups.weights(train.y, train.groups, 0.5, True)
    theirs = Perceptron(penalty="l2", alpha=0.001, random_state=machine.random_state)
    theirs.fit(z, train.y, sample_weight=weight)
    assert np.array_equal(theirs.coef_, machine.coef_)
    assert np.array_equal(model.predict_proba(train.x).argmax(1), theirs.predict(z))


def _knn(**options: Any) -> Callable[..., Any]:
    return lambda z, y, _: KNeighborsClassifier(**options).fit(z, y)


@pytest.mark.parametrize("labels", [2, 5])
@pytest.mark.parametrize("more", [{}, {"reduce": "select:4"}, {"power": False, "whiten": 0}])
@pytest.mark.parametrize(
    ("name", "options", "fit"),
    [
        ("naive_bayes", {}, lambda z, y, w: GaussianNB().fit(z, y, w)),
        (
            "naive_bayes",
            {"var_smoothing": 0.1, **EVEN},
            lambda z, y, _: GaussianNB(var_smoothing=0.1).fit(z, y),
        ),
        (
            "lda",
            {"shrinkage": 0.0, **EVEN},
            lambda z, y, _: LinearDiscriminantAnalysis(solver="lsqr").fit(z, y),
        ),
        (
            "lda",
            {"shrinkage": 0.3, **EVEN},
            lambda z, y, _: LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.3).fit(z, y),
        ),
        (
            "qda",
            {"reg_param": 0.2, **EVEN},
            lambda z, y, _: qda(z, y, 0.2),
        ),
        ("knn", {"n_neighbors": 7, "weights": "uniform", **EVEN}, _knn(n_neighbors=7)),
        (
            "knn",
            {"n_neighbors": 9, "weights": "distance", **EVEN},
            _knn(n_neighbors=9, weights="distance"),
        ),
    ],
)
def test_clouds_and_neighbours(
    name: str, options: dict[str, Any], fit: Any, labels: int, more: dict[str, Any]
) -> None:
    train, asked = uneven(labels), examples(labels, seed=1).x
    model: Any = fitted(name, train, labels, **options, **more)
    weight = groups.weights(train.y, train.groups, 0.5, True)
    theirs = fit(model.prepared(train.x), train.y, weight)
    for x in (asked, train.x):
        expected = theirs.predict_proba(model.prepared(x))
        assert abs(model.predict_proba(x) - expected).max() < CLOSE


def uneven(labels: int) -> Examples:
    """Some genres have more examples than others."""
    train = examples(labels, each=30)
    kept = (train.y != 0) | (np.arange(len(train)) % 2 == 0)
    return Examples(*(getattr(train, f)[kept] for f in ("x", "y", "tracks", "groups")))


def test_centroids() -> None:
    train = uneven(5)
    model: Any = fitted("nearest_centroid", train, 5, **EVEN)
    z = model.prepared(train.x)
    theirs = NearestCentroid().fit(z, train.y)
    assert np.allclose(model.state()["centres"], theirs.centroids_, atol=1e-12)
    values = -((z[:, None] - theirs.centroids_[None]) ** 2).sum(2)
    values /= links.spread(values)
    probabilities = model.predict_proba(train.x)
    assert np.array_equal(probabilities.argmax(1), theirs.predict(z))
    assert abs(probabilities - margins(values)).max() < CLOSE


def test_examples_count_as_much_as_they_weigh() -> None:
    """Weighted moments are those of each example as many times."""
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=(60, 4)), np.arange(60) % 3
    times = rng.integers(1, 4, 60)
    again = np.repeat(np.arange(60), times)
    labels = np.arange(3)
    for name, options in (
        ("nearest_centroid", {}), ("lda", {"shrinkage": 0.2}), ("qda", {}), ("naive_bayes", {}),
        ("knn", {"n_neighbors": 10_000, "weights": "uniform"}),
    ):  # fmt: skip
        model: Any = make(name, 3, 4, **options)
        found = []
        for lesson in (
            Lesson(z, y, labels, times / times.mean()),
            Lesson(z[again], y[again], labels, np.ones(len(again))),
        ):
            state = {"labels": labels, **model.learn(lesson, Run(0))}
            found.append(model.ready(state, 4, 3, HERE).probabilities(z))
        if name == "nearest_centroid":  # its spread is that of the rows, whatever they weigh
            found = [one.argmax(1) for one in found]
        assert abs(found[0] - found[1]).max() < CLOSE, name
