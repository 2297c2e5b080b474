"""``mgrkit demo``: the whole line on synthetic music, as a person would type it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mgrkit.commands.dataset import read_dataset
from mgrkit.commands.model import Model
from mgrkit.errors import UsageError
from mgrkit.registry import registry
from mgrkit.testing.collection import write_collection

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


def steps(folder: Path) -> Iterator[Step]:
    """The commands of the quick demo, to be run one by one inside ``folder``, with the music."""
    model = "forest.safetensors"
    table = "features.csv"
    yield Step("noisy copies", ("augment", "audio", "noisy", "--noise", "pink", "--snr", "10"))
    yield Step("a picture of each", ("spectrograms",))
    yield Step("57 numbers of each", ("features",))
    yield Step(
        "learn from one artist of each style",
        ("train", "random_forest", table, "--out", model, "--split", "grouped"),
    )
    yield Step("judge on the other artists", ("evaluate", model, table))
    unheard = _unheard(folder / model, folder / table)
    yield Step("songs it has not heard", ("predict", *unheard, "--model", model))


def _unheard(model: Path, table: Path) -> list[str]:
    """One song of each style that the model has not seen."""
    trained = Model(model)
    dataset = read_dataset(table, trained.feature_set, registry().feature_set)
    first: dict[str, str] = {}
    for entry, label in zip(dataset.entries, dataset.labelled, strict=True):
        if label.id not in trained.seen and not entry.is_copy:
            first.setdefault(entry.genre, f"audio/{entry.name}")
    return list(first.values())
