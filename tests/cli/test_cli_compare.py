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


def test_a_parameter_that_is_given_twice_is_refused(
    table: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    twice = ["--param", "svm.C=1", "--param", "random_forest.trees=5", "--param", "svm.C=3"]
    assert guarded(app, ["compare", "features.csv", *twice]) == 2
    assert "--param svm.C is given twice" in capfd.readouterr().err
    assert not Path("compare").exists()


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
