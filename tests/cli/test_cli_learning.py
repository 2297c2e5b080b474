"""train, evaluate and predict as a person or a script calls them."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mgrkit.cli.app import app
from mgrkit.cli.terminal.errors import guarded
from tests.cli.test_commands import tone
from tests.datasets.made_tables import GENRES, rows, write


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
    assert "valid: accuracy" in out
    assert "folds of train: accuracy" in out
    assert "grouped split" in out
    assert "wrote b.safetensors" in out
    assert run(*words, "--json", "--seed", "3", "--param", "C=2", "--param", "kernel=linear") == 0
    out, err = capfd.readouterr()
    result = json.loads(out)
    assert result["seed"] == 3
    assert (result["parameters"]["C"], result["parameters"]["kernel"]) == (2.0, "linear")
    assert result["metrics"]["split"] == "grouped split"
    assert set(result["tracks"]) == {"train", "valid", "test", "none"}
    assert result["labels"] == list(GENRES)
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--param", "C"], "--param must be name=value"),
        (["--param", "c=1"], "did you mean C?"),
        (["--param", "C=1", "--param", "C=3"], "--param C is given twice"),
        (["--split", "artist"], "there is no --split 'artist'"),
        (["--device", "cuda:77"], "no device cuda:77 here"),
    ],
)
def test_a_wrong_call_to_train_is_one_line(
    words: list[str], expected: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run("train", "svm", "features.csv", "--out", "x.safetensors", *words) == 2
    out, err = capfd.readouterr()
    assert expected in err
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
    result = json.loads(out)
    assert err == ""
    assert set(result) >= {
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
    assert run("evaluate", "svm.safetensors", "features.csv", "--png", "none/c.png") == 2


def test_a_confusion_matrix_of_odd_genres_is_drawn_and_foreign_files_stay(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from PIL import Image

    from mgrkit.errors import UsageError
    from mgrkit.reports.confusion import check_drawing, draw_confusion

    result = {
        "labels": ["$\\foo{$", "A$AP & Ke$ha", "演歌"],
        "confusion": [[3, 0, 0], [1, 2, 0], [0, 0, 4]],
        "model": "m$x$", "accuracy": 0.9, "accuracy_low": 0.5, "accuracy_high": 1.0, "tracks": 10,
        "split": "published $part",
    }  # fmt: skip
    draw_confusion(result, tmp_path / "odd.png")
    assert (tmp_path / "odd.png").read_bytes().startswith(b"\x89PNG")
    assert capfd.readouterr().err == ""
    mine = tmp_path / "mine.png"
    for content in (b"words", Image.new("L", (3, 3))):
        mine.write_bytes(content) if isinstance(content, bytes) else content.save(mine)
        with pytest.raises(UsageError, match="was not drawn by mgrkit evaluate"):
            check_drawing(mine, "--png", (".png",))
    assert check_drawing(tmp_path / "odd.png", "--png") is None


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
    found = {Path(row["path"]).name: row for row in json.loads(out)}
    assert set(found) == {"a.wav", "b,1.wav", "bad.wav"}
    assert found["bad.wav"]["error"].startswith("not-audio:")
    assert len(found["a.wav"]["genres"]) == 2
    assert found["a.wav"]["timeline"][0]["start"] == 0
    assert "bad.wav: not-audio" in err


def test_predict_as_json_keeps_the_order_of_the_files(
    songs: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    names = ["b,1.wav", "none.wav", "a.wav", "bad.wav"]
    tone(songs / "b,1.wav", seconds=40)
    assert run("predict", *(str(songs / name) for name in names), *MODEL, "--json") == 1
    found = [Path(row["path"]).name for row in json.loads(capfd.readouterr().out)]
    assert found == names


def test_predict_names_every_file_that_fails(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for number in range(30):
        (tmp_path / f"{number:02}.mp3").write_text("words" * 100)
    call = ["predict", str(tmp_path), *MODEL, "--quiet", "--resume", str(tmp_path / "done")]
    for _ in ("now", "remembered"):
        assert run(*call) == 1
        err = capfd.readouterr().err
        assert [n for n in range(30) if f"{n:02}.mp3: not-audio" not in err] == []
        assert "in the table" not in err


ODD = [
    "new\nline.wav",
    "re\rturn.wav",
    'quote"comma,.wav',
    "tab\t.wav",
    os.fsdecode(b"caf\xe9.wav"),
]


def test_paths_in_csv_are_the_files_own(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name in ODD:
        tone(tmp_path / name, seconds=2)
    assert run("predict", str(tmp_path), *MODEL, "--csv", "--pieces", "pieces.csv", "-q") == 0
    table = list(csv.DictReader(io.StringIO(capfd.readouterr().out, newline="")))
    with open("pieces.csv", encoding="utf-8", newline="") as file:
        table += csv.DictReader(file)
    folder = f"{tmp_path}/"
    found = {row["path"].removeprefix(folder) for row in table}
    assert found == {*ODD[:-1], "caf\\udce9.wav"}
    assert all(row["genre"] in GENRES and row["model"] == "svm" for row in table)
    assert len(table) == 2 * len(ODD)


@pytest.mark.parametrize("form", ["--jsonl", "--csv", "--json", None])
def test_predict_ends_quietly_when_nobody_reads(songs: Path, form: str | None) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    words = ["predict", songs / "a.wav", songs / "b,1.wav", *MODEL, *([form] if form else [])]
    result = subprocess.run(
        [sys.executable, "-m", "mgrkit", *words], stdout=writer, stderr=subprocess.PIPE, text=True
    )
    os.close(writer)
    assert result.stderr == ""
    assert result.returncode == 141


def test_a_clock_has_hours_when_they_are_needed() -> None:
    from mgrkit.cli.views.predictions import _clock

    found = [_clock(seconds).strip() for seconds in (0, 59.6, 3599, 3600, 7680)]
    assert found == ["0:00", "1:00", "59:59", "1:00:00", "2:08:00"]
    assert len({len(_clock(seconds)) for seconds in (0, 630, 7680)}) == 1


def test_predict_promises_no_warnings_that_it_does_not_give(
    songs: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from mgrkit.cli.terminal.console import Console

    monkeypatch.setattr(Console, "warnings", lambda self: [f"decoder {n}" for n in range(9)])
    assert run("predict", str(songs / "a.wav"), *MODEL) == 0
    err = capfd.readouterr().err
    assert "4 more warnings (--debug shows what decoders print)" in err
    assert run("features", str(songs), "f.csv") == 1
    assert "4 more warnings (--json has all)" in capfd.readouterr().err


def test_predict_as_json_lines_and_csv(songs: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run("predict", str(songs), *MODEL, "--jsonl", "-q") == 1
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert sorted(Path(line["path"]).name for line in lines) == ["a.wav", "b,1.wav", "bad.wav"]
    assert run("predict", str(songs), *MODEL, "--csv", "-q") == 1
    table = list(csv.DictReader(io.StringIO(capfd.readouterr().out)))
    whole = {Path(row["path"]).name: row for row in table}
    by_json = {Path(line["path"]).name: line for line in lines}
    assert whole["b,1.wav"]["genre"] == by_json["b,1.wav"]["genre"]
    assert float(whole["a.wav"]["probability"]) == by_json["a.wav"]["probability"]
    assert whole["bad.wav"]["error"].startswith("not-audio:")


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
    ("words", "code", "expected"),
    [
        ([], 2, "no FILE is given"),
        (["m.safetensors", "a.wav"], 2, "m.safetensors is a model, not sound (--model m.sa"),
        (["a.wav", "--json", "--csv"], 2, "exclude each other"),
        (["a.wav", "--model", "none"], 2, "there is no model 'none'"),
        (["a.wav", "--model", "none.safetensors"], 2, "there is no model none.safetensors"),
        (["a.wav", *MODEL, "--max-seconds", "5"], 2, "max-seconds"),
        (["a.wav", *MODEL, "--device", "gpu"], 2, "--device must be auto, cpu"),
        (["missing.wav", *MODEL], 3, "there is no missing.wav"),
        (["a.wav", "missing.wav", *MODEL], 1, "missing"),
        (["a.wav", *MODEL, "--max-seconds", "inf"], 2, "--max-seconds must be"),
        (["a.wav", *MODEL, "--resume", "no/where"], 2, "there is no folder no (make it"),
        (["a.wav", *MODEL, "--resume", "features.csv"], 2, "features.csv was not made by mgrkit"),
    ],
)
def test_a_wrong_call_to_predict(
    place: Path, words: list[str], code: int, expected: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (place / "a.wav").touch()
    assert run("predict", *words) == code
    err = capfd.readouterr().err
    assert expected in err
    assert "Traceback" not in err


def test_what_a_plugin_prints_goes_to_stderr(
    songs: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from mgrkit_classical.svm import SVM

    def noisy(real: Any) -> Any:
        def call(*words: Any) -> Any:
            print("noise of a plugin")
            return real(*words)

        return call

    for name in ("fit", "predict_proba", "restore"):
        monkeypatch.setattr(SVM, name, noisy(getattr(SVM, name)))
    for call in (
        ["train", "svm", "features.csv", "--out", "n.safetensors", "--replace", "--json"],
        ["evaluate", "svm.safetensors", "features.csv", "--json"],
        ["predict", str(songs / "a.wav"), *MODEL, "--json"],
    ):
        assert run(*call) == 0
        out, err = capfd.readouterr()
        assert json.loads(out)
        assert "noise of a plugin" in err


def test_predict_names_what_it_passes_over(tmp_path: Path, capfd, place: Path) -> None:
    tone(tmp_path / "a.xyz", seconds=4)
    (tmp_path / "cover.gif").write_bytes(b"")
    words = ["predict", str(tmp_path), "--model", "svm.safetensors", "--list-ignored", "--json"]
    assert run(*words, "--suffix", ".xyz") == 0
    out, err = capfd.readouterr()
    rows = json.loads(out)
    assert [Path(row["path"]).name for row in rows] == ["a.xyz", "cover.gif"]
    assert rows[1] == {"path": str(tmp_path / "cover.gif"), "ignored": ".gif"}
    assert f"passed over: {tmp_path / 'cover.gif'} (.gif)\n" in err
    assert run(*words[:4]) == 3
    err = capfd.readouterr().err
    assert f"no sound files in {tmp_path} (1 .gif, 1 .xyz passed over) (give" in err
    assert "--suffix" in err
