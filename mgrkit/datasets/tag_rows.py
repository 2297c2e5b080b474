"""The rows of a table with the genres that the tags of their files name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mgrkit.batch import Item, Options, Output, Report, StreamSink, Work, run, run_now
from mgrkit.batch.model import Row
from mgrkit.datasets.labels import Labels, read_tagged
from mgrkit.errors import RunError, Stopped
from mgrkit.tracks.layout import Layout
from mgrkit.tracks.schema import NOISE, NOISY
from mgrkit.tracks.slices import copy_of

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Rows:
    """What rows, as `mgrkit.datasets.catalogue.read_rows` gives them, say of genres.

    Parameters
    ----------
    paths, genres : of each row.
    """

    paths: Sequence[str]
    genres: Sequence[str]

    @property
    def names_genres(self) -> bool:
        """Whether any row names one."""
        return any(self.genres)

    @cached_property
    def layout(self) -> Layout:
        """What the folders say, of all rows together."""
        return Layout.of(self.paths)


def labelled_rows(
    data: Path,
    folder: Path,
    frame: pl.DataFrame,
    labels: Labels,
    notes: list[str],
    options: Options | None = None,
    report: Report | None = None,
) -> tuple[pl.DataFrame, frozenset[str]]:
    """The rows with the genres that ``labels`` asks for. Adds to the notes.

    Parameters
    ----------
    data : for people.
    folder : what paths are relative to.
    frame : rows of `mgrkit.datasets.catalogue.read_rows`.

    Returns
    -------
    The rows; and the paths that are left out, for nothing names their genre.

    Raises
    ------
    UsageError : folders of artists, to be learnt.
    RunError : no file is there, or none names a genre.
    Stopped : a person ended it.
    """
    import polars as pl

    paths = frame["path"].to_list()
    labels.check(data, folder, Rows(paths, frame["genre"].to_list()), drawn=False)
    if not labels.by_tag:
        return frame, frozenset()
    each = list(dict.fromkeys(paths))
    gone = _some_there(data, folder, each)
    files = ((path, os.path.join(folder, path)) for path in each)
    noisy = set(frame.filter((frame["kind"] == NOISY) | (frame[NOISE] != ""))["path"].to_list())

    def is_copy(path: str) -> bool:
        return path in noisy or bool(copy_of(path))

    tagged = read_tagged(data, files, lambda: len(each), labels, is_copy, options, report)
    if not any(tagged.genres.values()):
        raise RunError(f"no file in {data} has a genre in its tags", "or none of them can be read")
    notes += [*tagged.notes, *said_missing(folder, each, "left out")]
    lost = [path for path in each if path not in tagged.genres]
    if unread := [path for path in lost if path not in gone]:
        notes.append(f"{len(unread)} files that cannot be read left out (the first: {unread[0]})")
    genres = pl.Series("genre", [tagged.genres.get(path, "") for path in paths], pl.String)
    return frame.with_columns(genres), tagged.lost.union(lost)


def _some_there(data: Path, folder: Path, paths: Sequence[str]) -> dict[str, None]:
    """Those that are not there; RunError if that is all of them."""
    gone = not_there(folder, paths)
    if len(gone) == len(paths):
        what = f"none of the {len(paths)} files of {data} is there (the first: {paths[0]})"
        raise RunError(what, "paths are relative to the folder of the table")
    return gone


def not_there(folder: Path, paths: Iterable[str]) -> dict[str, None]:
    """The paths, in their order and once each, below a folder where no file is."""
    each = dict.fromkeys(paths)
    return {path: None for path in each if not os.path.exists(os.path.join(folder, path))}


def said_missing(folder: Path, paths: Sequence[str], so: str) -> Iterator[str]:
    """A note on the paths below a folder where no file is, and what follows; or none."""
    if gone := not_there(folder, paths):
        count = f"{len(gone)} of {len(set(paths))} files are not there"
        yield f"{count} (the first: {next(iter(gone))}): {so}"


def read_artists(
    folder: Path,
    rows: pl.DataFrame,
    notes: list[str],
    options: Options | None = None,
    report: Report | None = None,
) -> dict[str, str]:
    """The artists that tags name, of the files whose rows name none, by path. Adds to the notes.

    Raises
    ------
    Stopped : a person ended it.
    """
    notes += said_missing(folder, rows["path"].to_list(), "their tags are not read")
    paths = list(dict.fromkeys(rows.filter(rows["group"] == "")["path"].to_list()))
    found: list[Row] = []
    items = (Item(p, os.path.join(folder, p), {"path": p, "source": p}) for p in paths)
    sink = StreamSink(found.append, {})
    summary = run_now(run(items, read_artist, sink, ["path"], options, report, lambda: len(paths)))
    if summary.stopped_by:
        raise Stopped("stopped while reading tags; nothing was written", code=summary.exit_code)
    return {row["path"]: row["artist"] for row in found if row["status"] == "ok"}


def read_artist(item: Item, work: Work) -> list[Output]:
    """The job: the artist that a file's tags name."""
    del work
    from mgrkit.audio.tags.artist import artist_tag

    return [Output({"artist": artist_tag(item.source)})]
