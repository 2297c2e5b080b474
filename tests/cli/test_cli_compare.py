"""``mgrkit compare`` at a terminal of 80 columns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mgrkit.cli.app import app
from mgrkit.cli.terminal.errors import guarded
from tests.datasets.made_tables import rows, write

SMALL = ["--param", "random_forest.trees=5", "--seeds", "2"]


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write(tmp_path / "features.csv", rows(artists=5, songs=3, spread=4.0))


def test_the_table_fits_eighty_columns(table: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["compare", "features.csv", "--classifiers", "svm,random_forest,cnn", *SMALL]
    assert guarded(app, words) == 1
    out, err = capfd.readouterr()
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("valid: 12 tracks of 4 artists, grouped split, 2 seeds")
    assert {"svm", "random_forest", "cnn failed:"} <= {
        line.split("  ")[0] if "failed" not in line else " ".join(line.split()[:2])
        for line in lines
    }
    assert "cannot be told apart" in out
    assert "track; size: bytes of the model." in " ".join(out.split())
    assert "wrote compare/compare.csv" in out
    assert "1 of 4: svm, seed 0: accuracy" in err
    assert (Path("compare") / "compare.png").is_file()


def test_help_fits_eighty_columns() -> None:
    words = [sys.executable, "-m", "mgrkit", "compare", "--help"]
    env = {**os.environ, "COLUMNS": "80"}
    result = subprocess.run(words, capture_output=True, text=True, env=env, check=True)
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "  mgrkit compare " in result.stdout


def test_json_is_one_object(table: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["compare", "features.csv", "--classifiers", "svm", "--seeds", "1", "--json", "-q"]
    assert guarded(app, words) == 0
    out, err = capfd.readouterr()
    result = json.loads(out)
    assert result["rows"][0]["classifier"] == "svm"
    assert result["exit_code"] == 0
    assert err == ""


@pytest.mark.parametrize("param", ["C=3", "svm.C", "svm"])
def test_parameters_name_their_classifier(
    table: Path, capfd: pytest.CaptureFixture[str], param: str
) -> None:
    assert guarded(app, ["compare", "features.csv", "--param", param]) == 2
    assert "classifier.name=value" in capfd.readouterr().err


@pytest.mark.parametrize("words", [["compare", "--classifiers"], ["train"]])
def test_a_set_is_not_passed_over_for_that_of_the_table(
    words: list[str], table: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(table, [{**row, "kind": "gtzan57", "settings": ""} for row in rows()])
    asked = [*words, "svm", "features.csv", "--out", "m.safetensors"]
    assert guarded(app, [*asked, "--set", "musicnn-tags:mean"]) == 2
    message = "features.csv holds gtzan57, --set asks for musicnn-tags:mean (leave out --set, "
    assert message in capfd.readouterr().err
    assert guarded(app, [*asked, "--set", "gtzan57"]) == 0


def test_several_values_of_a_parameter_are_a_grid(
    table: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    values = ["--param", "svm.kernel=linear", "--param", "svm.C=0.25", "--param", "svm.C=3"]
    words = ["compare", "features.csv", "--classifiers", "svm,lda", "--seeds", "1", *values]
    assert guarded(app, words) == 0
    out, err = capfd.readouterr()
    assert max(map(len, out.splitlines())) <= 80
    assert "\nsvm C=0.25 " in out
    assert "\nsvm C=3 " in out
    assert "a grid of svm: 2 combinations" in err
    assert "to take the best of them is to choose by valid" in err


def test_a_row_of_a_grid_is_never_cut(table: Path, capfd: pytest.CaptureFixture[str]) -> None:
    values = [f"--param=logistic_regression.{one}" for one in ("C=0.03125", "C=3", "power=false")]
    more = [*values, "--param", "logistic_regression.power=true", "--seeds", "1"]
    words = ["compare", "features.csv", "--classifiers", "logistic_regression", *more]
    assert guarded(app, words) == 0
    out = capfd.readouterr().out
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "\nlogistic_regression C=0.03125 power=false " in out
    assert "~" not in out
    _, _, table_and_legend = out.partition("\n\n")
    heads = table_and_legend.splitlines()[0].split()
    legend = " ".join(table_and_legend.split())
    assert heads[-2:] == ["F1", "top3"]
    assert "seeds: standard deviation of their accuracies; F1: macro. wrote" in legend


def test_training_takes_one_value(table: Path, capfd: pytest.CaptureFixture[str]) -> None:
    twice = ["--param", "C=1", "--param", "kernel=rbf", "--param", "C=3"]
    assert guarded(app, ["train", "svm", "features.csv", "--out", "m.safetensors", *twice]) == 2
    assert "--param C is given twice" in capfd.readouterr().err
    assert not Path("m.safetensors").exists()


def test_folds_are_one_command(table: Path, capfd: pytest.CaptureFixture[str]) -> None:
    asked = ["compare", "features.csv", "--classifiers", "svm,lda"]
    words = [*asked, "--folds", "4"]
    assert guarded(app, words) == 0
    out, err = capfd.readouterr()
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == "4 folds: 60 tracks of 20 artists, folded by artist, one seed"
    assert lines[2].split()[:5] == ["classifier", "accuracy", "(95", "%)", "folds"]
    assert "Nadeau" in out
    assert "one more artist" in out
    assert "8 runs to do, 48 fits with those for calibration" in err
    assert "3 of 8: svm, seed 0, fold 3: accuracy" in err
    assert guarded(app, [*words, "--json", "--quiet"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert (found["part"], found["folds"], len(found["rows"][0]["folds"])) == ("folds", 4, 4)
    assert found["rows"][0]["spread"]["deviation"] >= 0
    for wrong in ("4 --part valid", "4 --split random", "x", "60"):
        assert guarded(app, [*asked, "--folds", *wrong.split()]) == 2
        err = capfd.readouterr().err
        assert len(err.splitlines()) == 1
        assert "more than once" not in err


def test_what_eats_nothing_of_data_is_left_out_unless_it_is_named(
    table: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert guarded(app, ["compare", "features.csv", "--seeds", "1", "--json", "-q"]) == 0
    found = json.loads(capfd.readouterr().out)
    names = {row["classifier"] for row in found["rows"]}
    assert {"svm", "lda"} <= names
    assert not names & {"cnn", "picture_statistics"}
    (note,) = [note for note in found["notes"] if note.startswith("left out, ")]
    assert "cnn, crnn" in note
    assert "holds numbers" in note
    words = ["compare", "features.csv", "--classifiers", "svm,lda", "--votes", "svm+lda"]
    assert guarded(app, [*words, "--seeds", "1", "--out", "v", "-q"]) == 0
    words = ["compare", "features.csv", "--classifiers", "svm,cnn", "--seeds", "1", "--out", "v"]
    assert guarded(app, [*words, "-q"]) == 1


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("pca:58", "svm: reduce=pca:58 asks for more than 57: there are 57 columns"),
        ("lda:4", "svm: reduce=lda:4 asks for more than 3: there are 4 genres"),
        ("select:99", "svm: reduce=select:99 asks for more than 57"),
    ],
)
@pytest.mark.parametrize("more", [[], ["--folds", "3"]])
def test_what_cannot_be_reduced_so_is_said_once_and_before(
    table: Path, capfd: pytest.CaptureFixture[str], how: str, expected: str, more: list[str]
) -> None:
    words = ["compare", "features.csv", "--classifiers", "svm,lda", "--reduce", how, *more]
    assert guarded(app, words) == 2
    err = capfd.readouterr().err
    assert expected in err
    assert len(err.splitlines()) == 1
    assert not Path("compare").exists()
