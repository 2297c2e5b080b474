"""How many tracks each genre has, and how unequal that is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mgrkit.tracks.splits import PARTS


@dataclass(frozen=True)
class GenreCount:
    """One genre's tracks.

    Parameters
    ----------
    parts : of them in train, valid and test; the rest is in none.
    """

    genre: str
    tracks: int
    parts: tuple[int, int, int]


@dataclass(frozen=True)
class Balance:
    """Every genre's tracks.

    Parameters
    ----------
    genres : the largest first, those of one size by name.
    unnamed : tracks without a genre.
    """

    genres: tuple[GenreCount, ...]
    unnamed: int

    @property
    def ratio(self) -> float:
        """So many times as large as the smallest genre is the largest: 1 or more; 0 for none."""
        return self.genres[0].tracks / self.genres[-1].tracks if self.genres else 0.0

    def as_json(self) -> dict[str, Any]:
        """By name ``tracks``, ``train``, ``valid`` and ``test``; ``unnamed`` and ``ratio``."""
        counts = {
            one.genre: {"tracks": one.tracks, **dict(zip(PARTS, one.parts, strict=True))}
            for one in self.genres
        }
        return {"genres": counts, "unnamed": self.unnamed, "ratio": round(self.ratio, 4)}


def balance(genres: Sequence[str], parts: Sequence[str] = ()) -> Balance:
    """The balance of tracks by their genres and, if they have any, their parts of a split.

    >>> balance(["jazz", "rock", "rock", ""], ["test", "train", "valid", "train"]).ratio
    2.0
    """
    tracks = Counter(genres)
    unnamed = tracks.pop("", 0)
    pairs = Counter(zip(genres, parts, strict=True)) if parts else Counter[tuple[str, str]]()
    counts = (
        GenreCount(
            genre, number, (pairs[genre, "train"], pairs[genre, "valid"], pairs[genre, "test"])
        )
        for genre, number in tracks.items()
    )
    return Balance(tuple(sorted(counts, key=lambda one: (-one.tracks, one.genre))), unnamed)
