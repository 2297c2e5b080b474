"""--label-from, as a person or a script gives it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mgrkit.cli.app import app
from mgrkit.cli.terminal.errors import guarded
from tests.datasets.library import library


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library by artist, and a model of the genres in its tags."""
    folder = tmp_path_factory.mktemp("labels")
    library(folder / "own", {"Rock": "(17)", "Folk": "Folk; Rock"})
    library(folder / "other", {"Rock": "Chamber Pop/Rock", "Folk": "folk"}, artists=2, first=20)
    words = ["train", "svm", str(folder / "own"), "--out", str(folder / "own.safetensors")]
    assert guarded(app, [*words, "--label-from", "tag", "--quiet"]) == 0
    return folder


@pytest.fixture(autouse=True)
def inside(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)


def run(*words: str) -> int:
    return guarded(app, list(words))


def test_how_often_the_model_agrees_is_one_command(capfd: pytest.CaptureFixture[str]) -> None:
    assert run("evaluate", "own.safetensors", "other", "--label-from", "tag", "--json") == 0
    out, err = capfd.readouterr()
    result = json.loads(out)
    assert (result["tracks"], result["accuracy"]) == (8, 1.0)
    assert set(result["labels"]) == {"Rock", "folk"}
    assert "the genres are those of the files' tags" in result["notes"]
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "words",
    [
        ("train", "svm", "own", "--out", "a.safetensors"),
        ("tune", "svm", "own", "--trials", "1", "--out", "search"),
        ("compare", "own", "--classifiers", "svm", "--out", "artists"),
    ],
)
def test_folders_of_artists_are_refused_in_one_line_that_says_how_to_choose(
    capfd: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert run(*words, "--quiet") == 2
    out, err = capfd.readouterr()
    assert not out
    assert len(err.splitlines()) == 1
    assert "the folders of own are artists" in err
    assert "--label-from tag takes the genres of the files' tags" in err
    assert "--label-from folder" in err
    assert not (Path(words[-1]) / "settings.json").exists()
    assert not Path("a.safetensors").exists()


@pytest.mark.parametrize("command", ["train", "evaluate", "compare", "tune", "explore"])
def test_another_word_is_a_wrong_call(capfd: pytest.CaptureFixture[str], command: str) -> None:
    words = {
        "train": ("svm", "own", "--out", "a.safetensors"),
        "evaluate": ("own.safetensors", "own"),
        "compare": ("own", "--classifiers", "svm", "--out", "x"),
        "tune": ("svm", "own", "--trials", "1", "--out", "x"),
        "explore": ("own", "--out", "x"),
    }
    assert run(command, *words[command], "--label-from", "tags") == 2
    assert "--label-from must be tag or folder, not 'tags'" in capfd.readouterr().err


def test_explore_shows_the_genres_of_the_tags(capfd: pytest.CaptureFixture[str]) -> None:
    words = "explore own --label-from tag --plots counts --out seen --json"
    assert run(*words.split()) == 0
    assert json.loads(capfd.readouterr().out)["genres"] == 2
