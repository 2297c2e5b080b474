"""Columns as numbers of 8 bits: what a forest looks for splits in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mgrkit.classifiers.base import Run
    from mgrkit_classical.arrays import Place

BINS = 256

BYTES = 60
"""What binning takes for each value of the columns that are binned at once."""


@dataclass(frozen=True)
class Bins:
    """A table whose columns are binned.

    Parameters
    ----------
    numbers : uint8 ``(columns * rows,)``, the bin of each value, column after column.
    lowest, highest : float32 ``(columns, 256)``, the values at the ends of each bin; inf and
        -inf where it is empty.
    """

    numbers: Any
    lowest: Any
    highest: Any
    rows: int

    @property
    def columns(self) -> int:
        """How many there are."""
        return len(self.lowest)

    def of(self, column: Any, row: Any) -> Any:
        """The bins at some places of the table; the shape is that of both broadcast."""
        at = column * self.rows + row
        return self.numbers.index_select(0, at.reshape(-1)).reshape(at.shape)

    def thresholds(self, column: Any, below: Any, above: Any) -> Any:
        """Midway between the values of two bins, float64."""
        return (self.highest[column, below].double() + self.lowest[column, above].double()) / 2


def binned(x: NDArray[np.float32], place: Place, at_once: int, run: Run) -> Bins:
    """The table in bins: one for each distinct value of a column that has at most 256.

    Elsewhere a value's bin is the mean of its share of the rows and of its share of the distinct
    values, counted from the lowest: quantiles, but a value that most rows have leaves the others
    half of the bins.

    Parameters
    ----------
    x : float32 ``(n, columns)``, finite.
    at_once : columns.
    """
    torch = place.xp
    n, columns = x.shape
    numbers = torch.empty((columns, n), dtype=torch.uint8, device=place.device)
    ends = torch.full((2, columns, BINS), torch.inf, device=place.device)
    ends[1] *= -1
    ranks = torch.arange(n, device=place.device)
    for start in range(0, columns, at_once):
        run.check()
        some = slice(start, start + at_once)
        values, order = place.put(x[:, some].T.copy()).sort(dim=1)
        new = torch.ones_like(values, dtype=torch.bool)
        new[:, 1:] = values[:, 1:] != values[:, :-1]
        distinct = new.cumsum(1) - 1
        first = torch.where(new, ranks, 0).cummax(1).values
        count = distinct[:, -1:] + 1
        share = BINS * (first * count + distinct * n) // (2 * n * count)
        bins = torch.where(count <= BINS, distinct, share)
        numbers[some].scatter_(1, order, bins.to(torch.uint8))
        ends[0, some].scatter_reduce_(1, bins, values, "amin")
        ends[1, some].scatter_reduce_(1, bins, values, "amax")
    return Bins(numbers.reshape(-1), ends[0], ends[1], n)
