"""FMA's tables: CSV with several header rows, then a row that names the index.

Written by pandas with columns of two or three levels (mdeff/fma, ``utils.load``)::

    ,album,album,...,track
    ,comments,date_created,...,title
    track_id,,,...,
    2,0,2008-11-26 01:44:45,...,Food
"""

from __future__ import annotations

import csv
import itertools
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mgrkit.errors import RunError, UsageError
from mgrkit.tracks.table import check_csv

if TYPE_CHECKING:
    import polars as pl

INDEX = "track_id"
AS_PUBLISHED = "take it as fma_metadata.zip has it"


@dataclass(frozen=True)
class Headed:
    """A table and its header.

    Parameters
    ----------
    columns : of the table but for its index, in their order; each has one text a header row.
    """

    path: Path
    columns: tuple[tuple[str, ...], ...]

    def rows(self, wanted: Mapping[tuple[str, ...], type[pl.DataType]]) -> pl.DataFrame:
        """The rows of the table: ``track_id``, then the columns asked for, as they are asked for.

        Names are those of the levels with points between. What is empty is null.

        Parameters
        ----------
        wanted : the type of each column.

        Raises
        ------
        UsageError : there is no such column.
        RunError : it cannot be read, has no rows, or a track without a number or in two rows.
        """
        import polars as pl

        if missing := [column for column in wanted if column not in self.columns]:
            raise UsageError(f"{self.path} has no column {'.'.join(missing[0])}", AS_PUBLISHED)
        kinds = {".".join(column): wanted.get(column, pl.String) for column in self.columns}
        try:
            frame = (
                pl.scan_csv(
                    self.path,
                    has_header=False,
                    skip_rows=len(self.columns[0]) + 1,
                    schema={INDEX: pl.Int64, **kinds},
                )
                .select(INDEX, *map(".".join, wanted))
                .collect()
            )
        except (pl.exceptions.PolarsError, OSError) as error:
            reason = str(error).partition("\n")[0]
            raise RunError(f"cannot read {self.path}: {reason}", AS_PUBLISHED) from None
        if not len(frame):
            raise RunError(f"{self.path} has no rows", "one row per track")
        if empty := frame[INDEX].null_count():
            raise RunError(f"{self.path}: {empty} rows have no {INDEX}", AS_PUBLISHED)
        if (twice := frame[INDEX].is_duplicated()).any():
            number = frame[INDEX].filter(twice)[0]
            raise RunError(f"{self.path} has track {number} in two rows", AS_PUBLISHED)
        return frame


def _check_end(path: Path) -> None:
    """Raise RunError for a table whose last row does not end: pandas ends each."""
    with path.open("rb") as file:
        file.seek(-min(1, path.stat().st_size), os.SEEK_END)
        if file.read() not in (b"", b"\n"):
            raise RunError(f"{path} is cut off: its last row does not end", AS_PUBLISHED)


def read_header(path: Path, levels: int) -> Headed:
    """The header of a table of FMA.

    Parameters
    ----------
    levels : rows of names above the row that begins with ``track_id``.

    Raises
    ------
    RunError : it cannot be read, or is cut off in its last row.
    UsageError : its first rows are not such a header.
    """
    try:
        check_csv(path)
        _check_end(path)
        with path.open(newline="", encoding="utf-8") as file:
            lines = csv.reader(file, strict=True)
            names = [*itertools.islice(lines, levels)]
            index = next(lines, [])
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        raise RunError(f"cannot read {path}: {error}", AS_PUBLISHED) from None
    same = len({len(line) for line in (*names, index)}) == 1
    if len(names) < levels or not same or len(index) < 2 or index[0] != INDEX or any(index[1:]):
        raise UsageError(
            f"{path} does not begin as FMA's {path.name}: {levels} rows of names, "
            f"then one that begins with {INDEX}",
            AS_PUBLISHED,
        )
    return Headed(path, tuple(zip(*(line[1:] for line in names), strict=True)))
