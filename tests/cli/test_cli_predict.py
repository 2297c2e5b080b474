"""What predict prints of songs and pieces, and what it is told to leave out."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from mgrkit.cli.app import app
from mgrkit.cli.terminal.errors import guarded
from mgrkit.cli.views.predictions import COLUMNS, Table
from tests.cli.test_commands import tone
from tests.datasets.made_tables import GENRES, rows, write


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("predict")
    table = write(folder / "features.csv", rows())
    out = folder / "svm.safetensors"
    assert guarded(app, ["train", "svm", str(table), "--out", str(out), "--quiet"]) == 0
    return out


@pytest.fixture(autouse=True)
def songs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A current folder with a song of two pieces, a short one, and one that is none."""
    monkeypatch.chdir(tmp_path)
    tone(Path("songs/long.wav"), seconds=60)
    tone(Path("songs/short.wav"), seconds=2, hz=900)
    Path("songs/bad.wav").write_text("words")


def predicted(model: Path, capfd: pytest.CaptureFixture[str], *words: str, code: int = 1) -> str:
    capfd.readouterr()
    assert guarded(app, ["predict", "songs", "--model", str(model), "-q", *words]) == code
    return capfd.readouterr().out


def table(text: str) -> dict[str, dict[str, str]]:
    return {row["path"]: row for row in csv.DictReader(io.StringIO(text, newline=""))}


def test_csv_has_a_column_a_genre(model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    every = len(GENRES)
    found = [json.loads(x) for x in predicted(model, capfd, "--jsonl", "--top", "99").splitlines()]
    made = table(predicted(model, capfd, "--csv", "--top", "1"))
    assert list(made["songs/bad.wav"]) == [*COLUMNS, *GENRES]
    for row in found:
        if "error" in row:
            continue
        written = made[row["path"]]
        assert len(row["genres"]) == every
        assert {one["genre"]: str(one["probability"]) for one in row["genres"]} == {
            genre: written[genre] for genre in GENRES
        }
        assert (written["kind"], written["start"]) == ("song", "0.0")
        assert written["unsure"] == json.dumps(row["unsure"])
    assert made["songs/bad.wav"]["error"].startswith("not-audio")
    assert {made["songs/bad.wav"][name] for name in (*GENRES, "start", "unsure")} == {""}


def test_pieces_have_a_table_of_their_own(model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for _ in ("made", "made again"):
        songs = table(predicted(model, capfd, "--csv", "--pieces", "pieces.csv"))
    with open("pieces.csv", encoding="utf-8", newline="") as file:
        pieces = list(csv.DictReader(file))
    assert list(pieces[0]) == list(songs["songs/long.wav"])
    assert {(row["kind"], row["unsure"]) for row in pieces} == {("piece", "")}
    spans = {(row["path"], row["start"], row["seconds"]) for row in pieces}
    assert spans == {
        ("songs/long.wav", "0.0", "30.0"),
        ("songs/long.wav", "30.0", "30.0"),
        ("songs/short.wav", "0.0", "2.0"),
    }
    for row in pieces:
        assert sum(float(row[genre]) for genre in GENRES) == pytest.approx(1, abs=1e-3)
        assert max(float(row[genre]) for genre in GENRES) == float(row["probability"])
    assert not list(Path().glob(".*")), "no temporary file is left"


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (["--csv", "--timeline"], 2, "a table of their own (--pieces FILE.csv)"),
        (["--pieces", "p.csv"], 2, "--pieces goes with --csv (give both, or leave it out)"),
        (["--playlist-paths", "absolute"], 2, "--playlist-paths goes with --playlists"),
        (["--playlist-paths", "relative"], 2, "--playlist-paths goes with --playlists"),
        (["--csv", "--pieces", "p.txt"], 2, "--pieces must end in .csv, not p.txt"),
        (["--csv", "--pieces", "no/p.csv"], 2, "there is no folder no"),
        (["--csv", "--pieces", "mine.csv"], 2, "mine.csv was not made by mgrkit predict"),
        (["--threshold", "1.5"], 2, "--threshold"),
        (["--threshold", "nan"], 2, "--threshold"),
    ],
)
def test_wrong_calls(
    model: Path, capfd: pytest.CaptureFixture[str], words: list[str], code: int, expected: str
) -> None:
    Path("mine.csv").write_text("a,b\n")
    assert guarded(app, ["predict", "songs", "--model", str(model), *words]) == code
    out, err = capfd.readouterr()
    assert expected in err
    assert out == ""
    assert Path("mine.csv").read_text() == "a,b\n"


def test_a_genre_may_be_called_like_another_column() -> None:
    made = Table(["model", "rock"])
    genres: Any = [{"genre": "rock", "probability": 0.6}, {"genre": "model", "probability": 0.4}]
    row = {"path": "a", **genres[0], "genres": genres, "unsure": True, "model": "svm"}
    (found,) = csv.DictReader([made.head, made.song(row)])
    assert (found["model"], found["model (genre)"], found["rock"]) == ("svm", "0.4", "0.6")


@pytest.mark.parametrize("form", ["--jsonl", "--csv", "--json", ""])
def test_only_what_is_unsure_is_printed(
    model: Path, capfd: pytest.CaptureFixture[str], form: str
) -> None:
    asked = ("--only-unsure", *([form] if form else []))
    bad = 1 if form else 0
    assert predicted(model, capfd, *asked, "--threshold", "1").count("songs/") == 2 + bad
    assert predicted(model, capfd, *asked, "--threshold", "0").count("songs/") == bad
    for threshold, unsure in (("1", 2), ("0", 0)):
        words = ["predict", "songs", "--model", str(model), *asked, "--threshold", threshold]
        assert guarded(app, words) == 1
        output = capfd.readouterr().err.splitlines()[-1]
        assert output == f"{unsure} of 2 verdicts are unsure"


def test_a_name_given_twice_is_said(model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["predict", "songs/short.wav", "songs/short.wav", "--model", str(model)]
    assert guarded(app, words) == 0
    out, err = capfd.readouterr()
    assert out.count("short.wav") == 1
    assert "named twice, judged once: songs/short.wav" in err


@pytest.mark.parametrize("other", ["songs/../songs/short.wav", "./songs/short.wav", "*"])
def test_another_spelling_of_a_path_is_the_same_file(
    model: Path, capfd: pytest.CaptureFixture[str], other: str
) -> None:
    other = str(Path("songs/short.wav").resolve()) if other == "*" else other
    Path("link.wav").symlink_to("songs/short.wav")
    words = ["predict", "songs", other, "link.wav", "--model", str(model), "--json"]
    assert guarded(app, words) == 1
    out, err = capfd.readouterr()
    found = [row["path"] for row in json.loads(out)]
    assert found == ["songs/bad.wav", "songs/long.wav", "songs/short.wav", "link.wav"]
    assert "named twice, judged once: " in err


def test_the_next_call_may_ask_for_more_of_what_is_remembered(
    model: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    asked = ("--resume", "done.jsonl")
    predicted(model, capfd, *asked, "--top", "1")
    found = predicted(model, capfd, *asked, "--json", "--top", "2", "--timeline")
    assert found == predicted(model, capfd, "--json", "--top", "2", "--timeline")
    assert guarded(app, ["predict", "songs", "--model", str(model), *asked]) == 1
    assert "2 kept" in capfd.readouterr().err
