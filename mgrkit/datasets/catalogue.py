"""The rows of any table, or the files of a folder, as tracks that nothing was learnt from yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mgrkit.datasets.entries import DataTrack
from mgrkit.datasets.wide import fma_levels
from mgrkit.errors import RunError, UsageError
from mgrkit.inputs.kinds import PICTURES
from mgrkit.tracks.find import SOUND, Finder, Search, check_readable
from mgrkit.tracks.fma.metadata import read_fma
from mgrkit.tracks.layout import Layout
from mgrkit.tracks.lineage import as_written, slashed
from mgrkit.tracks.schema import NOISE, NOISY, RECORDING_OF, SPLIT_BY, TABLE
from mgrkit.tracks.table import read_frame

if TYPE_CHECKING:
    import polars as pl

_ALSO_CALLED = {"path": ("filename", "file"), "genre": ("label",), "group": ("artist",)}
COLUMNS = (
    "path", "genre", "group", "split", SPLIT_BY, "fold", "parent", "start", "seconds", "kind",
    NOISE, "sound", "source_id", "duplicate_of", RECORDING_OF, "status",
)  # fmt: skip
"""Of tracks, as any table may have them."""

Catalogued = list[tuple[DataTrack, str]]
"""Tracks, each with its fold; '' for none."""


Progress = Callable[[int, int], None]
"""Called with how many files were looked at, and how many there are."""


def unseen(done: int, total: int) -> None:
    """Show no progress."""


class Tags:
    """The artist that a file's tags name, and how far the reading is."""

    def __init__(self, folder: Path, files: int, progress: Progress = unseen) -> None:
        self._folder, self._files, self._progress = folder, files, progress
        self._done = 0

    def __call__(self, path: str) -> str:
        from mgrkit.audio.tags.artist import artist_tag

        self._done += 1
        self._progress(self._done, self._files)
        return artist_tag(self._folder / path)


def read_rows(
    data: Path, notes: list[str], search: Search = SOUND, *, extras: bool = False
) -> pl.DataFrame:
    """The rows of a table, or of a folder's own and one for each other file; all values texts.

    Of any of FMA's tables they are the tracks of the ``tracks.csv`` beside it. Adds to the notes.

    Parameters
    ----------
    search : which files of a folder are taken; pictures where there are none.
    extras : with all its other columns, and with the rows of files that failed.

    Raises
    ------
    UsageError : a table without a column of paths.
    RunError : it cannot be read, or there is no row and no file.
    """
    import polars as pl

    if data.is_dir():
        check_readable(data)
        own = data / TABLE
        nothing = pl.DataFrame(schema=dict.fromkeys(COLUMNS, pl.String))
        frame = _read(own, notes, extras) if own.is_file() else nothing
        found = [as_written(t.path) for t in Finder([data], search=search)]
        found = found or [as_written(t.path) for t in Finder([data], search=_DRAWN)]
        listed = set(frame["path"].to_list())
        more = pl.DataFrame({"path": [path for path in found if path not in listed]}, {"path": str})
        frame = pl.concat([frame, more], how="diagonal").fill_null("")
    elif data.exists():
        frame = _read(data, notes, extras)
    else:
        raise RunError(f"there is no {data}", "DATA is a table, or a folder by genre")
    if not len(frame):
        raise RunError(f"{data} lists no files", "one row a file, or a folder of sound")
    return frame


_DRAWN = Search(PICTURES)


def _read(path: Path, notes: list[str], extras: bool) -> pl.DataFrame:
    """The columns that are known, under their own names, and others where they are wanted."""
    import polars as pl

    frame = read_fma(path.parent, "full", notes) if fma_levels(path) else read_frame(path)
    for name, others in _ALSO_CALLED.items():
        called = next((other for other in others if other in frame.columns), "")
        if name not in frame.columns and called:
            frame = frame.rename({called: name})
    if "path" not in frame.columns:
        header = ", ".join(frame.columns[:5]) or "nothing"
        raise UsageError(
            f"{path} has no column path, but {header}", "one row a file, with its path"
        )
    there = [name for name in COLUMNS if name in frame.columns]
    frame = frame if extras else frame.select(there)
    missing = [pl.lit("").alias(name) for name in COLUMNS if name not in frame.columns]
    frame = frame.with_columns(pl.col(there).cast(pl.String).fill_null(""), *missing)
    frame = frame.with_columns(pl.Series("path", list(map(slashed, frame["path"])), pl.String))
    return frame if extras else frame.filter(pl.col("status") != "failed")


