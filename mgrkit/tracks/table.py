"""The track table of a collection: CSV or Parquet, every value a text."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mgrkit.errors import RunError, UsageError
from mgrkit.files.replacing import replacing
from mgrkit.tracks.schema import CATALOGUE

if TYPE_CHECKING:
    import polars as pl

SUFFIXES = (".csv", ".csv.gz", ".parquet")
"""Of tables, in lower case."""
PARQUET = b"PAR1"
"""How such a file begins."""
_TOLD_APART = "_duplicated_"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def is_table(path: Path) -> bool:
    """Whether a path is called like a table."""
    return path.name.lower().endswith(SUFFIXES)


def read_frame(path: Path, rows: int | None = None, content: bytes | None = None) -> pl.DataFrame:
    """Any table, with every CSV value as text, so that no type is guessed.

    Parameters
    ----------
    rows : only the first so many.
    content : its bytes, where they are at hand: they, and not its name, say what it is.

    Raises
    ------
    RunError : it cannot be read.
    UsageError : it is in UTF-16, or not separated by commas.
    """
    import polars as pl

    is_parquet = path.suffix.lower() == ".parquet"
    if content is not None:
        is_parquet = content.startswith(PARQUET)
    source = path if content is None else content
    try:
        if content is None and path.suffix.lower() == ".csv":
            check_csv(path)
        elif content is not None and not is_parquet:
            _check_text(path, content[:4096])
        if is_parquet:
            return pl.read_parquet(source, n_rows=rows)
        frame = pl.read_csv(source, infer_schema=False, n_rows=rows, truncate_ragged_lines=False)
        return frame.rename({name: _head(name) for name in frame.columns})
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise RunError(f"cannot read {path}: {reason}", "CSV in UTF-8, or Parquet") from None


def _head(name: str) -> str:
    """A column of a CSV as it is called: polars leaves the quotes in it doubled."""
    return name.strip().lstrip("\ufeff").replace('""', '"')


def check_names(path: Path, given: Sequence[str]) -> None:
    """Raise UsageError for columns of one name, which polars tells apart by names of its own.

    Columns without a name, as spreadsheets leave them, may be many.

    Parameters
    ----------
    given : the columns that `read_frame` gave.
    """
    import polars as pl

    if not any(_TOLD_APART in name for name in given):
        return
    header = pl.read_csv(path, has_header=False, infer_schema=False, n_rows=1).row(0)
    names = [(name or "").strip() for name in header]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise UsageError(
            f"{path} has more than one column {', '.join(twice[:3])}",
            "give each column a name of its own",
        )


def read_tracks(path: Path) -> pl.DataFrame:
    """A track table: one row per file, every column text, nothing being ''.

    ``group`` is read from ``artist`` too. All columns of `CATALOGUE` are there, in its order, then
    the table's others.

    Raises
    ------
    UsageError : it has no column ``path`` or a row without one, two columns of one name, or is no
        CSV in UTF-8.
    RunError : it is not there, cannot be read or has no rows.
    """
    import polars as pl

    frame = read_frame(path)
    if "path" not in frame.columns:
        there = ", ".join(frame.columns[:5]) or "nothing"
        raise UsageError(
            f"{path} has no column path, but {there}",
            "a track table has one row per file, and its path relative to the table",
        )
    check_names(path, frame.columns)
    if not len(frame):
        raise RunError(f"{path} has no rows", "one row per file")
    frame = frame.select(pl.all().cast(pl.String).fill_null(""))
    if "group" not in frame.columns and "artist" in frame.columns:
        frame = frame.with_columns(group=pl.col("artist"))
    missing = [name for name in CATALOGUE if name not in frame.columns]
    frame = frame.with_columns(pl.lit("").alias(name) for name in missing)
    if (empty := frame["path"] == "").any():
        raise UsageError(f"{path}: {empty.sum()} rows have no path", "give or delete them")
    return frame.select(*CATALOGUE, pl.exclude(CATALOGUE))


def write_tracks(path: Path, frame: pl.DataFrame) -> None:
    """Write a track table whole; Parquet where its suffix is ``.parquet``, otherwise CSV.

    Columns of `CATALOGUE` that are empty are left out, but for ``path`` and ``genre``.

    Raises
    ------
    OSError : it cannot be written.
    """
    import polars as pl

    known = [n for n in CATALOGUE if n in frame.columns]
    kept = [n for n in known if n in ("path", "genre") or (frame[n] != "").any()]
    frame = frame.select(*kept, pl.exclude(CATALOGUE))
    # Written by Python, which says what is wrong with a disk.
    buffer = io.BytesIO()
    if path.suffix.lower() == ".parquet":
        frame.write_parquet(buffer)
    else:
        # An empty text would be written as two quotes.
        frame.with_columns(pl.col(pl.String).replace("", None)).write_csv(buffer)
    with replacing(path) as temp:
        # Not getbuffer(): where writing fails, Python 3.12.0 crashes at collecting such a view.
        temp.write_bytes(buffer.getvalue())


def check_csv(table: Path) -> None:
    """Raise UsageError for a table in UTF-16, or one not separated by commas."""
    with table.open("rb") as file:
        _check_text(table, file.read(4096))


def _check_text(table: Path, start: bytes) -> None:
    if start[:2] in _UTF_16 or b"\0" in start:
        raise UsageError(f"{table} is text in UTF-16, or no text", "save it as CSV in UTF-8")
    first = start.splitlines()[0] if start else b""
    for mark, name in ((b";", "semicolons"), (b"\t", "tabs")):
        if mark in first and b"," not in first:
            raise UsageError(
                f"{table} is separated by {name}", "save it with commas between the columns"
            )
