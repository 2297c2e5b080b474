"""The rows of a table with the genres that the tags of their files name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mgrkit.datasets.labels import Labels, read_tagged
from mgrkit.errors import RunError
from mgrkit.tracks.layout import Layout
from mgrkit.tracks.schema import NOISE, NOISY
from mgrkit.tracks.slices import copy_of

if TYPE_CHECKING:
    import polars as pl

    from mgrkit.batch import Options, Report


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
    RunError : no file names a genre.
    Stopped : a person ended it.
    """
    import polars as pl

    paths = frame["path"].to_list()
    labels.check(data, folder, Rows(paths, frame["genre"].to_list()), drawn=False)
    if not labels.by_tag:
        return frame, frozenset()
    each = list(dict.fromkeys(paths))
    files = ((path, os.path.join(folder, path)) for path in each)
    noisy = set(frame.filter((frame["kind"] == NOISY) | (frame[NOISE] != ""))["path"].to_list())

    def is_copy(path: str) -> bool:
        return path in noisy or bool(copy_of(path))

    tagged = read_tagged(data, files, lambda: len(each), labels, is_copy, options, report)
    if not any(tagged.genres.values()):
        raise RunError(f"no file in {data} has a genre in its tags", "or none of them can be read")
    notes += tagged.notes
    unread = [path for path in each if path not in tagged.genres]
    if unread:
        notes.append(f"{len(unread)} files that cannot be read left out (the first: {unread[0]})")
    genres = pl.Series("genre", [tagged.genres.get(path, "") for path in paths], pl.String)
    return frame.with_columns(genres), tagged.lost.union(unread)