def catalogued(
    frame: pl.DataFrame,
    notes: list[str],
    artist_of: Callable[[str], str] | None = None,
) -> Catalogued:
    """The rows as tracks: all rows of a path are one, unless they are in several parts or folds.

    What no row says of genre and part is what the folders say. Adds to the notes the paths that
    have two genres.

    Parameters
    ----------
    artist_of : gives the artist of a path where no row names any; '' for none.
    """
    columns = {name: frame[name].to_list() for name in COLUMNS}
    _by_folders(columns, notes)
    keys = list(zip(columns["path"], columns["split"], columns["fold"], strict=True))
    first = {key: row for row, key in reversed(list(enumerate(keys)))}
    _contradictions(columns, notes)
    torn = _torn([path for path, _, _ in first], columns)
    return [
        (_track(columns, row, torn.get(path), artist_of), fold)
        for (path, _, fold), row in sorted(first.items(), key=lambda pair: pair[1])
    ]


def _track(
    columns: dict[str, list[str]],
    row: int,
    sliced: bool | None,
    artist_of: Callable[[str], str] | None,
) -> DataTrack:
    """One row; of a path that lies in several parts, whole or in slices (None: in one)."""
    one = {name: values[row] for name, values in columns.items()}
    path, parent = one["path"], slashed(one["parent"])
    noisy = bool(parent) and (one["kind"] == NOISY or bool(one[NOISE]))
    parent = parent or path
    of = parent if one["start"] and parent != path and not noisy else ""
    return DataTrack(
        path,
        parent,
        one["genre"],
        one["group"] or (artist_of(path) if artist_of else ""),
        one["split"],
        one["sound"],
        noisy,
        _seconds(one["seconds"]),
        noise=one[NOISE],
        split_by=one[SPLIT_BY],
        source_id=one["source_id"],
        duplicate_of=path if sliced is False else one["duplicate_of"],
        sliced=path if sliced else of,
        recording_of=one[RECORDING_OF],
    )


def _torn(paths: Sequence[str], columns: dict[str, list[str]]) -> dict[str, bool]:
    """The paths that are there for several tracks, and whether their rows are slices."""
    counts: dict[str, int] = {}
    for path in paths:
        counts[path] = counts.get(path, 0) + 1
    starts: dict[str, set[str]] = {path: set() for path, count in counts.items() if count > 1}
    if starts:
        for path, start in zip(columns["path"], columns["start"], strict=True):
            if path in starts:
                starts[path].add(start)
    return {path: len(found) > 1 for path, found in starts.items()}


def _by_folders(columns: dict[str, list[str]], notes: list[str]) -> None:
    """Fill in genres and parts that no row says from the folders."""
    no_part, no_genre = not any(columns["split"]), not all(columns["genre"])
    if not no_part and not no_genre:
        return
    layout = Layout.of(columns["path"])
    if no_genre:
        both = zip(columns["genre"], columns["path"], strict=True)
        columns["genre"] = [genre or layout.label(path) for genre, path in both]
    if no_part and layout.part is not None:
        columns["split"] = list(map(layout.split, columns["path"]))
        notes += layout.part_notes


def _contradictions(columns: dict[str, list[str]], notes: list[str]) -> None:
    """Add a note on paths with two genres."""
    genres: dict[str, set[str]] = {}
    for path, genre in zip(columns["path"], columns["genre"], strict=True):
        if genre:
            genres.setdefault(path, set()).add(genre)
    torn = sorted(path for path, held in genres.items() if len(held) > 1)
    if torn:
        shown = f"{torn[0]}: {' and '.join(sorted(genres[torn[0]]))}"
        notes.append(f"paths under two genres: {len(torn)} ({shown})")


def _seconds(text: str) -> float:
    try:
        seconds = float(text or 0)
    except ValueError:
        return 0.0
    return seconds if seconds > 0 else 0.0
