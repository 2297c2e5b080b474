"""Parquet written whole: under a temporary name, then moved into place."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

_CHUNK = 4096


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
