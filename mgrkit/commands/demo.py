"""``mgrkit demo``: the whole line on synthetic music, as a person would type it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mgrkit.commands.dataset import read_dataset
from mgrkit.commands.evaluate import evaluate
from mgrkit.commands.model import Model
from mgrkit.errors import UsageError
from mgrkit.testing.collection import write_collection

FOREST, CNN = "forest.safetensors", "cnn.safetensors"
_TABLE, _PICTURES = "features.csv", "spectrograms"
EPOCHS = 20


@dataclass(frozen=True)
class Step:
    """One command of the demo, with what it is for."""

    why: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Music:
    """What is made of each of the four styles.

    Parameters
    ----------
    songs : of the style; its artists take turns.
    seconds : length of each.
    parts : of each artist in a split; none leaves the split to ``train``.
    """

    songs: int
    artists: int
    seconds: float
    parts: tuple[str, ...] = ()


QUICK = Music(10, 2, 12.0)
FULL = Music(18, 6, 10.0, ("train", "train", "train", "valid", "test", "test"))


def make_music(folder: Path, music: Music) -> str:
    """Write the songs of the demo to ``folder/audio``, and tell what they are.

    Raises
    ------
    UsageError : the folder holds something already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} holds something already", "give another FOLDER")
    rows = write_collection(
        folder / "audio",
        songs=music.songs,
        artists=music.artists,
        seconds=music.seconds,
        parts=music.parts,
    )
    artists = len({row[2] for row in rows})
    styles = len({row[1] for row in rows})
    return f"{len(rows)} songs by {artists} artists in {styles} styles"


def steps(folder: Path, *, quick: bool) -> Iterator[Step]:
    """The commands of the demo, to be run one by one inside ``folder``, with the music."""
    yield Step("noisy copies", ("augment", "audio", "noisy", "--noise", "pink", "--snr", "10"))
    yield Step("a picture of each", (_PICTURES,))
    if not quick:
        yield Step("one song from all sides", ("show", "audio/blues/blues-01.wav"))
    yield Step("57 numbers of each", ("features",))
    forest = ("train", "random_forest", _TABLE, "--out", FOREST)
    if quick:
        yield Step("learn from one artist of each style", (*forest, "--split", "grouped"))
        yield Step("judge on the other artists", ("evaluate", FOREST, _TABLE))
        asked = FOREST
    else:
        yield Step("learn from the numbers of three artists of each style", forest)
        epochs = ("--param", f"epochs={EPOCHS}")
        cnn = ("train", "cnn", _PICTURES, "--out", CNN, *epochs)
        yield Step("learn from their pictures; of a fourth, when to stop", cnn)
        yield Step("judge both on the last two", ("evaluate", FOREST, _TABLE))
        yield Step("", ("evaluate", CNN, _PICTURES, "--png", "confusion.png"))
        asked = CNN
    unheard = _unheard(folder / FOREST, folder / _TABLE, "" if quick else "test")
    yield Step("songs it has not heard", ("predict", *unheard, "--model", asked))


def results(folder: Path) -> list[dict[str, Any]]:
    """What `mgrkit.commands.evaluate.evaluate` says of both models of the full demo."""
    told = []
    for model, data in ((FOREST, _TABLE), (CNN, _PICTURES)):
        found = evaluate(str(folder / model), folder / data)
        told.append(found | {"bytes": (folder / model).stat().st_size})
    return told


def pictures(folder: Path, *, quick: bool) -> list[tuple[Path, str]]:
    """Pictures worth opening, and what they show."""
    path = folder / _PICTURES / "blues" / "blues-01.png"
    if quick:
        return [(path, "a song as a picture")]
    song = [(path, "a song as the cnn sees it")]
    copy = sorted((folder / _PICTURES).glob("blues/blues-01.*.png"))
    return [
        (folder / "blues-01.png", "the same song: waveform, spectrum, mel, chroma"),
        *song,
        *((path, "and in pink noise") for path in copy),
        (folder / "cnn.run" / "model" / "curves.png", "how the cnn learnt"),
        (folder / "confusion.png", "what it takes for what"),
    ]


def _unheard(model: Path, table: Path, part: str) -> list[str]:
    """One song of each style that the model has not seen, of a part if one is given."""
    trained = Model(model)
    dataset = read_dataset(table, trained.input)
    first: dict[str, str] = {}
    for entry, label in zip(dataset.entries, dataset.labelled, strict=True):
        if label.id not in trained.seen and not entry.is_copy and part in ("", label.part):
            first.setdefault(entry.genre, f"audio/{entry.name}")
    return list(first.values())
