"""Fewer columns: the maps of scikit-learn, found on what is fit on alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from mgrkit_classical import reducing
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_selection import SelectKBest

from mgrkit.classifiers import Run, Task
from mgrkit.errors import BundleError, UsageError
from mgrkit.learning.fitting import fit_classifier
from mgrkit.registry import installed
from mgrkit.testing import contract
from tests.plugins.classical import QUICK, examples, fitted, learnable, make

ALL = pytest.mark.parametrize("name", QUICK)
TASK = Task(tuple("abcde"), (8,))

test_a_reduced_regression = contract.checks("logistic_regression", parameters={"reduce": "pca:4"})
test_a_reduced_tree = contract.checks("decision_tree", parameters={"reduce": "lda:2"})


def standardised(n: int = 100, columns: int = 8) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    y = np.arange(n) % 5
    z = rng.normal(size=(n, columns)) @ rng.normal(size=(columns, columns))
    z += rng.normal(size=(5, columns))[y]
    return (z - z.mean(0)) / z.std(0), y


def rival(text: str, z: Any, y: Any) -> Any:
    """What scikit-learn makes of it."""
    how, amount = text.split(":")
    if how == "pca":
        return PCA(float(amount) if "." in amount else int(amount)).fit_transform(z)
    if how == "lda":
        return LinearDiscriminantAnalysis(n_components=int(amount)).fit(z, y).transform(z)
    return SelectKBest(k=int(amount)).fit_transform(z, y)


@pytest.mark.parametrize(
    "text", ["pca:3", "pca:8", "pca:0.6", "pca:.95", "lda:2", "lda:4", "select:5"]
)
def test_reduced_columns_are_those_of_scikit_learn_but_for_one_factor(text: str) -> None:
    z, y = standardised()
    matrix = reducing.fit(z, y, text, TASK, Run(0))
    assert matrix is not None
    ours, theirs = z @ matrix, rival(text, z, y)
    assert ours.shape == theirs.shape
    assert np.square(ours).mean() == pytest.approx(1)
    factors = (ours * theirs).sum(0) / np.square(theirs).sum(0)  # a sign is arbitrary
    assert np.allclose(abs(factors), abs(factors[0]))
    assert np.allclose(ours, theirs * factors, atol=1e-8)


@pytest.mark.parametrize(
    "text",
    ["", "pca", "pca:", "pca:0", "pca:0.0", "pca:1.5", "pca:-3", "pca:1e3", "lda:0.5", "select:0.5",
     "select:x", "umap:2", "PCA:3", "pca:3:4", "pca: 3", "pca:9999999"],
)  # fmt: skip
@pytest.mark.parametrize("name", ["svm", "random_forest", "knn", "picture_statistics"])
def test_texts_that_say_no_reduction(name: str, text: str) -> None:
    from mgrkit.registry import with_parameters

    with pytest.raises(UsageError, match=r"reduce must be pca:COUNT, .*, not") as caught:
        with_parameters(installed().classifier(name).spec, {"reduce": text})
    assert "select:50" in caught.value.hint


@ALL
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pca:7", "more than 6: there are 6 columns"),
        ("select:7", "more than 6: there are 6 columns"),
        ("lda:4", "more than 3: there are 4 genres"),
    ],
)
def test_more_than_there_can_be(name: str, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        fitted(name, examples(), reduce=text)


@ALL
@pytest.mark.parametrize(
    ("text", "width"), [("pca:3", 3), ("pca:0.5", None), ("lda:2", 2), ("select:4", 4)]
)
def test_every_classifier_learns_from_fewer(name: str, text: str, width: int | None) -> None:
    train = examples(each=20)
    model = fitted(name, train, reduce=text)
    columns, fewer = model.state()["whitening"].shape
    assert columns == 6
    assert fewer == width if width else 1 <= fewer < 6
    probabilities = model.predict_proba(train.x)
    assert (probabilities.argmax(1) == train.y).mean() > 0.5
    other = make(name, reduce=text)
    other.restore(model.state())
    assert np.array_equal(other.predict_proba(train.x), probabilities)
    unlike = make(name, reduce=text, columns=7)
    with pytest.raises(BundleError):
        unlike.restore(model.state())


def test_columns_that_are_not_selected_have_no_say() -> None:
    train = examples()
    model = fitted("svm", train, reduce="select:2")
    kept = np.flatnonzero(model.state()["whitening"].any(axis=1))
    assert len(kept) == 2
    others = np.setdiff1d(np.arange(6), kept)
    moved = train.x.copy()
    moved[:, others] = moved[::-1, others]
    assert np.array_equal(model.predict_proba(moved), model.predict_proba(train.x))


@ALL
@pytest.mark.parametrize("text", ["pca:5", "lda:3", "select:5", "none"])
def test_more_columns_than_rows_and_genres_that_a_fold_lacks(name: str, text: str) -> None:
    rng = np.random.default_rng(0)
    y = np.array([0, 0, 2, 2])
    x = rng.normal(size=(4, 30)).astype(np.float32)
    x[:, 3:] = x[:, :1]  # one direction but for three columns
    notes: list[str] = []
    model = make(name, 4, 30, reduce=text)
    model.fit(learnable(x, y), None, Run(0, note=notes.append))
    found = model.predict_proba(x)
    assert np.isfinite(found).all()
    assert (found[:, [1, 3]] == 0).all()
    had = {"pca:5": 4, "lda:3": 1}
    said = f"reduce={text}: train has {had.get(text)} such directions, not {text[4:]}"
    assert notes == ([said] if text in had else [])


def test_gamma_is_in_units_of_the_columns_that_are_left() -> None:
    train = examples()
    model: Any = fitted("svm", train, reduce="pca:2", gamma=0.5)
    assert model._gamma == 0.5 / 2
    assert model._gamma * np.square(model.state()["vectors"]).sum(1).mean() == pytest.approx(
        0.5, rel=0.3
    )


def test_nothing_is_reduced_where_nothing_varies() -> None:
    same = learnable(np.ones((9, 6)), np.arange(9) % 4)
    for text in ("pca:3", "pca:0.9", "lda:3", "select:2"):
        assert np.isfinite(fitted("svm", same, reduce=text).predict_proba(same.x)).all()


def test_selecting_before_the_folds_would_find_order_in_noise() -> None:
    """Of many columns of noise some look right; outside the fold they were found in, none is."""
    rng = np.random.default_rng(0)
    y = np.arange(80) % 2
    x = rng.normal(size=(80, 1500)).astype(np.float32)
    spec, labels = installed().classifier("ridge").spec, ("genre0", "genre1")

    def out_of_fold(columns: Any, **parameters: object) -> float:
        count = columns.shape[1]
        fit = fit_classifier(
            lambda: make("ridge", 2, count, power=False, **parameters), spec, labels,
            learnable(columns, y), None, Run(0),
        )  # fmt: skip
        return float(fit.out_of_fold["accuracy"])

    cheated = SelectKBest(k=20).fit_transform(x, y)
    assert out_of_fold(cheated) > 0.75
    assert out_of_fold(x, reduce="select:20") < 0.6
