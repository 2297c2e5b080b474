"""Small tasks for the classical classifiers, and how they are made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.classifiers import Classifier, Examples, Run, Task
from mgrkit.registry import installed, resolve, with_parameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

QUICK: dict[str, dict[str, object]] = {
    "svm": {},
    "random_forest": {"trees": 12},
    "logistic_regression": {},
    "extra_trees": {"n_estimators": 12},
    "bagging": {"n_estimators": 12},
    "adaboost": {"n_estimators": 12, "max_depth": 2},
    "gradient_boosting": {"max_iter": 12, "min_samples_leaf": 5},
    "knn": {},
    "nearest_centroid": {"whiten": 0.5},
    "naive_bayes": {},
    "lda": {},
    "qda": {"whiten": 0.5},
    "decision_tree": {},
    "mlp": {"hidden_layer_sizes": "16,8", "max_iter": 30, "learning_rate_init": 0.02},
    "ridge": {},
    "perceptron": {},
    "sgd": {},
    "linear_svm": {},
}
"""By name of classifier: what makes its fits short, or fit for artists of two genres."""

SOLVED = ("svm", "random_forest", "logistic_regression")
"""Those that torch can fit, too."""


def make(name: str, labels: int = 4, columns: int = 6, **parameters: object) -> Classifier:
    """The quick version of a classifier, of so many labels and columns."""
    spec = installed().classifier(name).spec
    given = {**QUICK[name], **parameters}
    names = tuple(f"c{i}" for i in range(columns))
    task = Task(tuple(f"genre{i}" for i in range(labels)), (columns,), names)
    model: Classifier = resolve(spec.factory)(task, with_parameters(spec, given))
    return model


def examples(labels: int = 4, columns: int = 6, each: int = 12, seed: int = 0) -> Examples:
    """Overlapping clouds, skewed and of very different sizes, in random order."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(labels * each) % labels)
    x = rng.normal(size=(labels, columns))[y] + rng.normal(size=(len(y), columns))
    x = np.exp(x) * 10.0 ** rng.integers(-4, 7, columns)
    return learnable(x, y)


def learnable(x: NDArray[Any], y: NDArray[Any]) -> Examples:
    """These, two to an artist."""
    n = np.arange(len(y))
    return Examples(x.astype(np.float32), y.astype(np.int64), n, n // 2)


def fitted(name: str, train: Examples, labels: int = 4, **parameters: object) -> Classifier:
    """The quick version of a classifier, fit on these with seed 3."""
    model = make(name, labels, train.x.shape[1], **parameters)
    model.fit(train, None, Run(3))
    return model
