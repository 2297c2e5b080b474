"""Trees that each mend what those before them got wrong, evaluated from plain arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.errors import BundleError
from mgrkit_classical import trees
from mgrkit_classical.arrays import Place, stored
from mgrkit_classical.columns import ColumnClassifier, Evaluation, Lesson, positive
from mgrkit_classical.forests import checked_once, grow
from mgrkit_classical.links import softmax

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.classifiers.base import Run, State
    from mgrkit_classical.arrays import Numbers

_STRETCH = 5
"""Rounds after which a fit asks whether to stop."""

_BINS = 255


class Sums:
    """Probabilities of summed values; see `columns.Evaluation`.

    Parameters
    ----------
    base : ``(k,)``, added to the sums; of two genres the sums are the log odds of the second.
    """

    width = 1

    def __init__(self, state: State, base: Numbers, place: Place) -> None:
        self._trees, self._base, self._place = trees.Trees(state, place), base, place

    def probabilities(self, z: Any) -> Any:
        """See `Evaluation.probabilities`."""
        values = self._trees.sums(z, len(self._base)) + self._base
        if len(self._base) == 1:
            values = values * [[-0.5, 0.5]]
        return softmax(self._place, self._place.put(values))


class Ballots:
    """Probabilities of weighted votes, as scikit-learn makes them; see `columns.Evaluation`.

    Parameters
    ----------
    weights : ``(trees,)``.
    """

    width = 1

    def __init__(self, state: State, weights: Numbers, place: Place) -> None:
        leaf = np.flatnonzero((state["children"] == 0).all(axis=1))
        mine = np.searchsorted(state["roots"], leaf, "right") - 1
        counted = state["leaves"] * (weights / weights.mean())[mine][:, None]
        self._trees = trees.Trees({**state, "leaves": counted}, place)
        self._place = place

    def probabilities(self, z: Any) -> Any:
        """See `Evaluation.probabilities`."""
        shares = self._trees.mean(z)
        rest = shares.shape[1] - 1
        return softmax(self._place, self._place.put((shares * (1 + 1 / rest) - 1 / rest) / rest))


class AdaBoost(ColumnClassifier):
    """SAMME: each tree looks most at what those before it got wrong.

    The state: that of `trees.gathered`, where a leaf is for one label alone, and ``tree_weights``
    float64 ``(trees,)``; see `columns.ColumnClassifier` for the rest.
    """

    names = ("labels", "tree_weights", *trees.NAMES)
    scaled = False

    def learn(self, lesson: Lesson, run: Run) -> dict[str, NDArray[Any]]:
        """See `ColumnClassifier.learn`; asks whether to stop before each tree."""
        from sklearn.tree import DecisionTreeClassifier

        asked, rng = self.parameters, run.generator("trees")
        k, weight = len(lesson.labels), lesson.weight / lesson.weight.sum()
        grown: list[Any] = []
        weights: list[float] = []
        for done in range(asked.n_estimators):
            run.check()
            seed = int(rng.integers(2**31))
            tree = DecisionTreeClassifier(max_depth=asked.max_depth, random_state=seed)
            with checked_once():
                grow(tree, lesson.z, lesson.y, weight)
            wrong = tree.predict(lesson.z) != lesson.y
            error = float(np.average(wrong, weights=weight))
            worse = error >= 1 - 1 / k
            if not (worse and grown):
                grown.append(tree)
                counts = np.log((1 - error) / error) + np.log(k - 1) if 0 < error < 1 else 0
                weights.append(1.0 if worse or error <= 0 else asked.learning_rate * counts)
            run.progress(done + 1, asked.n_estimators, {})
            if worse or error <= 0:
                break
            weight = weight * np.exp(weights[-1] * wrong)
            weight /= weight.sum()
        state = trees.gathered(grown, np.arange(k), k)
        state["leaves"] = np.eye(k, dtype=np.float32)[state["leaves"].argmax(axis=1)]
        return {**state, "tree_weights": np.array(weights)}

    def ready(self, state: State, columns: int, genres: int, place: Place) -> Evaluation:
        """See `ColumnClassifier.ready`."""
        weights = positive(state, "tree_weights", (len(state["roots"]),))
        return Ballots(trees.checked(state, columns, genres), weights, place)


class GradientBoosting(ColumnClassifier):
    """Each round's trees, one for each genre, follow the gradient of the log loss.

    The state: that of `trees.joined`, the trees of a round one after another; ``leaves`` float64
    ``(leaves, 1)``; ``base`` float64 ``(k,)``, ``(1,)`` of two genres, where the sums begin; see
    `columns.ColumnClassifier` for the rest.
    """

    names = ("labels", "base", *trees.NAMES)
    scaled = False

    def learn(self, lesson: Lesson, run: Run) -> dict[str, NDArray[Any]]:
        """See `ColumnClassifier.learn`; asks whether to stop every few rounds."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        asked = self.parameters
        machine = HistGradientBoostingClassifier(
            learning_rate=asked.learning_rate, max_leaf_nodes=asked.max_leaf_nodes,
            min_samples_leaf=asked.min_samples_leaf, l2_regularization=asked.l2_regularization,
            max_features=asked.max_features, early_stopping=False, warm_start=True,
            random_state=int(run.generator("rounds").integers(2**31)),
        )  # fmt: skip
        # scikit-learn sees numbers of bins: where examples have weights, it takes as long for bins
        # of its own as for dozens of rounds, and in each stretch anew.
        edges = [_edges(column) for column in lesson.z.T]
        bins = [np.searchsorted(e, c) for e, c in zip(edges, lesson.z.T, strict=True)]
        binned = np.stack(bins, axis=1).astype(np.float32)
        rounds = asked.max_iter
        for done in [*range(_STRETCH, rounds, _STRETCH), rounds]:
            run.check()
            machine.set_params(max_iter=done).fit(binned, lesson.y, lesson.weight)
            run.progress(done, rounds, {})
        nodes = [tree.nodes for trees_ in machine._predictors for tree in trees_]
        grown = [
            [
                *(one[name].astype(np.int64) for name in ("left", "right", "feature_idx")),
                # The threshold between two bins is the edge between them; leaves have none.
                np.array([0.0 if node["is_leaf"] else
                          edges[node["feature_idx"]][int(node["num_threshold"])] for node in one]),
            ]
            for one in nodes
        ]  # fmt: skip
        values = np.concatenate([one["value"][one["is_leaf"] == 1] for one in nodes])
        base = np.asarray(machine._baseline_prediction, np.float64).reshape(-1)
        return {**trees.joined(grown), "leaves": values[:, None], "base": base}

    def ready(self, state: State, columns: int, genres: int, place: Place) -> Evaluation:
        """See `ColumnClassifier.ready`."""
        base = stored(state, "base", np.float64, (genres if genres > 2 else 1,))
        checked = trees.checked(state, columns, None)
        if len(checked["roots"]) != len(base) * self.parameters.max_iter:
            raise BundleError(f"the model has {len(checked['roots'])} trees, which is not all")
        return Sums(checked, base, place)


def _edges(column: NDArray[np.float32]) -> Numbers:
    """Between up to 255 bins that hold like many values; rising."""
    there = np.unique(column).astype(np.float64)
    if len(there) <= _BINS:
        edges: Numbers = (there[1:] + there[:-1]) / 2
        return edges
    shares = np.linspace(0, 100, _BINS + 1)[1:-1]
    values = column.astype(np.float64)
    return np.unique(np.percentile(values, shares, method="averaged_inverted_cdf"))
