"""Feature tables: mgrkit's, the Kaggle GTZAN table and its altered forms, as a dataset."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.audio.piece_lengths import PIECE_SECONDS, WHOLE_SECONDS
from mgrkit.datasets.building import of_rows
from mgrkit.datasets.dataset import Dataset
from mgrkit.datasets.entries import DataTrack
from mgrkit.errors import RunError, UsageError, nearest
from mgrkit.features.windows import summary
from mgrkit.inputs.kinds import Features
from mgrkit.registry import FeatureSetSpec, SummarySpec, installed
from mgrkit.tracks.layout import Layout
from mgrkit.tracks.schema import NOISE, NOISY, PIECE_START, SNR, SPLIT_BY
from mgrkit.tracks.table import read_frame

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PATHS, _GENRES = ("path", "filename", "file"), ("genre", "label")
_LENGTHS = ("seconds", "length", "duration")


def is_feature_table(path: Path, columns: Sequence[str]) -> bool:
    """Whether a table holds numbers and is not a list of files.

    A table with any of the ``columns`` that are wanted, without a column of paths, or with all
    columns of some feature set, is meant as one; then what is missing is a separate error.
    """
    header = set(read_frame(path, rows=0).columns)
    return (
        {"kind", "frontend"} <= header
        or bool(header.intersection(columns))
        or header.isdisjoint(_PATHS)
        or bool(_sets_of(header))
    )


def read_feature_table(path: Path, wanted: FeatureSetSpec, *, asked: bool = False) -> Dataset:
    """The rows of a feature table that can be used.

    Failed rows, repeated rows and rows with a value that is no finite number are left out and
    counted in the notes. Where ``wanted`` is a summary and the table holds windows, each piece's
    are summed up: the pieces of a track are those of the column ``piece_start``; without it
    windows lie one after the other, and a track beyond 45 s has a piece every 30 s.

    Parameters
    ----------
    asked : ``wanted`` was asked for by name; else a table that names its set is of that.

    Raises
    ------
    UsageError : the table is of another set than was asked for; columns are missing, or hold no
        numbers at all; rows of several feature sets, or of another release of the set; windows
        that nothing distinguishes.
    RunError : no row can be used, or the file cannot be read.
    """
    frame = read_frame(path)
    notes: list[str] = []
    if "status" in frame.columns:
        frame = _where(frame, frame["status"] != "failed", "failed rows", notes)
    feature_set, wanted = _feature_sets(path, frame, wanted, asked)
    _check_columns(path, frame.columns, feature_set)
    named, layout = _named(path, frame, notes)
    x, good = _finite(path, frame, feature_set.columns, notes)
    used, tracks, entries = _tracks(frame, named, layout, good, feature_set.window is not None)
    _count(notes, len(good) - len(used), "rows that repeat a path")
    if not used:
        raise RunError(f"no row of {path} can be used", "; ".join(notes))
    if feature_set.window and 2 * len(used) < len(good):
        raise UsageError(
            f"most rows of {path} repeat a path: nothing tells their windows apart",
            "a column start, or piece, numbers them",
        )
    x, of_track = x[used], np.array(tracks, np.int64)
    if isinstance(wanted, SummarySpec) and wanted.windows == feature_set:
        pieces = _pieces(frame, used, of_track, feature_set)
        x, of_track = _summed(x, of_track, pieces, wanted.form)
    return Dataset(
        entries=entries,
        input=Features(wanted),
        build=of_rows(x.astype(np.float32), of_track),
        places=np.arange(len(entries)),
        notes=tuple(f"{path.name}: {note}" for note in notes),
    )


def _named(path: Path, frame: Any, notes: list[str]) -> tuple[list[tuple[str, str]], Layout]:
    """The name and the genre of each row, and what their paths say; RunError without rows."""
    paths = _column(path, frame.columns, _PATHS)
    names = [name.replace("\\", "/") for name in _texts(frame, paths)]
    layout = Layout.of(names)
    genres = ""  # as the paths say
    if set(frame.columns) & set(_GENRES) or (names and not any(map(layout.label, names))):
        genres = _column(path, frame.columns, _GENRES)
    elif names:
        notes += layout.genre_notes
    if "split" not in frame.columns:
        notes += layout.part_notes
    if not names:
        raise RunError(f"{path} has no rows", "; ".join(notes) or "make it again")
    return list(zip(names, _genres(frame, genres, layout, names), strict=True)), layout


def _finite(
    path: Path, frame: Any, columns: Sequence[str], notes: list[str]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The numbers of every row, and the rows in which all are finite."""
    x = _numbers(frame, columns)
    _check_numbers(path, x, columns)
    good = np.isfinite(x).all(1)
    _count(notes, int((~good).sum()), "rows with a value that is no finite number")
    constant = [c for c, w in zip(columns, np.ptp(x[good], 0), strict=True) if not w]
    if constant:
        notes.append(f"the same value in every row: {', '.join(constant)}")
    return x, np.flatnonzero(good)


def _pieces(
    frame: Any, used: Sequence[int], tracks: NDArray[np.int64], windows: FeatureSetSpec
) -> list[str]:
    """The piece of each window: as the table says, else as if they lay one after the other."""
    if PIECE_START in frame.columns:
        starts = _texts(frame, PIECE_START)
        return [starts[row] for row in used]
    assert windows.window
    assert windows.hop
    counts = np.bincount(tracks)
    seen = np.zeros(len(counts), np.int64)
    pieces = []
    for track in tracks.tolist():
        seconds = (counts[track] - 1) * windows.hop + windows.window
        last = 0 if seconds <= WHOLE_SECONDS else int(seconds / PIECE_SECONDS + 0.5) - 1
        pieces.append(str(min(int(seen[track] * windows.hop / PIECE_SECONDS), last)))
        seen[track] += 1
    return pieces


