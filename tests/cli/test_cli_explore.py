"""``mgrkit explore`` at a terminal: what it prints, and where."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mgrkit.cli.app import app
from mgrkit.cli.terminal.errors import guarded
from tests.commands.test_explore import songs, write

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write(tmp_path / "songs.csv", songs())


def test_a_paragraph_for_each_plot_fits_eighty_columns(capfd: Captured) -> None:
    assert guarded(app, ["explore", "songs.csv", "--plots", "counts,similarity"]) == 0
    out, err = capfd.readouterr()
    assert max(map(len, out.splitlines())) <= 80
    assert out.startswith("counts: 60 tracks of 3 genres by 15 artists.")
    assert out.splitlines()[-1] == "wrote explored/README.md and 4 files"
    assert "note:" not in err


def test_json_is_one_object_and_quiet_says_nothing(capfd: Captured) -> None:
    words = ["explore", "songs.csv", "--plots", "counts,pca", "--columns", "energy", "--json"]
    assert guarded(app, [*words, "--quiet"]) == 0
    out, err = capfd.readouterr()
    found = json.loads(out)
    assert found["parts"] == {"train": 36, "valid": 12, "test": 12}
    assert found["files"] == ["README.md", "counts.png", "counts.csv"]
    assert found["skipped"] == {"pca": "it needs 2 columns that vary in train"}
    assert err == ""


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["no.csv"], 3, "there is no no.csv"),
        (["songs.csv", "--plots", "maps"], 2, "--plots: there is no plot 'maps'"),
        (["songs.csv", "--plots", ","], 2, "--plots: there is no plot ''"),
        (["songs.csv", "--columns", "enrgy"], 2, "no column enrgy (did you mean energy?)"),
        (["songs.csv", "--out", "songs.csv"], 2, "songs.csv holds something else"),
        (["songs.csv", "--split", "grouped", "--seed", "x"], 2, "--seed must be a whole number"),
    ],
)
def test_what_is_wrong_is_one_line(
    words: list[str], code: int, message: str, capfd: Captured
) -> None:
    assert guarded(app, ["explore", *words]) == code
    out, err = capfd.readouterr()
    assert message in err
    assert err.count("\n") == 1
    assert out == ""
