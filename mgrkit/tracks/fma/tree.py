"""FMA's tree of genres, and rules that give a track with several genres one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mgrkit.errors import RunError, UsageError
from mgrkit.tracks.table import read_frame

RULES = ("top", "most", "first")
"""Which root genre a track gets: the one that all its genres lie under, as FMA's own genre_top;
the one that most of them lie under; that of the first it names. Where there is none, or two that
as many lie under, it gets none."""


@dataclass(frozen=True)
class GenreTree:
    """Genres by number, each with the root it lies under.

    Parameters
    ----------
    titles : as FMA writes them.
    parents : by number; 0 is a root's.

    Raises
    ------
    RunError : a parent is not there, or genres are parents of each other.
    """

    titles: Mapping[int, str]
    parents: Mapping[int, int]

    def __post_init__(self) -> None:
        for genre in self.titles:
            self.root(genre)

    def root(self, genre: int) -> int:
        """The root that a genre lies under, itself if it is one."""
        above = [genre]
        while parent := self.parents[above[-1]]:
            if parent not in self.titles:
                name = self.titles[above[-1]]
                raise RunError(f"the parent {parent} of the genre {name} is not in the tree")
            if parent in above:
                raise RunError(f"the genre {self.titles[parent]} lies under itself")
            above.append(parent)
        return above[-1]

    def roots(self) -> dict[int, str]:
        """The title of the root of every genre, by the genre's number."""
        return {genre: self.titles[self.root(genre)] for genre in self.titles}


def read_tree(path: Path) -> GenreTree:
    """The tree in a ``genres.csv`` (columns genre_id, parent, title; others are not read).

    Raises
    ------
    RunError : it cannot be read, has no rows, or is no tree.
    UsageError : a column is missing.
    """
    frame = read_frame(path)
    if missing := [name for name in ("genre_id", "parent", "title") if name not in frame.columns]:
        raise UsageError(
            f"{path} has no column {missing[0]}", "FMA's genres.csv has genre_id, parent and title"
        )
    titles: dict[int, str] = {}
    parents: dict[int, int] = {}
    for number, parent, title in frame.select("genre_id", "parent", "title").iter_rows():
        try:
            genre, above = int(number), int(parent)
        except (TypeError, ValueError):
            raise RunError(f"{path}: the genre {title!r} has no number, or no parent's") from None
        if not title or genre in titles:
            raise RunError(f"{path}: genre {genre} has no title, or is in two rows")
        titles[genre], parents[genre] = title, above
    if not titles:
        raise RunError(f"{path} has no rows", "one row per genre")
    try:
        return GenreTree(titles, parents)
    except RunError as error:
        raise RunError(f"{path}: {error.message}") from None
