"""Counts of genres, and how unequal they are."""

from __future__ import annotations

import json

import pytest

from mgrkit.cli.views.balance import show_balance
from mgrkit.tracks.balance import GenreCount, balance


def test_genres_are_counted_with_their_parts() -> None:
    found = balance(
        ["rock", "jazz", "rock", "", "folk", "rock", "folk"],
        ["train", "test", "valid", "train", "", "train", "train"],
    )
    assert found.genres == (
        GenreCount("rock", 3, (2, 1, 0)),
        GenreCount("folk", 2, (1, 0, 0)),
        GenreCount("jazz", 1, (0, 0, 1)),
    )
    assert (found.unnamed, found.ratio) == (1, 3.0)
    assert json.loads(json.dumps(found.as_json())) == {
        "genres": {
            "rock": {"tracks": 3, "train": 2, "valid": 1, "test": 0},
            "folk": {"tracks": 2, "train": 1, "valid": 0, "test": 0},
            "jazz": {"tracks": 1, "train": 0, "valid": 0, "test": 1},
        },
        "unnamed": 1,
        "ratio": 3.0,
    }


def test_none_and_one() -> None:
    assert (balance([]).genres, balance([]).ratio, balance(["", ""]).unnamed) == ((), 0.0, 2)
    assert balance(["jazz"]).ratio == 1.0


def test_a_person_sees_counts_and_the_ratio(capsys: pytest.CaptureFixture[str]) -> None:
    show_balance(balance(["rock"] * 1500 + ["Hip-Hop"] * 40 + [""] * 2, ["train"] * 1542))
    assert capsys.readouterr().out.splitlines() == [
        "tracks  train  valid  test  genre",
        "1,500   1,500  0      0     rock",
        "40      40     0      0     Hip-Hop",
        "1,540   1,540  0      0     all",
        "2 tracks have no genre",
        "the largest genre has 37.5 times the tracks of the smallest",
    ]
    show_balance(balance(["jazz"]))
    assert capsys.readouterr().out.splitlines() == ["tracks  genre", "1       jazz", "1       all"]
    show_balance(balance([]))
    assert capsys.readouterr().out.splitlines() == ["tracks  genre", "0       all"]
