"""augment --replay: the copies of a table again, and tables that cannot be replayed."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mgrkit.batch import Summary
from mgrkit.commands.augment import AugmentSettings, augment, replay
from mgrkit.errors import RunError, UsageError
from tests.commands.recipe_files import RECIPES, music, recipe, table, tree

NAMES = ("drawn", "hiss", "mute")
Change = Callable[[dict[str, str]], None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copies with noise and by recipes, of a seed and a subtype of their own, in ``out``."""
    folder = tmp_path_factory.mktemp("replay")
    for name in ("a", "b", "c"):
        music(folder / "audio" / "one" / f"{name}.wav", channels=1 + (name == "b"))
    music(folder / "rain.wav")
    for name in NAMES:
        recipe(folder, name)
    augment(
        AugmentSettings(7, "PCM_24"), folder / "audio", folder / "out",
        noises=["white", str(folder / "rain.wav")], snrs=[5], recipes=own(folder)["recipes"],
    )  # fmt: skip
    return folder


def own(folder: Path) -> dict[str, list[str]]:
    """What a table names and only its owner has."""
    return {
        "recipes": [str(folder / f"{name}.toml") for name in NAMES],
        "noises": [str(folder / "rain.wav")],
    }


def again(folder: Path, out: Path, source: Path | None = None, **more: object) -> Summary:
    more = {**own(folder), **more}
    given = more.pop("table", folder / "out" / "tracks.csv")
    more["noises"] = [text for text in more["noises"] if "rain" in text]  # type: ignore[attr-defined]
    return replay(given, source or folder / "audio", out, **more)  # type: ignore[arg-type]


