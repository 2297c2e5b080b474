"""Rows of tables of numbers as tracks: what each is called, and what is known of it."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.datasets.entries import DataTrack
from mgrkit.datasets.wide import ROW
from mgrkit.errors import RunError, UsageError
from mgrkit.inputs.columns import TableChoice, some
from mgrkit.registry.checks import RESERVED
from mgrkit.tracks.layout import Layout
from mgrkit.tracks.lineage import slashed
from mgrkit.tracks.schema import CATALOGUE, NOISE, NOISY, RECORDING_OF, SNR, SPLIT_BY

if TYPE_CHECKING:
    from numpy.typing import NDArray

PATHS, GENRES = ("path", "filename", "file"), ("genre", "label")
_NAMES = (*PATHS, "track_id", "id")
_GROUPS = ("group", "artist")
_LENGTHS = ("seconds", "length", "duration")
_DEALT = (SPLIT_BY, "fold")
BESIDE = frozenset(
    {
        *RESERVED, *CATALOGUE, *_NAMES, *GENRES, *_GROUPS, *_LENGTHS, *_DEALT, "piece",
        NOISE, SNR, RECORDING_OF,
    }
)  # fmt: skip
"""Columns that say something of a row, and are no features of it."""
_NAMING = frozenset(
    {*_NAMES, *GENRES, *_GROUPS, "split", "parent", "duplicate_of", "source_id", RECORDING_OF}
)
"""Those that name the row or what is to be learnt of it."""


def usable_rows(path: Path, frame: Any, choice: TableChoice, notes: list[str]) -> Any:
    """The rows that did not fail, with the columns that a person names as ``genre`` and ``group``.

    Adds to the notes how many failed.

    Raises
    ------
    UsageError : there is no such column.
    """
    import polars as pl

    for option, name, as_ in (
        ("--label-column", choice.label, "genre"),
        ("--group-column", choice.group, "group"),
    ):
        if name and name not in frame.columns:
            there = [column for column in frame.columns if column != ROW]
            raise UsageError(f"{option}: {path} has no column {name}", f"it has {some(there, 8)}")
        if name:
            frame = frame.with_columns(pl.col(name).cast(pl.String).fill_null("").alias(as_))
    if "status" in frame.columns:
        kept = frame.filter(pl.col("status").ne_missing("failed"))
        note_lost(notes, len(frame) - len(kept), "failed rows")
        frame = kept
    return frame


def refuse_told(names: Sequence[str], label: str) -> None:
    """UsageError if a column to learn from says which row it is, or its genre, artist or part."""
    told = [name for name in names if name in _NAMING or name == label]
    if told:
        raise UsageError(
            f"--columns: {told[0]} is no feature, it says which track a row is, or of which genre, "
            "artist or part"
        )


def named_rows(path: Path, frame: Any, notes: list[str]) -> tuple[list[tuple[str, str]], Layout]:
    """The name and the genre of each row, and what their paths say; RunError without rows."""
    paths = _column(path, frame.columns, _NAMES)
    names = [slashed(name) for name in texts_of(frame, paths)]
    layout = Layout.of(names)
    genres = ""  # as the paths say
    if set(frame.columns) & set(GENRES) or (names and not any(map(layout.label, names))):
        genres = _genre_column(path, frame.columns, layout)
    elif names:
        notes += layout.genre_notes
    if "split" not in frame.columns:
        notes += layout.part_notes
    if not names:
        raise RunError(f"{path} has no rows", "; ".join(notes) or "make it again")
    return list(zip(names, _genres(frame, genres, layout, names), strict=True)), layout


def tracks_of(
    path: Path,
    frame: Any,
    named: Sequence[tuple[str, str]],
    layout: Layout,
    good: NDArray[np.int64],
    windows: bool,
    notes: list[str],
) -> tuple[list[int], list[int], tuple[DataTrack, ...]]:
    """The rows to use, the number of each one's track, and the tracks; RunError without any.

    ``named`` are the name and the genre of each row. Adds to the notes how many of the ``good``
    rows repeat a path.
    """
    text, lengths = _told(frame, named, layout, windows), _lengths(frame)
    seen: set[tuple[str, str]] = set()
    numbers: dict[str, int] = {}
    used: list[int] = []
    tracks: list[int] = []
    entries: list[DataTrack] = []
    for row in map(int, good):
        (name, genre), start = named[row], text["start"][row]
        if (name, start) in seen:
            continue
        seen.add((name, start))
        if name not in numbers:
            numbers[name] = len(entries)
            stated = slashed(text["parent"][row])
            group, part, sound = (text[column][row] for column in ("group", "split", "sound"))
            noise, snr, by = (text[column][row] for column in (NOISE, SNR, SPLIT_BY))
            noisy = bool(stated) and (text["kind"][row] == NOISY or bool(noise))
            entries.append(
                DataTrack(
                    name, stated or name, genre, group, part, sound, noisy, lengths[row],
                    noise=noise, snr=snr, split_by=by, recording_of=text[RECORDING_OF][row],
                )
            )  # fmt: skip
        used.append(row)
        tracks.append(numbers[name])
    note_lost(notes, len(good) - len(used), "rows that repeat a path")
    if not used:
        raise RunError(f"no row of {path} can be used", "; ".join(notes))
    return used, tracks, tuple(entries)


def _told(
    frame: Any, named: Sequence[tuple[str, str]], layout: Layout, windows: bool
) -> dict[str, list[str]]:
    """What each row says of itself, by column; '' where it does not."""
    columns = (
        "group", "split", "parent", "start", "sound", "kind", NOISE, SNR, SPLIT_BY, RECORDING_OF,
    )  # fmt: skip
    text = {name: texts_of(frame, name) for name in columns}
    if "group" not in frame.columns:
        text["group"] = texts_of(frame, "artist")
    if "start" not in frame.columns:
        text["start"] = texts_of(frame, "piece")  # as others number their windows
    if not {"start", "piece"} & set(frame.columns) and windows:
        text["start"] = [str(row) for row in range(len(frame))]
    if "split" not in frame.columns:
        text["split"] = [layout.split(name) for name, _ in named]
    return text


def _genres(frame: Any, column: str, layout: Layout, names: Sequence[str]) -> list[str]:
    """The genre of each row: as its column says, else as its path does."""
    if not column:
        return [layout.label(name) for name in names]
    return [unicodedata.normalize("NFC", genre.strip()) for genre in texts_of(frame, column)]


def _lengths(frame: Any) -> list[float]:
    """How long each row's sound is, in any unit; 0 where no column says."""
    column = next((name for name in _LENGTHS if name in frame.columns), "")
    values = numbers_of(frame, [column])[:, 0] if column else np.zeros(len(frame))
    return [float(value) if value > 0 else 0.0 for value in values]


