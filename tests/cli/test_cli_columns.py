"""``--columns`` and what goes with it, as a person calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mgrkit.cli.app import app
from mgrkit.cli.terminal.errors import guarded
from tests.commands.test_columns import moods
from tests.tracks.made_fma import make_fma

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    moods(tmp_path / "moods.csv")


def run(*words: str) -> int:
    return guarded(app, list(words))


def test_train_evaluate_and_compare_take_columns(tmp_path: Path, capsys: Captured) -> None:
    out = ["--columns", "mood", "--drop", "mood3"]
    assert run("train", "svm", "moods.csv", *out, "--out", "m.safetensors", "--quiet") == 0
    capsys.readouterr()
    assert run("evaluate", "m.safetensors", "moods.csv", "--json") == 0
    assert json.loads(capsys.readouterr().out)["accuracy"] > 0.8
    names = ["--classifiers", "svm", "--seeds", "1", "--out", "out", "--json"]
    assert run("compare", "moods.csv", *out, *names) == 0
    assert len(json.loads(capsys.readouterr().out)["rows"]) == 1
    assert run("predict", str(Path(__file__)), "--model", "m.safetensors") == 2
    assert "m was trained on 3 columns of a table (mood0, mood1, mood2)" in capsys.readouterr().err


def test_columns_of_genre_and_artist_are_named(capsys: Captured) -> None:
    table = Path("moods.csv")
    table.write_text(table.read_text().replace("genre,group", "style,band", 1))
    words = ["--columns", "mood", "--label-column", "style", "--group-column", "band"]
    assert run("train", "svm", "moods.csv", *words, "--out", "m.safetensors", "--quiet") == 0
    assert run("evaluate", "m.safetensors", "moods.csv", *words[2:], "--quiet") == 0
    capsys.readouterr()
    assert run("evaluate", "m.safetensors", "moods.csv", "--label-column", "stile") == 2
    assert "--label-column: moods.csv has no column stile" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("svm moods.csv --columns ,", "--columns names no column: ','"),
        ("svm moods.csv --columns moood", "--columns: moods.csv has no column moood"),
        ("svm moods.csv --columns mood --drop mood9", "--drop: moods.csv has no column mood9"),
        ("svm moods.csv --columns mood --set gtzan57", "gtzan57 has no column mood0"),
        ("svm moods.csv --columns mood --subset small", "--subset is for FMA's tables"),
        ("cnn moods.csv --columns mood", "cnn eats image, no columns"),
        ("svm features.csv --columns mfc --subset small", "no column mfc (did you mean mfcc?)"),
        ("svm features.csv --columns mfcc --subset smol", "FMA has no subset 'smol'"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    tmp_path: Path, capsys: Captured, words: str, message: str
) -> None:
    make_fma(tmp_path, 40, features=40)
    assert run("train", *words.split(), "--out", "m.safetensors") == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    ["train svm DATA --out m.safetensors", "tune svm DATA --trials 3", "compare DATA"],
)
def test_a_table_of_other_numbers_is_told_how_they_are_learnt_from(
    capsys: Captured, words: str
) -> None:
    lines = [f"{n}.wav,{'ab'[n % 2]},x{n},words,{n or ''},{n % 3}" for n in range(8)]
    Path("t.csv").write_text("\n".join(["filename,label,artist,title,f0,f1", *lines]))
    asked = [word.replace("DATA", "t.csv") for word in words.split()]
    assert run(*asked) == 2
    message = (
        "mgrkit: t.csv has no column path, but filename, label, artist, title, f0, ... (a "
        "list of files has one row a file, with its path; of a table of numbers, --columns 'f*' "
        "says which to learn from)\n"
    )
    assert capsys.readouterr().err == message
    Path("t.csv").write_text("filename,label\nx.wav,a\n")
    assert run(*asked) == 2
    assert "with its path)" in capsys.readouterr().err
