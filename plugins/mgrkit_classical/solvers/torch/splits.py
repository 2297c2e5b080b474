"""The best splits of many nodes at once, by Gini impurity (Breiman et al. 1984).

A large node counts its examples in histograms of bins (Ranka and Singh 1998). In one of few
examples most of a histogram would be empty: it sorts them by their bins, and each example has a
place of its own. Weights are multiples of one power of two, so that no sum of them is rounded:
it is the same in any order, on any device and in batches of any size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mgrkit_classical.solvers.torch.bins import BINS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit_classical.arrays import Place
    from mgrkit_classical.solvers.torch.bins import Bins

_BITS = 8
SORTED = 1 << _BITS
"""Examples of a node at most that are sorted."""

_FACTORS = (-0x40A7B892E31B1A47, -0x6B2FB644ECCEEE15)
"""Of the finalizer of splitmix64 (Steele, Lea and Flood 2014), as signed numbers."""

DRAWN = 24
"""Bytes that a node takes for each column of the table, while some of them are drawn."""

_CELL, _PLACE, _COUNTED = 8, 90, 27
"""Bytes that a search takes for each weight of a genre at a place, for each place, and for each
example that is counted."""


class Nodes(NamedTuple):
    """Nodes of one level, and their examples side by side.

    Parameters
    ----------
    row, genre, weight : of each example: int64, its row of the table and its genre among those
        of the node; float64, how much it counts.
    start, size : of each node, int64: its first example, and how many.
    key : of each node, int64: decides its random choices.
    """

    row: Any
    genre: Any
    weight: Any
    start: Any
    size: Any
    key: Any

    def only(self, some: Any) -> Nodes:
        """Some of the nodes."""
        return self._replace(start=self.start[some], size=self.size[some], key=self.key[some])


class Splits(NamedTuple):
    """A split of each node.

    Parameters
    ----------
    score : float64; -inf where there is none.
    column : int64.
    below, above : int64, the last bin that goes left and the first that goes right.
    constant : bool, whether each column that was looked at has one bin only.
    """

    score: Any
    column: Any
    below: Any
    above: Any
    constant: Any


@dataclass(frozen=True)
class Search:
    """How splits are looked for.

    Parameters
    ----------
    looked_at : columns for each split.
    leaf : examples on each side at least.
    memory : bytes.
    """

    bins: Bins
    place: Place
    looked_at: int
    leaf: int
    memory: int

    def splits(self, nodes: Nodes, genres: NDArray[np.int64], check: Callable[[], None]) -> Splits:
        """The best split of each node; the first of those that are equally good.

        Parameters
        ----------
        genres : how many each node has.
        check : called before each batch, raises where the search must end.
        """
        size = self.place.take(nodes.size)
        order = np.lexsort((genres, size))
        parts = []
        for batch in self._batches(size[order], genres[order]):
            check()
            some = order[batch]
            shape = int(size[some].max()), int(genres[some].max())
            parts.append(self._batch(nodes.only(self.place.put(some)), *shape))
        back = self.place.put(np.argsort(order))
        return Splits(*(self.place.xp.cat(values)[back] for values in zip(*parts, strict=True)))

    def _batches(self, size: NDArray[np.int64], genres: NDArray[np.int64]) -> Iterator[slice]:
        """Nodes of about one size that are searched at once; the sizes rise."""
        first = 0
        while first < len(size):
            most = int(size[first]) * 5 // 4 + 1
            most = min(most, SORTED) if size[first] <= SORTED else most
            last = int(np.searchsorted(size, most, "right"))
            each = needed(int(size[last - 1]), int(genres[first:last].max())) * self.looked_at
            each += DRAWN * self.bins.columns
            last = min(last, first + max(1, self.memory // each))
            yield slice(first, last)
            first = last

    def _batch(self, nodes: Nodes, largest: int, genres: int) -> Splits:
        """Of some nodes; those whose columns are all constant look at others."""
        order, step = self._drawn(nodes.key), self.looked_at
        found = self._best(nodes, order[:, :step], largest, genres)
        for first in range(step, self.bins.columns, step):
            (again,) = found.constant.nonzero(as_tuple=True)
            if not len(again):
                break
            columns = order[again, first : first + step]
            other = self._best(nodes.only(again), columns, largest, genres)
            for values, new in zip(found, other, strict=True):
                values[again] = new
        return found

    def _drawn(self, key: Any) -> Any:
        """All columns in a random order for each node, int64 ``(nodes, columns)``."""
        columns = self.place.xp.arange(self.bins.columns, device=self.place.device)
        low = (1 << self.bins.columns.bit_length()) - 1
        drawn = mixed(key[:, None] + mixed(columns + 1))
        drawn &= ~low
        drawn |= columns
        return self._sorted(drawn) & low

    def _sorted(self, keys: Any) -> Any:
        """The keys, each row of them ascending; NumPy takes a tenth of torch's time on a CPU."""
        if self.place.device != "cpu":
            return keys.sort(dim=-1).values
        keys.numpy().sort(axis=-1)
        return keys

    def _best(self, nodes: Nodes, columns: Any, largest: int, genres: int) -> Splits:
        """The best split in these columns, int64 ``(nodes, some)``: some of them at a time."""
        xp, shape = self.place.xp, (len(columns), max(1, columns.shape[1]))
        at_once = max(1, self.memory // (needed(largest, genres) * shape[0]))
        best: Splits | None = None
        for start in range(0, shape[1], at_once):
            found = self._found(nodes, columns[:, start : start + at_once], largest, genres)
            if best is None:
                best = found
                continue
            better, old = found.score > best.score, best
            chosen = [xp.where(better, *pair) for pair in zip(found, old, strict=True)]
            chosen[-1] = old.constant & found.constant
            best = Splits(*chosen)
        assert best is not None
        return best

    def _found(self, nodes: Nodes, columns: Any, largest: int, genres: int) -> Splits:
        """The best split in these columns, all at once."""
        xp = self.place.xp
        slots = xp.arange(largest, device=self.place.device)
        there = slots < nodes.size[:, None]
        at = xp.where(there, nodes.start[:, None] + slots, 0)
        genre, weight = xp.where(there, nodes.genre[at], 0), xp.where(there, nodes.weight[at], 0)
        bins = self.bins.of(columns[:, :, None], nodes.row[at][:, None])
        method = self._sorting if largest <= SORTED else self._counting
        sums, left, valid, ends = method(bins, genre, weight, there, genres)
        size = nodes.size[:, None, None]
        valid &= (left >= self.leaf) & (left <= size - self.leaf)
        score = _gini(xp, sums).masked_fill_(~valid, -xp.inf).flatten(1)
        which = score.argmax(1)
        column, cut = which // sums.shape[-1], which % sums.shape[-1]
        below, above, constant = ends(column, cut)
        score = score.gather(1, which[:, None])[:, 0]
        column = columns.gather(1, column[:, None])[:, 0]
        return Splits(score, column, below, above, constant)

    def _sorting(self, bins: Any, genre: Any, weight: Any, there: Any, genres: int) -> Any:
        """A place for each example, in the order of their bins.

        Parameters
        ----------
        bins : ``(nodes, columns, examples)``.
        genre, weight, there : ``(nodes, examples)``.

        Returns
        -------
        The weights of the genres at each place ``(nodes, columns, genres, places)``; how many
        examples a cut after it leaves to the left; whether there can be one; and what gives, of
        a column and a cut for each node, the bins on both sides, and which nodes are constant.
        """
        xp, (nodes, columns, slots) = self.place.xp, bins.shape
        slot = xp.arange(slots, device=self.place.device)
        # Places without an example come last.
        low = (slot + xp.where(there, 0, BINS << _BITS)).to(xp.int32)
        keys = self._sorted((bins.to(xp.int32) << _BITS) + low[:, None])
        first = slots * xp.arange(nodes, device=self.place.device).view(-1, 1, 1)
        example = ((keys & (SORTED - 1)) + first).flatten()
        to = (genre * slots).flatten().index_select(0, example).view(-1, slots) + slot
        weights = weight.flatten().index_select(0, example).view(-1, slots)
        sums = xp.zeros((nodes, columns, genres, slots), dtype=weight.dtype, device=weight.device)
        sums.view(nodes * columns, -1).scatter_(1, to, weights)
        bins = keys >> _BITS
        edge = xp.zeros_like(bins, dtype=xp.bool)
        xp.ne(bins[..., 1:], bins[..., :-1], out=edge[..., :-1])
        size = there.sum(1)

        def ends(column: Any, cut: Any) -> tuple[Any, Any, Any]:
            node = xp.arange(nodes, device=self.place.device)
            after = (cut + 1).clip(max=slots - 1)
            last = bins.gather(2, (size - 1).view(-1, 1, 1).expand(-1, columns, 1))[..., 0]
            constant = (bins[..., 0] == last).all(1)
            return bins[node, column, cut].long(), bins[node, column, after].long(), constant

        return sums, slot + 1, edge, ends

    def _counting(self, bins: Any, genre: Any, weight: Any, there: Any, genres: int) -> Any:
        """A place for each bin; otherwise as `_sorting`."""
        xp, (nodes, columns, _) = self.place.xp, bins.shape
        sums = xp.zeros((nodes * columns, genres * BINS), dtype=weight.dtype, device=weight.device)
        counts = xp.zeros((nodes * columns, BINS), dtype=weight.dtype, device=weight.device)
        bins = bins.long()
        ones = there.to(weight.dtype)[:, None].expand_as(bins)
        counts.scatter_add_(1, bins.flatten(0, 1), ones.flatten(0, 1))
        bins += genre[:, None] * BINS
        sums.scatter_add_(1, bins.flatten(0, 1), weight[:, None].expand_as(bins).flatten(0, 1))
        counts = counts.view(nodes, columns, BINS)
        size = there.sum(1)

        def ends(column: Any, cut: Any) -> tuple[Any, Any, Any]:
            places = xp.arange(BINS, device=self.place.device)
            filled = counts[xp.arange(nodes, device=self.place.device), column] > 0
            after = xp.where(filled & (places > cut[:, None]), places, BINS - 1).amin(1)
            constant = (counts.amax(2) == size[:, None]).all(1)
            return cut, after, constant

        sums = sums.view(nodes, columns, genres, BINS)
        return sums, counts.cumsum(2), counts > 0, ends


def needed(examples: int, genres: int) -> int:
    """Bytes that the search of a node takes for a column."""
    places, counted = (examples, 0) if examples <= SORTED else (BINS, examples)
    return places * (genres * _CELL + _PLACE) + counted * _COUNTED


def mixed(numbers: Any) -> Any:
    """Other int64 numbers, as random as hashes are, and the same on any device."""
    for shift, factor in zip((30, 27), _FACTORS, strict=True):
        numbers = (numbers ^ (numbers >> shift) & (1 << 64 - shift) - 1) * factor
    return numbers ^ (numbers >> 31) & (1 << 33) - 1


def _gini(xp: Any, sums: Any) -> Any:
    """How pure both sides of each cut are, ``(nodes, columns, places)``.

    The squares of the sides' sums over the sides' weights, as scikit-learn compares splits.

    Parameters
    ----------
    sums : float64 ``(nodes, columns, genres, places)``, of each place; cumulated in place.
    """
    sums.cumsum_(3)
    total = sums[:, 0, :, -1]
    # One by one, and not by a product of matrices: in the same order on any device.
    squares, common = xp.zeros_like(sums[:, :, 0]), xp.zeros_like(sums[:, :, 0])
    product = xp.empty_like(squares)
    all_squares = xp.zeros_like(total[:, 0])
    for genre in range(sums.shape[2]):
        left, both = sums[:, :, genre], total[:, genre]
        squares += xp.mul(left, left, out=product)
        common += xp.mul(left, both[:, None, None], out=product)
        all_squares += both * both
    weight = sums.sum(2)
    rest = total.sum(1)[:, None, None] - weight
    # The squares of total - left, without another product for each genre.
    right = squares - 2 * common + all_squares[:, None, None]
    return squares / weight + right / rest