def _column(path: Path, header: Sequence[str], names: Sequence[str]) -> str:
    """The first of these names that the table has; UsageError if it has none."""
    for name in names:
        if name in header:
            return name
    raise UsageError(
        f"{path} has no column {' or '.join(names)}",
        f"it has {some([n for n in header if n.isprintable()])}",
    )


def _genre_column(path: Path, header: Sequence[str], layout: Layout) -> str:
    """The column of the genre; UsageError if there is none, and why folders are none either."""
    try:
        return _column(path, header, GENRES)
    except UsageError as error:
        raise UsageError(error.message, "; ".join(layout.genre_notes) or error.hint) from None


def note_lost(notes: list[str], number: int, what: str) -> None:
    """Add to the notes how many of what are left out, if any."""
    if number:
        notes.append(f"{number} {what} left out")


def numbers_of(frame: Any, columns: Sequence[str]) -> NDArray[np.float64]:
    """The columns as numbers; whatever is none is NaN, and so is what float32 cannot hold."""
    import polars as pl

    cast = frame.select(pl.col(name).cast(pl.Float64, strict=False) for name in columns)
    x: NDArray[np.float64] = cast.fill_null(np.nan).to_numpy().astype(np.float64, copy=False)
    return np.where(np.abs(x) <= np.finfo(np.float32).max, x, np.nan)


def texts_of(frame: Any, name: str) -> list[str]:
    """A column as texts; '' in all rows where there is no such column."""
    import polars as pl

    if name not in frame.columns:
        return [""] * len(frame)
    return [value or "" for value in frame[name].cast(pl.String).to_list()]
