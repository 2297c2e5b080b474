"""Running medians along the first axis, exact, by a network of minima and maxima.

Sixteen neighbouring windows of 31 rows have sixteen rows in common. These are sorted once; the
eight windows on either side then share eight more rows, the four on either side of those four
more, and so on, and what can no longer be the median of any window is dropped on the way. So a
median takes 23 minima and maxima, each of which NumPy computes for whole rows at once.

Source of the merging networks: Batcher, Sorting networks and their applications, AFIPS 1968.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from mgrkit.spectrograms.transform import scratch

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mgrkit.spectrograms.transform import Floats

_GROUP = 16
_HELD = 2**24

Value = int | Literal["low", "high"]
"""A wire of the network by number, or what is below or above every number."""


def running_median(values: Floats) -> Floats:
    """The median of each value and its 15 neighbours on either side along the first axis.

    Parameters
    ----------
    values : float32 ``(rows, columns)``, not negative and finite, of any strides. Beyond the
        first and last row they are mirrored, the outermost row repeated.

    Returns
    -------
    float32 ``(rows, columns)``: bit for bit what ``scipy.ndimage.median_filter(values,
    size=(31, 1), mode="reflect")`` gives.
    """
    rows, columns = values.shape
    groups = -(-rows // _GROUP)
    # As bits, numbers that are not negative have the order of whole numbers, which need no
    # care for NaN.
    source: NDArray[np.int32] = scratch("median source", ((groups + 2) * _GROUP, columns), np.int32)
    _mirror(values, source.view(np.float32))
    result = np.empty((groups * _GROUP, columns), np.int32)
    steps, count = _program()
    tiles = -(-count * (groups + 2) * columns * 4 // _HELD)
    width = -(-columns // tiles)
    for first in range(0, columns, width):
        tile = slice(first, min(first + width, columns))
        size = tile.stop - tile.start
        wires = scratch("median wires", (count, (groups + 2) * size), np.int32)
        places = {
            "source": source[:, tile].reshape(groups + 2, _GROUP, size).swapaxes(0, 1),
            "wires": wires.reshape(count, groups + 2, size),
            "result": result[:, tile].reshape(groups, _GROUP, size).swapaxes(0, 1),
        }
        for step in steps:
            step.function(
                step.a.of(places, groups), step.b.of(places, groups), out=step.to.of(places, groups)
            )
    return result[:rows].view(np.float32)


def _mirror(values: Floats, padded: Floats) -> None:
    """Copy the values behind one group of mirrored rows; the rest is mirrored too."""
    rows = len(values)
    padded[_GROUP : _GROUP + rows] = values
    inside = padded[_GROUP : _GROUP + rows]
    for row in (*range(_GROUP), *range(_GROUP + rows, len(padded))):
        place = (row - _GROUP) % (2 * rows)
        padded[row] = inside[min(place, 2 * rows - 1 - place)]


class _Place(NamedTuple):
    """Where a step reads or writes: an array's slab, in all groups from ``start`` on.

    ``start`` None: every group, those of the mirrored rows included.
    """

    array: Literal["source", "wires", "result"]
    slab: int
    start: int | None

    def of(self, places: dict[str, NDArray[np.int32]], groups: int) -> NDArray[np.int32]:
        slab: NDArray[np.int32] = places[self.array][self.slab]
        return slab if self.start is None else slab[self.start : self.start + groups]


class _Step(NamedTuple):
    function: Callable[..., Any]
    a: _Place
    b: _Place
    to: _Place


class _Gate(NamedTuple):
    """A minimum or maximum of two wires, onto a new one."""

    function: Callable[..., Any]
    a: int
    b: int
    to: int


@dataclass
class _Network:
    """Gates in order; ``shifted`` says which wires are others of the group before or after."""

    gates: list[_Gate] = field(default_factory=list)
    shifted: dict[int, tuple[int, int]] = field(default_factory=dict)
    count: int = 0

    def wire(self) -> int:
        self.count += 1
        return self.count - 1

    def shift(self, wire: Value, by: int) -> Value:
        """The same wire of the group ``by`` further on."""
        assert isinstance(wire, int)
        new = self.wire()
        self.shifted[new] = (wire, by)
        return new

    def root(self, wire: int) -> int:
        """The wire itself, or the one that it is of another group."""
        return self.shifted[wire][0] if wire in self.shifted else wire

    def gate(self, function: Callable[..., Any], a: Value, b: Value) -> Value:
        wins, yields = ("low", "high") if function is np.minimum else ("high", "low")
        if wins in (a, b):
            return a if a == wins else b
        if yields in (a, b):
            return b if a == yields else a
        assert isinstance(a, int)
        assert isinstance(b, int)
        self.gates.append(_Gate(function, a, b, self.wire()))
        return self.gates[-1].to

    def merge(self, a: list[Value], b: list[Value]) -> list[Value]:
        """Two sorted lists of one length, a power of two, as one."""
        wires = a + b
        self._merge(wires, 0, len(wires), 1)
        return wires

    def _merge(self, wires: list[Value], low: int, size: int, step: int) -> None:
        twice = 2 * step
        pairs = range(low, low + 1)
        if twice < size:
            self._merge(wires, low, size, twice)
            self._merge(wires, low + step, size, twice)
            pairs = range(low + step, low + size - step, twice)
        for i in pairs:
            a, b = wires[i], wires[i + step]
            wires[i], wires[i + step] = self.gate(np.minimum, a, b), self.gate(np.maximum, a, b)

    def middle(self, kept: list[Value], run: list[Value]) -> list[Value]:
        """Of 2 m sorted and m sorted values the m in the middle, sorted."""
        # Of the ways to fill the run up, one lowest and otherwise highest makes fewest gates.
        below: list[Value] = ["low"] if len(run) > 1 else []
        above: list[Value] = ["high"] * (len(run) - len(below))
        merged = self.merge(kept, [*below, *run, *above])
        return merged[len(below) + len(run) :][: len(run)]

    def needed(self, wires: list[Value]) -> tuple[list[int], dict[int, int]]:
        """The gates that these wires hang on, and the last gate that each root serves."""
        last = {wire: len(self.gates) for wire in wires if isinstance(wire, int)}
        gates = []
        for number in reversed(range(len(self.gates))):
            gate = self.gates[number]
            if gate.to in last:
                last.setdefault(self.root(gate.a), number)
                last.setdefault(self.root(gate.b), number)
                gates.append(number)
        return gates[::-1], last


def _design(net: _Network) -> tuple[list[int], list[Value]]:
    """The wires of a group's rows, and those of its sixteen medians."""
    rows = [net.wire() for _ in range(_GROUP)]
    runs: dict[int, list[list[Value]]] = {1: [[row] for row in rows]}
    size = 1
    while size < _GROUP:
        short = runs[size]
        size *= 2
        runs[size] = [net.merge(a, b) for a, b in zip(short[::2], short[1::2], strict=True)]

    def beside(first: int, size: int) -> list[Value]:
        """The sorted run of so many rows from row ``first`` on, which another group holds."""
        group, row = divmod(first, _GROUP)
        return [net.shift(wire, group) for wire in runs[size][row // size]]

    def medians(kept: list[Value], first: int, count: int) -> list[Value]:
        """Those of ``count`` windows, from what can be one of the rows they share."""
        if count == 1:
            return kept
        half = count // 2
        before = beside(first + half - _GROUP, half)
        after = beside(first + _GROUP, half)
        return [
            *medians(net.middle(kept, before), first, half),
            *medians(net.middle(kept, after), first + half, half),
        ]

    return rows, medians(beside(0, _GROUP), 0, _GROUP)


@functools.cache
def _program() -> tuple[list[_Step], int]:
    """The steps in order, and how many slabs of wires they use."""
    net = _Network()
    rows, medians = _design(net)
    gates, last = net.needed(medians)
    shared = min(net.shifted)  # wires below are computed for all groups, the others look on
    places = {row: _Place("source", number, None) for number, row in enumerate(rows)}
    for number, wire in enumerate(medians):
        assert isinstance(wire, int)
        places[wire] = _Place("result", number, 0)
    free: list[int] = []
    count = 0
    steps = []
    for number in gates:
        function, a, b, to = net.gates[number]
        if to not in places:
            if not free:
                free.append(count)
                count += 1
            places[to] = _Place("wires", free.pop(), None if to < shared else 0)
        ins = [
            places[net.root(wire)]._replace(start=1 + net.shifted[wire][1])
            if wire in net.shifted
            else places[wire]
            for wire in (a, b)
        ]
        steps.append(_Step(function, ins[0], ins[1], places[to]))
        done = {wire for wire in map(net.root, (a, b)) if last[wire] == number}
        free += [places[wire].slab for wire in done if places[wire].array == "wires"]
    return steps, count
