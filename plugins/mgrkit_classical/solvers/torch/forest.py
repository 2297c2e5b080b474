"""Random forests (Breiman 2001) in torch: many trees at once, level by level, from bins.

The columns are binned once. Then the trees of a group grow together: the best splits of all nodes
of a level are found (see `splits`), and the examples of each move to its two children. What a
node chooses at random hangs on its tree and its path only, and sums of weights are exact: the
forest is the same for any memory and any number of trees in a group.

As in scikit-learn, a node looks at a random share of the columns, and at more while all of them
are constant in it: there at the next one that is not, here at as many again.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mgrkit.errors import Stopped
from mgrkit_classical import trees
from mgrkit_classical.solvers.torch import bins, memory
from mgrkit_classical.solvers.torch.planning import Size
from mgrkit_classical.solvers.torch.splits import Nodes, Search, Splits, mixed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from mgrkit.classifiers.base import Run
    from mgrkit_classical.arrays import Numbers, Place
    from mgrkit_classical.hooks import RandomForestParameters
    from mgrkit_classical.solvers.torch.planning import Plan

    Ints = NDArray[np.int64]
    Tree = tuple[list[NDArray[Any]], Numbers]

_EXACT = 52
"""Bits of a sum of weights."""

_PATIENCE = 0.1
"""Seconds between two looks at a stop request."""


def grown(
    x: NDArray[np.float32],
    y: Ints,
    k: int,
    weight: Numbers,
    asked: RandomForestParameters,
    place: Place,
    run: Run,
) -> tuple[list[list[NDArray[Any]]], list[Numbers]]:
    """A forest; asks all the time whether to stop.

    Parameters
    ----------
    x : ``(n, columns)``, finite.
    y : ``(n,)``, 0 to k - 1.
    weight : ``(n,)``, 1 on average.
    place : torch, on a device.

    Returns
    -------
    The nodes of each tree, as `trees.joined` takes them, and the shares of its leaves,
    ``(leaves, k)``, in the order of the nodes. A parent comes before its children.

    Raises
    ------
    RunError : not enough memory on the device; it says how much would be.
    """
    size = Size(len(x), x.shape[1], k)
    forest = _Forest(x, y, k, exact(weight), asked, place, run)

    def grow(granted: int) -> list[Tree]:
        return forest.complete(size.plan(asked.trees, granted, place))

    done = memory.within(place, "the forest", size.least, grow)
    return [nodes for nodes, _ in done], [shares for _, shares in done]


@dataclass
class _Forest:
    """A forest that grows; see `grown`."""

    x: NDArray[np.float32]
    y: Ints
    k: int
    weight: Numbers
    asked: RandomForestParameters
    place: Place
    run: Run
    trees: list[Tree] = field(default_factory=list)

    def complete(self, plan: Plan) -> list[Tree]:
        """All trees; those that are missing grow.

        On the CPU by groups beside each other, each on one thread: that takes less time than
        steps that threads share, and far less where other processes take turns with them.
        """
        xp, first, step = self.place.xp, len(self.trees), plan.trees
        search, usual, over = self._search(plan), xp.get_num_threads(), threading.Event()
        groups = [
            range(start, min(start + step, self.asked.trees))
            for start in range(first, self.asked.trees, step)
        ]
        done = [0] * len(groups)

        def check() -> None:
            if over.is_set():
                raise Stopped("stopped")

        def grow(index: int) -> list[Tree]:
            seeds = [drawn(self.run, number, self.weight) for number in groups[index]]
            deepest = self.asked.max_depth or trees.DEEPEST
            group = Group(search, self.y, self.k, deepest, seeds)
            while group.growing:
                group.level(check)
                done[index] = max(done[index], group.done)
            return list(group.finished())

        own = (max(1, usual // plan.workers),)
        pool = ThreadPoolExecutor(plan.workers, "forest", xp.set_num_threads, own)
        try:
            futures = [pool.submit(grow, index) for index in range(len(groups))]
            for future in futures:
                while not future.done():
                    wait([future], _PATIENCE)
                    self.run.check()
                    self.run.progress(first + sum(done), self.asked.trees, {})
                self.trees += future.result()
        finally:
            over.set()
            pool.shutdown(cancel_futures=True)
            xp.set_num_threads(usual)
        return self.trees

    def _search(self, plan: Plan) -> Search:
        share, columns = self.asked.max_features, self.x.shape[1]
        looked_at = max(1, int(share * columns if share else columns**0.5))
        table = bins.binned(self.x, self.place, plan.columns, self.run)
        return Search(table, self.place, looked_at, self.asked.min_samples_leaf, plan.search)


def exact(weight: Numbers) -> Numbers:
    """Nearly the same weights, of which as many as there are can be added without rounding.

    They are multiples of one power of two, some 2e-16 of the largest sum there can be.
    """
    step = 2.0 ** (np.ceil(np.log2(weight.max() * len(weight))) - _EXACT)
    return np.where(weight > 0, np.maximum(np.rint(weight / step), 1) * step, 0.0)


class Seed(NamedTuple):
    """What a tree grows from: the rows it sees and their weights, and a key of its choices."""

    rows: Ints
    weight: Numbers
    key: int


def drawn(run: Run, number: int, weight: Numbers) -> Seed:
    """The seed of the tree of this number: as many draws of rows as there are rows."""
    rng = run.generator("trees", number)
    n = len(weight)
    times = np.bincount(rng.integers(n, size=n), minlength=n) * weight
    rows = np.flatnonzero(times)
    return Seed(rows, times[rows], int(rng.integers(1 << 62)))


class _Level(NamedTuple):
    """Nodes of one level: of each its tree, its left child or -1, its column and threshold."""

    tree: Ints
    left: Ints
    column: Ints
    threshold: Numbers


class _Fallen(NamedTuple):
    """Examples in leaves: of each its leaf, its genre and its weight."""

    leaf: Ints
    genre: Ints
    weight: Numbers


class Group:
    """Trees that grow together, a level at a time.

    Parameters
    ----------
    y : int64 ``(n,)``, 0 to k - 1.
    deepest : steps from a root to a leaf at most.
    seeds : of the trees.
    """

    def __init__(self, search: Search, y: Ints, k: int, deepest: int, seeds: list[Seed]) -> None:
        self._search, self._k, self._deepest = search, k, deepest
        self._place, self._xp = search.place, search.place.xp
        # Within a node, examples stand in the order of their genres, now and in all its children.
        orders = [np.argsort(y[seed.rows], kind="stable") for seed in seeds]
        rows = [seed.rows[order] for seed, order in zip(seeds, orders, strict=True)]
        weights = [seed.weight[order] for seed, order in zip(seeds, orders, strict=True)]
        put = self._place.put
        row = np.concatenate(rows)
        self._row, self._genre, self._weight = put(row), put(y[row]), put(np.concatenate(weights))
        self._size = put(np.array([len(some) for some in rows]))
        self._key = mixed(put(np.array([seed.key for seed in seeds])))
        self._tree = np.arange(len(seeds))
        self._trees, self._first = len(seeds), 0
        self._levels: list[_Level] = []
        self._fallen: list[_Fallen] = []

    @property
    def growing(self) -> bool:
        """Whether there are nodes that may be split."""
        return len(self._tree) > 0

    @property
    def done(self) -> int:
        """How many trees' worth of levels is done, of as many as halving the nodes takes."""
        if not self.growing:
            return self._trees
        left = np.log2(len(self._row) / len(self._tree)) + 1
        return int(self._trees * len(self._levels) / (len(self._levels) + left))

    def level(self, check: Callable[[], None]) -> None:
        """Split all nodes of this level, or make them leaves; see `Search.splits`."""
        xp, place, nodes = self._xp, self._place, len(self._tree)
        start = self._size.cumsum(0) - self._size
        node = xp.repeat_interleave(xp.arange(nodes, device=place.device), self._size)
        splits = self._splits(node, start, check)
        inner = splits.score > -xp.inf
        number = inner.cumsum(0) - 1
        left = xp.where(inner, self._first + nodes + 2 * number, -1)
        threshold = self._search.bins.thresholds(splits.column, splits.below, splits.above)
        told = (left, splits.column, threshold)
        self._levels.append(_Level(self._tree, *map(place.take, told)))
        self._fall((~inner)[node], node)
        (going,) = inner[node].nonzero(as_tuple=True)
        self._move(going, number[node[going]], splits, inner)
        self._tree = np.repeat(self._tree[place.take(inner)], 2)
        self._first += nodes

    def _splits(self, node: Any, start: Any, check: Callable[[], None]) -> Splits:
        """Of all nodes; there is none where the limits forbid it or there is one genre only."""
        xp, place = self._xp, self._place
        new = xp.ones_like(node, dtype=xp.bool)
        new[1:] = (self._genre[1:] != self._genre[:-1]) | (node[1:] != node[:-1])
        genre = new.cumsum(0) - 1
        genre -= genre[start][node]
        genres = place.take(genre[start + self._size - 1]) + 1
        enough = place.take(self._size) >= 2 * self._search.leaf
        deep = len(self._levels) == self._deepest
        (some,) = np.nonzero(enough & (genres > 1) & (not deep))
        count = len(self._tree)
        none = xp.zeros(count, dtype=xp.int64, device=place.device)
        score = xp.full((count,), -xp.inf, dtype=xp.float64, device=place.device)
        splits = Splits(score, none, none.clone(), none.clone(), none.clone())
        if len(some):
            all_nodes = Nodes(self._row, genre, self._weight, start, self._size, self._key)
            where = place.put(some)
            found = self._search.splits(all_nodes.only(where), genres[some], check)
            for values, mine in zip(splits, found, strict=True):
                values[where] = mine.to(values.dtype)
        return splits

    def _fall(self, leaf: Any, node: Any) -> None:
        """Keep the examples that are in leaves."""
        (some,) = leaf.nonzero(as_tuple=True)
        fallen = (self._first + node[some], self._genre[some], self._weight[some])
        self._fallen.append(_Fallen(*map(self._place.take, fallen)))

    def _move(self, going: Any, parent: Any, splits: Splits, inner: Any) -> None:
        """Of the inner nodes' examples, ``going``, to their children; their order stays."""
        xp = self._xp
        size, key = self._size[inner], self._key[inner]
        column, below = splits.column[inner], splits.below[inner]
        first = size.cumsum(0) - size
        row = self._row[going]
        right = self._search.bins.of(column[parent], row) > below[parent]
        before = right.cumsum(0) - right.long()
        last = first + size - 1
        rights = before[last] + right[last] - before[first]
        before -= before[first][parent]
        place = xp.arange(len(going), device=row.device)
        lefts = (size - rights)[parent]
        # Among those that go left there are as many as there are not among those that go right.
        to = xp.where(right, first[parent] + lefts + before, place - before)
        moved = (row, self._genre[going], self._weight[going])
        self._row, self._genre, self._weight = (
            xp.empty_like(values).scatter_(0, to, values) for values in moved
        )
        self._size = xp.stack([size - rights, rights], 1).flatten()
        self._key = mixed(xp.stack([key, ~key], 1).flatten())

    def finished(self) -> Iterator[Tree]:
        """The nodes and the leaves' shares of each tree; see `grown`."""
        level = _Level(*map(np.concatenate, zip(*self._levels, strict=True)))
        fallen = _Fallen(*map(np.concatenate, zip(*self._fallen, strict=True)))
        order = np.argsort(level.tree, kind="stable")
        ends = np.cumsum(np.bincount(level.tree, minlength=self._trees))
        number = np.empty(len(order), np.int64)  # of each node in its tree
        number[order] = np.arange(len(order)) - np.r_[0, ends][level.tree[order]]
        by_tree = np.argsort(level.tree[fallen.leaf], kind="stable")
        of_tree = np.bincount(level.tree[fallen.leaf], minlength=self._trees)
        examples = np.split(by_tree, np.cumsum(of_tree)[:-1])
        for mine, some in zip(np.split(order, ends[:-1]), examples, strict=True):
            left = level.left[mine]
            inner = left >= 0
            left[inner] = number[left[inner]]
            right = np.where(inner, left + 1, -1)
            leaf = (np.cumsum(~inner) - 1)[number[fallen.leaf[some]]]
            count = np.count_nonzero(~inner)
            cells = leaf * self._k + fallen.genre[some]
            sums = np.bincount(cells, fallen.weight[some], count * self._k).reshape(count, -1)
            nodes = [left, right, level.column[mine], level.threshold[mine]]
            yield nodes, sums / sums.sum(axis=1, keepdims=True)
