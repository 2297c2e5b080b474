"""Feature tables: our own, the Kaggle GTZAN table and its altered forms, as a dataset."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.commands.dataset import Dataset, Entry
from mgrkit.commands.inputs import Features
from mgrkit.errors import RunError, UsageError
from mgrkit.registry import FeatureSetSpec, registry
from mgrkit.registry.specs import nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PATHS, _GENRES = ("path", "filename", "file"), ("genre", "label")
_SLICE = re.compile(r"(.+\.\d{5})\.(\d{1,3})(\.\w+)")
"""Names in the Kaggle table of three-second slices: blues.00000.7.wav is of blues.00000.wav."""


def is_feature_table(path: Path, columns: Sequence[str]) -> bool:
    """Whether a table holds numbers and is not a list of files.

    A table with any of the ``columns`` that are wanted, or without a column of paths, is meant as
    one; then what is missing is an error of its own.
    """
    header = _frame(path, rows=0).columns
    return ("kind" in header and "frontend" in header) or bool(
        set(header) & set(columns) or not set(header) & set(_PATHS)
    )


def read_feature_table(path: Path, wanted: FeatureSetSpec) -> Dataset:
    """The rows of a feature table that can be used.

    Failed rows, repeated rows and rows with a value that is no finite number are left out and
    counted in the notes.

    Raises
    ------
    UsageError : columns are missing, or hold no numbers at all; rows of several feature sets,
        or of another front end than the set's.
    RunError : no row can be used, or the file cannot be read.
    """
    frame = _frame(path)
    notes: list[str] = []
    if "status" in frame.columns:
        frame = _where(frame, frame["status"] != "failed", "failed rows", notes)
    feature_set = _feature_set(path, frame, wanted)
    paths, genres = (_column(path, frame.columns, names) for names in (_PATHS, _GENRES))
    _check_columns(path, frame.columns, feature_set)
    if not len(frame):
        raise RunError(f"{path} has no rows", "; ".join(notes) or "make it again")
    x = _numbers(frame, feature_set.columns)
    _check_numbers(path, x, feature_set.columns)
    good = np.isfinite(x).all(1)
    _count(notes, int((~good).sum()), "rows with a value that is no finite number")
    constant = [c for c, w in zip(feature_set.columns, np.ptp(x[good], 0), strict=True) if not w]
    if constant:
        notes.append(f"the same value in every row: {', '.join(constant)}")
    used, tracks, entries = _tracks(frame, paths, genres, np.flatnonzero(good))
    _count(notes, int(good.sum()) - len(used), "rows that repeat a path")
    if not used:
        raise RunError(f"no row of {path} can be used", "; ".join(notes))
    return Dataset(
        x=x[used].astype(np.float32),
        tracks=np.array(tracks, np.int64),
        entries=entries,
        input=Features(feature_set),
        notes=tuple(f"{path.name}: {note}" for note in notes),
    )


def _tracks(
    frame: Any, paths: str, genres: str, good: NDArray[np.int64]
) -> tuple[list[int], list[int], tuple[Entry, ...]]:
    """The rows to use, the number of each one's track, and the tracks."""
    groups = "group" if "group" in frame.columns else "artist"
    named = (paths, genres, groups, "split", "parent", "start", "sound")
    text = {name: _texts(frame, name) for name in named}
    seen: set[tuple[str, str]] = set()
    numbers: dict[str, int] = {}
    used: list[int] = []
    tracks: list[int] = []
    entries: list[Entry] = []
    for row in map(int, good):
        name, start = text[paths][row].replace("\\", "/"), text["start"][row]
        if found := _SLICE.fullmatch(name):
            name, start = found[1] + found[3], found[2]
        if (name, start) in seen:
            continue
        seen.add((name, start))
        if name not in numbers:
            numbers[name] = len(entries)
            parent, genre = text["parent"][row] or name, text[genres][row].strip()
            told = (text[column][row] for column in (groups, "split", "sound"))
            entries.append(Entry(name, parent, genre, *told))
        used.append(row)
        tracks.append(numbers[name])
    return used, tracks, tuple(entries)


