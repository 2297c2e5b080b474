"""Support vector machines of all pairs of classes at once, by decomposition over working sets."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.errors import UsageError
from mgrkit_classical import kernels
from mgrkit_classical.solvers.torch import memory, threads, working_sets
from mgrkit_classical.solvers.torch.kernel_rows import KernelRows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.classifiers.base import Run
    from mgrkit_classical.arrays import Numbers, Place
    from mgrkit_classical.hooks import SVMParameters

TOLERANCE = 1e-4
"""Of the gap. libsvm's default is 1e-3, which leaves decision values about that far from the
optimum; it's the optimum that both can agree on."""

_INNER = 0.1
"""A working set is left when its gap is this part of what all its pair's examples had."""

_SET = 128
"""Examples in a working set at most, half of them from the last one."""

_STUBBORN = 32
"""Rounds after which all free variables of a working set move together as well."""

_ROUNDS = 2000
"""Of a batch of pairs; what settles at all takes fewer."""

_CELLS = 1 << 22
"""Numbers in one array of a batch of pairs. Fixed, so that the same pairs go together whatever
memory is free; where that is little, they are fewer."""

_ARRAYS = 24
"""Arrays of that size, temporary ones counted."""

_BYTES = 8


def machines(
    z: Any,
    y: NDArray[np.int64],
    weight: Numbers,
    asked: SVMParameters,
    gamma: float,
    place: Place,
    run: Run,
) -> tuple[Numbers, Numbers]:
    """Soft-margin machines (C-SVC) of every class against every other.

    Of each pair's dual problem, a working set of examples is optimised at a time (Joachims 1999),
    chosen among those that miss the optimum most and those of the last set, as in ThunderSVM (Wen,
    Shi, Li, He, Chen 2018, "ThunderSVM: A Fast SVM Library on GPUs and CPUs"); see `working_sets`
    for the optimising. All pairs do so at the same time and share the rows of the kernel matrix.
    Optimum, upper bounds and bias are libsvm's (Chang, Lin 2011), the tolerance is smaller.

    Parameters
    ----------
    z : torch float64 ``(n, columns)`` on the place's device.
    y : int64 ``(n,)``, classes 0..k-1, rising, each at least once.
    weight : float64 ``(n,)``, 1 on average: of C, for each example.

    Returns
    -------
    ``(n, k)``, each example's weight in its machine against another class, at least 0, and 0
    against its own; and the antisymmetric bias ``(k, k)``, as for `kernels.decisions`. The same
    bytes each time on one device, as long as memory for the kernel matrix is free; on a CPU with
    any number of cores.

    Raises
    ------
    UsageError : a machine did not settle.
    RunError : not even a few rows of the kernel matrix fit in the memory that is free.
    """
    bounds = np.searchsorted(y, np.arange(y[-1] + 2)).tolist()
    # A second try makes another one, so that it does not keep what the first had taken.
    fit = partial(_Fit, z, bounds, asked.C * weight, asked, gamma, place, run)
    with threads.one(place):
        return memory.within(place, "the svm", fit().least, lambda granted: fit().machines(granted))


@dataclass
class _Pairs:
    """Machines that are being fit; arrays have a row for each, and S places for each class.

    classes : ``(p, 2)``, the numbers of the two, of which the first is the positive one.
    examples : ``(p, 2 S)``, numbers of examples; 0 where a class has fewer.
    rooms : ``(p, 2, 2 S)``, what each signed weight may rise and fall by; 0 in empty places.
    gradient : ``(p, 2 S)``, target less decision value without bias.
    former : ``(p, q)``, places of the last working set, the newest first; empty at first.
    """

    classes: Any
    examples: Any
    rooms: Any
    gradient: Any
    former: Any

    def take(self, some: Any) -> _Pairs:
        return _Pairs(*(getattr(self, field.name)[some] for field in fields(self)))


