"""Slices and noisy copies, as the names of files tell them."""

from __future__ import annotations

import pytest

from mgrkit.tracks.slices import copy_of, series, uncut, without_suffix


def grouped(*paths: str, lengths: list[float] | None = None) -> tuple[list[str], list[list[str]]]:
    """What each shares, and the names of what may be slices."""
    shared, doubts = series(paths, lengths or [0.0] * len(paths), ["rock", "jazz"])
    return shared, [[paths[index] for index in one] for one in doubts]


@pytest.mark.parametrize(
    "slices",
    [
        ("song3_part1.wav", "song3_part2.wav"),
        ("song3part1.wav", "song3part2.wav"),
        ("song3.seg.07.mp3", "song3.seg.09.mp3"),
        ("song3 - Chunk 0.ogg", "song3 - Chunk 1.ogg"),
        ("song3 (part 1 of 2).ogg", "song3 (part 2 of 2).ogg"),
        ("song3_slice0.png", "song3_slice1.png"),
    ],
)
def test_slices_with_a_word_for_it_are_of_one_recording(slices: tuple[str, str]) -> None:
    one, other = (f"rock/{name}" for name in slices)
    shared, doubts = grouped(one, other, "rock/another.wav")
    assert shared[0] == shared[1] != ""
    assert shared[2] == ""
    assert not doubts
    assert not any(grouped(one, f"jazz/{slices[1]}", "jazz/a.wav", "rock/a.wav")[0])


@pytest.mark.parametrize(
    "names",
    [
        [f"track {n:02d}.mp3" for n in range(1, 13)],  # an album
        [f"Track {n:02d} - Title.mp3" for n in range(1, 13)],
        [f"{n:02d} - Title.mp3" for n in range(1, 13)],
        [f"rock.{n:05d}.wav" for n in range(100)],  # a genre
        [f"rock_clip_{n}.wav" for n in range(100)],
        ["song1.wav", "song2.wav", "song3.wav"],
        ["1999.mp3", "2000.mp3"],
        ["Apart 1.wav", "Eclipse 2.wav", "Eclipse 3.wav"],
    ],
)
@pytest.mark.parametrize("length", [0.0, 30.0])
def test_songs_that_differ_in_a_number_are_no_slices(names: list[str], length: float) -> None:
    paths = [f"rock/{name}" for name in names]
    assert grouped(*paths, lengths=[length] * len(paths)) == ([""] * len(paths), [])


def three(count: int = 4) -> list[str]:
    return [f"rock/song{s}_{n:03d}.wav" for s in (1, 2, 3) for n in range(count)]


def test_numbers_of_one_length_are_slices_where_three_recordings_are_cut_so() -> None:
    shared, doubts = grouped(*three(), lengths=[3.0, 3.0, 3.0, 1.7] * 3)
    assert shared == [f"rock/song{s}" for s in (1, 2, 3) for _ in range(4)]
    assert not doubts
    shared, doubts = grouped(*three()[:8], lengths=[3.0] * 8)
    assert not any(shared)
    assert doubts == [three()[:4], three()[4:8]]


def test_numbers_of_unknown_length_may_be_slices_and_those_of_several_are_none() -> None:
    shared, doubts = grouped(*three())
    assert not any(shared)
    assert doubts == [three()[:4], three()[4:8], three()[8:]]
    assert grouped(*three(), lengths=[3.0, 4.1, 2.9, 3.6] * 3) == ([""] * 12, [])
    gaps = [path for path in three() if not path.endswith("_001.wav")]
    assert grouped(*gaps, lengths=[3.0] * 9) == ([""] * 9, [])


def test_all_of_a_genre_is_not_one_recording_without_being_asked() -> None:
    paths = [f"rock/take_part{n}.wav" for n in range(5)]
    assert grouped(*paths) == ([""] * 5, [paths])
    below = [f"rock/song/take_part{n}.wav" for n in range(5)]
    assert grouped(*below)[0] == ["rock/song/take"] * 5


@pytest.mark.parametrize(
    ("path", "roots"),
    [
        ("blues/song.white_10dB_1.wav", ["blues/song"]),
        ("song.white_-2.5dB_12.flac", ["song"]),
        ("song.my rain_0dB_1.wav", ["song"]),
        ("a.b/song.wav.pink_10dB_1.wav", ["a.b/song.wav", "a.b/song"]),
        ("song.rain.v2_10dB_1.wav", ["song.rain", "song"]),
        ("song.white_10dB_1.003.png", ["song"]),
        ("song_10dB_1.wav", []),
        ("song.white_10dB.wav", []),
        ("white_10dB_1/song.wav", []),
        ("song.wav", []),
    ],
)
def test_a_noisy_copy_names_its_recording(path: str, roots: list[str]) -> None:
    assert copy_of(path) == roots


def test_stems() -> None:
    assert without_suffix("a.b/song") == "a.b/song"
    assert without_suffix("song.000") == "song.000"
    assert list(uncut("a_part1_2")) == ["a_part1_2", "a_part1", "a"]
    assert list(uncut("12")) == ["12"]
