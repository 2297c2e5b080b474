"""Slices and noisy copies, as the names of files tell them."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from mgrkit.tracks.slices import copy_of, is_number, series, uncut, without_suffix


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
        ("song3Part0.wav", "song3Part1.wav"),
        ("oneSongPart0.wav", "oneSongPart1.wav"),
        ("song3 \u2013 Part 0.wav", "song3 \u2013 Part 1.wav"),
        ("song3_part[0].wav", "song3_part[1].wav"),
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
        [f"artist - {n:02d} title.mp3" for n in range(1, 13)],
        [f"beat {tempo}.wav" for tempo in (100, 110, 120, 130)],
        [f"loop_{tempo}bpm.wav" for tempo in (0, 10, 20, 30)],
        ["take five.mp3", "take one.mp3", "take the a train.mp3"],
        ["sonata op. 27 no. 1.mp3", "sonata op. 27 no. 2.mp3", "sonata op. 31 no. 2.mp3"],
        ["prelude 1-1.mp3", "prelude 1-2.mp3", "fugue 2-1.mp3", "fugue 2-2.mp3"],
        ["hits 1970-1979.mp3", "hits 1980-1990.mp3", "hits 1989-1999.mp3"],
        ["hits 70s.mp3", "hits 80s.mp3", "hits 90s.mp3"],
        [f"live_2003060{n}.mp3" for n in range(1, 9)],
        [f"{n:06d}.mp3" for n in range(2, 9)],  # of FMA
        [f"{n}.mp3" for n in range(7391200, 7391209)],  # of MTG-Jamendo
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


FORMS = [
    "_s{k}", "_p{k}", "_t{k}", "[{k}]", "#{k}", "({k})", "_sample{k}", "_take{k}", "Take{k}",
    "_start{k}", "_start{start}", "_t{start}", "_{start}", "_{start}s", "_{start}000ms", "_{k}.0",
    "_{k}.5", "_{half}", "_{start}.0", "@{start}.0s", "-{k:06d}",
]  # fmt: skip
SPANS = [
    "-{start:03d}-{end:03d}", "_{start}_{end}", "_{start}s-{end}s", "_{start}.0_{end}.0",
    "_{start}.0s-{end}.0s", "_{start}000-{end}000ms", "[{start}-{end}]", "_start{start}_end{end}",
    "_from{start}to{end}", "_{start} to {end}", "_part_{start}_{end}",
    "_00.{start:02d}-00.{end:02d}",
]  # fmt: skip


def cut_as(form: str, songs: int, numbers: Iterable[int] = range(4)) -> list[str]:
    """Slices of three seconds of so many songs."""
    return [
        f"rock/song{s}" + form.format(k=k, start=3 * k, end=3 * k + 3, half=k / 2) + ".wav"
        for s in range(songs)
        for k in numbers
    ]


@pytest.mark.parametrize("form", FORMS + SPANS)
def test_slices_are_known_by_whatever_stands_around_their_numbers(form: str) -> None:
    paths, lengths = cut_as(form, 3), [3.0, 3.0, 3.0, 1.7] * 3
    assert grouped(*paths, lengths=lengths) == (
        [f"rock/song{s}" for s in range(3) for _ in range(4)],
        [],
    )
    # of one song alone, or with slices that are missing, they may be
    alone = [*cut_as(form, 1), "rock/x.wav"], [3.0, 3.0, 3.0, 1.7, 9.0]
    gaps = [*cut_as(form, 3, (0, 2)), "rock/x.wav"], [*[3.0] * 6, 9.0]
    for made, lasting in (alone, gaps):
        shared, doubts = grouped(*made, lengths=lasting)
        known = [*filter(None, shared), *(path for one in doubts for path in one)]
        assert len(known) == len(made) - 1 or form == "_{k}.5"


@pytest.mark.parametrize("form", SPANS)
def test_spans_from_the_start_on_are_slices_of_whatever_length(form: str) -> None:
    paths = cut_as(form, 1)
    for lengths in ([0.0] * 5, [3.0, 2.0, 1.0, 2.5, 9.0]):
        shared, doubts = grouped(*paths, "rock/x.wav", lengths=lengths)
        assert (shared, doubts) == (["rock/song0"] * 4 + [""], [])
    later, lengths = cut_as(form, 1, (1, 2)), [3.0, 3.0, 9.0]
    if "part" not in form:
        assert grouped(*later, "rock/x.wav", lengths=lengths) == ([""] * 3, [later])


@pytest.mark.parametrize("form", ["_take{k}", "_sample{k}", "_start{start}", "_s{k}", "_t{start}"])
def test_a_mark_without_a_common_length_makes_them_likely(form: str) -> None:
    paths = cut_as(form, 1)
    for lengths in ([0.0] * 5, [3.0, 2.0, 1.0, 2.5, 9.0]):
        assert grouped(*paths, "rock/x.wav", lengths=lengths) == ([""] * 5, [paths])


def test_slices_in_the_folder_of_their_recording_are_of_it() -> None:
    slices = [f"rock/song{s}/{name}{k}.wav" for s in (1, 2) for name in ("chunk", "part_")
              for k in (0, 1)]  # fmt: skip
    assert grouped(*slices) == (["rock/song1"] * 4 + ["rock/song2"] * 4, [])
    for names in ("rock/chunk{}.wav", "chunk{}.wav", "rock/album/{:02d}.wav", "rock/song/{}.wav"):
        paths = [names.format(k) for k in range(4)]
        assert grouped(*paths, lengths=[3.0] * 4) == ([""] * 4, [])


def test_two_files_of_one_slice_stay_together() -> None:
    paths = ["rock/a_part1.wav", "rock/a_part1.mp3", "rock/a_part2.wav", "rock/b.wav"]
    assert grouped(*paths)[0] == ["rock/a"] * 3 + [""]


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
        ("song.cafe_gain0.3_1.wav", ["song"]),
        ("song.white_gain1e-05_2.003.png", ["song"]),
        ("song_10dB_1.wav", []),
        ("again.gain_1.wav", []),
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
    assert list(uncut("a_0.0-3.0s")) == ["a_0.0-3.0s", "a_0.0-3", "a_0.0", "a_0", "a"]
    assert without_suffix("song.w64") == "song"
    assert without_suffix("song_0.5s") == "song_0.5s"


@pytest.mark.parametrize(
    "stem", ["3", "chunk0", "part_02", "0-3", "0.0_3.0", "s0", "start0", "[0]"]
)
def test_numbers_of_slices_alone(stem: str) -> None:
    assert is_number(stem)
    assert not is_number(f"song_{stem}")
    assert not is_number("song")


def test_a_quick_look_at_a_name_tells_the_same_as_all_readings_of_it() -> None:
    draw = random.Random(0)
    words = "part chunk take s p to end ms of secs a x Part \u2013"
    tokens = [*words.split(), *"-_ ()[]#.34", "07", "0.0"]
    names = ["".join(draw.choices(tokens, k=draw.randrange(1, 7))) for _ in range(5000)]
    found = [any(cut == "x" for cut in uncut(f"x_{name}")) for name in names]
    assert 100 < sum(found) < 4000
    assert list(map(is_number, names)) == found
