"""Tables of any width and length: columns are read as they are wanted, never all as texts."""

from __future__ import annotations

import contextlib
import csv
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from mgrkit.errors import RunError
from mgrkit.tracks.fma.headed import INDEX, read_header
from mgrkit.tracks.table import check_names, read_frame

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

ROW = "\0row"
"""A column of row numbers, whatever the table's own are called."""

_ABSENT = ("", "-", "--", "?", "n/a", "na", "nan", "none", "null", "inf", "infinity")
"""Texts, in small letters, that stand for a missing value; with or without a sign."""

_DEEPEST = 3
_AT_ONCE = 64
_Column = TypeVar("_Column")
_ONE_TOP = "echonest"
"""The first header row of FMA's echonest.csv, which tells its columns nothing."""


def fma_levels(path: Path) -> int:
    """The header rows of one of FMA's tables: 2 or 3; 0 for any other table."""
    if path.suffix.lower() != ".csv":
        return 0
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = list(itertools.islice(csv.reader(file), _DEEPEST + 1))
    except (OSError, UnicodeDecodeError, csv.Error):  # whoever reads the table says so
        return 0
    for level in (2, 3):
        below = lines[level] if level < len(lines) else []
        if below[:1] == [INDEX] and len(below) > 1 and not any(below[1:]):
            return level
    return 0


@dataclass(frozen=True)
class WideTable:
    """A table that is read a few columns at a time.

    Parameters
    ----------
    columns : their names; of FMA's tables the levels of each with ``_`` between, after
        ``track_id``.
    levels : header rows of one of FMA's tables; 0 for others.
    """

    path: Path
    columns: tuple[str, ...]
    levels: int = 0

    @classmethod
    def of(cls, path: Path) -> WideTable:
        """The table in a file; raises what `read_frame` and `check_names` do."""
        levels = fma_levels(path)
        if not levels:
            columns = tuple(read_frame(path, rows=0).columns)
            check_names(path, columns)
            return cls(path, columns)
        names = read_header(path, levels).columns
        flat = ("_".join(name[1:] if name[0] == _ONE_TOP else name) for name in names)
        return cls(path, (INDEX, *flat), levels)

    @property
    def _is_csv(self) -> bool:
        return self.path.suffix.lower() != ".parquet"

    def texts(self, names: Sequence[str]) -> pl.DataFrame:
        """These columns of all rows as texts, and `ROW`; RunError if it cannot be read."""
        import polars as pl

        with self._read() as frame:
            return frame.select(ROW, pl.col(names).cast(pl.String)).collect()

    def numbers(self, names: Sequence[str], rows: pl.Series) -> Floats:
        """These columns of some rows, float32 ``(rows, columns)``; no finite number is NaN.

        Parameters
        ----------
        rows : of the column `ROW` that `texts` gave, rising.
        """
        import polars as pl

        x: Floats = np.empty((len(rows), len(names)), np.float32, order="F")
        with self._read(rows, pl.Float32) as frame:
            if not self._is_csv:
                frame = frame.select(pl.col(names).cast(pl.Float32, strict=False))
            found = frame.collect()  # all of a CSV file: else polars passes over rows too long
        for place, name in enumerate(names):
            x[:, place] = found[name].to_numpy()
        del found
        # Of columns that lack some a second look: a number with spaces around is one, too.
        lacking = [place for place in range(len(names)) if np.isnan(x[:, place]).any()]
        for some in _few(lacking):
            with self._read(rows) as frame:
                found = frame.select(self._number(names[place]) for place in some).collect()
            for place in some:
                x[:, place] = found[names[place]].to_numpy()
        x[~np.isfinite(x)] = np.nan
        return x

    def words(self, names: Sequence[str], rows: pl.Series) -> dict[str, tuple[int, str]]:
        """How many values in some rows are neither numbers nor missing, and the first of them."""
        import polars as pl

        told: dict[str, tuple[int, str]] = {}
        for some in _few(names):
            counts, firsts = [], []
            for name in some:
                text = pl.col(name).cast(pl.String).str.strip_chars()
                known = text.str.to_lowercase().str.strip_prefix("-").str.strip_prefix("+")
                odd = self._number(name).is_null() & ~known.is_in(_ABSENT)
                counts.append(odd.sum())
                firsts.append(text.filter(odd).first())
            with self._read(rows) as frame:
                count = frame.select(counts).collect().row(0)
                first = frame.select(firsts).collect().row(0)
            told |= {n: (c, t or "") for n, c, t in zip(some, count, first, strict=True)}
        return told

    def categories(self, name: str, rows: pl.Series) -> pl.Series:
        """The texts of a column in some rows, without spaces around; null where one is missing."""
        import polars as pl

        text = pl.col(name).cast(pl.String).str.strip_chars()
        with self._read(rows) as frame:
            absent = text.str.to_lowercase().is_in(_ABSENT)
            return frame.select(pl.when(~absent).then(text)).collect()[name]

    def _number(self, name: str) -> pl.Expr:
        import polars as pl

        column = pl.col(name)
        if self._is_csv:
            column = column.str.strip_chars()
        return column.cast(pl.Float32, strict=False)

    @contextlib.contextmanager
    def _read(self, rows: pl.Series | None = None, kind: Any = None) -> Iterator[pl.LazyFrame]:
        """The rows, not read yet; what goes wrong in the block is a RunError.

        Parameters
        ----------
        rows : those that are wanted; all by default.
        kind : of the values of a CSV file; null for what is not of it. Texts by default.
        """
        import polars as pl

        try:
            frame = self._scan(kind)
            yield frame if rows is None else frame.filter(pl.col(ROW).is_in(rows.to_list()))
        except (pl.exceptions.PolarsError, OSError) as error:
            reason = str(error).partition("\n")[0]
            raise RunError(f"cannot read {self.path}: {reason}", "a CSV or Parquet table") from None

    def _scan(self, kind: Any) -> pl.LazyFrame:
        import polars as pl

        if not self._is_csv:
            frame = pl.scan_parquet(self.path, row_index_name=ROW)
            kinds = frame.collect_schema()
            coded = [n for n, kind in kinds.items() if kind in (pl.Categorical, pl.Enum)]
            return frame.with_columns(pl.col(coded).cast(pl.String))
        return pl.scan_csv(
            self.path,
            has_header=False,
            skip_rows=self.levels + 1,
            schema=dict.fromkeys(self.columns, kind or pl.String),
            ignore_errors=kind is not None,
            row_index_name=ROW,
        )


def _few(columns: Sequence[_Column]) -> Iterator[Sequence[_Column]]:
    """So few at a time that they can be held as texts."""
    for first in range(0, len(columns), _AT_ONCE):
        yield columns[first : first + _AT_ONCE]
