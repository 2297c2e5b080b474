"""What the folders of a collection tell: genres, parts of a split, artists."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from mgrkit.audio.tags import artist as tags
from mgrkit.audio.tags import genre
from mgrkit.tracks.layout import Layout


def found(*paths: str) -> list[tuple[str, str]]:
    """Genre and part of each."""
    layout = Layout.of(paths)
    return [(layout.label(path), layout.split(path)) for path in paths]


@pytest.mark.parametrize(
    ("path", "genre"),
    [
        ("blues/x.wav", "blues"),
        ("polka/x.wav", "polka"),
        ("blues/deep/x.wav", "blues"),
        ("jazz.00054.au", "jazz"),
        ("blues00000.png", "blues"),
        ("blues.00000.4.wav", "blues"),
        ("song.mp3", ""),
        ("01.mp3", ""),
    ],
)
def test_a_file_alone_is_labelled_by_its_folder_or_its_name(path: str, genre: str) -> None:
    assert found(path) == [(genre, "")]


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        (("train", "valid", "test"), ("train", "valid", "test")),
        (("Training", "Validation", "Testing"), ("train", "valid", "test")),
        (("train", "dev", "eval"), ("train", "valid", "test")),
        (("train", "val", "test"), ("train", "valid", "test")),
        (("training_set", "dev", "eval"), ("train", "valid", "test")),
        (("01_train", "02_valid", "03_test"), ("train", "valid", "test")),
        (("1. Train", "2-val_set", "3 Test"), ("train", "valid", "test")),
        (("Train Set", "validate", "evaluation-set"), ("train", "valid", "test")),
        (("tr", "development", "testset"), ("train", "valid", "test")),
        (("train", "test"), ("train", "test")),
        (("train",), ("train",)),
    ],
)
@pytest.mark.parametrize("above", ["", "data/", "Data/gtzan/"])
@pytest.mark.parametrize("below", ["", "songs/"])
def test_folders_called_like_parts_are_the_split(
    names: tuple[str, ...], parts: tuple[str, ...], above: str, below: str
) -> None:
    genres = ("blues", "polka")
    paths = [f"{above}{name}/{below}{g}/{name}.wav" for name in names for g in genres]
    assert found(*paths) == [(genre, part) for part in parts for genre in genres]
    assert Layout.of(paths).part_notes == (f"the split is that of the folders {', '.join(names)}",)


def test_parts_below_each_genre_are_the_split_and_no_artists() -> None:
    paths = [f"{g}/{p}/x.wav" for g in ("blues", "polka") for p in ("train", "test")]
    assert found(*paths) == [(g, p) for g in ("blues", "polka") for p in ("train", "test")]
    assert Layout.of(paths).artist(paths[0]) == ""
    assert Layout.of(["blues/train/Ann/x.wav", "jazz/test/Bob/y.wav"]).artist(
        "blues/train/Ann/x.wav"
    ) == "Ann"  # fmt: skip


def test_a_band_called_train_is_no_part() -> None:
    paths = ["Train/x.wav", "Blur/x.wav", "Pulp/x.wav"]
    assert found(*paths) == [("Train", ""), ("Blur", ""), ("Pulp", "")]
    paths = ["pop/Train/x.wav", "pop/Blur/x.wav", "rock/Pulp/x.wav"]
    assert found(*paths) == [("pop", ""), ("pop", ""), ("rock", "")]


def test_what_lies_beside_parts_has_the_genre_of_its_folder_and_no_part() -> None:
    paths = ["train/blues/a.wav", "test/jazz/b.wav", "extra/jazz/c.wav"]
    assert found(*paths) == [("blues", "train"), ("jazz", "test"), ("jazz", "")]


@pytest.mark.parametrize("form", ["{}/{}/x.wav", "{1}/{0}/x.wav", "data/{}/{}/x.wav"])
def test_a_folder_beside_parts_is_named(form: str) -> None:
    def of(*names: str) -> Layout:
        return Layout.of([form.format(name, g) for name in names for g in ("blues", "polka")])

    (note,) = of("train", "test", "holdout").part_notes
    assert "of the folders train, test; no part of it: holdout (parts are called train," in note
    assert "training" in note
    assert of("train", "test", "holdout").split(form.format("holdout", "polka")) == ""
    (note,) = of("learn", "valid", "test").part_notes
    assert "of the folders valid, test; no part of it: learn (parts" in note
    one = of("train", "holdout")
    assert {one.label(form.format("holdout", g)) for g in ("blues", "polka")} == {"blues", "polka"}
    assert one.part_notes == ()
    assert any(
        "no split is seen in the folders train and holdout: parts are called" in note
        for note in one.genre_notes
    )
    assert of("Train", "Blur", "Pulp").part is None
    assert not any("split" in note for note in of("Train", "Blur", "Pulp").genre_notes)
    bands = of("Train", "Dev", "Blur", "Pulp", "Oasis")
    assert bands.part is None


def test_folders_that_hold_all_genres_each_are_no_genres() -> None:
    paths = [f"{fold}/{g}/x.wav" for fold in ("fold1", "fold2") for g in ("blues", "polka")]
    assert found(*paths) == [("blues", ""), ("polka", "")] * 2
    assert Layout.of(paths).genre_notes == ("the genres are the folders in each of fold1, fold2",)
    # nor are genres whose songs lie in folds, or which do not hold all of them
    paths = [f"{g}/{fold}/x.wav" for fold in ("fold1", "fold2") for g in ("blues", "polka")]
    assert found(*paths) == [("blues", ""), ("polka", "")] * 2
    paths = ["Ann/jazz/a.wav", "Bob/jazz/b.wav", "Bob/blues/c.wav"]
    assert [genre for genre, _ in found(*paths)] == ["Ann", "Bob", "Bob"]
    paths = ["Ann/jazz/a.wav", "Bob/jazz/b.wav", "Bob/c.wav"]
    assert [genre for genre, _ in found(*paths)] == ["Ann", "Bob", "Bob"]


@pytest.mark.parametrize(
    "above", ["genres_original", "Data/genres_original", "/kaggle/input/gtzan", "C:/music"]
)
def test_one_folder_above_the_genres_is_passed_through(above: str) -> None:
    paths = [f"{above}/polka/a.wav", f"{above}/waltz/b.wav"]
    assert found(*paths, "stray.wav") == [("polka", ""), ("waltz", ""), ("", "")]
    assert Layout.of(paths).genre_notes == (f"the genres are the folders in {above}",)
    assert found(f"{above}/jazz/a.wav", f"{above}/jazz/live/b.wav") == [("jazz", "")] * 2


def test_a_genre_alone_is_no_folder_above_the_genres() -> None:
    assert found("Hip-Hop/Ann/a.wav", "Hip-Hop/Bob/b.wav") == [("Hip-Hop", "")] * 2
    assert found("polka/a.wav", "polka/Ann/b.wav", "polka/Bob/c.wav") == [("polka", "")] * 3


def test_numbers_are_no_genres() -> None:
    paths = ["fma_small/000/000002.mp3", "fma_small/001/001002.mp3", "fma_small/001/x.mp3"]
    assert found(*paths) == [("", "")] * 3
    assert any("folders of numbers (000, 001) are no genres" in n
               for n in Layout.of(paths).genre_notes)  # fmt: skip
    assert found("000/000002.mp3") == [("", "")]
    assert found("1/blues.00000.au", "2/jazz.00000.au") == [("blues", ""), ("jazz", "")]
    assert found("2step/a.wav", "80s/b.wav") == [("2step", ""), ("80s", "")]


def test_names_tell_the_genre_where_folders_plainly_do_not() -> None:
    paths = [f"fold{n}/{g}.0000{n}.wav" for n in (1, 2) for g in ("blues", "jazz")]
    assert [genre for genre, _ in found(*paths)] == ["blues", "jazz"] * 2
    assert found("clips/blues.00001.wav", "clips/jazz.00002.wav") == [("blues", ""), ("jazz", "")]
    # who has put a clip into another genre's folder has meant it
    assert found("rock/jazz.00054.wav", "rock/rock.00001.wav", "jazz/jazz.00001.wav") == [
        ("rock", ""), ("rock", ""), ("jazz", ""),
    ]  # fmt: skip


def test_one_genre_in_two_unicode_forms_is_one() -> None:
    assert found("caf\u00e9/a.wav", "cafe\u0301/b.wav") == [("caf\u00e9", "")] * 2


@pytest.mark.parametrize("form", ["{} - {}", "{}-{}-2001", "{}_-_{}", "{1} ({0})", "{1}"])
def test_albums_of_artists_side_by_side_are_artists(
    monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """Also where each artist has several of them."""
    artists, genres = {}, {}
    for number, artist in enumerate(("Ann-Lee", "Bob Dy", "Cyd", "Don")):
        for album in ("First", "Second"):
            for song in range(3):
                path = f"{form.format(artist, f'{album} {number}')}/{song}.mp3"
                artists[path], genres[path] = artist, ["Folk" if number % 2 else "Pop"]
    assert "hold one artist each" in heard(monkeypatch, artists)
    assert refused(monkeypatch, artists, genres).endswith(": Ann-Lee")
    own = {path: [artists[path]] for path in artists}
    assert bool(refused(monkeypatch, artists, own)) == form.startswith("{}")
    moods = {path: f"{path.partition('/')[0]}, {artists[path]}" for path in artists}
    assert not refused(monkeypatch, dict.fromkeys(artists, "Ann-Lee"), genres)
    assert not refused(monkeypatch, {p: f"{who} {p[-5]}" for p, who in moods.items()}, genres)


def test_folders_are_looked_at_and_files_are_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tags, "artist_tag", lambda _: pytest.fail("opened"))
    Layout.of(["a/b.wav", "c/d.wav"])


def heard(monkeypatch: pytest.MonkeyPatch, artists: Mapping[str, str]) -> str:
    """The note on a collection of these files and their artists."""
    monkeypatch.setattr(tags, "artist_tag", lambda path: artists[Path(path).as_posix()])
    return Layout.of(artists).first_hold_artists(Path())


def test_first_folders_of_one_artist_each_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    albums = {
        f"{name}/{album}/{n}.mp3": name
        for name in ("Ann", "Bob", "Cyd") for album in ("x", "y") for n in range(9)
    }  # fmt: skip
    assert "hold one artist each, as tags say (Ann: Ann)" in heard(monkeypatch, albums)
    single = {f"{name}/1.mp3": name.upper() for name in ("Ann", "Bob", "Cyd")}
    assert heard(monkeypatch, single)
    assert not heard(monkeypatch, dict.fromkeys(albums, ""))
    assert not heard(monkeypatch, dict.fromkeys(albums, "Everybody"))


def test_genres_of_several_artists_are_not_said(monkeypatch: pytest.MonkeyPatch) -> None:
    by_folder = {
        f"{genre}/{artist}/{n}.mp3": f"{genre} {artist}"
        for genre in ("polka", "waltz", "march") for artist in "abcdefgh" for n in range(9)
    }  # fmt: skip
    assert not heard(monkeypatch, by_folder)
    by_name = {path.replace("/", " - ").replace(" - ", "/", 1): who
               for path, who in by_folder.items()}  # fmt: skip
    assert not heard(monkeypatch, by_name)
    named = {f"{genre}/{n}.mp3": genre.upper() for genre in ("jazz", "rock") for n in range(9)}
    assert not heard(monkeypatch, named), "a folder called as genres are holds one"


def refused(
    monkeypatch: pytest.MonkeyPatch,
    artists: Mapping[str, str],
    genres: Mapping[str, list[str]] | None = None,
) -> str:
    """The artist that folders are refused for, where files have these artists and genres."""
    monkeypatch.setattr(tags, "artist_tag", lambda path: artists[Path(path).as_posix()])
    monkeypatch.setattr(
        genre, "genre_tags", lambda path: (genres or {}).get(Path(path).as_posix(), [])
    )
    return Layout.of(artists).first_are_artists(Path())


def test_folders_called_as_their_artists_are_artists(monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [f"{name}/x/{n}.mp3" for name in ("Ann", "Bob", "Cyd") for n in range(4)]
    called = {path: path.partition("/")[0].upper() for path in paths}
    assert refused(monkeypatch, called) == "Ann: ANN"
    guests = {path: f"{who} feat. Zoe" if "/3." in path else who for path, who in called.items()}
    assert refused(monkeypatch, guests) == "Ann: ANN"
    assert not refused(monkeypatch, dict.fromkeys(paths, ""))
    assert not refused(monkeypatch, {path: f"The {who}s" for path, who in called.items()})
    usual = [path.replace("Ann", "jazz").replace("Bob", "rock") for path in paths]
    bands = {path: path.partition("/")[0].title() for path in usual}
    assert not refused(monkeypatch, bands), "bands may be called Jazz and Rock"


def test_folders_of_one_artist_each_that_share_genres_are_artists(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paths = [f"{name}/x/{n}.mp3" for name in ("A, The", "B, The", "C, The") for n in range(4)]
    artists = {path: f"The {path[0]}" for path in paths}
    shared = {path: ["Folk" if path[0] == "A" else "Pop"] for path in paths}
    assert refused(monkeypatch, artists, shared) == "A, The: The A"
    single = {path: [f"Sub {path[0]}"] for path in paths}
    assert not refused(monkeypatch, artists, single), "each folder may be a genre of its own"
    named = {path: [path.partition("/")[0], "Pop"] for path in paths}
    assert not refused(monkeypatch, artists, named), "tags name the folders as genres"
    several = {path: f"{n}" for n, path in enumerate(paths)}
    assert not refused(monkeypatch, several, shared), "genres of several artists"
