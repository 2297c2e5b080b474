"""Many decision trees in a few flat arrays: gathering, checking and descending them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.errors import BundleError
from mgrkit_classical.arrays import Place, only, stored

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.classifiers.base import State

DEEPEST = 10_000
"""Steps from a root to a leaf. Trees of examples have some dozens; with the most trees that the
parameters allow, it bounds the time that any bundle takes for a row."""

_CELLS = 1 << 21
_SUMS = 5e-7

NAMES = ("roots", "features", "thresholds", "children", "leaves")


def gathered(trees: Sequence[Any], labels: NDArray[np.int64], columns: int) -> dict[str, Any]:
    """The arrays of scikit-learn's decision trees.

    Parameters
    ----------
    trees : fitted `DecisionTreeClassifier`, all with the same classes.
    labels : the column of `leaves` that each class has.
    columns : of `leaves`.

    Returns
    -------
    ``roots`` int32 ``(trees,)``, the first node of each tree; for each node ``features`` int32,
    the column it looks at, ``thresholds`` float32 and ``children`` int32 ``(nodes, 2)``: the
    first where the value is at most the threshold, else the second. A leaf has the children
    (0, 0). ``leaves`` float32 ``(leaves, columns)``: the share of each label in each leaf, in
    the order of the nodes.
    """
    grown = [tree.tree_ for tree in trees]
    sizes = [tree.node_count for tree in grown]
    roots = np.cumsum([0, *sizes[:-1]])
    left, right, features, thresholds = (
        np.concatenate([getattr(tree, name) for tree in grown])
        for name in ("children_left", "children_right", "feature", "threshold")
    )
    inner = left >= 0
    offset = np.repeat(roots, sizes)
    children = np.stack([left + offset, right + offset], axis=1)
    shares = np.concatenate([tree.value[:, 0, :] for tree in grown])[~inner]
    leaves = np.zeros((len(shares), columns), np.float32)
    leaves[:, labels] = shares / shares.sum(axis=1, keepdims=True)
    return {
        "roots": roots.astype(np.int32),
        "features": np.where(inner, features, 0).astype(np.int32),
        "thresholds": _rounded_down(np.where(inner, thresholds, 0.0)),
        "children": np.where(inner[:, None], children, 0).astype(np.int32),
        "leaves": leaves,
    }


def checked(state: State, features: int, labels: int) -> State:
    """The arrays of `gathered`, if each node but the roots has one parent that comes before it.

    Parameters
    ----------
    features : the number of columns of the examples.
    labels : the number of columns of ``leaves``.

    Raises
    ------
    BundleError : they cannot be trees; descending them might not end, or read elsewhere.
    """
    only(state, NAMES)
    looked_at = stored(state, "features", np.int32, (None,))
    nodes = len(looked_at)
    stored(state, "thresholds", np.float32, (nodes,), float(np.finfo(np.float32).max))
    roots = stored(state, "roots", np.int32, (None,))
    children = stored(state, "children", np.int32, (nodes, 2))
    inner: NDArray[np.bool_] = (children != 0).any(axis=1)
    leaves = stored(state, "leaves", np.float32, (int((~inner).sum()), labels), 1.0)
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
    if (leaves < 0).any() or (abs(leaves.sum(axis=1, dtype=np.float64) - 1) > _SUMS).any():
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
        children = state["children"]
        itself = np.arange(len(children))
        leaf = (children == 0).all(axis=1)
        # A leaf leads to itself, so that all descents of a tree take the same number of steps.
        pairs = np.where(leaf[:, None], itself[:, None], children)
        depths = _depths(children, state["roots"])
        # The deepest first: the trees that are still descended are the first ones at each step.
        order = np.argsort(-depths, kind="stable")
        deeper = np.bincount(depths).cumsum()
        self.descended = (len(depths) - deeper[:-1]).tolist()
        self.place = place
        self.roots = place.put(state["roots"][order].astype(np.int64))
        self.features = place.put(state["features"].astype(np.int64))
        self.thresholds = place.put(state["thresholds"])
        self.children = place.put(pairs.reshape(-1).astype(np.int64))
        self.numbers = place.put(np.cumsum(leaf) - 1)
        self.leaves = place.put(state["leaves"])

    def mean(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """The mean over the trees of the shares in the leaves that examples fall into.

        Parameters
        ----------
        x : float32 ``(n, features)``.

        Returns
        -------
        ``(n, labels)``.
        """
        trees, labels = len(self.roots), self.leaves.shape[1]
        step = max(1, _CELLS // (trees * labels))
        means = [self._mean(x[start : start + step]) for start in range(0, len(x), step)]
        return np.concatenate(means) if means else np.zeros((0, labels))

    def _mean(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        place, columns = self.place, x.shape[1]
        values = place.put(x.reshape(-1))
        first = place.put(np.arange(len(x))[:, None] * columns)
        node = self.roots[None] + 0 * first
        for trees in self.descended:
            at = node[:, :trees]
            beyond = values[first + self.features[at]] > self.thresholds[at]
            node[:, :trees] = self.children[2 * at + beyond]
        shares = self.leaves[self.numbers[node]]
        return place.take(shares.sum(1, dtype=place.xp.float64) / len(self.roots))


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
