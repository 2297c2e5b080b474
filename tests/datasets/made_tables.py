"""Feature tables of made-up numbers that any classifier can learn from."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mgrkit.features.sets.columns import GTZAN57_COLUMNS

GENRES = ("ambient", "blues", "techno", "waltz")


def rows(
    genres: Sequence[str] = GENRES, artists: int = 4, songs: int = 4, spread: float = 1.0
) -> list[dict[str, object]]:
    """``songs`` of each of ``artists`` of each genre; artists differ less than genres do."""
    random = np.random.default_rng(7)
    made = []
    for genre in genres:
        centre = random.normal(0, 3, len(GTZAN57_COLUMNS))
        for artist in range(artists):
            manner = centre + random.normal(0, spread, len(centre))
            for song in range(songs):
                values = manner + random.normal(0, spread, len(centre))
                made.append(
                    {
                        "path": f"{genre}/{genre}-{artist}-{song}.wav",
                        "genre": genre,
                        "group": f"{genre} {artist}" if artists > 1 else "",
                        **dict(zip(GTZAN57_COLUMNS, values.tolist(), strict=True)),
                    }
                )
    return made


def write(path: Path, made: Sequence[dict[str, object]]) -> Path:
    """The rows as a CSV file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(made[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(made)
    return path
