"""Splits by published list, by artist, at random, and the audit before them."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from mgrkit.errors import UsageError
from mgrkit.tracks.audit import audit
from mgrkit.tracks.collections.lookup import known
from mgrkit.tracks.leaks import checked
from mgrkit.tracks.linked import linked
from mgrkit.tracks.splits import PARTS, Labelled, Split, group_key, make_split, published_part

GENRES = [
    "blues", "classical", "country", "disco", "hiphop",
    "jazz", "metal", "pop", "reggae", "rock",
]  # fmt: skip


def gtzan() -> list[Labelled]:
    tracks = []
    for genre in GENRES:
        for number in range(100):
            one = known(f"{genre}.{number:05d}.au")
            assert one
            by = "published" if one.part else ""
            tracks.append(Labelled(one.id, genre, one.artist, one.part, by=by))
    return tracks


def simple(genres: int = 3, artists: int = 10, each: int = 2) -> list[Labelled]:
    return [
        Labelled(f"{g}-{a}-{n}", f"genre{g}", f"artist {g}-{a}")
        for g in range(genres)
        for a in range(artists)
        for n in range(each)
    ]


def shares(tracks: list[Labelled], split: Split) -> dict[str, Counter[str]]:
    result: dict[str, Counter[str]] = {}
    for track, part in zip(tracks, split.parts, strict=True):
        result.setdefault(track.genre, Counter())[part] += 1
    return result


def parted(*parts: str) -> list[Labelled]:
    """Tracks of two genres in each of these parts."""
    return [Labelled(f"{n}{g}", g, part=part) for n, part in enumerate(parts) for g in "ab"]


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        (("", "dev", "eval"), "no track is in train"),
        (("train", "train", ""), "no track is in valid or test"),
        (("train", "test", "", "", ""), "6 of 10 tracks are in no part"),
    ],
)
def test_parts_that_are_no_split_are_told(parts: tuple[str, ...], why: str) -> None:
    split = make_split(parted(*parts))
    assert (split.name, split.notes) == ("random", (f"the given split is not taken: {why}",))
    assert make_split(parted(*parts), "random").notes == ()
    assert make_split(parted("", "", "")).notes == ()


def parts_of(split: Split, tracks: list[Labelled], by: str) -> dict[str, set[str]]:
    where: dict[str, set[str]] = {}
    for track, part in zip(tracks, split.parts, strict=True):
        if getattr(track, by):
            where.setdefault(getattr(track, by), set()).add(part)
    return where


def test_published_is_the_default_where_there_is_one() -> None:
    tracks = gtzan()
    split = make_split(tracks)
    assert (split.name, split.words) == ("published", "published split")
    assert split.parts == tuple(track.part for track in tracks)
    assert split.notes == ("left out, in no part of the published split: 70 tracks",)


def test_published_says_which_artists_are_torn() -> None:
    tracks = [
        Labelled("a", "x", "One", "training"),
        Labelled("b", "y", "ONE", "Test"),
        Labelled("c", "x", "Two", "valid"),
        Labelled("d", "y", "", "train"),
        Labelled("e", "y", "", "test"),
    ]
    split = checked(tracks, make_split(tracks))
    assert split.parts == ("train", "test", "valid", "train", "test")
    assert split.words == "given split, leaky: 1 artist in more than one part"
    assert split.notes == ("in more than one part: One",)


def test_published_counts_a_track_that_is_in_two_parts_as_learnt_from() -> None:
    tracks = [
        Labelled("a", "x", "", "test"),
        Labelled("a", "x", "", "train"),
        Labelled("a", "x", "", ""),
        Labelled("b", "y", "", "train"),
    ]
    split = make_split(tracks, "published")
    assert split.parts == ("train", "train", "train", "train")
    assert split.notes == ("a is in train and test: counted as train",)


def test_published_needs_parts_with_names_that_are_known() -> None:
    with pytest.raises(UsageError, match=r"no track has a part .*choose grouped or random"):
        make_split(simple(), "published")
    tracks = [Labelled("a", "x", "", "fold3"), Labelled("b", "y", "", "train")]
    with pytest.raises(UsageError, match="no part 'fold3'"):
        make_split(tracks, "published")
    assert published_part(" Validation ") == "valid"
    assert published_part("") == ""
    assert [published_part(part) for part in ("dev", "Eval")] == ["valid", "test"]


def test_parts_without_anything_to_test_on_are_no_published_split() -> None:
    tracks = [Labelled(t.id, t.genre, t.group, "train") for t in simple()]
    assert make_split(tracks).name == "grouped"


@pytest.mark.parametrize("seed", range(5))
def test_grouped_keeps_artists_together_and_genres_balanced(seed: int) -> None:
    tracks = gtzan()
    split = make_split(tracks, "grouped", seed)
    assert split.words == "grouped split, artists unknown for 81 of 1000 tracks"
    assert all(len(parts) == 1 for parts in parts_of(split, tracks, "group").values())
    for genre, found in shares(tracks, split).items():
        assert abs(found["train"] - 60) <= 10, genre
        assert abs(found["valid"] - 20) <= 10, genre
        assert abs(found["test"] - 20) <= 10, genre
    total = Counter(split.parts)
    assert abs(total["train"] - 600) <= 20
    assert abs(total["test"] - 200) <= 20


def test_spellings_of_one_artist_are_one_group() -> None:
    assert group_key("Earth, Wind & Fire") == group_key("EARTH WIND AND FIRE")
    assert group_key("!!!") != group_key("???")
    assert group_key("Björk") == group_key("BJÖRK") != group_key("坂本龍一")
    assert group_key("Bjo\u0308rk") == group_key("Bj\u00f6rk") == group_key("BJO\u0308RK")
    tracks = [
        Labelled(f"{a}-{spelt}", f"genre{a % 2}", spelt)
        for a in range(20)
        for spelt in (f"The {a} & Co.", f"THE {a} AND CO")
    ]
    split = make_split(tracks, "grouped")
    assert set(split.parts) == set(PARTS)
    assert split.parts[::2] == split.parts[1::2]


@pytest.mark.parametrize("how", ["grouped", "random"])
def test_the_order_of_the_tracks_does_not_count_and_the_seed_does(how: str) -> None:
    tracks = simple(each=3)
    mixed = random.Random(1).sample(tracks, len(tracks))
    plain = dict(zip(tracks, make_split(tracks, how, 3).parts, strict=True))
    assert plain == dict(zip(mixed, make_split(mixed, how, 3).parts, strict=True))
    assert plain != dict(zip(tracks, make_split(tracks, how, 4).parts, strict=True))


def test_random_is_by_track_and_says_so() -> None:
    tracks = simple(artists=10, each=10)
    split = make_split(tracks, "random")
    assert (split.name, split.words) == ("random", "random split, artists not separated")
    for found in shares(tracks, split).values():
        assert found == {"train": 60, "valid": 20, "test": 20}
    assert any(len(parts) > 1 for parts in parts_of(split, tracks, "group").values())


@pytest.mark.parametrize("how", ["grouped", "random"])
def test_tracks_of_one_id_go_to_one_part(how: str) -> None:
    tracks = [Labelled(f"id{n % 10}", f"genre{n % 2}", f"artist{n}") for n in range(60)]
    split = make_split(tracks, how)
    assert all(len(parts) == 1 for parts in parts_of(split, tracks, "id").values())
    assert set(split.parts) == set(PARTS)


@pytest.mark.parametrize("how", ["grouped", "random"])
def test_what_shares_a_recording_goes_to_one_part(how: str) -> None:
    tracks = [
        Labelled(f"{n}", f"genre{n % 2}", recording=f"song{n % 10}" if n < 40 else "")
        for n in range(60)
    ]
    split = make_split(tracks, how)
    assert all(len(parts) == 1 for parts in parts_of(split, tracks, "recording").values())
    assert set(split.parts) == set(PARTS)


def test_slices_of_one_recording_in_two_published_parts_are_learnt_from() -> None:
    tracks = [
        Labelled("a1", "x", "", "test", "a"),
        Labelled("a2", "x", "", "train", "a"),
        Labelled("b", "y", "", "train"),
    ]
    split = make_split(tracks, "published")
    assert split.parts == ("train", "train", "train")
    assert split.notes == ("a1 is in train and test: counted as train",)
    assert [track.unit for track in tracks] == ["a", "a", "b"]


def test_grouped_is_the_default_when_half_of_the_artists_are_known() -> None:
    half = [Labelled(f"{n}", f"genre{n % 2}", f"artist{n}" if n < 5 else "") for n in range(10)]
    assert make_split(half).name == "grouped"
    assert make_split(half[1:]).name == "random"


def test_copies_of_a_track_are_not_counted_as_tracks() -> None:
    tracks = [Labelled(f"{n % 5}", f"genre{n % 5 % 2}") for n in range(20)]
    words = make_split(tracks, "grouped").words
    assert words == "grouped split, artists unknown for 5 of 5 tracks"


@pytest.mark.parametrize("how", ["grouped", "random"])
@pytest.mark.parametrize(
    ("count", "expected"),
    [(1, {"train": 1}), (2, {"train": 1, "test": 1}), (3, {"train": 1, "test": 1, "valid": 1})],
)
def test_few_groups_fill_train_first_then_test(
    how: str, count: int, expected: dict[str, int]
) -> None:
    tracks = [*simple(), *(Labelled(f"f{n}", "few", f"f{n}") for n in range(count))]
    split = make_split(tracks, how)
    assert shares(tracks, split)["few"] == expected
    assert any("few has one" in note for note in split.notes) == (count == 1)


def test_a_genre_that_cannot_be_learnt_is_noted() -> None:
    tracks = [
        Labelled("a", "x", "", "train"),
        Labelled("b", "y", "", "test"),
        Labelled("c", "z", "", ""),
    ]
    assert "not in train, so never predicted: y" in make_split(tracks).notes


def test_tracks_without_a_genre_are_left_out_and_counted() -> None:
    tracks = [Labelled("u", "", "somebody", "fold 9"), *simple()]
    split = make_split(tracks)
    assert split.parts[0] == ""
    assert "" not in split.parts[1:]
    assert split.notes == ("left out, without a genre: 1 tracks",)


@pytest.mark.parametrize(
    ("tracks", "message"),
    [
        ([], "no track"),
        ([Labelled("a", ""), Labelled("b", "")], "none of 2 tracks has a genre.*one folder per"),
        ([Labelled("a", "x"), Labelled("b", "x")], "all tracks are x.*two genres"),
    ],
)
def test_what_cannot_be_split(tracks: list[Labelled], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_split(tracks)


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(UsageError, match=r"no --split 'group'.*did you mean grouped"):
        make_split(simple(), "group")


def test_linked_joins_what_shares_a_mark_by_way_of_others() -> None:
    assert linked([]) == []
    assert linked([["a"], ["b"], ["a", "c"], [], ["c", "b"]]) == [[0, 1, 2, 4], [3]]
    chain = [[n, n + 1] for n in range(20_000)]
    assert linked(chain) == [list(range(20_000))]


def test_audit_drops_duplicates_by_id_and_by_sound() -> None:
    found = audit(
        ["a.wav", "b.wav", "c.wav", "d.wav", "e.wav"],
        ["1", "2", "1", "3", "4"],
        ["x", "x", "x", "y", "y"],
        ["p", "q", "r", "q", ""],
    )
    assert found.keep == (0, 1, 4)
    assert found.notes == (
        "exact duplicates left out: 2 (c.wav = a.wav; d.wav = b.wav)",
        "one recording under two genres: 1 (b.wav x, d.wav y)",
    )


def test_audit_keeps_the_one_that_the_published_split_chose() -> None:
    names, same = ["a", "b", "c"], ["d", "d", "d"]
    assert audit(names, names, ["x"] * 3, same, ["", "train", "test"]).keep == (1,)
    assert audit(names, names, ["x"] * 3, same).keep == (0,)


def test_audit_finds_nothing_in_clean_tracks_and_shortens_long_lists() -> None:
    names = [f"{n}" for n in range(10)]
    assert audit(names, names, ["x"] * 10, [""] * 10) == audit(names, names, ["x"] * 10)
    assert audit(names, names, ["x"] * 10).notes == ()
    (note,) = audit(names, ["same"] * 10, ["x"] * 10).notes
    assert note == "exact duplicates left out: 9 (1 = 0; 2 = 0; 3 = 0, and 6 more)"


def test_artists_of_several_genres_count_for_each_of_them() -> None:
    """They are dealt with the genre that most of theirs is of; what is said of the others is so."""

    def of(artist: str, genre: str, count: int) -> list[Labelled]:
        return [Labelled(f"{artist} {genre} {n}", genre, artist) for n in range(count)]

    rock = [track for n in range(9) for track in of(f"R{n}", "rock", 4)]
    jazz = [track for n in range(3) for track in of(f"R{n}", "jazz", 1)]
    lacks = "jazz has 3 artists, nothing for valid with this --seed"
    with pytest.raises(UsageError, match=lacks):
        make_split(rock + jazz, "grouped", 1, strict=True)
    make_split(rock + jazz, "grouped", 3, strict=True)
    tracks = rock + of("R1", "rap", 2)
    where = set()
    for seed in range(20):
        split = make_split(tracks, "grouped", seed)
        (part,) = {p for p, one in zip(split.parts, tracks, strict=True) if one.genre == "rap"}
        assert f"rap has one artist only: all of it is in {part}" in split.notes
        where.add(part)
    assert len(where) > 1
