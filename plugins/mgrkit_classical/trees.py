"""Many decision trees in a few flat arrays: gathering, checking and descending them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.errors import BundleError
from mgrkit_classical.arrays import Place, stored

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.classifiers.base import State
    from mgrkit_classical.arrays import Numbers

DEEPEST = 10_000
"""Steps from a root to a leaf. Trees of examples have some dozens; with the most trees that the
parameters allow, it bounds the time that any bundle takes for a row."""

_CELLS, _CELLS_BESIDE = 1 << 15, 1 << 21
"""Descents at once, of so many rows times trees: on the CPU they stay in its caches, another
device is asked seldom."""

_BLOCK = 8
"""Trees at once where there are many rows."""

_SUMS = 5e-7
_TALLEST = 1e6

NAMES = ("roots", "features", "thresholds", "children", "leaves")


def gathered(
    trees: Sequence[Any],
    labels: NDArray[np.int64],
    columns: int,
    seen: Sequence[NDArray[np.int64]] = (),
) -> dict[str, NDArray[Any]]:
    """The arrays of scikit-learn's decision trees.

    Parameters
    ----------
    trees : fitted `DecisionTreeClassifier`, whose classes are 0 to ``len(labels) - 1``, or some.
    labels : the column of `leaves` that each class has.
    columns : of `leaves`.
    seen : the columns of the examples that each tree was shown; empty where all saw all.

    Returns
    -------
    ``roots`` int32 ``(trees,)``, the first node of each tree; for each node ``features`` int32,
    the column it looks at, ``thresholds`` float32 and ``children`` int32 ``(nodes, 2)``: the
    first where the value is at most the threshold, else the second. A leaf has the children
    (0, 0). ``leaves`` float32 ``(leaves, columns)``: the share of each label in each leaf, in
    the order of the nodes.
    """
    names = ("children_left", "children_right", "feature", "threshold")
    grown = [[getattr(tree.tree_, name) for name in names] for tree in trees]
    for nodes, mine in zip(grown, seen, strict=False):
        nodes[2] = mine[np.maximum(nodes[2], 0)]  # below 0 for a leaf
    found = [
        (tree.tree_.value[tree.tree_.children_left < 0, 0], labels[tree.classes_.astype(np.int64)])
        for tree in trees
    ]
    return {**joined(grown), "leaves": shares(found, columns)}


def shares(found: Iterable[tuple[Numbers, NDArray[np.int64]]], columns: int) -> NDArray[np.float32]:
    """The leaves of `gathered`: for each tree, weights ``(leaves, k)`` and the columns of k."""
    rows = []
    for weights, mine in found:
        leaves = np.zeros((len(weights), columns), np.float32)
        leaves[:, mine] = weights / weights.sum(axis=1, keepdims=True)
        rows.append(leaves)
    return np.concatenate(rows)


def joined(trees: Sequence[Sequence[NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """All arrays of `gathered` but the leaves.

    Parameters
    ----------
    trees : the nodes of each: left and right children, below 0 or equal for a leaf; the column
        looked at; the threshold, float64.
    """
    sizes = [len(left) for left, *_ in trees]
    roots = np.cumsum([0, *sizes[:-1]])
    left, right, features, thresholds = map(np.concatenate, zip(*trees, strict=True))
    inner = left != right
    offset = np.repeat(roots, sizes)
    children = np.stack([left + offset, right + offset], axis=1)
    return {
        "roots": roots.astype(np.int32),
        "features": np.where(inner, features, 0).astype(np.int32),
        "thresholds": _rounded_down(np.where(inner, thresholds, 0.0)),
        "children": np.where(inner[:, None], children, 0).astype(np.int32),
    }


def checked(state: State, features: int, labels: int | None) -> State:
    """The arrays of `gathered`, if each node but the roots has one parent that comes before it.

    Parameters
    ----------
    features : the number of columns of the examples.
    labels : the number of columns of ``leaves``, whose rows are shares; None for leaves of one
        value each, float64 ``(leaves, 1)``.

    Raises
    ------
    BundleError : they cannot be trees; descending them might not end, or read elsewhere.
    """
    looked_at = stored(state, "features", np.int32, (None,))
    nodes = len(looked_at)
    stored(state, "thresholds", np.float32, (nodes,), float(np.finfo(np.float32).max))
    roots = stored(state, "roots", np.int32, (None,))
    children = stored(state, "children", np.int32, (nodes, 2))
    inner: NDArray[np.bool_] = (children != 0).any(axis=1)
    kind, high = (np.float64, _TALLEST) if labels is None else (np.float32, 1.0)
    leaves = stored(state, "leaves", kind, (int((~inner).sum()), labels or 1), high)
    # Not by differences, which could wrap around.
    ordered = len(roots) > 0 and bool((roots[1:] > roots[:-1]).all())
    if not ordered or roots[0] != 0 or roots[-1] >= nodes:
        raise BundleError("the model's roots are not nodes in order, or there are none")
    if (looked_at < 0).any() or (looked_at >= features).any():
        raise BundleError(f"the model's trees look at columns that are not among the {features}")
    of_inner = children[inner]
    below = (of_inner > np.flatnonzero(inner)[:, None]) & (of_inner < nodes)
    parents = np.bincount(of_inner[below], minlength=nodes)
    parents[roots] += 1
    if not below.all() or (parents != 1).any():
        raise BundleError("the model's trees are not trees: a node is not below one other")
    off = abs(leaves.sum(axis=1, dtype=np.float64) - 1) > _SUMS
    if labels is not None and ((leaves < 0).any() or off.any()):
        raise BundleError("the model's leaves are not shares that sum to one")
    if (_depths(children, roots) > DEEPEST).any():
        raise BundleError(f"the model's trees are deeper than {DEEPEST} nodes")
    return state


class Trees:
    """Trees on a device, ready to be descended.

    Parameters
    ----------
    state : arrays that were `checked`.
    """

    def __init__(self, state: State, place: Place) -> None:
        children, roots = state["children"], state["roots"]
        inner = (children != 0).any(axis=1)
        depths = _depths(children, roots)
        # The deepest first: the trees that are still descended are the first ones at each step.
        self.order = np.argsort(-depths, kind="stable")
        self.depths = depths[self.order]
        # Nodes get other numbers: first the roots in that order, then child beside child.
        number = np.empty(len(children), np.int64)
        number[roots[self.order]] = np.arange(len(roots))
        pairs = len(roots) + 2 * np.arange(np.count_nonzero(inner))
        number[children[inner]] = pairs[:, None] + [0, 1]
        features, leaves = np.zeros((2, len(number)), np.int64)
        thresholds, lower = np.full(len(number), np.inf, np.float32), np.arange(len(number))
        features[number] = state["features"]
        leaves[number[~inner]] = np.arange(len(number) - len(pairs))
        # A leaf leads to itself, so that all descents of a tree take the same number of steps.
        thresholds[number[inner]] = state["thresholds"][inner]
        lower[number[inner]] = pairs
        self.place = place
        self.features, self.thresholds = place.put(features), place.put(thresholds)
        self.lower, self.numbers = place.put(lower), place.put(leaves)
        self.leaves = place.put(state["leaves"].astype(np.float64))

    def mean(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """The mean over the trees of the shares in the leaves that examples fall into.

        Parameters
        ----------
        x : float32 ``(n, features)``.

        Returns
        -------
        ``(n, labels)``.
        """

        def add(found: Any, tree: int, reached: Any) -> None:
            del tree
            found += self.place.picked(self.leaves, reached)

        return self._added(x, self.leaves.shape[1], add) / len(self.order)

    def sums(self, x: NDArray[np.float32], columns: int) -> NDArray[np.float64]:
        """The sums of the values in the leaves that examples fall into ``(n, columns)``.

        The trees take turns among the columns.
        """
        values = self.leaves[:, 0]

        def add(found: Any, tree: int, reached: Any) -> None:
            found[:, tree % columns] += self.place.picked(values, reached)

        return self._added(x, columns, add)

    def _added(
        self, x: NDArray[np.float32], columns: int, add: Callable[[Any, int, Any], None]
    ) -> NDArray[np.float64]:
        """What is added up ``(n, columns)`` of the leaf that each row reaches in each tree."""
        place = self.place
        found = np.zeros((len(x), columns))
        cells = _CELLS if place.device == "cpu" else _CELLS_BESIDE
        for start in range(0, len(x), cells // _BLOCK):
            rows = x[start : start + cells // _BLOCK]
            total = place.put(found[start : start + len(rows)])  # on the CPU it is that itself
            step = cells // len(rows)
            for first in range(0, len(self.order), step):
                reached = self._reached(rows, first, first + step)
                for tree, leaves in zip(self.order[first : first + step], reached, strict=True):
                    add(total, int(tree), leaves)
            if place.xp is not np:
                found[start : start + len(rows)] = place.take(total)
        return found

    def _reached(self, x: NDArray[np.float32], first: int, last: int) -> Any:
        """The leaves ``(trees, n)`` that rows reach in some of the trees."""
        place, picked = self.place, self.place.picked
        depths = self.depths[first:last]
        values = place.put(x.reshape(-1))
        rows = place.put(np.arange(len(x)) * x.shape[1])
        node = place.put(np.repeat(first + np.arange(len(depths)), len(x)).reshape(-1, len(x)))
        for level in range(depths[0]):
            trees = np.count_nonzero(depths > level)
            at = node[:trees]
            value = picked(values, picked(self.features, at) + rows)
            node[:trees] = picked(self.lower, at) + (value > picked(self.thresholds, at))
        return picked(self.numbers, node)


def _depths(children: NDArray[np.int32], roots: NDArray[np.int32]) -> NDArray[np.int64]:
    """The steps from each root to its farthest leaf; none are counted beyond `DEEPEST` + 1."""
    depths = np.zeros(len(roots), np.int64)
    level, tree = roots, np.arange(len(roots))
    for depth in range(1, DEEPEST + 2):
        below = children[level]
        inner = below.any(axis=1)
        level, tree = below[inner].reshape(-1), np.repeat(tree[inner], 2)
        if not len(level):
            break
        depths[tree] = depth
    return depths


def _rounded_down(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """The largest float32 that is not above each: exact where examples are float32."""
    rounded = thresholds.astype(np.float32)
    below = np.nextafter(rounded, np.float32(-np.inf))
    return np.where(rounded > thresholds, below, rounded)
