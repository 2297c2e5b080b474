"""How much of a forest grows at once: from the memory that it is granted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mgrkit_classical.solvers.torch import bins, splits

if TYPE_CHECKING:
    from mgrkit_classical.arrays import Place

_EXAMPLE = 200
"""Bytes that an example of a tree takes, beside those of the search for splits."""

_SEARCH = {True: 32 << 20, False: 1 << 31}
"""Bytes for a search at most, on the CPU, where more would leave its caches, and elsewhere."""

_EXAMPLES = {True: 1 << 17, False: 1 << 24}
"""Of the trees of a group at most: more at once gain nothing on the CPU, and elsewhere."""

_VALUES = {True: 1 << 21, False: 1 << 26}
"""Of the columns that are binned at once, at most: so that a stop request is soon heard."""


@dataclass(frozen=True)
class Plan:
    """What is done at once.

    Parameters
    ----------
    columns : that are binned.
    search : bytes for a search for splits.
    trees : of a group.
    workers : threads that grow a group each.
    """

    columns: int
    search: int
    trees: int
    workers: int


@dataclass(frozen=True)
class Size:
    """Of what is learnt: ``n`` examples of ``k`` genres."""

    n: int
    columns: int
    k: int

    @property
    def least(self) -> int:
        """Bytes that a forest takes where one column is searched of one node of one tree."""
        return self._table + self._tree

    @property
    def _table(self) -> int:
        return self.columns * (self.n + 8 * bins.BINS)

    @property
    def _tree(self) -> int:
        grown = _EXAMPLE * self.n + splits.needed(self.n, self.k) + splits.DRAWN * self.columns
        return max(grown, bins.BYTES * self.n)

    def plan(self, trees: int, memory: int, place: Place) -> Plan:
        """For so many trees in so many bytes, `least` at least."""
        rest = memory - self._table
        on_cpu = place.device == "cpu"
        cores = place.xp.get_num_threads() if on_cpu else 1
        workers = max(1, min(trees, cores, rest // self._tree))
        values = min(_VALUES[on_cpu], rest // bins.BYTES)
        each = rest // workers
        examples = min(_EXAMPLES[on_cpu], each // 2 // _EXAMPLE)
        group = max(1, min(examples // self.n, -(-trees // workers)))
        search = min(_SEARCH[on_cpu], each - group * _EXAMPLE * self.n)
        return Plan(max(1, values // self.n), search, group, workers)
