"""``mgrkit demo``: every step on synthetic music, as a person would type it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mgrkit.commands.evaluate import evaluate
from mgrkit.errors import RunError, UsageError
from mgrkit.registry.loader import how_to_install, missing
from mgrkit.synthetic import music
from mgrkit.synthetic.collection import rain, write_collection, write_wav

FOREST, CNN = "my-forest.safetensors", "my-cnn.safetensors"
_TABLE, _PICTURES, _MATRIX = "features.csv", "spectrograms", "confusion.png"
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
    parts : of each artist in a split. The last one is in test, and gives a new song too.
    """

    songs: int
    seconds: float
    parts: tuple[str, ...]


QUICK = Music(15, 10.0, ("train", "train", "valid", "test", "test"))
FULL = Music(18, 10.0, ("train", "train", "train", "valid", "test", "test"))


def check(*, quick: bool) -> None:
    """Raise RunError, with what to do, where the demo would not come to its end."""
    if not quick and missing(["torch"]):
        hint = f"mgrkit demo --quick goes without, or {how_to_install(['torch'])}"
        raise RunError("the whole demo needs torch, not installed here", hint)


def make_music(folder: Path, asked: Music, seed: int = 0) -> str:
    """Write the songs of the demo to ``folder/audio``, and say what they are.

    Beside them lie ``rain.wav`` and, in ``new``, a song of each style by an artist in test.

    Raises
    ------
    UsageError : the folder holds something already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} holds something already", "give another FOLDER")
    last = len(asked.parts)
    rows = write_collection(
        folder / "audio",
        songs=asked.songs,
        artists=last,
        seconds=asked.seconds,
        seed=seed,
        parts=asked.parts,
    )
    write_wav(folder / "rain.wav", rain(seed=seed))
    (folder / "new").mkdir()
    for style in music.STYLES:
        song = music.render(style, last, asked.songs, asked.seconds, seed=seed)
        write_wav(folder / "new" / f"{style}.wav", song)
    artists = len({row[2] for row in rows})
    styles = len({row[1] for row in rows})
    return f"{len(rows)} songs by {artists} artists in {styles} styles"


def steps(*, quick: bool) -> Iterator[Step]:
    """The commands of the demo, to be run one by one in the folder of the music."""
    rainy = ("augment", "audio", "noisy", "--noise", "rain.wav", "--snr", "10")
    yield Step("a copy of each song in the rain, which is 10 dB below the music", rainy)
    yield Step("a picture of each song and of each copy", (_PICTURES,))
    if not quick:
        yield Step("one song from all sides", ("show", "audio/blues/blues-01.wav"))
    yield Step("57 numbers that describe each", ("features",))
    forest = ("train", "random_forest", _TABLE, "--out", FOREST)
    judged = ("evaluate", FOREST, _TABLE)
    if quick:
        yield Step("learn from the numbers of two artists of each style", forest)
        yield Step("judge it on two others, whom it has not heard", (*judged, "--png", _MATRIX))
        best = FOREST
    else:
        yield Step("learn from the numbers of three artists of each style", forest)
        epochs = ("--param", f"epochs={EPOCHS}")
        cnn = ("train", "cnn", _PICTURES, "--out", CNN, *epochs)
        yield Step("learn from their pictures; a fourth artist tells when to stop", cnn)
        yield Step("judge both on the last two, whom they have not heard", judged)
        yield Step("", ("evaluate", CNN, _PICTURES, "--png", _MATRIX))
        best = CNN
    why = "new songs by artists that it has not heard; the files are named by their style"
    yield Step(why, ("predict", "new", "--model", best))
    why = (
        "the model that comes with mgrkit has learnt ten genres from real recordings,\n"
        "and made-up music is none of them: its answer is the genre that is nearest"
    )
    yield Step(why, ("predict", "new/ambient.wav"))


def results(folder: Path) -> list[dict[str, Any]]:
    """What `mgrkit.commands.evaluate.evaluate` says of both models of the full demo."""
    rows = []
    for model, data in ((FOREST, _TABLE), (CNN, _PICTURES)):
        found = evaluate(str(folder / model), folder / data)
        rows.append(found | {"bytes": (folder / model).stat().st_size})
    return rows


def pictures(folder: Path, *, quick: bool) -> list[tuple[Path, str]]:
    """Pictures worth opening, and what they show."""
    matrix = (folder / _MATRIX, "which style was taken for which")
    if quick:
        return [matrix]
    seen = folder / _PICTURES / "blues"
    return [
        matrix,
        (folder / "blues-01.png", "a song: waveform, spectrum, mel, chroma"),
        (seen / "blues-01.png", "as my-cnn sees it"),
        (seen / "blues-01.rain_10dB_1.png", "and in the rain"),
        (folder / "my-cnn.run" / "model" / "curves.png", "how my-cnn learnt"),
    ]
