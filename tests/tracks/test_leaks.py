"""What is in several parts of a split, counted once by the most specific kind that it is."""

from __future__ import annotations

import pytest

from mgrkit.tracks.leaks import KINDS, RECORDING, checked, counted, find_leaks, leaky_words
from mgrkit.tracks.splits import RANDOM, Labelled, Split, make_split


def found(*tracks: Labelled) -> dict[str, int]:
    leaks = counted(find_leaks(tracks, [track.part for track in tracks]))
    return {kind: count for kind, count in leaks.items() if count}


def track(name: str, part: str, artist: str = "", **more: object) -> Labelled:
    return Labelled(name, "rock", artist, part, **more)  # type: ignore[arg-type]


def test_a_torn_song_does_not_make_its_artist_a_leak_but_another_song_does() -> None:
    song = [track("a", "train", "X", same=("s",)), track("b", "test", "X", same=("s",))]
    assert found(*song) == {"duplicate": 1}
    assert found(*song, track("c", "train", "X")) == {"duplicate": 1}
    assert found(*song, track("c", "valid", "X")) == {"duplicate": 1, "artist": 1}
    assert found(*song[::-1], track("c", "train", "X")) == {"duplicate": 1}


@pytest.mark.parametrize(
    ("more", "kind"),
    [({"copied": "r"}, "copy"), ({"sliced": "r"}, "piece"), ({"same": ("s",)}, "duplicate")],
)  # fmt: skip
def test_what_stays_a_leak_without_the_derived_file_counts(
    more: dict[str, object], kind: str
) -> None:
    one = [track("r", "test", "X", **more), track("d", "train", "X", derived=True, **more)]
    for torn in (one, one[::-1]):
        assert found(*torn) == {kind: 1}
        assert found(*torn, track("o", "test", "X")) == {kind: 1}
        assert found(*torn, track("o", "train", "X")) == {kind: 1, "artist": 1}


def test_an_original_with_a_duplicate_and_a_noisy_copy_stays_where_it_is() -> None:
    torn = [
        track("a", "train", "X", same=("s",), derived=True),
        track("b", "test", "X", same=("s",), copied="b"),
        track("c", "train", "X", copied="b", derived=True),
    ]
    both = {"duplicate": 1, "copy": 1}
    assert found(*torn, track("o", "test", "X")) == both
    assert found(*torn, track("o", "train", "X")) == {**both, "artist": 1}


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"same": ("s",)}, "duplicate"), ({"copied": "r"}, "copy"), ({"sliced": "r"}, "piece"),
        ({"recording": "r"}, "recording"), ({"source": "r"}, "recording"),
        ({"heard": "r"}, "near_duplicate"), ({}, "artist"),
    ],
)  # fmt: skip
def test_each_kind(more: dict[str, object], kind: str) -> None:
    one, other = track("a", "train", "The X", **more), track("b", "test", "THE x", **more)
    assert found(one, other) == {kind: 1}
    assert found(one, track("b", "train", "The X", **more)) == {}
    assert found(one, track("b", "", "The X", **more)) == {}


def test_files_that_were_heard_to_be_one_are_no_slices_of_it() -> None:
    """Two formats of a whole song and a slice of it have its name in common."""
    whole = [track("a", part, heard="r", sliced="a") for part in ("train", "test")]
    piece = track("a", "train", sliced="a", derived=True)
    assert found(*whole, piece) == {"near_duplicate": 1}
    (leak,) = find_leaks(whole, ["train", "test"])
    assert leaky_words([leak]) == "leaky: 1 near duplicate in more than one part"
    parts = tuple(one.part for one in whole)
    assert checked(whole, Split("given", parts, (), "")).notes == ("in more than one part: r",)


def test_unknown_artists_are_no_leak() -> None:
    assert found(track("a", "train"), track("b", "test"), track("c", "valid", "  ")) == {}


def test_a_track_in_no_part_shows_what_others_have_in_common() -> None:
    one, link, other = (
        track("a", "train", same=("s",)),
        track("b", "", same=("s", "t")),
        track("c", "test", same=("t",)),
    )
    (leak,) = find_leaks([one, link, other], ["train", "", "test"])
    assert (leak.kind, leak.tracks) == ("duplicate", (0, 2))


def test_folds_are_parts_too() -> None:
    tracks = [track("a", "", "X"), track("b", "", "X"), track("c", "", "Y")]
    assert counted(find_leaks(tracks, ["0", "3", "3"]))["artist"] == 1
    assert find_leaks(tracks, ["0", "0", "3"]) == []


def test_the_words_of_a_split_say_it_and_those_of_a_random_one_do_not_count_artists() -> None:
    tracks = [
        track("a", "train", "X", recording="r"), track("b", "test", "Y", recording="r"),
        track("c", "train", "Z"), track("d", "test", "Z"),
    ]  # fmt: skip
    leaks = find_leaks(tracks, [one.part for one in tracks])
    both = "leaky: 1 recording, 1 artist in more than one part"
    assert leaky_words(leaks, "published split") == f"published split, {both}"
    assert leaky_words(leaks) == both
    assert leaky_words([], "given split") == "given split"
    assert leaky_words(leaks, RANDOM) == f"{RANDOM}, leaky: 1 recording in more than one part"
    parts = tuple(one.part for one in tracks)
    split = checked(tracks, Split("random", parts, (), RANDOM))
    assert split.notes == ("in more than one part: r",)
    assert sum(leak.kind == RECORDING for leak in leaks) == 1
    assert tuple(counted(leaks)) == KINDS


def test_slices_that_folders_tear_are_dealt_together_and_else_said() -> None:
    slices = [
        Labelled(
            f"{n}", f"g{n % 2}", "", ("train", "test")[n // 2 % 2], sliced=f"song{n // 8}{n % 2}"
        )
        for n in range(64)
    ]
    words = checked(slices, make_split(slices)).words
    assert words == "given split, leaky: 16 sliced recordings in more than one part"
    for how in ("grouped", "random"):
        assert "leaky" not in checked(slices, make_split(slices, how)).words