def _frame(path: Path, rows: int | None = None) -> Any:
    """The table with every CSV value as text, so that no type is guessed."""
    import polars as pl

    try:
        if path.suffix.lower() == ".parquet":
            return pl.read_parquet(path, n_rows=rows)
        frame = pl.read_csv(path, infer_schema=False, n_rows=rows, truncate_ragged_lines=False)
        return frame.rename({name: name.strip().lstrip("\ufeff") for name in frame.columns})
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise RunError(f"cannot read {path}: {reason}", "a CSV or Parquet table") from None


def _where(frame: Any, keep: Any, what: str, notes: list[str]) -> Any:
    kept = frame.filter(keep)
    _count(notes, len(frame) - len(kept), what)
    return kept


def _count(notes: list[str], number: int, what: str) -> None:
    if number:
        notes.append(f"{number} {what} left out")


def _feature_set(path: Path, frame: Any, wanted: FeatureSetSpec) -> FeatureSetSpec:
    """The set that the table names, or the wanted one for a table that names none."""
    if not {"kind", "settings"} <= set(frame.columns):
        return wanted
    kinds = [kind for kind in frame["kind"].unique().to_list() if kind]
    if len(kinds) > 1:
        raise UsageError(
            f"{path} holds several feature sets: {', '.join(sorted(kinds))}", "one a table"
        )
    feature_set = registry().feature_set(kinds[0]) if kinds else wanted
    others = {digest for digest in frame["settings"].unique().to_list() if digest}
    if others - {feature_set.digest}:
        raise UsageError(
            f"{path} was made with front end {min(others - {feature_set.digest})}, "
            f"{feature_set.name} of this mgrkit has {feature_set.digest}",
            "make the table again with mgrkit features",
        )
    return feature_set


def _column(path: Path, header: Sequence[str], names: Sequence[str]) -> str:
    for name in names:
        if name in header:
            return name
    raise UsageError(f"{path} has no column {' or '.join(names)}", f"it has {_some(header)}")


def _check_columns(path: Path, header: Sequence[str], feature_set: FeatureSetSpec) -> None:
    missing = [name for name in feature_set.columns if name not in header]
    if missing:
        extra = [name for name in header if name not in feature_set.columns]
        raise UsageError(
            f"{path} lacks {len(missing)} of the {len(feature_set.columns)} columns of "
            f"{feature_set.name}: {_some(missing)}",
            nearest(missing[0], extra, "its other columns are"),
        )


def _some(names: Sequence[str], most: int = 4) -> str:
    shown = ", ".join(name if len(name) <= 40 else f"{name[:40]}..." for name in names[:most])
    return f"{shown}, ..." if len(names) > most else shown or "none"


def _numbers(frame: Any, columns: Sequence[str]) -> NDArray[np.float64]:
    """The columns as numbers; whatever is none is NaN, and so is what float32 cannot hold."""
    import polars as pl

    cast = frame.select(pl.col(name).cast(pl.Float64, strict=False) for name in columns)
    x: NDArray[np.float64] = cast.fill_null(np.nan).to_numpy().astype(np.float64, copy=False)
    return np.where(np.abs(x) <= np.finfo(np.float32).max, x, np.nan)


def _check_numbers(path: Path, x: NDArray[np.float64], columns: Sequence[str]) -> None:
    empty = [name for i, name in enumerate(columns) if not np.isfinite(x[:, i]).any()]
    if len(x) and empty:
        raise UsageError(
            f"{path} holds no finite number in {_some(empty)}", "mend or make the table again"
        )


def _texts(frame: Any, name: str) -> list[str]:
    import polars as pl

    if name not in frame.columns:
        return [""] * len(frame)
    return [value or "" for value in frame[name].cast(pl.String).to_list()]