def edited(folder: Path, place: Path, change: Change, only: str = "") -> Path:
    """The table of the folder with its rows changed; only those of one path, if one is given."""
    with (folder / "out" / "tracks.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    rows = [row for row in rows if not only or row["path"] == only]
    for row in rows:
        change(row)
    with place.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return place


def test_the_same_names_and_bytes_wherever_the_sounds_lie(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "audio", tmp_path / "moved")
    first = tree(folder / "out")
    assert len(first) == 3 * 5 + 1  # 2 noises, drawn, hiss twice; mute fails
    summary = again(folder, tmp_path / "again", tmp_path / "moved")
    assert (summary.made, summary.failed, summary.reasons) == (15, 3, {"silent": 3})
    assert tree(tmp_path / "again") == first, "the table too, failures included"


def test_a_relative_out_leaves_no_path_of_this_machine_in_what_was_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a person calls it: OUT is relative, audiomentations' paths are absolute."""
    monkeypatch.chdir(tmp_path)
    music(Path("audio/a.wav"))
    music(Path("rain.wav"))
    step = "[[step]]\ntransform = 'AddBackgroundNoise'\nsounds_path = 'rain.wav'\n"
    called = [recipe(Path(), "rainy", step)]
    augment(AugmentSettings(), Path("audio"), Path("out"), recipes=called)
    (row,) = table(Path("out")).values()
    assert json.loads(row["drawn"])[0]["parameters"]["noise_file_path"] == "rain.wav"
    replay(Path("out/tracks.csv"), Path("audio"), Path("again"), recipes=called)
    assert tree(Path("again")) == tree(Path("out"))


def test_what_is_gone_or_changed_is_a_row(folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "audio"
    shutil.copytree(folder / "audio", source)
    (source / "one" / "a.wav").unlink()
    music(source / "one" / "b.wav", seconds=1.5)
    only = edited(folder, tmp_path / "t.csv", lambda row: None)
    summary = again(folder, tmp_path / "out", source, table=only)
    rows = table(tmp_path / "out").values()
    reasons = {
        (row["source"], row["recipe"]): row["reason"].partition(":")[0]
        for row in rows
        if row["recipe"] in ("drawn", "hiss")
    }
    assert reasons == {
        ("one/a.wav", "drawn"): "missing", ("one/a.wav", "hiss"): "missing",
        ("one/b.wav", "drawn"): "changed", ("one/b.wav", "hiss"): "changed",
        ("one/c.wav", "drawn"): "", ("one/c.wav", "hiss"): "",
    }  # fmt: skip
    assert summary.exit_code == 1
    first = tree(folder / "out")
    for path, content in tree(tmp_path / "out").items():
        if path.startswith("one/c."):
            assert content == first[path]


def test_what_is_recorded_is_what_is_heard(folder: Path, tmp_path: Path) -> None:
    """A gain that somebody writes into the table is the one of the copy, and a warning."""

    def louder(row: dict[str, str]) -> None:
        drawn = json.loads(row["drawn"])
        drawn[0]["parameters"]["amplitude_ratio"] = 0.5
        row["drawn"] = json.dumps(drawn)

    path = "one/a.drawn_1.wav"
    changed = edited(folder, tmp_path / "t.csv", louder, path)
    recipes = {"recipes": [str(folder / "drawn.toml")], "noises": []}
    summary = again(folder, tmp_path / "out", table=changed, **recipes)
    assert (summary.made, summary.warned) == (1, 1)
    row = table(tmp_path / "out")[path]
    assert row["reason"].startswith("drawn-otherwise: step 1 (Gain): ")
    assert json.loads(row["drawn"])[0]["parameters"]["amplitude_ratio"] == 0.5
    copies = [soundfile.read(one / path)[0] for one in (folder / "out", tmp_path / "out")]
    before = json.loads(table(folder / "out")[path]["drawn"])[0]["parameters"]["amplitude_ratio"]
    source = soundfile.read(folder / "audio" / "one" / "a.wav")[0]
    for copy, ratio in zip(copies, (before, 0.5), strict=True):
        # Gaussian noise comes behind the gain, and is drawn anew from the same seed.
        assert np.dot(copy, source) / np.dot(source, source) == pytest.approx(ratio, rel=0.02)
    differ = copies[1] - copies[0]
    assert np.abs(differ - (0.5 - before) * source).max() < 1e-6


# --- refused before anything starts


@pytest.fixture
def refused(folder: Path, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """What is said of a table, of which nothing is made."""

    def said(kind: type[Exception], change: Change | None = None, **more: object) -> str:
        if change:
            more["table"] = edited(folder, tmp_path / "t.csv", change)
        with pytest.raises(kind) as error:
            again(folder, tmp_path / "out", **more)
        return str(error.value)

    yield said
    assert not (tmp_path / "out").exists()


def test_what_only_its_owner_has_is_asked_for(refused: Callable[..., str], folder: Path) -> None:
    recipes = own(folder)["recipes"]
    text = refused(UsageError, recipes=recipes[1:])
    assert "out/tracks.csv needs the recipe 'drawn' (name its file by --recipe)" in text
    text = refused(UsageError, noises=[])
    assert "out/tracks.csv needs the noise 'rain' (name its file by --noise)" in text
    more = recipe(folder, "loud")
    text = refused(UsageError, recipes=[*recipes, more])
    assert "has no copies of the recipe 'loud' (leave --recipe away)" in text


def test_another_recipe_of_the_name(
    refused: Callable[..., str], folder: Path, tmp_path: Path
) -> None:
    other = recipe(tmp_path, "hiss", RECIPES["hiss"].replace("5, 20", "5, 21"))
    recipes = [other if "hiss" in text else text for text in own(folder)["recipes"]]
    text = refused(RunError, recipes=recipes)
    assert "out/tracks.csv was made by another recipe hiss (other steps" in text


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda row: row.update(path="../" + row["path"]), "is no path below a folder"),
        (lambda row: row.update(source="/etc/passwd"), "the source '/etc/passwd' is no path"),
        (lambda row: row.update(copy="first"), "line 2: the copy 'first' is no number"),
        (lambda row: row.update(drawn="{"), "line 2: what was drawn is no list"),
        (lambda row: row.update(drawn="{}"), "line 2: what was drawn is no list"),
        (lambda row: row.update(path="same.wav"), "has same.wav twice"),
        (lambda row: row.update(source="one/a.wav", snr="5.0"), "twice"),
        (lambda row: row.update(seed=row["copy"]), "copies of several seeds, formats or options"),
        (
            lambda row: row.update(path=row["path"] + ".mp3"),
            "copies of no format that is written: 'mp3'",
        ),
        (lambda row: row.pop("seed"), "is no table of copies: no column seed"),
    ],
)
def test_a_table_that_says_nonsense(
    refused: Callable[..., str], change: Change, expected: str
) -> None:
    assert expected in refused(UsageError, change)


def test_a_table_that_is_not_there_or_empty(refused: Callable[..., str], tmp_path: Path) -> None:
    assert "there is no table" in refused(RunError, table=tmp_path / "none.csv")
    (tmp_path / "empty.csv").write_text("path,source,settings,noise,copy,seed\n")
    assert "has no rows" in refused(RunError, table=tmp_path / "empty.csv")


def test_a_folder_without_any_of_its_files(refused: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    text = refused(RunError, source=tmp_path / "other")
    assert "none of the 3 files of" in text
