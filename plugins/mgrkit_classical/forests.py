"""Forests: grown by scikit-learn tree by tree, evaluated from plain arrays."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.errors import BundleError
from mgrkit_classical import solvers, trees
from mgrkit_classical.arrays import Place
from mgrkit_classical.columns import ColumnClassifier, Evaluation, Lesson
from mgrkit_classical.solvers.sklearn import unwarned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.classifiers.base import Run, State


class Means:
    """The mean of trees; see `columns.Evaluation`.

    Parameters
    ----------
    state : arrays that were `trees.checked`.
    """

    width = 1
    """Of a row; trees take their rows in steps of their own."""

    def __init__(self, state: State, place: Place) -> None:
        self._trees, self._place = trees.Trees(state, place), place

    def probabilities(self, z: Any) -> Any:
        """See `Evaluation.probabilities`."""
        return self._place.put(self._trees.mean(z))


class Forest(ColumnClassifier):
    """The mean of trees; the state is that of `trees.gathered`."""

    names = trees.NAMES
    scaled = False

    @property
    def count(self) -> int:
        """The number of trees."""
        count: int = self.parameters.n_estimators
        return count

    @abstractmethod
    def tree(self, seed: int) -> Any:
        """A tree of scikit-learn that has not grown yet."""

    def drawn(self, n: int, rng: np.random.Generator) -> NDArray[Any]:
        """How often a tree sees each of n examples, int ``(n,)``; here once."""
        del rng
        return np.ones(n)

    def seen(self, columns: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """The columns that a tree sees; here all."""
        del rng
        return np.arange(columns)

    def learn(self, lesson: Lesson, run: Run) -> dict[str, NDArray[Any]]:
        """See `ColumnClassifier.learn`; asks whether to stop before each tree."""
        x, rng = lesson.z, run.generator("trees")
        grown, shown = [], []
        with checked_once():
            for done in range(self.count):
                run.check()
                weight = self.drawn(len(x), rng) * lesson.weight
                columns = self.seen(x.shape[1], rng)
                tree = self.tree(int(rng.integers(2**31)))
                mine = x if len(columns) == x.shape[1] else x[:, columns]
                grown.append(grow(tree, mine, lesson.y, weight))
                shown.append(columns)
                run.progress(done + 1, self.count, {})
        return trees.gathered(grown, lesson.labels, len(self.task.labels), shown)

    def ready(self, state: State, columns: int, genres: int, place: Place) -> Evaluation:
        """See `ColumnClassifier.ready`."""
        checked = trees.checked(state, columns, genres)
        count = len(checked["roots"])
        if count != self.count:
            raise BundleError(f"the model has {count} trees, its parameters say {self.count}")
        return Means(checked, place)


class RandomForest(Forest):
    """Trees grown on draws of the examples; see `Forest`."""

    @property
    def count(self) -> int:
        """See `Forest.count`."""
        count: int = self.parameters.trees
        return count

    def learn(self, lesson: Lesson, run: Run) -> dict[str, NDArray[Any]]:
        """See `Forest.learn`; torch grows many trees at once."""
        place = solvers.place(self.parameters.solver, run.device)
        if place.xp is np:
            return super().learn(lesson, run)
        k = len(lesson.labels)
        nodes, leaves = solvers.module("forest", place).grown(
            lesson.z, lesson.y, k, lesson.weight, self.parameters, place, run
        )
        found = ((shares, lesson.labels) for shares in leaves)
        return {**trees.joined(nodes), "leaves": trees.shares(found, len(self.task.labels))}

    def drawn(self, n: int, rng: np.random.Generator) -> NDArray[Any]:
        """See `Forest.drawn`: as many draws as there are examples."""
        return np.bincount(rng.integers(n, size=n), minlength=n)

    def tree(self, seed: int) -> Any:
        """See `Forest.tree`."""
        from sklearn.tree import DecisionTreeClassifier

        return DecisionTreeClassifier(**_limits(self.parameters), random_state=seed)


class ExtraTrees(Forest):
    """Trees of all examples that split at random; see `Forest`."""

    def tree(self, seed: int) -> Any:
        """See `Forest.tree`."""
        from sklearn.tree import ExtraTreeClassifier

        limits = _limits(self.parameters) | {"criterion": self.parameters.criterion}
        return ExtraTreeClassifier(**limits, random_state=seed)


class DecisionTree(Forest):
    """One tree; see `Forest`."""

    @property
    def count(self) -> int:
        """See `Forest.count`."""
        return 1

    def tree(self, seed: int) -> Any:
        """See `Forest.tree`."""
        from sklearn.tree import DecisionTreeClassifier

        limits = _limits(self.parameters) | {"criterion": self.parameters.criterion}
        return DecisionTreeClassifier(**limits, random_state=seed)


class Bagging(Forest):
    """Trees grown on draws of the examples and of the columns; see `Forest`."""

    def drawn(self, n: int, rng: np.random.Generator) -> NDArray[Any]:
        """See `Forest.drawn`: a share of as many draws as there are examples."""
        size = max(1, int(self.parameters.max_samples * n))
        return np.bincount(rng.integers(n, size=size), minlength=n)

    def seen(self, columns: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """See `Forest.seen`."""
        share = max(1, int(self.parameters.max_features * columns))
        return rng.permutation(columns)[:share]

    def tree(self, seed: int) -> Any:
        """See `Forest.tree`."""
        from sklearn.tree import DecisionTreeClassifier

        leaf = self.parameters.min_samples_leaf
        limits = {"min_samples_leaf": leaf, "max_depth": trees.DEEPEST}
        return DecisionTreeClassifier(**limits, random_state=seed)


def grow(tree: Any, x: Any, y: NDArray[np.int64], weight: NDArray[Any]) -> Any:
    """The tree, fit to a float32 table."""
    return tree.fit(x, y, sample_weight=weight, check_input=False)


@contextmanager
def checked_once() -> Iterator[None]:
    """Trees grow without the checks of parameters and tables that take longer than a small tree.

    Parameters and tables were checked for all trees.
    """
    from sklearn import config_context

    with config_context(skip_parameter_validation=True, assume_finite=True), unwarned():
        yield


def _limits(asked: Any) -> dict[str, Any]:
    return {
        "max_depth": asked.max_depth or trees.DEEPEST,
        "min_samples_leaf": asked.min_samples_leaf,
        "max_features": asked.max_features or "sqrt",
    }
