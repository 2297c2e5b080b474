"""Feature tables: mgrkit's, the Kaggle GTZAN table and its altered forms, as a dataset."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.audio.piece_lengths import PIECE_SECONDS, WHOLE_SECONDS
from mgrkit.datasets.building import of_rows
from mgrkit.datasets.dataset import Dataset
from mgrkit.datasets.rows import (
    PATHS,
    named_rows,
    note_lost,
    numbers_of,
    texts_of,
    tracks_of,
    usable_rows,
)
from mgrkit.errors import UsageError, nearest
from mgrkit.features.windows import summary
from mgrkit.inputs.columns import ALL, TableChoice, some
from mgrkit.inputs.kinds import Features
from mgrkit.registry import FeatureSetSpec, SummarySpec, installed
from mgrkit.tracks.schema import PIECE_START
from mgrkit.tracks.table import check_names, read_frame

if TYPE_CHECKING:
    from numpy.typing import NDArray


def is_feature_table(path: Path, columns: Sequence[str]) -> bool:
    """Whether a table holds numbers and is not a list of files.

    A table with any of the ``columns`` that are wanted, without a column of paths, or with all
    columns of some feature set, is meant as one; then what is missing is a separate error.
    """
    header = set(read_frame(path, rows=0).columns)
    return (
        {"kind", "frontend"} <= header
        or bool(header.intersection(columns))
        or header.isdisjoint(PATHS)
        or bool(_sets_of(header))
    )


def read_feature_table(
    path: Path,
    wanted: FeatureSetSpec,
    *,
    asked: bool = False,
    choice: TableChoice = ALL,
    chosen: Sequence[str] = (),
) -> Dataset:
    """The rows of a feature table that can be used.

    Failed rows, repeated rows and rows with a value that is no finite number are left out and
    counted in the notes. Where ``wanted`` is a summary and the table holds windows, each piece's
    are summed up: the pieces of a track are those of the column ``piece_start``; without it
    windows lie one after the other, and a track beyond 45 s has a piece every 30 s.

    Parameters
    ----------
    asked : ``wanted`` was asked for by name; else a table that names its set is of that.
    choice, chosen : which of the set's columns are taken, as a person or a model says.

    Raises
    ------
    UsageError : the table is of another set than was asked for, of several, or of another release;
        columns are missing, hold no numbers at all, or share a name; nothing distinguishes windows.
    RunError : no row can be used, or the file cannot be read.
    """
    notes: list[str] = []
    frame = usable_rows(path, read_frame(path), choice, notes)
    feature_set, wanted = feature_sets_of(path, frame, wanted, asked)
    _check_columns(path, frame.columns, feature_set)
    named, layout = named_rows(path, frame, notes)
    x, good = _finite(path, frame, feature_set.columns, notes)
    windows = feature_set.window is not None
    used, tracks, entries = tracks_of(path, frame, named, layout, good, windows, notes)
    if feature_set.window and 2 * len(used) < len(good):
        what = f"most rows of {path} repeat a path: nothing tells their windows apart"
        raise UsageError(what, "a column start, or piece, numbers them")
    x, of_track = x[used], np.array(tracks, np.int64)
    if isinstance(wanted, SummarySpec) and wanted.windows == feature_set:
        pieces = _pieces(frame, used, of_track, feature_set)
        x, of_track = _summed(x, of_track, pieces, wanted.form)
    found = Features(wanted).chosen_by(choice, chosen)
    return Dataset(
        entries=entries,
        input=found,
        build=of_rows(x.astype(np.float32)[:, found.places], of_track),
        places=np.arange(len(entries)),
        notes=tuple(f"{path.name}: {note}" for note in notes),
    )


def _finite(
    path: Path, frame: Any, columns: Sequence[str], notes: list[str]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The numbers of every row, and the rows in which all are finite."""
    x = numbers_of(frame, columns)
    _check_numbers(path, x, columns)
    good = np.isfinite(x).all(1)
    note_lost(notes, int((~good).sum()), "rows with a value that is no finite number")
    constant = [c for c, w in zip(columns, np.ptp(x[good], 0), strict=True) if not w]
    if constant:
        notes.append(f"the same value in every row: {', '.join(constant)}")
    return x, np.flatnonzero(good)


def _pieces(
    frame: Any, used: Sequence[int], tracks: NDArray[np.int64], windows: FeatureSetSpec
) -> list[str]:
    """The piece of each window: as the table says, else as if they lay one after the other."""
    if PIECE_START in frame.columns:
        starts = texts_of(frame, PIECE_START)
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


def feature_sets_of(
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


def _check_columns(path: Path, header: Sequence[str], feature_set: FeatureSetSpec) -> None:
    check_names(path, header)
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
            f"{feature_set.name}: {some(missing)}",
            nearest(missing[0], extra, "its other columns are"),
        )


def _check_numbers(path: Path, x: NDArray[np.float64], columns: Sequence[str]) -> None:
    empty = [name for i, name in enumerate(columns) if not np.isfinite(x[:, i]).any()]
    if len(x) and empty:
        raise UsageError(
            f"{path} holds no finite number in {some(empty)}", "mend or make the table again"
        )
