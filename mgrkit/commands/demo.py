"""``mgrkit demo``: the whole line on synthetic music, as a person would type it."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from mgrkit.errors import UsageError
from mgrkit.testing.collection import write_collection
from mgrkit.tracks.splits import Labelled, make_split

SONGS, ARTISTS, SECONDS = 10, 2, 12.0
"""Of each of the four styles: 40 songs of 8 artists."""


@dataclass(frozen=True)
class Step:
    """One command of the demo, with what it is for."""

    why: str
    words: tuple[str, ...]


def make_music(folder: Path) -> None:
    """Write the songs of the demo to ``folder/audio``.

    Raises
    ------
    UsageError : the folder holds something already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} holds something already", "give another FOLDER")
    write_collection(folder / "audio", songs=SONGS, artists=ARTISTS, seconds=SECONDS)


def steps(folder: Path) -> list[Step]:
    """The commands of the quick demo, to be run inside ``folder``, where the music is."""
    model = "forest.safetensors"
    unheard = _unheard(folder / "audio" / "tracks.csv")
    return [
        Step("noisy copies", ("augment", "audio", "noisy", "--noise", "pink", "--snr", "10")),
        Step("a picture of each", ("spectrograms",)),
        Step("57 numbers of each", ("features",)),
        Step(
            "learn from one artist of each style",
            ("train", "random_forest", "features.csv", "--out", model, "--split", "grouped"),
        ),
        Step("judge on the other artists", ("evaluate", model, "features.csv")),
        Step("songs that the model has not heard", ("predict", *unheard, "--model", model)),
    ]


def _unheard(table: Path) -> list[str]:
    """One song of each style that the grouped split of seed 0 keeps for the test."""
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    split = make_split(
        [Labelled(f"name:{Path(row['path']).name}", row["genre"], row["group"]) for row in rows],
        "grouped",
        0,
    )
    first: dict[str, str] = {}
    for row, part in zip(rows, split.parts, strict=True):
        if part == "test":
            first.setdefault(row["genre"], f"audio/{row['path']}")
    return list(first.values())
