"""``mgrkit data audit`` at the terminal: what it prints, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_commands import mgrkit
from tests.datasets.made_tables import rows, write

Captured = pytest.CaptureFixture[str]

LEAKY = """path,genre,artist,split
rock/a.wav,rock,The Band,train
jazz/b.wav,jazz,THE BAND,test
jazz/c.wav,jazz,Other,valid
"""


def test_a_leak_is_named_and_ends_with_1(tmp_path: Path, capsys: Captured) -> None:
    table = tmp_path / "t.csv"
    table.write_text(LEAKY)
    assert mgrkit("data", "audit", table) == 1
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "1 train, 1 valid, 1 test: given split, leaky: 1 artist in more than one part",
        "in more than one part, artists: 1",
        "  The Band: rock/a.wav (train), jazz/b.wav (test)",
    ]
    assert "exact duplicates are not seen" in err
    assert mgrkit("data", "audit", table, "--json", "--quiet") == 1
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert err == ""
    assert found["split"]["leaks"] == {
        "duplicate": 0, "copy": 0, "near_duplicate": 0, "piece": 0, "recording": 0, "artist": 1
    }  # fmt: skip
    assert found["split"]["parts"] == {"train": 1, "valid": 1, "test": 1}
    assert found["split"]["examples"] == [
        {
            "kind": "artist",
            "artist": "The Band",
            "tracks": [
                {"path": "rock/a.wav", "part": "train"}, {"path": "jazz/b.wav", "part": "test"}
            ],
        }
    ]  # fmt: skip
    assert (found["tracks"], found["exit_code"]) == (3, 1)


def test_a_clean_split_ends_with_0(tmp_path: Path, capsys: Captured) -> None:
    table = tmp_path / "t.csv"
    table.write_text(LEAKY.replace("THE BAND", "Another"))
    assert mgrkit("data", "audit", table) == 0
    assert capsys.readouterr().out.splitlines() == [
        "1 train, 1 valid, 1 test: given split", "no leak between them",
    ]  # fmt: skip


def test_the_gap_is_printed_and_told_as_json(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    table = write(tmp_path / "t.csv", rows())
    assert mgrkit("data", "audit", table, "--inflation", "svm", "--seeds", "2") == 0
    out, err = capfd.readouterr()
    lines = out.splitlines()
    assert lines[0].startswith("svm: fit on ")
    assert lines[1].startswith("random split, artists not separated: accuracy ")
    assert lines[3].startswith("grouped split: accuracy ")
    assert lines[-1].startswith("the random split says ")
    assert "4 of 4: grouped split, seed 1: accuracy" in err
    assert max(map(len, lines)) <= 80
    assert mgrkit("data", "audit", table, "--inflation", "svm", "--seeds", "1", "--json") == 0
    found = json.loads(capfd.readouterr().out)
    assert found["gap"] == pytest.approx(found["random"]["accuracy"] - found["apart"]["accuracy"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--split", "grouped"], "--split goes with --inflation (give both, or leave it out)"),
        (["--seeds", "3"], "--seeds goes with --inflation"),
        (["--set", "gtzan57"], "--set goes with --inflation"),
        (["--device", "auto"], "--device goes with --inflation"),
        (["--workers", "2"], "--workers goes with --inflation or --label-from"),
    ],
)
def test_options_of_the_gap_alone_are_refused(
    tmp_path: Path, capsys: Captured, words: list[str], message: str
) -> None:
    table = tmp_path / "t.csv"
    table.write_text(LEAKY)
    assert mgrkit("data", "audit", table, *words) == 2
    assert message in capsys.readouterr().err
