"""Refusals of other settings speak the options' names and values."""

from __future__ import annotations

from typing import Any

import pytest

from mgrkit.files.difference import difference


@pytest.mark.parametrize(
    ("made", "asked", "words"),
    [
        ({"seed": 1}, {"seed": 1}, ""),
        ({"top-db": 60.0}, {"top-db": 80.0}, "--top-db 60 instead of 80"),
        ({"piece-seconds": None}, {"piece-seconds": 3.0}, "no --piece-seconds instead of 3"),
        ({"piece-seconds": 3.0}, {"piece-seconds": None}, "--piece-seconds 3 instead of none"),
        ({}, {"axes": True}, "no --axes instead of --axes"),
        ({"axes": True}, {}, "--axes instead of none"),
        ({"refit": False}, {"refit": True}, "no --refit instead of --refit"),
        ({}, {"SNR": "of power above 20 Hz"}, "no SNR of power above 20 Hz"),
        ({"classifier": "svm"}, {"classifier": "cnn"}, "classifier svm instead of cnn"),
        ({"--param C": 3}, {"--param C": 1}, "--param C=3 instead of 1"),
        (
            {"parameters": {"C": 3, "p": 1}},
            {"parameters": {"C": 1, "p": 1}},
            "--param C=3 instead of 1",
        ),
        (
            {"split": "random split"},
            {"split": "grouped split"},
            "random split instead of grouped split",
        ),
        (
            {"tracks of train and valid": [3, 4]},
            {"tracks of train and valid": (5, 4)},
            "tracks of train and valid 3 and 4 instead of 5 and 4",
        ),
        (
            {"genres": ["abcdefghi"] * 9},
            {"genres": ["a"]},
            f"genres {'abcdefghi and ' * 4}abcd instead of a",
        ),
        (
            {"n-fft": 1, "front-end": "abc"},
            {"n-fft": 2, "front-end": "def"},
            "--n-fft 1 instead of 2",
        ),
        ({"network": "abc"}, {"network": "def"}, "another network"),
        ({"front-end": "abc"}, {"front-end": "def"}, "another way of drawing"),
        (
            dict.fromkeys("abcd", 1),
            {"a": 2, "b": 3, "c": 4},
            "--a 1 instead of 2, --b 1 instead of 3, --c 1 instead of 4, and 1 more",
        ),
    ],
)
def test_a_difference_in_words(made: dict[str, Any], asked: dict[str, Any], words: str) -> None:
    assert difference(made, asked) == words


def test_no_digest_is_shown() -> None:
    digests = ("bundle", "DATA's digest", "examples", "front-end", "settings", "tracks' digest")
    for name in digests:
        assert "0123456789abcdef" not in difference({name: "0123456789abcdef"}, {name: "f"})
