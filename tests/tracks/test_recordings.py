"""Files of one recording, and the best of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mgrkit.tracks.fingerprints import Fingerprints
from mgrkit.tracks.recordings import Heard, Member, best, recordings
from tests.tracks.test_fingerprints import copied, words

FLAC = {"codec": "flac", "lossless": True, "bits": 16, "kbps": 700}


def heard(path: str, **more: Any) -> Heard:
    usual = {
        "seconds": 200.0, "rate": 44_100, "channels": 2, "codec": "mp3", "lossless": False,
        "bits": 32, "kbps": 192, "sound": path,
    }  # fmt: skip
    return Heard(path, **{**usual, **more})


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({**FLAC, "seconds": 100.0, "rate": 22_050}, {"kbps": 320}),
        ({"seconds": 202.0, "kbps": 64}, {"kbps": 320}),
        ({"kbps": 320}, {"seconds": 200.9}),
        ({"kbps": 64}, {"rate": 22_050, "kbps": 320}),
        ({"kbps": 193}, {}),
        ({"kbps": 320}, {"codec": "opus", "rate": 48_000, "kbps": 32}),
        ({**FLAC, "rate": 96_000}, {**FLAC, "bits": 32}),
        ({**FLAC, "bits": 32}, FLAC),
        (FLAC, {**FLAC, "codec": "pcm_s16le", "kbps": 1411}),
        ({"path": "a"}, {"path": "b"}),
    ],
)
def test_the_better_file(better: dict[str, Any], worse: dict[str, Any]) -> None:
    """Lossless, then longer by more than a second, then of higher rate, then of more bits."""
    one = heard(**{"path": "y", **better})
    other = heard(**{"path": "x", **worse})
    assert best([one, other]) is one
    assert best([other, one]) is one


def groups(*files: tuple[Heard, np.ndarray]) -> list[list[Member]]:
    with Fingerprints() as prints:
        for _, words_of_it in files:
            prints.append(words_of_it)
        return recordings([one for one, _ in files], prints)


def test_groups_have_their_best_first() -> None:
    song, other, alone = words(), words(), words()
    found = groups(
        (heard("z.mp3"), copied(song)), (heard("b.mp3"), other), (heard("c.mp3"), alone),
        (heard("y.mp3"), copied(song)), (heard("x.flac", **FLAC), song),
        (heard("a.ogg", kbps=96), copied(other)),
    )  # fmt: skip
    assert [[one.heard.path for one in group] for group in found] == [
        ["b.mp3", "a.ogg"], ["x.flac", "y.mp3", "z.mp3"],
    ]  # fmt: skip
    assert [[one.keep for one in group] for group in found] == [[True, False], [True, False, False]]
    assert found[1][0].similarity == 1
    assert all(0.93 < one.similarity < 1 for group in found for one in group if not one.keep)
    assert {one.exact for group in found for one in group} == {""}


def test_the_very_same_sound_is_told_even_where_it_is_too_short_for_a_fingerprint() -> None:
    short = words(10)
    found = groups(
        (heard("b.wav", sound="s"), short), (heard("a.wav", sound="s"), short),
        (heard("c.flac", sound="s", **FLAC), short), (heard("d.wav", sound="t"), short),
    )  # fmt: skip
    assert [[(one.heard.path, one.exact, one.similarity) for one in group] for group in found] == [
        [("c.flac", "", 1.0), ("a.wav", "c.flac", 1.0), ("b.wav", "c.flac", 1.0)]
    ]


def test_exact_copies_of_a_worse_file_name_the_first_of_them() -> None:
    song = words()
    bad = copied(song)
    found = groups(
        (heard("x.flac", **FLAC), song), (heard("b.mp3", sound="s"), bad),
        (heard("a.mp3", sound="s"), bad),
    )  # fmt: skip
    assert [(one.heard.path, one.exact) for one in found[0]] == [
        ("x.flac", ""), ("a.mp3", ""), ("b.mp3", "a.mp3"),
    ]  # fmt: skip
    assert found[0][1].similarity == found[0][2].similarity < 1


def test_files_that_a_third_joins_are_measured_against_the_best() -> None:
    """The first and the last overlap too little to be a pair; the middle one is the longest."""
    song = words(600)
    found = groups(
        (heard("a.mp3", seconds=40.0), song[:250]), (heard("b.mp3", seconds=90.0), song),
        (heard("c.mp3", seconds=40.0), song[350:]),
    )  # fmt: skip
    assert [(one.heard.path, one.similarity) for one in found[0]] == [
        ("b.mp3", 1.0), ("a.mp3", 1.0), ("c.mp3", 1.0),
    ]  # fmt: skip
    by_level = groups(
        (heard("a.mp3"), song[:250]), (heard("b.mp3", kbps=64), song), (heard("c.mp3"), song[350:])
    )
    assert [(one.heard.path, one.similarity) for one in by_level[0]][:2] == [
        ("a.mp3", 1.0), ("b.mp3", 1.0),
    ]  # fmt: skip
    assert 0.4 < by_level[0][2].similarity < 0.65


def test_nothing() -> None:
    assert groups() == []
    assert groups((heard("a"), words())) == []
