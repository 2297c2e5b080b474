"""What is explored, and what each plot of it gives: pictures, tables and a few lines of text."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.files.replacing import replacing
from mgrkit.learning import explaining
from mgrkit.learning.explaining import Forests, Map, Standard
from mgrkit.reports.figures import drawn

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Indices = NDArray[np.int64]

MAKER = "mgrkit explore"
SHOWN = 20
"""Genres that are shown by themselves; more are shown as one."""

MAPPED, PLACED = 2000, 1000
"""Tracks of train that t-SNE and UMAP learn from, at most; and others that UMAP places."""

RELATED = 20_000
"""Tracks of train from which correlations, discriminants and distances are computed, at most."""

DEEP = 1000
"""Of those the ones that t-SNE places in three dimensions, which takes it thrice as long."""

_DPI = 110
JUDGED = 1500
"""Tracks from which mutual information is computed, at most."""


@dataclass(frozen=True)
class Material:
    """Tracks, a row each, and their numbers.

    Parameters
    ----------
    names : of the columns.
    x : float32 ``(tracks, columns)``, NaN where a value is missing.
    paths, artists : of each track; a track of unknown artist is one by itself.
    genres : those of train, the largest first.
    y : int64 ``(tracks,)``, index into ``genres``.
    parts : 'train', 'valid' or 'test' of each track.
    """

    names: tuple[str, ...]
    x: Floats
    paths: Sequence[str]
    artists: Sequence[str]
    genres: tuple[str, ...]
    y: Indices
    parts: Sequence[str]
    seed: int = 0

    @cached_property
    def train(self) -> Indices:
        """The rows that everything is fitted on."""
        return np.flatnonzero(np.array(self.parts) == "train")

    @property
    def held_name(self) -> str:
        """The part that is shown apart: test, or valid where there is no test; '' for none."""
        return next((part for part in ("test", "valid") if part in self.parts), "")

    @cached_property
    def held(self) -> Indices:
        """The rows of the part that is shown apart."""
        name = self.held_name
        return np.flatnonzero(np.array(self.parts) == name) if name else np.empty(0, np.int64)

    @cached_property
    def rest(self) -> Indices:
        """The rows of all parts but train."""
        return np.flatnonzero(np.array(self.parts) != "train")

    @cached_property
    def standard(self) -> Standard:
        """What is learnt of the columns: only those that vary in train are kept."""
        return Standard.of(self.x if len(self.train) == len(self.x) else self.x[self.train])

    @property
    def columns(self) -> list[str]:
        """The names of the columns of `z`."""
        return [self.names[place] for place in self.standard.kept]

    @cached_property
    def z(self) -> Floats:
        """Standardised by train ``(tracks, kept)``."""
        return self.standard(self.x)

    @cached_property
    def artist_numbers(self) -> Indices:
        return np.unique(np.array(self.artists), return_inverse=True)[1].astype(np.int64)

    @cached_property
    def principal(self) -> Map:
        """Principal components of all tracks: those of train, then `rest`."""
        return explaining.principal(self.z[self.train], self.z[self.rest])

    @cached_property
    def information(self) -> Floats:
        """Mutual information of each column of `z` with the genre, of a sample of train."""
        rows = self.train[explaining.sample(self.y[self.train], JUDGED, self.seed, "information")]
        return explaining.information(self.z[rows], self.y[rows], self.seed)

    @cached_property
    def telling(self) -> list[int]:
        """The places of the columns of `z`, those that tell most of the genre first."""
        return [int(place) for place in np.argsort(-self.information, kind="stable")]

    @cached_property
    def forests(self) -> Forests:
        """Forests on folds of artists of train; they judge `rest`, too."""
        train = self.train
        return explaining.forests(
            self.z[train], self.y[train], self.artist_numbers[train], self.z[self.rest],
            self.seed,
        )  # fmt: skip

    @cached_property
    def mapped(self) -> Indices:
        """The tracks of train that t-SNE and UMAP learn from, places in `train`."""
        return explaining.sample(self.y[self.train], MAPPED, self.seed, "maps")

    @cached_property
    def deep(self) -> Indices:
        """Of `mapped` those that t-SNE places in three dimensions, places in `train`."""
        return self.mapped[
            explaining.sample(self.y[self.train][self.mapped], DEEP, self.seed, "deep")
        ]

    @cached_property
    def related(self) -> Indices:
        """The rows of train from which covariances are computed."""
        y = self.y[self.train]
        return self.train[explaining.sample(y, RELATED, self.seed, "covariances")]

    def few(self, most: int = SHOWN) -> tuple[list[str], Indices]:
        """The largest genres and the others as one, with the index of each track into them."""
        if len(self.genres) <= most + 1:
            return list(self.genres), self.y
        others = f"{len(self.genres) - most} others"
        return [*self.genres[:most], others], np.minimum(self.y, most)


class SkippedError(Exception):
    """Why a plot cannot be made of this table, in a few words."""


Table = tuple[Sequence[str], Sequence[Sequence[object]]]
"""Heads and rows."""


@dataclass(frozen=True)
class Picture:
    """A picture that is yet to be drawn.

    Parameters
    ----------
    draw : on an empty figure.
    inches : width and height.
    """

    draw: Callable[[Figure], None]
    inches: tuple[float, float]


@dataclass(frozen=True)
class Section:
    """What one plot gives.

    Parameters
    ----------
    title : its heading on the page.
    text : a paragraph for people.
    pictures, tables : by file name.
    shown : rows of a table that the page shows, with their heads; None for none.
    """

    title: str
    text: str
    pictures: Mapping[str, Picture] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)
    shown: Table | None = None

    @property
    def files(self) -> list[str]:
        return [*self.pictures, *self.tables]

    def write(self, folder: Path) -> None:
        """Write all files into the folder, each whole or not at all."""
        for name, table in self.tables.items():
            with replacing(folder / name) as temp:
                temp.write_text(_csv(*table), encoding="utf-8")
        for name, picture in self.pictures.items():
            with drawn(folder / name, MAKER, picture.inches, _DPI) as figure:
                picture.draw(figure)


def _csv(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: object) -> object:
    """A number of six digits; nothing for what is no number."""
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else f"{value:.6g}"
    return value


def table_of(rows: Any) -> list[list[object]]:
    """The rows of an array, its numbers as Python has them."""
    found: list[list[object]] = np.asarray(rows).tolist()
    return found
