"""From the tracks that were chosen to arrays, which are built once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.inputs.kinds import Input

    Build = Callable[[NDArray[np.int64]], tuple[NDArray[Any], NDArray[np.int64]]]
    """Called with the track to which each that was read belongs, int64 ``(read,)``, -1 for none.

    It returns examples ``(n, *input.shape)``, in the order in which they were read, and the track
    of each, int64 ``(n,)``.
    """


def of_rows(x: NDArray[Any], read: NDArray[np.int64]) -> Build:
    """Of examples ``(n, ...)`` that are there already, and what was read each belongs to."""

    def build(places: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[np.int64]]:
        tracks = places[read]
        chosen = tracks >= 0
        return (x, tracks) if chosen.all() else (x[chosen], tracks[chosen])

    return build


class OfPieces:
    """Of the values of pieces, which become examples one track at a time.

    Examples that are built lie in the first array that they are built for, and what they were
    made of is let go: nothing is held twice.

    Parameters
    ----------
    wanted : what the examples are, fitted.
    sizes : of each piece of each track, as `Input.count` takes them.
    values : gives those of the pieces of a track, and is asked once for each.
    """

    def __init__(
        self,
        wanted: Input,
        sizes: Sequence[Sequence[int]],
        values: Callable[[int], Sequence[NDArray[Any]]],
    ) -> None:
        self._wanted = wanted
        self._values = values
        self._counts = np.array([sum(map(wanted.count, pieces)) for pieces in sizes], np.int64)
        self._built: dict[int, NDArray[Any]] = {}

    def __call__(self, places: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[np.int64]]:
        chosen = np.flatnonzero(places >= 0)
        counts = self._counts[chosen]
        x = np.empty((counts.sum(), *self._wanted.shape), self._wanted.dtype)
        starts = np.cumsum(counts) - counts
        for number, start, count in zip(chosen.tolist(), starts, counts, strict=True):
            space = x[start : start + count]
            self._fill(number, space)
            self._built.setdefault(number, space)
        return x, np.repeat(places[chosen], counts)

    def _fill(self, number: int, space: NDArray[Any]) -> None:
        if number in self._built:
            space[:] = self._built[number]
            return
        first = 0
        for values in self._values(number):
            examples = self._wanted.examples(values)
            space[first : first + len(examples)] = examples
            first += len(examples)