def _summed(
    x: NDArray[np.float64], tracks: NDArray[np.int64], pieces: Sequence[str], form: str
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """A row for the windows of each piece, and its track."""
    windows: dict[tuple[int, str], list[int]] = {}
    for row, piece in enumerate(zip(tracks.tolist(), pieces, strict=True)):
        windows.setdefault(piece, []).append(row)
    rows = [summary(x[members], form) for members in windows.values()]
    return np.concatenate(rows), np.array([track for track, _ in windows], np.int64)


def _tracks(
    frame: Any,
    named: Sequence[tuple[str, str]],
    layout: Layout,
    good: NDArray[np.int64],
    windows: bool,
) -> tuple[list[int], list[int], tuple[DataTrack, ...]]:
    """The rows to use, the number of each one's track, and the tracks.

    ``named`` are the name and the genre of each row.
    """
    groups = "group" if "group" in frame.columns else "artist"
    columns = (groups, "split", "parent", "start", "sound", "kind", NOISE, SNR, SPLIT_BY)
    text = {name: _texts(frame, name) for name in columns}
    if "start" not in frame.columns:
        text["start"] = _texts(frame, "piece")  # as others number their windows
    if not {"start", "piece"} & set(frame.columns) and windows:
        text["start"] = [str(row) for row in range(len(frame))]
    if "split" not in frame.columns:
        text["split"] = [layout.split(name) for name, _ in named]
    lengths = _lengths(frame)
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
            parent = text["parent"][row].replace("\\", "/") or name
            group, part, sound = (text[column][row] for column in (groups, "split", "sound"))
            noise, snr, by = (text[column][row] for column in (NOISE, SNR, SPLIT_BY))
            noisy = text["kind"][row] == NOISY or bool(noise)
            entries.append(
                DataTrack(
                    name, parent, genre, group, part, sound, noisy, lengths[row],
                    noise=noise, snr=snr, split_by=by,
                )
            )  # fmt: skip
        used.append(row)
        tracks.append(numbers[name])
    return used, tracks, tuple(entries)


def _genres(frame: Any, column: str, layout: Layout, names: Sequence[str]) -> list[str]:
    """The genre of each row: as its column says, else as its path does."""
    if not column:
        return [layout.label(name) for name in names]
    return [unicodedata.normalize("NFC", genre.strip()) for genre in _texts(frame, column)]


def _lengths(frame: Any) -> list[float]:
    """How long each row's sound is, in any unit; 0 where no column says."""
    column = next((name for name in _LENGTHS if name in frame.columns), "")
    values = _numbers(frame, [column])[:, 0] if column else np.zeros(len(frame))
    return [float(value) if value > 0 else 0.0 for value in values]


def _where(frame: Any, keep: Any, what: str, notes: list[str]) -> Any:
    kept = frame.filter(keep)
    _count(notes, len(frame) - len(kept), what)
    return kept


def _count(notes: list[str], number: int, what: str) -> None:
    if number:
        notes.append(f"{number} {what} left out")


def _feature_sets(
    path: Path, frame: Any, wanted: FeatureSetSpec, asked: bool
) -> tuple[FeatureSetSpec, FeatureSetSpec]:
    """The set that the rows are of, and the one that is made of them: ``wanted`` or that itself.

    A table that names no set is of the wanted one, or of its windows.
    """
    windows = wanted.windows
    if not {"kind", "settings"} <= set(frame.columns):
        return (wanted if wanted.columns[0] in frame.columns else windows), wanted
    kinds = [kind for kind in frame["kind"].unique().to_list() if kind]
    if len(kinds) > 1:
        raise UsageError(
            f"{path} holds several feature sets: {', '.join(sorted(kinds))}", "one a table"
        )
    feature_set = installed().feature_set(kinds[0]) if kinds else wanted
    if asked and feature_set.name not in (wanted.name, windows.name):
        raise UsageError(
            f"{path} holds {feature_set.name}, --set asks for {wanted.name}",
            f"leave out --set, or make the table by mgrkit features --set {wanted.name}",
        )
    others = {digest for digest in frame["settings"].unique().to_list() if digest}
    if others - {feature_set.digest}:
        raise UsageError(
            f"{path} was made by another release of {feature_set.name}",
            f"make it again by mgrkit features --set {feature_set.name}",
        )
    return feature_set, wanted if windows == feature_set else feature_set


def _sets_of(header: Collection[str]) -> list[str]:
    """The names of the feature sets all of whose columns are there."""
    return [one.name for one in installed().feature_sets() if set(one.columns) <= set(header)]


def _column(path: Path, header: Sequence[str], names: Sequence[str]) -> str:
    for name in names:
        if name in header:
            return name
    raise UsageError(f"{path} has no column {' or '.join(names)}", f"it has {_some(header)}")


def _check_columns(path: Path, header: Sequence[str], feature_set: FeatureSetSpec) -> None:
    missing = [name for name in feature_set.columns if name not in header]
    if len(missing) == len(feature_set.columns) and (others := _sets_of(header)):
        raise UsageError(
            f"{path} holds {' and '.join(others)}, not {feature_set.name}",
            f"train and compare read it by --set {others[0]}, or one of its summaries",
        )
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
