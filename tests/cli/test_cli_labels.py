"""--label-from, as a person or a script gives it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from mgrkit.cli.app import app
from mgrkit.cli.terminal.errors import guarded
from tests.datasets.library import library, song


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


@pytest.mark.parametrize(
    "command", ["train", "evaluate", "compare", "tune", "explore", "data split", "data audit"]
)
def test_another_word_is_a_wrong_call(capfd: pytest.CaptureFixture[str], command: str) -> None:
    words = {
        "train": ("svm", "own", "--out", "a.safetensors"),
        "evaluate": ("own.safetensors", "own"),
        "compare": ("own", "--classifiers", "svm", "--out", "x"),
        "tune": ("svm", "own", "--trials", "1", "--out", "x"),
        "explore": ("own", "--out", "x"),
        "data split": ("own", "x.csv"),
        "data audit": ("own",),
    }
    assert run(*command.split(), *words[command], "--label-from", "tags") == 2
    assert "--label-from must be tag or folder, not 'tags'" in capfd.readouterr().err


def test_explore_shows_the_genres_of_the_tags(capfd: pytest.CaptureFixture[str]) -> None:
    words = "explore own --label-from tag --plots counts --out seen --json"
    assert run(*words.split()) == 0
    assert json.loads(capfd.readouterr().out)["genres"] == 2


def test_a_split_of_the_genres_of_the_tags_is_learnt_from_without_a_word(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree("own", tmp_path / "own")
    monkeypatch.chdir(tmp_path)
    song(Path("own/The Rock Band 0/First/untold.flac"), 220.0, artist="The Rock Band 0")
    words = "data split own own.csv --label-from tag --json"
    assert run(*words.split()) == 0
    out, err = capfd.readouterr()
    told = json.loads(out)
    assert set(told["genres"]) == {"Rock", "Folk"}
    assert (told["words"], told["passed_over"]) == ("grouped split", {"no genre": 1})
    assert "1 files without a genre in their tags left out" in err
    rows = {row["path"]: row for row in pl.read_csv("own.csv", infer_schema=False).to_dicts()}
    assert {row["genre"] for row in rows.values()} == {"Rock", "Folk", None}
    untold = rows["own/The Rock Band 0/First/untold.flac"]
    assert (untold["genre"], untold["split"]) == (None, None)
    parts = {(row["group"], row["split"]) for row in rows.values() if row["split"]}
    assert len(parts) == len({artist for artist, _ in parts}) == 8, "artists are undivided"
    assert run("train", "svm", "own.csv", "--out", "a.safetensors", "--json") == 0
    assert json.loads(capfd.readouterr().out)["labels"] == ["Folk", "Rock"]


@pytest.mark.parametrize("words", ["--label-from tag", "--label-from folder"])
def test_a_split_has_ours_for_theirs(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, words: str
) -> None:
    """As ``mgrkit train`` does by the same ``--map``, so that its table needs none."""
    data = shutil.copytree("own", tmp_path / "data") if "tag" in words else tmp_path / "data"
    for genre in ("Folk", "Rock") if "folder" in words else ():
        for number in range(6):
            pitch = 220.0 + 20 * number + 7 * (genre == "Rock")
            song(data / genre / f"{number}.flac", pitch, artist=f"{genre} {number}")
    out = str(tmp_path / "out.csv")
    call = ("data", "split", str(data), out, *words.split())
    assert run(*call, "--map", "Polka=Beat") == 2
    assert "--map: no track of DATA is Polka" in capfd.readouterr().err
    assert run(*call, "--map", "folk=Beat", "--json") == 0
    shown, err = capfd.readouterr()
    assert set(json.loads(shown)["genres"]) == {"Beat", "Rock"}
    assert "tracks counted by --map: Folk is Beat" in err
    assert set(pl.read_csv(out)["genre"]) == {"Beat", "Rock"}
    assert run("train", "svm", out, "--out", str(tmp_path / "a.safetensors"), "--json") == 0
    assert json.loads(capfd.readouterr().out)["labels"] == ["Beat", "Rock"]


def test_a_split_refuses_folders_of_artists(capfd: pytest.CaptureFixture[str]) -> None:
    assert run("data", "split", "own", "artists.csv") == 2
    assert "the folders of own are artists" in capfd.readouterr().err
    assert not Path("artists.csv").exists()
    words = "data split own artists.csv --label-from folder --allow-missing --split random"
    assert run(*words.split()) == 0


def test_an_audit_knows_the_genres_of_the_tags(capfd: pytest.CaptureFixture[str]) -> None:
    paths = sorted(Path("own").rglob("*.flac"))
    rows = [
        {"path": str(path), "artist": path.parts[1], "split": ("train", "test")[number % 2]}
        | {"sound": "one" if number in (0, len(paths) - 1) else ""}
        for number, path in enumerate(paths)
    ]
    pl.DataFrame(rows).write_csv("audited.csv")
    assert run("data", "audit", "audited.csv", "--label-from", "tag") == 1
    err = capfd.readouterr().err
    assert "the genres are those of the files' tags" in err
    assert "sounds under two genres: 1" in err
    words = "data audit audited.csv --label-from tag --inflation svm --seeds 1 --json"
    assert run(*words.split()) == 0
    assert json.loads(capfd.readouterr().out)["random"]["accuracy"] > 0.5


def test_files_without_any_genre_are_neither_split_nor_audited(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    library(tmp_path / "none", {"Rock": ""}, artists=1)
    paths = [path.relative_to(tmp_path) for path in sorted((tmp_path / "none").rglob("*.flac"))]
    rows = [f"{path},{('train', 'test')[n % 2]}\n" for n, path in enumerate(paths)]
    (tmp_path / "t.csv").write_text("path,split\n" + "".join(rows))
    for words in (["split", "none", "o.csv"], ["audit", "t.csv"], ["split", "t.csv", "o.csv"]):
        named = [str(tmp_path / word) if word in ("none", "t.csv") else word for word in words]
        assert run("data", *named, "--label-from", "tag") == 3
        assert "has a genre in its tags" in capfd.readouterr().err


def test_files_that_are_not_there_are_missing_and_not_without_a_genre(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree("own", tmp_path / "own")
    monkeypatch.chdir(tmp_path)
    here = sorted(map(str, Path("own").rglob("*.flac")))
    for name, paths in (("none.csv", []), ("some.csv", here)):
        every = ["gone/a.flac", *paths, "gone/b.flac"]
        rows = [f"{path},{('train', 'test')[n % 2]},x\n" for n, path in enumerate(every)]
        Path(name).write_text("path,split,genre\n" + "".join(rows))
    for words in ("split none.csv o.csv", "audit none.csv"):
        assert run("data", *words.split(), "--label-from", "tag") == 3
        err = capfd.readouterr().err
        assert "none of the 2 files of none.csv is there (the first: gone/a.flac)" in err
    count = f"2 of {len(here) + 2} files are not there (the first: gone/a.flac): "
    assert run("data", "split", "some.csv", "o.csv", "--label-from", "tag") == 0
    out, err = capfd.readouterr()
    assert "passed over: 2 missing" in out + err
    assert count + "left out" in err
    assert "cannot be read" not in err
    assert run("data", "audit", "none.csv") == 0
    assert "2 of 2 files are not there (the first: gone/a.flac): only" in capfd.readouterr().err
    assert run("data", "audit", "some.csv", "--label-from", "tag") in (0, 1)
    assert count + "left out" in capfd.readouterr().err
    tags = "data split some.csv o.csv --tags --replace --allow-missing --split random --json"
    Path("some.csv").write_text(Path("some.csv").read_text().replace(",x\n", ",y\n", 9))
    assert run(*tags.split()) == 0
    assert count + "their tags are not read" in capfd.readouterr().err


@pytest.mark.parametrize("words", [(), ("--json",), ("--quiet",), ("--json", "--quiet")])
def test_a_file_that_fails_is_named_once(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, words: tuple[str, ...]
) -> None:
    data = shutil.copytree("other", tmp_path / "data")
    (data / "gone.flac").symlink_to("nowhere.flac")
    assert run("evaluate", "own.safetensors", str(data), "--label-from", "tag", *words) == 1
    out, err = capfd.readouterr()
    assert (out + err).count("gone.flac") == err.count("gone.flac: missing") == 1
    if "--json" in words:
        assert "1 files left out: 1 missing" in json.loads(out)["notes"]
