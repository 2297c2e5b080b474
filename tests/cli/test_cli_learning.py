"""train, evaluate and predict as a person or a script calls them."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path

import pytest

from mgrkit.cli.app import app
from mgrkit.cli.errors import guarded
from tests.cli.test_commands import tone
from tests.commands.made_tables import GENRES, rows, write


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("learning")
    table = write(folder / "features.csv", rows())
    call = ["train", "svm", str(table), "--out", str(folder / "svm.safetensors"), "--quiet"]
    assert guarded(app, call) == 0
    return folder


@pytest.fixture(autouse=True)
def inside(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setenv("COLUMNS", "80")


def run(*words: str) -> int:
    return guarded(app, list(words))


def test_train_tells_people_and_scripts(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["train", "svm", "features.csv", "--out", "b.safetensors", "--replace"]
    assert run(*words) == 0
    out, err = capfd.readouterr()
    assert "valid (used to choose): accuracy" in out
    assert "folds of train by artist: accuracy" in out
    assert "grouped split" in out
    assert "wrote b.safetensors" in out
    assert run(*words, "--json", "--seed", "3", "--param", "C=2", "--param", "kernel=linear") == 0
    out, err = capfd.readouterr()
    told = json.loads(out)
    assert told["seed"] == 3
    assert (told["parameters"]["C"], told["parameters"]["kernel"]) == (2.0, "linear")
    assert told["metrics"]["split"] == "grouped split"
    assert set(told["tracks"]) == {"train", "valid", "test", "none"}
    assert told["labels"] == list(GENRES)
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--param", "C"], "--param must be name=value"),
        (["--param", "c=1"], "did you mean C?"),
        (["--split", "artist"], "no split 'artist'"),
        (["--device", "cuda:77"], "no device cuda:77 here"),
    ],
)
def test_a_wrong_call_to_train_is_one_line(
    words: list[str], told: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run("train", "svm", "features.csv", "--out", "x.safetensors", *words) == 2
    out, err = capfd.readouterr()
    assert told in err
    assert len(err.splitlines()) == 1
    assert out == ""
    assert not Path("x.safetensors").exists()


def test_evaluate_fits_eighty_columns(capfd: pytest.CaptureFixture[str]) -> None:
    assert run("evaluate", "svm.safetensors", "features.csv") == 0
    out, err = capfd.readouterr()
    assert all(len(line) <= 80 for line in out.splitlines()[2:])
    assert out.startswith("svm: accuracy ")
    assert "recall" in out
    assert "tracks left out: the model has seen them" in err


def test_evaluate_as_json_has_every_promised_key(capfd: pytest.CaptureFixture[str]) -> None:
    assert run("evaluate", "svm.safetensors", "features.csv", "--json", "--quiet") == 0
    out, err = capfd.readouterr()
    told = json.loads(out)
    assert err == ""
    assert set(told) >= {
        "accuracy", "accuracy_low", "accuracy_high", "macro_f1", "top3", "ece", "per_genre",
        "confusion", "labels", "split", "tracks", "dropped_as_seen",
    }  # fmt: skip


def test_the_confusion_matrix_is_drawn(capfd: pytest.CaptureFixture[str]) -> None:
    from PIL import Image

    assert run("evaluate", "svm.safetensors", "features.csv", "--png", "c.png") == 0
    assert "wrote c.png" in capfd.readouterr().err
    with Image.open("c.png") as picture:
        assert min(picture.size) > 300
        assert len(picture.convert("RGB").getcolors(1 << 24) or []) > 20
    assert [name for name in os.listdir() if name.endswith(".tmp")] == []
    assert run("evaluate", "svm.safetensors", "features.csv", "--png", "c.jpg") == 2
    assert run("evaluate", "svm.safetensors", "features.csv", "--png", "none/c.png") == 3


def test_evaluate_without_anything_unseen_is_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    from mgrkit.classifiers import load_bundle

    seen = load_bundle(Path("svm.safetensors")).seen
    write(Path("s.csv"), [r for r in rows() if f"name:{Path(str(r['path'])).name}" in seen])
    assert run("evaluate", "svm.safetensors", "s.csv", "--json") == 2
    out, err = capfd.readouterr()
    assert "has seen all" in json.loads(out)["error"]
    assert "--seen" in err
    assert run("evaluate", "svm.safetensors", "s.csv", "--seen") == 0


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    tone(tmp_path / "a.wav", seconds=2)
    tone(tmp_path / "b,1.wav", seconds=2)
    (tmp_path / "bad.wav").write_text("words")
    return tmp_path


MODEL = ("--model", "svm.safetensors")


def test_predict_prints_lines_for_people(songs: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run("predict", str(songs / "a.wav"), *MODEL) == 0
    out, err = capfd.readouterr()
    assert out.startswith(f"{songs / 'a.wav'}: ")
    assert len(out.splitlines()) == 1
    assert "1 done" in err


def test_predict_as_json_is_a_list_with_errors(
    songs: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run("predict", str(songs), *MODEL, "--json", "--top", "2", "--timeline") == 1
    out, err = capfd.readouterr()
    told = {Path(row["path"]).name: row for row in json.loads(out)}
    assert set(told) == {"a.wav", "b,1.wav", "bad.wav"}
    assert told["bad.wav"]["error"].startswith("not-audio:")
    assert len(told["a.wav"]["genres"]) == 2
    assert told["a.wav"]["timeline"][0]["start"] == 0
    assert "bad.wav: not-audio" in err


def test_predict_as_json_lines_and_csv(songs: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run("predict", str(songs), *MODEL, "--jsonl", "-q") == 1
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert sorted(Path(line["path"]).name for line in lines) == ["a.wav", "b,1.wav", "bad.wav"]
    assert run("predict", str(songs), *MODEL, "--csv", "--timeline", "-q") == 1
    table = list(csv.DictReader(io.StringIO(capfd.readouterr().out)))
    whole = {Path(row["path"]).name: row for row in table if not row["start"]}
    by_json = {Path(line["path"]).name: line for line in lines}
    assert whole["b,1.wav"]["genre"] == by_json["b,1.wav"]["genre"]
    assert float(whole["a.wav"]["probability"]) == by_json["a.wav"]["probability"]
    assert whole["bad.wav"]["error"].startswith("not-audio:")
    assert sum(row["start"] == "0.0" for row in table) == 2


def test_predict_reads_a_list_and_remembers(songs: Path, capfd: pytest.CaptureFixture[str]) -> None:
    lines = f"{songs / 'a.wav'}\n\n{songs / 'b,1.wav'}\n"
    Path("list").write_text(lines)
    call = ["predict", "--files-from", "list", *MODEL, "--jsonl", "--resume", "done.jsonl"]
    assert run(*call) == 0
    first = capfd.readouterr().out
    assert run(*call) == 0
    out, err = capfd.readouterr()
    assert sorted(out.splitlines()) == sorted(first.splitlines())
    assert "2 kept" in err


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ([], 2, "no FILE is given"),
        (["a.wav", "--json", "--csv"], 2, "exclude each other"),
        (["a.wav", "--model", "none"], 2, "there is no model 'none'"),
        (["a.wav", "--model", "none.safetensors"], 3, "there is no model none.safetensors"),
        (["a.wav", *MODEL, "--max-seconds", "5"], 2, "max-seconds"),
        (["a.wav", *MODEL, "--device", "gpu"], 2, "no device 'gpu'"),
        (["missing.wav", *MODEL], 1, "missing"),
    ],
)
def test_a_wrong_call_to_predict(
    words: list[str], code: int, told: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run("predict", *words) == code
    err = capfd.readouterr().err
    assert told in err
    assert "Traceback" not in err
