"""What can be set of the classifiers of columns; importing it loads no library of numbers.

Names and meanings are scikit-learn's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mgrkit.errors import UsageError
from mgrkit.registry.space import Choice, Range
from mgrkit.registry.specs import parameter

_WHITEN = "how much less counts wherein the tracks of one artist differ"


def reduction(text: str) -> tuple[str, float] | None:
    """What ``reduce`` asks for: 'pca', 'lda' or 'select' and how many or how much; None: nothing.

    Raises
    ------
    UsageError : it is no such text.
    """
    if text == "none":
        return None
    how, _, amount = text.partition(":")
    if how in ("pca", "lda", "select") and re.fullmatch(r"[1-9]\d{0,5}", amount):
        return how, int(amount)
    if how == "pca" and re.fullmatch(r"0?\.\d{1,9}", amount) and float(amount) > 0:
        return how, float(amount)
    raise UsageError(
        f"reduce must be pca:COUNT, pca:SHARE, lda:COUNT, select:COUNT or none, not {text!r}",
        "as in pca:17, pca:0.85, lda:9 or select:50",
    )


def layers(text: str) -> tuple[int, ...]:
    """The sizes of ``hidden_layer_sizes``: one to five numbers from 1 to 4096.

    Raises
    ------
    UsageError : it is no such text.
    """
    sizes = tuple(map(int, re.findall(r"\d+", text)))
    form = re.fullmatch(r"\d{1,4}(,\d{1,4}){0,4}", text)
    if not form or not all(1 <= size <= 4096 for size in sizes):
        raise UsageError(
            f"hidden_layer_sizes must be one to five numbers from 1 to 4096, not {text!r}",
            "as in 64 or 128,32",
        )
    return sizes


@dataclass(frozen=True)
class Reducible:
    """What every classifier of columns takes."""

    reduce: str = parameter(
        "none",
        "fewer columns: pca:17, pca:0.85 (share of variance), lda:9, select:50 (by F value)",
    )

    def __post_init__(self) -> None:
        reduction(self.reduce)


@dataclass(frozen=True)
class Weighted(Reducible):
    """For classifiers whose examples may count differently."""

    class_weight: str = parameter(
        "balanced", "balanced: rare genres count as much", choices=("balanced", "none")
    )
    even_groups: float = parameter(
        0.5, "0: all examples count the same, 1: all artists", low=0, high=1, search=Range(0, 1)
    )


@dataclass(frozen=True)
class Scaled(Weighted):
    """For classifiers that compare columns with each other."""

    power: bool = parameter(
        True,
        "make columns more normal by Yeo and Johnson's transform",
        search=Choice((True, False)),
    )
    whiten: float = parameter(0.5, _WHITEN, low=0, high=0.95, search=Range(0, 0.9))


@dataclass(frozen=True)
class DecisionTreeParameters(Weighted):
    """See `Weighted`."""

    max_depth: int = parameter(0, "levels of a tree; 0 for no limit", low=0, high=1000)
    min_samples_leaf: int = parameter(
        5, "examples in a leaf at least", low=1, high=1_000_000, search=Range(1, 50, log=True)
    )
    max_features: float = parameter(
        1.0,
        "share of the columns looked at for a split; 0 for their square root",
        low=0,
        high=1,
        search=Range(0.05, 1),
    )
    criterion: str = parameter(
        "gini",
        "impurity of a node",
        choices=("gini", "entropy"),
        search=Choice(("gini", "entropy")),
    )


@dataclass(frozen=True)
class ExtraTreesParameters(Weighted):
    """See `Weighted`."""

    n_estimators: int = parameter(300, "number of trees", low=1, high=10_000)
    max_depth: int = parameter(0, "levels of a tree; 0 for no limit", low=0, high=1000)
    min_samples_leaf: int = parameter(
        2, "examples in a leaf at least", low=1, high=1_000_000, search=Range(1, 10)
    )
    max_features: float = parameter(
        0.5,
        "share of the columns looked at for a split; 0 for their square root",
        low=0,
        high=1,
        search=Range(0.05, 1),
    )
    criterion: str = parameter(
        "gini",
        "impurity of a node",
        choices=("gini", "entropy"),
        search=Choice(("gini", "entropy")),
    )


@dataclass(frozen=True)
class BaggingParameters(Weighted):
    """See `Weighted`."""

    n_estimators: int = parameter(100, "number of trees", low=1, high=10_000)
    max_samples: float = parameter(
        1.0, "examples drawn for a tree, of all", low=0.01, high=1, search=Range(0.3, 1)
    )
    max_features: float = parameter(
        0.25, "share of the columns a tree sees", low=0.001, high=1, search=Range(0.05, 1)
    )
    min_samples_leaf: int = parameter(
        2, "examples in a leaf at least", low=1, high=1_000_000, search=Range(1, 10)
    )


@dataclass(frozen=True)
class AdaBoostParameters(Weighted):
    """See `Weighted`."""

    n_estimators: int = parameter(
        100, "number of trees at most", low=1, high=10_000, search=Range(50, 350)
    )
    learning_rate: float = parameter(
        1.0, "how much each tree counts", low=1e-3, high=10, search=Range(0.05, 2, log=True)
    )
    max_depth: int = parameter(6, "levels of a tree", low=1, high=50, search=Range(1, 10))


@dataclass(frozen=True)
class GradientBoostingParameters(Weighted):
    """See `Weighted`."""

    max_iter: int = parameter(
        100, "rounds, each with a tree for each genre", low=1, high=10_000, search=Range(50, 300)
    )
    learning_rate: float = parameter(
        0.1, "how much each round counts", low=1e-3, high=1, search=Range(0.02, 0.3, log=True)
    )
    max_leaf_nodes: int = parameter(
        15, "leaves of a tree at most", low=2, high=1000, search=Range(4, 31, log=True)
    )
    min_samples_leaf: int = parameter(
        10, "examples in a leaf at least", low=1, high=1_000_000, search=Range(2, 30, log=True)
    )
    l2_regularization: float = parameter(
        1.0, "price of large leaves", low=0, high=1e4, search=Range(0.01, 100, log=True)
    )
    max_features: float = parameter(
        0.3, "share of the columns looked at for a split", low=0.001, high=1, search=Range(0.05, 1)
    )


@dataclass(frozen=True)
class KNNParameters(Scaled):
    """See `Scaled`."""

    n_neighbors: int = parameter(
        12,
        "tracks that vote, all if there are fewer",
        low=1,
        high=10_000,
        search=Range(1, 100, log=True),
    )
    weights: str = parameter(
        "distance",
        "distance: nearer ones count more",
        choices=("uniform", "distance"),
        search=Choice(("uniform", "distance")),
    )


@dataclass(frozen=True)
class NearestCentroidParameters(Scaled):
    """See `Scaled`."""

    whiten: float = parameter(0.9, _WHITEN, low=0, high=0.95, search=Range(0, 0.95))


@dataclass(frozen=True)
class NaiveBayesParameters(Scaled):
    """See `Scaled`."""

    var_smoothing: float = parameter(
        1e-9,
        "share of the largest variance that is added to all",
        low=0,
        high=10,
        search=Range(1e-11, 1, log=True),
    )


@dataclass(frozen=True)
class LDAParameters(Scaled):
    """See `Scaled`."""

    shrinkage: float = parameter(
        0.0,
        "how much the covariance is drawn towards even variances",
        low=0,
        high=1,
        search=Range(0, 1),
    )


@dataclass(frozen=True)
class QDAParameters(Scaled):
    """See `Scaled`."""

    whiten: float = parameter(0.8, _WHITEN, low=0, high=0.95, search=Range(0, 0.95))
    reg_param: float = parameter(
        0.9,
        "how much the covariances are drawn towards variances of 1",
        low=1e-4,
        high=1,
        search=Range(0.01, 1, log=True),
    )


@dataclass(frozen=True)
class MLPParameters(Scaled):
    """See `Scaled`."""

    hidden_layer_sizes: str = parameter(
        "64",
        "units of each hidden layer, as in 128,32",
        search=Choice(("32", "64", "128", "128,32", "140,140")),
    )
    activation: str = parameter(
        "relu",
        "of hidden units",
        choices=("relu", "tanh", "logistic", "identity"),
        search=Choice(("relu", "tanh", "logistic")),
    )
    alpha: float = parameter(
        1.0, "price of large weights", low=0, high=1e3, search=Range(0.001, 100, log=True)
    )
    learning_rate_init: float = parameter(
        0.001, "step of Adam", low=1e-6, high=1, search=Range(1e-4, 0.03, log=True)
    )
    batch_size: int = parameter(50, "examples in a step", low=1, high=100_000)
    max_iter: int = parameter(100, "epochs at most", low=1, high=100_000)
    tol: float = parameter(1e-4, "it ends when 10 epochs gain less than this", low=0, high=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        layers(self.hidden_layer_sizes)


@dataclass(frozen=True)
class RidgeParameters(Scaled):
    """See `Scaled`."""

    alpha: float = parameter(
        100.0, "price of large weights", low=0.001, high=1e9, search=Range(0.1, 1e5, log=True)
    )


@dataclass(frozen=True)
class PerceptronParameters(Scaled):
    """See `Scaled`."""

    average: bool = parameter(
        True, "the mean of the weights of all steps", search=Choice((True, False))
    )
    penalty: str = parameter(
        "l2",
        "which weights are dear",
        choices=("l2", "l1", "none"),
        search=Choice(("l2", "l1", "none")),
    )
    alpha: float = parameter(
        1e-3, "price of large weights", low=0, high=100, search=Range(1e-6, 0.1, log=True)
    )
    max_iter: int = parameter(1000, "epochs at most", low=1, high=100_000)
    tol: float = parameter(1e-3, "it ends when 5 epochs gain less than this", low=0, high=1)


@dataclass(frozen=True)
class SGDParameters(Scaled):
    """See `Scaled`."""

    loss: str = parameter(
        "log_loss",
        "what a mistake costs",
        choices=("log_loss", "modified_huber", "hinge"),
        search=Choice(("log_loss", "modified_huber", "hinge")),
    )
    penalty: str = parameter(
        "l2",
        "which weights are dear",
        choices=("l2", "l1", "elasticnet"),
        search=Choice(("l2", "l1", "elasticnet")),
    )
    alpha: float = parameter(
        0.03, "price of large weights", low=1e-9, high=100, search=Range(1e-5, 1, log=True)
    )
    average: bool = parameter(True, "the mean of the weights of all steps")
    max_iter: int = parameter(1000, "epochs at most", low=1, high=100_000)
    tol: float = parameter(1e-3, "it ends when 5 epochs gain less than this", low=0, high=1)


@dataclass(frozen=True)
class LinearSVMParameters(Scaled):
    """See `Scaled`."""

    C: float = parameter(
        0.003, "price of a wrong example", low=1e-6, high=1e4, search=Range(1e-4, 10, log=True)
    )
    loss: str = parameter(
        "squared_hinge",
        "what a mistake costs",
        choices=("squared_hinge", "hinge"),
        search=Choice(("squared_hinge", "hinge")),
    )