class _Fit:
    """The arguments of `machines`, and how far they have come."""

    def __init__(
        self,
        z: Any,
        bounds: list[int],
        most: Numbers,
        asked: SVMParameters,
        gamma: float,
        place: Place,
        run: Run,
    ) -> None:
        self._z, self._bounds, self._most = z, bounds, most
        self._sizes = np.diff(bounds)
        self._asked, self._place, self._run = asked, place, run
        # No method, or this and the rows would keep each other in memory.
        self._likeness = lambda x, others: kernels.kernel(place, x, others, asked, gamma)
        # Pairs of like size go together, for all of a batch are padded to the longest class.
        k = len(self._sizes)
        self._pairs = sorted(
            itertools.combinations(range(k), 2), key=lambda pair: -max(self._sizes[list(pair)])
        )
        self._total = len(self._pairs)

    @property
    def least(self) -> int:
        """Bytes that the largest pair takes with one working set of kernel rows."""
        return self._fixed + _BYTES * (self._largest * len(self._z) + _ARRAYS * self._cells)

    @property
    def _fixed(self) -> int:
        """Bytes beside the kernel's rows and the pairs: of a tile, and of what rows are needed."""
        n, k = len(self._z), len(self._sizes)
        return _BYTES * 4 * KernelRows.TILE * int(self._sizes.max()) + 3 * n * k

    @property
    def _largest(self) -> int:
        """Examples in the largest working set."""
        return _set_size(2 * int(self._sizes.max()))

    @property
    def _cells(self) -> int:
        """Numbers that the largest pair has in each array."""
        return max(2 * int(self._sizes.max()), self._largest**2)

    def machines(self, granted: int) -> tuple[Numbers, Numbers]:
        """The weights and the bias, with so many bytes."""
        n, k = len(self._z), len(self._sizes)
        self._weights, self._bias = np.zeros((n, k)), np.zeros((k, k))
        self._done = 0
        rows, cells = self._plan(granted - self._fixed)
        self._kept = KernelRows(
            self._place.xp, self._z, self._likeness, self._bounds, rows, self._run
        )
        left = self._pairs
        while left:
            size = int(max(self._sizes[list(left[0])]))
            q = _set_size(2 * size)
            count = cells // max(2 * size, q * q)
            if rows < n:
                count = min(count, rows // q)
            self._fit(self._start(left[:count], size))
            left = left[count:]
        return self._weights, self._bias

    def _plan(self, granted: int) -> tuple[int, int]:
        """How many rows of the kernel are kept, and how many numbers an array of pairs has."""
        n, row = len(self._z), _BYTES * len(self._z)
        wanted = max(self._cells, min(_CELLS, self._total * self._cells))
        # The pairs get what all rows leave, or else half, but for the rows of one working set.
        spare = min(max(granted - n * row, granted // 2), granted - self._largest * row)
        cells = max(self._cells, min(wanted, spare // (_BYTES * _ARRAYS)))
        return min(n, (granted - _BYTES * _ARRAYS * cells) // row), cells

    def _start(self, pairs: list[tuple[int, int]], size: int) -> _Pairs:
        """Machines with all weights 0."""
        p, torch, put = len(pairs), self._place.xp, self._place.put
        examples = np.zeros((p, 2, size), np.int64)
        rooms = np.zeros((p, 2, 2, size))
        for at, pair in enumerate(pairs):
            for side, of in enumerate(pair):
                start, end = self._bounds[of], self._bounds[of + 1]
                examples[at, side, : end - start] = np.arange(start, end)
                # What is of the first class can rise, what is of the second can fall.
                rooms[at, side, side, : end - start] = self._most[start:end]
        gradient = np.repeat([[1.0, -1.0]], size, 1).repeat(p, 0)
        former = torch.zeros((p, 0), dtype=torch.int64, device=self._z.device)
        return _Pairs(
            put(np.array(pairs)),
            put(examples.reshape(p, -1)),
            put(rooms.reshape(p, 2, -1)),
            put(gradient),
            former,
        )

    def _fit(self, pairs: _Pairs) -> None:
        """Go on until each of them has settled."""
        torch = self._place.xp
        sides = list(self._sides(pairs.classes))
        for number in range(_ROUNDS):
            self._run.check()
            gaps = working_sets.gap(torch, pairs.gradient, pairs.rooms)
            settled = gaps < TOLERANCE
            if settled.any():
                self._finish(pairs.take(settled))
                pairs, gaps = pairs.take(~settled), gaps[~settled]
                if not len(gaps):
                    return
                sides = list(self._sides(pairs.classes))
            self._round(pairs, gaps, number >= _STUBBORN, sides)
        raise UsageError(
            f"the svm's {self._asked.kernel} kernel did not settle", "give a smaller C or gamma"
        )

    def _sides(self, classes: Any) -> Iterator[tuple[int, Any]]:
        """Each class and where it is among the flattened ``classes``."""
        flat = self._place.take(classes).ravel()
        for of in np.unique(flat):
            yield int(of), self._place.put(np.flatnonzero(flat == of))

    def _round(
        self, pairs: _Pairs, gaps: Any, stubborn: bool, sides: list[tuple[int, Any]]
    ) -> None:
        """Optimise one working set of each pair."""
        torch = self._place.xp
        q = _set_size(pairs.gradient.shape[1])
        chosen = pairs.former = _working_set(torch, pairs, q)
        examples = pairs.examples.gather(1, chosen)
        slots = self._kept.slots(examples, pairs.classes)
        both = chosen[:, None].expand(-1, 2, -1)
        rooms = pairs.rooms.gather(2, both)
        before = rooms[:, 1].clone()
        working_sets.solve(
            torch,
            self._kept.between(slots, examples),
            pairs.gradient.gather(1, chosen),
            rooms,
            (gaps * _INNER).clamp(min=TOLERANCE / 2),
            q,
            newton=stubborn,
            check=self._run.check,
        )
        pairs.rooms.scatter_(2, both, rooms)
        change = rooms[:, 1] - before
        by_class = pairs.gradient.view(2 * len(chosen), -1)
        for of, at in sides:
            pair = at // 2
            sums = self._kept.sums(of, slots[pair], change[pair])
            by_class[at, : sums.shape[1]] -= sums

    def _finish(self, pairs: _Pairs) -> None:
        """Write down machines that have settled."""
        torch, take = self._place.xp, self._place.take
        rise, fall = pairs.rooms.unbind(1)
        size = rise.shape[1] // 2
        weights = take(torch.stack([fall[:, :size], rise[:, size:]], 1).clamp(min=0))
        for (i, j), of_i, of_j, bias in zip(
            take(pairs.classes).tolist(), weights[:, 0], weights[:, 1], take(_bias(torch, pairs)),
            strict=True,
        ):  # fmt: skip
            for of, other, found in ((i, j, of_i), (j, i, of_j)):
                start, end = self._bounds[of], self._bounds[of + 1]
                self._weights[start:end, other] = found[: end - start]
            self._bias[i, j], self._bias[j, i] = bias, -bias
        self._done += len(weights)
        self._run.progress(self._done, self._total, {})


def _set_size(places: int) -> int:
    """How many of so many examples are in a working set."""
    return min(places, _SET, max(32, places // 4))


def _working_set(torch: Any, pairs: _Pairs, q: int) -> Any:
    """Places ``(p, q)`` of the next working sets, no place twice.

    Those that should rise most and those that should fall most, as many of each; half of the last
    working set stays.
    """
    kept = pairs.former[:, : q // 2]
    new = q - kept.shape[1]
    # What is taken comes after what must not move, which fills the sets of small pairs.
    taken, fixed = -torch.inf, torch.finfo(pairs.gradient.dtype).min
    rise = torch.where(pairs.rooms[:, 0] > 0, pairs.gradient, fixed).scatter_(1, kept, taken)
    up = rise.topk(new // 2, 1).indices
    fall = torch.where(pairs.rooms[:, 1] > 0, -pairs.gradient, fixed).scatter_(1, kept, taken)
    down = fall.scatter_(1, up, taken).topk(new - new // 2, 1).indices
    return torch.cat([up, down, kept], 1)


def _bias(torch: Any, pairs: _Pairs) -> Any:
    """Of each pair: the mean of the free examples' gradients, else the middle of what may be."""
    rise, fall = (pairs.rooms > 0).unbind(1)
    free = rise & fall
    count = free.sum(1)
    mean = torch.where(free, pairs.gradient, 0.0).sum(1) / count.clamp(min=1)
    highest = torch.where(rise, pairs.gradient, -torch.inf).amax(1)
    lowest = torch.where(fall, pairs.gradient, torch.inf).amin(1)
    return torch.where(count > 0, mean, (highest + lowest) / 2)
