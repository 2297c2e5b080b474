"""Files of one recording, and the best of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mgrkit.audio.chromaprint import HOP
from mgrkit.tracks.fingerprints import Fingerprints
from mgrkit.tracks.recordings import Heard, Recordings, best, recordings
from tests.tracks.test_fingerprints import copied, words

FLAC = {"codec": "flac", "lossless": True, "bits": 16, "kbps": 700}


def heard(path: str, **more: Any) -> Heard:
    usual = {
        "seconds": 200.0, "sounding": more.get("seconds", 200.0), "rate": 44_100, "channels": 2,
        "codec": "mp3", "lossless": False, "bits": 32, "kbps": 192, "sound": path,
    }  # fmt: skip
    return Heard(path, **{**usual, **more})


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({**FLAC, "seconds": 180.1, "rate": 22_050}, {"kbps": 320}),
        ({"kbps": 64}, {**FLAC, "seconds": 179.9}),
        ({"kbps": 64, "seconds": 240.0}, {**FLAC, "seconds": 30.0}),
        ({"seconds": 202.0, "kbps": 64}, {"kbps": 320}),
        ({"kbps": 320}, {"seconds": 200.9}),
        ({"kbps": 64}, {"rate": 22_050, "kbps": 320}),
        ({"kbps": 193}, {}),
        ({"kbps": 193}, {"seconds": 260.0, "sounding": 200.0}),
        ({"kbps": 320}, {"codec": "opus", "rate": 48_000, "kbps": 32}),
        ({**FLAC, "rate": 96_000}, {**FLAC, "bits": 32}),
        ({**FLAC, "bits": 32}, FLAC),
        ({**FLAC, "sound": "s"}, {**FLAC, "codec": "pcm_s16le", "kbps": 1411, "sound": "s"}),
        ({**FLAC, "path": "a"}, {**FLAC, "path": "b", "kbps": 400}),  # of an MP3, or softer
        (FLAC, {**FLAC, "channels": 1, "kbps": 400}),
        (FLAC, {**FLAC, "channels": 1, "rate": 96_000, "bits": 32, "seconds": 210.0}),
        ({"kbps": 128}, {"channels": 1, "kbps": 320}),
        ({**FLAC, "channels": 1}, {"kbps": 320}),
        ({"path": "a"}, {"path": "b"}),
    ],
)
def test_the_better_file(better: dict[str, Any], worse: dict[str, Any]) -> None:
    """Whole, then lossless, of more channels, longer by a second, of higher rate, of more bits."""
    one = heard(**{"path": "y", **better})
    other = heard(**{"path": "x", **worse})
    assert best([one, other]) is one
    assert best([other, one]) is one


def found_of(*files: tuple[Heard, np.ndarray]) -> Recordings:
    with Fingerprints() as prints:
        for _, words_of_it in files:
            prints.append(words_of_it)
        return recordings([one for one, _ in files], prints)


def test_groups_have_their_best_first() -> None:
    song, other, alone = words(), words(), words()
    found = found_of(
        (heard("z.mp3"), copied(song)), (heard("b.mp3"), other), (heard("c.mp3"), alone),
        (heard("y.mp3"), copied(song)), (heard("x.flac", **FLAC), song),
        (heard("a.ogg", kbps=96), copied(other)),
    )  # fmt: skip
    assert [[one.heard.path for one in group] for group in found.groups] == [
        ["b.mp3", "a.ogg"], ["x.flac", "y.mp3", "z.mp3"],
    ]  # fmt: skip
    keep = [[one.keep for one in group] for group in found.groups]
    assert keep == [[True, False], [True, False, False]]
    assert found.groups[1][0].similarity == 1
    every = [one for group in found.groups for one in group]
    assert all(0.93 < one.similarity < 1 for one in every if not one.keep)
    assert {one.exact for one in every} == {""}


def test_the_very_same_sound_is_told_even_where_it_is_too_short_for_a_fingerprint() -> None:
    short = words(10)
    found = found_of(
        (heard("b.wav", sound="s"), short), (heard("a.wav", sound="s"), short),
        (heard("c.flac", sound="s", **FLAC), short), (heard("d.wav", sound="t"), short),
    )  # fmt: skip
    (group,) = found.groups
    assert [(one.heard.path, one.exact, one.similarity) for one in group] == [
        ("c.flac", "", 1.0), ("a.wav", "c.flac", 1.0), ("b.wav", "c.flac", 1.0),
    ]  # fmt: skip


def test_exact_copies_of_a_worse_file_name_the_first_of_them() -> None:
    song = words()
    bad = copied(song)
    found = found_of(
        (heard("x.flac", **FLAC), song), (heard("b.mp3", sound="s"), bad),
        (heard("a.mp3", sound="s"), bad),
    )  # fmt: skip
    assert [(one.heard.path, one.exact) for one in found.groups[0]] == [
        ("x.flac", ""), ("a.mp3", ""), ("b.mp3", "a.mp3"),
    ]  # fmt: skip
    assert found.groups[0][1].similarity == found.groups[0][2].similarity < 1


def of(path: str, words_of_it: np.ndarray, **more: Any) -> tuple[Heard, np.ndarray]:
    """A file that is as long as its fingerprint."""
    return heard(path, **{"seconds": len(words_of_it) * HOP, **more}), words_of_it


def paths(found: Recordings) -> list[list[str]]:
    return [[one.heard.path for one in group] for group in found.groups]


def parts(found: Recordings) -> list[tuple[str, str]]:
    return [(part.heard.path, part.whole.path) for part in found.parts]


def test_an_album_joins_none_of_its_songs() -> None:
    """Each has its own group of copies, and both it and they belong to one family."""
    songs = [words(240) for _ in range(3)]
    found = found_of(
        of("album.mp3", copied(np.concatenate(songs), 0.5)), of("0.mp3", copied(songs[0])),
        of("0.flac", songs[0], **FLAC), of("1.mp3", songs[1]), of("2.mp3", songs[2]),
        of("other.mp3", words(240)),
    )  # fmt: skip
    assert paths(found) == [["0.flac", "0.mp3"]]
    assert parts(found) == [(path, "album.mp3") for path in ("0.flac", "1.mp3", "2.mp3")]
    assert all(0.9 < part.similarity < 1 for part in found.parts)
    assert found.families == dict.fromkeys(
        ["album.mp3", "0.mp3", "0.flac", "1.mp3", "2.mp3"], "album.mp3"
    )


def test_a_short_lossless_clip_is_part_of_its_long_lossy_song() -> None:
    song = words(900)
    found = found_of(of("clip.flac", song[300:540], **FLAC), of("song.mp3", song))
    assert paths(found) == []
    assert parts(found) == [("clip.flac", "song.mp3")]
    assert found.families == {"clip.flac": "song.mp3", "song.mp3": "song.mp3"}


def test_clips_of_one_song_are_copies_only_where_they_overlap_in_most() -> None:
    song = words(600)
    assert paths(found_of(of("a", song[:240]), of("b", song[60:300]))) == [["a", "b"]]
    some = found_of(of("a", song[:240]), of("b", song[110:350]))  # 130 of 240
    assert (paths(some), parts(some)) == ([], [])
    assert some.families == {"a": "a", "b": "a"}  # a split keeps them together
    none = found_of(of("a", song[:240]), of("b", song[240:480]))
    assert (paths(none), parts(none), none.families) == ([], [], {})


def test_each_file_of_a_group_is_the_same_as_the_one_to_keep() -> None:
    """Each of a row of clips overlaps in most with the next, but the last not with the first."""
    song = words(600)
    clips = [of(f"{n}.wav", song[60 * n : 60 * n + 300], **FLAC) for n in range(4)]
    found = found_of(*clips)
    assert paths(found) == [["0.wav", "1.wav"], ["2.wav", "3.wav"]]
    assert found.parts == []
    assert found.families == {f"{n}.wav": "0.wav" for n in range(4)}
    longer = found_of(*clips, of("song.mp3", song))
    assert paths(longer) == paths(found)
    assert parts(longer) == [("0.wav", "song.mp3"), ("2.wav", "song.mp3")]


def test_files_that_a_third_joins_are_measured_against_the_best() -> None:
    """The first two are each a pair with the third, which others joined before."""
    song = words(300)
    found = found_of(
        of("a.mp3", copied(song), kbps=320), of("b.mp3", song), of("c.mp3", copied(song))
    )
    (group,) = found.groups
    assert [one.heard.path for one in group] == ["a.mp3", "b.mp3", "c.mp3"]
    assert group[0].similarity == 1
    assert all(0.85 < one.similarity < 1 for one in group[1:])


def test_a_part_of_two_is_told_of_both() -> None:
    clip, song = words(100), words(300)
    song[50:150] = clip
    found = found_of(of("clip", clip), of("song", song), of("mix", np.r_[words(200), song]))
    assert parts(found) == [("clip", "mix"), ("song", "mix"), ("clip", "song")]
    part = found.parts[0].as_json()
    assert part == {
        "path": "clip", "part_of": "mix", "seconds": 100 * HOP, "seconds_of_whole": 500 * HOP,
        "similarity": 1.0, "compared": 100 * HOP,
    }  # fmt: skip


def test_nothing() -> None:
    assert found_of() == Recordings([], [], {})
    assert found_of((heard("a"), words())) == Recordings([], [], {})
