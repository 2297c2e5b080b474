"""Tables written whole: in large buffers, under a temporary name, then moved into place.

The temporary name is given, not one of `mgrkit.files.replacing.replacing`: it lies in the state
folder, so that what a killed run leaves is seen by no reader of OUT and goes with the next run.
"""

from __future__ import annotations

import csv
import io
import itertools
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import aiofiles

_CHUNK = 4096

_BUFFER = 1 << 16


async def write_csv(
    path: Path, temp: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    r"""Write rows of values below a header; UTF-8, "\\n" line ends, None as an empty field.

    A byte of a file name that is not UTF-8 is written as ``\udcxx``, so that the table is.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    async with aiofiles.open(
        temp, "w", encoding="utf-8", errors="backslashreplace", newline=""
    ) as f:
        for row in rows:
            writer.writerow(row)
            if text.tell() > _BUFFER:
                await f.write(text.getvalue())
                text.seek(0)
                text.truncate()
        await f.write(text.getvalue())
    os.replace(temp, path)


def write_parquet(
    path: Path, temp: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    r"""Write rows of values; a column's type is that of its values, text where it has none.

    The whole table is held in memory as columns, which take a fraction of the rows' space. A
    byte of a file name that is not UTF-8 is written as ``\udcxx``, as in CSV.
    """
    import polars as pl

    rows = iter(rows)
    schema = dict.fromkeys(columns, pl.Null)
    frames = [pl.DataFrame(schema=schema)]
    while chunk := list(itertools.islice(rows, _CHUNK)):
        series = [
            pl.Series(name, _as_text(values), strict=False)
            for name, values in zip(columns, zip(*chunk, strict=True), strict=True)
        ]
        frames.append(pl.DataFrame(series))
    table = pl.concat(frames, how="vertical_relaxed")
    table = table.with_columns(pl.col(pl.Null).cast(pl.String))
    table.write_parquet(temp)
    os.replace(temp, path)


def _as_text(values: Sequence[Any]) -> list[Any]:
    return [
        value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
        for value in values
    ]
