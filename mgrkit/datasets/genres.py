"""Names of genres: which spellings mean one genre, and ``--map`` for all others."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mgrkit.errors import UsageError, nearest

if TYPE_CHECKING:
    from mgrkit.datasets.dataset import Dataset

ALIASES = (
    ("R&B", "RnB", "R'n'B", "R\u2019n\u2019B"),
    ("Soul-RnB", "Soul-R&B", "Soul / RnB", "Soul / R&B"),
    ("Old-Time / Historic", "Old-Time Historic"),  # a folder's name holds no stroke
    ("Drum & Bass", "Drum and Bass", "Drum'n'Bass", "Drum\u2019n\u2019Bass", "Drum n Bass", "DnB"),
    ("Rock & Roll", "Rock and Roll", "Rock'n'Roll", "Rock\u2019n\u2019Roll", "Rock n Roll"),
)
"""Names of one genre that differ in more than `genre_key` takes away. Spellings only: what is a
genre below another, or nearly the same, is for ``--map``."""

_BETWEEN = re.compile(r"[\s_\u2010-\u2015-]+")
"""Spaces, underscores, hyphens and dashes."""
_SHOWN = 3


def genre_key(name: str) -> str:
    """A genre without what two spellings of it differ in: case, spaces, hyphens, underscores.

    Beyond that the names of a line of `ALIASES` are the same, and nothing else is: ``&`` stays
    what it is.

    >>> genre_key("Hip-Hop") == genre_key("hip hop") == genre_key("HIPHOP")
    True
    >>> genre_key("RnB")
    'r&b'
    """
    folded = _folded(name)
    return _SAME.get(folded, folded)


def _folded(name: str) -> str:
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())
    return _BETWEEN.sub("", folded) or folded


_SAME = {_folded(alias): _folded(names[0]) for names in ALIASES for alias in names[1:]}


def one_spelling(genres: Sequence[str], notes: list[str]) -> list[str]:
    """The genres, each as most of them spell it; adds to the notes what is merged so.

    >>> one_spelling(["rock", "Rock", "Rock", "jazz"], [])
    ['Rock', 'Rock', 'Rock', 'jazz']
    """
    counts = Counter(genres)
    spelt: dict[str, str] = {}
    for genre in sorted(counts, key=lambda genre: (-counts[genre], genre)):
        spelt.setdefault(genre_key(genre), genre)
    merged = [f"{g} is {spelt[genre_key(g)]}" for g in sorted(counts) if g not in spelt.values()]
    if merged:
        notes.append(f"one genre in several spellings: {_listed(merged)}")
    return [spelt[genre_key(genre)] for genre in genres]


def spelt_as(labels: Sequence[str], genres: Iterable[str]) -> tuple[str, ...]:
    """A model's labels in their order, each as DATA spells it where DATA has it.

    >>> spelt_as(["hiphop", "jazz"], {"Hip-Hop", "polka"})
    ('Hip-Hop', 'jazz')
    """
    known = {genre_key(label): label for label in reversed(labels)}
    spelt = {}
    for genre in genres:
        label = genre if genre in labels else known.get(genre_key(genre), "")
        spelt[label] = genre
    return tuple(spelt.get(label, label) for label in labels)


@dataclass(frozen=True)
class GenreMap:
    """``--map``: genres of DATA and what each counts as; spellings are compared as everywhere.

    Parameters
    ----------
    pairs : theirs and ours.

    Raises
    ------
    UsageError : a name is empty, one of theirs has two of ours, or one of ours is mapped itself.
    """

    pairs: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        targets: dict[str, str] = {}
        for theirs, ours in self.pairs:
            if not theirs or not ours:
                raise UsageError(f"--map must be theirs=ours, not {f'{theirs}={ours}'!r}")
            other = targets.setdefault(genre_key(theirs), ours)
            if genre_key(other) != genre_key(ours):
                raise UsageError(
                    f"--map makes {theirs} two genres, {other} and {ours}", "name one of them"
                )
        for theirs, ours in self.pairs:
            onward = targets.get(genre_key(ours), ours)
            if genre_key(onward) != genre_key(ours):
                raise UsageError(
                    f"--map leads from {theirs} to {ours}, and from there to {onward}",
                    "what stands on the right cannot be mapped itself",
                )

    @property
    def names(self) -> tuple[str, ...]:
        """Theirs and ours."""
        return tuple(name for pair in self.pairs for name in pair)

    def check_ours(self, name: str, labels: Sequence[str]) -> None:
        """Raise UsageError if a model, called ``name``, does not know one of ours."""
        known = set(map(genre_key, labels))
        for _, ours in self.pairs:
            if genre_key(ours) not in known:
                hint = nearest(ours, labels, "it knows")
                raise UsageError(f"--map: {name} does not know {ours}", hint)

    def applied(self, *datasets: Dataset) -> list[Dataset]:
        """The datasets with ours for theirs, as DATA itself spells it if it has it.

        The notes of each say how many tracks that are.

        Raises
        ------
        UsageError : none of the datasets has one of theirs.
        """
        self.check_theirs(entry.genre for dataset in datasets for entry in dataset.entries)
        return [self._applied(dataset) for dataset in datasets] if self.pairs else [*datasets]

    def check_theirs(self, genres: Iterable[str]) -> None:
        """Raise UsageError if one of theirs is none of these genres."""
        there = sorted(set(genres))
        keys = set(map(genre_key, there))
        for theirs, _ in self.pairs:
            if genre_key(theirs) not in keys:
                hint = nearest(theirs, there, "its genres are")
                raise UsageError(f"--map: no track of DATA is {theirs}", hint)

    def _applied(self, dataset: Dataset) -> Dataset:
        notes = [*dataset.notes]
        genres = self.renamed([entry.genre for entry in dataset.entries], notes)
        return replace(with_genres(dataset, genres), notes=tuple(notes))

    def renamed(self, genres: Sequence[str], notes: list[str]) -> list[str]:
        """Genres with ours for theirs; adds to the notes how many tracks that are."""
        targets = {genre_key(theirs): genre_key(ours) for theirs, ours in self.pairs}
        unmapped = (genre for genre in genres if genre_key(genre) not in targets)
        spelt: dict[str, str] = {}
        for genre in (*unmapped, *(ours for _, ours in self.pairs)):
            spelt.setdefault(genre_key(genre), genre)
        counted = [spelt[targets.get(key, key)] for key in map(genre_key, genres)]
        counts = Counter(pair for pair in zip(genres, counted, strict=True) if pair[0] != pair[1])
        shown = [f"{theirs} is {ours} ({n})" for (theirs, ours), n in sorted(counts.items())]
        if shown:
            notes.append(f"tracks counted by --map: {_listed(shown)}")
        return counted


AS_SPELT = GenreMap()
"""No genre counts as another."""


def with_genres(dataset: Dataset, genres: Sequence[str]) -> Dataset:
    """The same tracks under these genres, one each."""
    entries = zip(dataset.entries, genres, strict=True)
    labelled = zip(dataset.labelled, genres, strict=True)
    return replace(
        dataset,
        entries=tuple(replace(entry, genre=genre) for entry, genre in entries),
        labelled=tuple(replace(label, genre=genre) for label, genre in labelled),
    )


def _listed(what: Sequence[str]) -> str:
    more = f" and {len(what) - _SHOWN} more" if len(what) > _SHOWN else ""
    return ", ".join(what[:_SHOWN]) + more
