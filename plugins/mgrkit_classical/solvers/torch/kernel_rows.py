"""Rows of the kernel matrix, computed when first needed and kept while there is room."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mgrkit.classifiers.base import Run

_CELLS = 1 << 22
"""Numbers copied at once for a product."""


class KernelRows:
    """The likenesses of some examples to all, class by class.

    A row is kept whole, but only those of its classes are computed that were asked for. Without
    room for all rows, those not used for longest give way.

    Parameters
    ----------
    z : ``(n, columns)`` of a torch device, in the order of their classes.
    likeness : of ``(m, columns)`` and ``(n, columns)``: ``(m, n)``.
    bounds : ``k + 1`` numbers: class c has the examples from ``bounds[c]`` to ``bounds[c + 1]``.
    capacity : how many rows there is room for; at least as many as are needed at once.
    """

    TILE = 256
    """Rows computed at once: what comes of them stays in a processor's cache."""

    def __init__(
        self,
        torch: Any,
        z: Any,
        likeness: Callable[[Any, Any], Any],
        bounds: list[int],
        capacity: int,
        run: Run,
    ) -> None:
        n, where = len(z), {"device": z.device}
        self._torch, self._z, self._likeness, self._run = torch, z, likeness, run
        self._bounds, self._ages = bounds, 0
        self._kept = torch.empty((capacity, n), dtype=z.dtype, **where)
        self._known = torch.zeros((capacity, len(bounds) - 1), dtype=torch.bool, **where)
        self._holds = torch.full((capacity,), -1, **where)
        self._used = torch.zeros(capacity, dtype=torch.int64, **where)
        self._slot = torch.full((n,), -1, **where)

    def slots(self, rows: Any, pairs: Any) -> Any:
        """Where these rows are kept, after those not known were computed.

        Parameters
        ----------
        rows : ``(p, q)``, numbers of examples.
        pairs : ``(p, 2)``, the two classes that the rows are needed for.
        """
        torch, n, k = self._torch, len(self._z), len(self._bounds) - 1
        needed = torch.zeros((n, k), dtype=torch.bool, device=rows.device)
        needed[rows, pairs[:, :1]] = True
        needed[rows, pairs[:, 1:]] = True
        wanted = needed.any(1).nonzero()[:, 0]
        self._make_room(wanted)
        held = self._slot[wanted]
        missing = needed[wanted] & ~self._known[held]
        for of in missing.any(0).nonzero()[:, 0].tolist():
            start, end = self._bounds[of], self._bounds[of + 1]
            for tile in missing[:, of].nonzero()[:, 0].split(self.TILE):
                self._run.check()
                computed = self._likeness(self._z[wanted[tile]], self._z[start:end])
                self._kept[held[tile], start:end] = computed
        self._known[held] |= missing
        return self._slot[rows]

    def _make_room(self, wanted: Any) -> None:
        torch = self._torch
        self._ages += 1
        held = self._slot[wanted]
        self._used[held[held >= 0]] = self._ages
        new = wanted[held < 0]
        if not len(new):
            return
        free = torch.argsort(self._used, stable=True)[: len(new)]
        gone = self._holds[free]
        self._slot[gone[gone >= 0]] = -1
        self._known[free] = False
        self._holds[free], self._slot[new], self._used[free] = new, free, self._ages

    def between(self, slots: Any, rows: Any) -> Any:
        """The likenesses of each pair's own rows: ``(p, q)`` twice to ``(p, q, q)``."""
        flat = slots[:, :, None] * len(self._z) + rows[:, None, :]
        return self._kept.view(-1).take(flat)

    def sums(self, of: int, slots: Any, factors: Any) -> Any:
        """Of rows times factors, both ``(p, q)``, over the examples of class ``of``: ``(p, m)``."""
        start, end = self._bounds[of], self._bounds[of + 1]
        part = self._kept[:, start:end]
        p, q = slots.shape
        sums = []
        step = max(1, _CELLS // (q * (end - start)))
        for first in range(0, p, step):
            self._run.check()
            some = slots[first : first + step]
            block = part.index_select(0, some.reshape(-1)).view(len(some), q, end - start)
            sums.append(factors[first : first + step, None] @ block)
        return self._torch.cat(sums)[:, 0]
