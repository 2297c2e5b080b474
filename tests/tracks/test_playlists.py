"""Playlists by genre: what they hold, how they are called, and whose they are."""

from __future__ import annotations

import os
import shutil
import unicodedata
from pathlib import Path

import pytest

from mgrkit.errors import RunError, UsageError
from mgrkit.tracks.playlists import Playlists
from tests.audio.made_tags import MPEG, id3v2, text_frame

GENRES = ["rock", "jazz"]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("music").mkdir()


def song(name: str, **tags: str) -> str:
    """An MP3 with these tags, and its path."""
    frames = [text_frame({"title": "TIT2", "artist": "TPE1"}[key], tags[key]) for key in tags]
    path = Path("music", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(id3v2(*frames) + MPEG)
    return str(path)


def write(
    *songs: tuple[str, str, float] | tuple[str, str, float, bool],
    folder: str = "lists",
    genres: list[str] = GENRES,
    absolute: bool = False,
) -> Playlists:
    lists = Playlists(Path(folder), absolute)
    lists.check(genres)
    for path, genre, probability, *unsure in songs:
        lists.add(path, genre, probability, 61.5, unsure=bool(unsure))
    lists.write()
    return lists


def lines(path: str) -> list[str]:
    """A list without its line of mgrkit's."""
    head, mark, *rest = Path(path).read_text(encoding="utf-8").split("\n")
    assert head == "#EXTM3U"
    assert mark.startswith("# made by mgrkit predict --playlists; ")
    assert rest.pop() == ""
    return rest


def names(folder: str = "lists") -> list[str]:
    return sorted(os.listdir(folder))


def test_a_list_has_the_likeliest_songs_first_by_tags_or_name() -> None:
    plain, known = song("plain.mp3"), song("b/known.mp3", artist="Änne\nOh", title="Tief, (1)")
    alone = song("alone.mp3", title="Alone")
    write((plain, "rock", 0.5), (known, "rock", 0.9), (alone, "jazz", 0.7), (plain, "rock", 0.3, 1))
    assert names() == ["jazz.m3u8", "rock.m3u8", "unsure.m3u8"]
    assert lines("lists/rock.m3u8") == [
        "#PLAYLIST:rock",
        "#EXTINF:62,Änne Oh - Tief, (1)", "../music/b/known.mp3",
        "#EXTINF:62,plain", "../music/plain.mp3",
    ]  # fmt: skip
    assert lines("lists/jazz.m3u8")[1:] == ["#EXTINF:62,Alone", "../music/alone.mp3"]
    assert lines("lists/unsure.m3u8")[::2] == ["#PLAYLIST:unsure", "../music/plain.mp3"]


def test_the_same_bytes_in_whatever_order_songs_come() -> None:
    songs = [(song(f"{n}.mp3"), "rock", 0.5) for n in range(5)]
    write(*songs)
    first = Path("lists/rock.m3u8").read_bytes()
    write(*reversed(songs))
    assert Path("lists/rock.m3u8").read_bytes() == first


def test_paths_lead_to_the_songs_from_behind_links_too() -> None:
    Path("far/away").mkdir(parents=True)
    Path("lists").symlink_to("far/away")
    Path("songs").symlink_to("music")
    song("a.mp3")
    write(("songs/a.mp3", "rock", 1))
    assert lines("lists/rock.m3u8")[-1] == "../../music/a.mp3"
    assert (Path("lists") / "../../music/a.mp3").is_file()
    write(("songs/a.mp3", "rock", 1), absolute=True)
    assert lines("lists/rock.m3u8")[-1] == os.path.realpath("music/a.mp3")


def test_a_list_may_lie_among_its_songs() -> None:
    write((song("#1 hit.mp3"), "rock", 1), (song(" a.mp3"), "jazz", 1), folder="music")
    assert lines("music/rock.m3u8")[-1] == "./#1 hit.mp3"
    assert lines("music/jazz.m3u8")[-1] == "./ a.mp3"


@pytest.mark.parametrize(
    "name", ["C:x.mp3", "Mozart: Requiem.mp3", "http:..mp3", "disc:1/a.mp3", "\\\\host\\a.mp3"]
)
def test_a_path_that_looks_like_a_drive_or_a_url_is_none(name: str) -> None:
    write((song(name), "rock", 1), folder="music")
    assert lines("music/rock.m3u8")[-1] == f"./{name}"


def test_an_object_keeps_its_url() -> None:
    write(("s3://bucket/a b.mp3", "rock", 1))
    assert lines("lists/rock.m3u8")[1:] == ["#EXTINF:62,a b", "s3://bucket/a b.mp3"]


@pytest.mark.parametrize(
    "name", ["a\nb.mp3", "a\rb.mp3", "tab\t.mp3", "\x1b[31m.mp3", "a\u2028b.mp3", "a\x85.mp3",
             "end ", os.fsdecode(b"\xff.mp3"), "folder\n/a.mp3"],
)  # fmt: skip
def test_a_name_that_no_list_can_hold_is_left_out_and_told(name: str) -> None:
    bad = song(name)
    lists = write((song("good.mp3"), "rock", 0.5), (bad, "rock", 0.9), (bad, "jazz", 0.9))
    assert lists.left_out == [bad, bad]
    assert lines("lists/rock.m3u8")[1:] == ["#EXTINF:62,good", "../music/good.mp3"]
    assert names() == ["rock.m3u8"]


def test_genres_that_are_no_file_names() -> None:
    genres = ["Hip-Hop/Rap", "hip-hop:rap", "..", "a\nb", "x" * 300, "ü" * 150, "Unsure", "\ud800"]
    write(*[(song("a.mp3"), genre, 1) for genre in genres], genres=genres)
    assert names() == sorted([
        "Hip-Hop-Rap.m3u8", "hip-hop-rap (2).m3u8", "-.m3u8", "a-b.m3u8", f"{'x' * 200}.m3u8",
        f"{'ü' * 100}.m3u8", "Unsure (2).m3u8", "- (2).m3u8",
    ])  # fmt: skip
    assert lines("lists/Hip-Hop-Rap.m3u8")[0] == "#PLAYLIST:Hip-Hop/Rap"
    assert lines("lists/a-b.m3u8")[0] == "#PLAYLIST:a b"


def test_genres_that_differ_by_case_have_lists_on_any_file_system() -> None:
    genres = ["Rock", "rock", "CAFÉ", "café", "cafe\u0301"]
    write(*[(song("a.mp3"), genre, 1) for genre in genres], genres=genres)
    assert len({unicodedata.normalize("NFC", name).casefold() for name in names()}) == 5


def test_a_list_of_another_case_goes_before_the_new_one_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As where Rock.m3u8 and rock.m3u8 are one file: to delete one last would delete both."""
    write((song("a.mp3"), "Rock", 1), genres=["Rock"])
    there: list[list[str]] = []
    real = os.replace

    def replace(old: Path, new: Path) -> None:
        there.append([name for name in names() if not name.startswith(".")])
        real(old, new)

    monkeypatch.setattr(os, "replace", replace)
    write((song("a.mp3"), "rock", 1), genres=["rock"])
    assert (there, names()) == ([[]], ["rock.m3u8"])


def test_the_next_call_makes_all_anew_and_deletes_what_is_empty() -> None:
    a = song("a.mp3")
    write((a, "rock", 1), (a, "jazz", 1))
    write((a, "jazz", 1))
    assert names() == ["jazz.m3u8"]
    write((a, "polka", 1), genres=["polka"])
    assert names() == ["polka.m3u8"]


@pytest.mark.parametrize("whose", ["hand", "edited", "empty", "folder", "link", "nowhere"])
def test_what_is_somebodys_own_is_refused_before_and_left_alone(whose: str) -> None:
    write((song("a.mp3"), "rock", 1))
    path = Path("lists/jazz.m3u8")
    made = Path("lists/rock.m3u8").read_bytes()
    if whose == "hand":
        path.write_text("#EXTM3U\n../music/a.mp3\n")
    elif whose == "edited":
        path.write_bytes(made + b"../music/mine.mp3\n")
    elif whose == "empty":
        path.touch()
    elif whose == "folder":
        path.mkdir()
    else:
        path.symlink_to("rock.m3u8" if whose == "link" else "nowhere")
    held = path.read_bytes() if path.is_file() else None
    with pytest.raises(UsageError, match=r"lists/jazz\.m3u8 was not made by mgrkit") as caught:
        Playlists(Path("lists")).check(GENRES)
    assert caught.value.hint == "move it away, or give another --playlists DIR"
    assert os.path.lexists(path)
    assert (path.read_bytes() if path.is_file() else None) == held


def test_a_list_of_other_genres_that_is_somebodys_own_stays() -> None:
    Path("lists").mkdir()
    Path("lists/party.m3u8").write_text("#EXTM3U\n")
    write((song("a.mp3"), "rock", 1))
    assert names() == ["party.m3u8", "rock.m3u8"]


def test_a_list_that_is_changed_during_the_work_is_not_lost() -> None:
    a = song("a.mp3")
    write((a, "rock", 1), (a, "jazz", 1))
    lists = Playlists(Path("lists"))
    lists.check(GENRES)
    lists.add(a, "rock", 0.4, 1, unsure=False)
    before = Path("lists/rock.m3u8").read_bytes()
    Path("lists/jazz.m3u8").write_text("mine")
    with pytest.raises(UsageError, match=r"jazz\.m3u8 was not made by mgrkit"):
        lists.write()
    assert Path("lists/rock.m3u8").read_bytes() == before


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("file", "file is no folder on this machine"),
        ("s3://bucket/lists", "s3:/bucket/lists is no folder on this machine"),
        ("no/lists", "there is no folder no"),
    ],
)
def test_where_no_list_can_be(folder: str, expected: str) -> None:
    Path("file").touch()
    with pytest.raises(UsageError, match=expected):
        Playlists(Path(folder)).check(GENRES)


def test_a_folder_that_cannot_be_written_is_known_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    with pytest.raises(RunError, match="cannot write to lists"):
        Playlists(Path("lists")).check(GENRES)
    assert not Path("lists").exists()


def test_a_full_disk_leaves_whole_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    write((song("a.mp3"), "rock", 1))
    before = Path("lists/rock.m3u8").read_bytes()

    def full(path: Path, data: bytes) -> None:
        path.touch()
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(RunError, match=r"cannot write lists/rock\.m3u8: No space"):
        write((str(Path("music/a.mp3")), "rock", 0.5))
    assert Path("lists/rock.m3u8").read_bytes() == before
    assert names() == ["rock.m3u8"]


def test_a_copy_under_a_name_of_ones_own_stays() -> None:
    write(("a.mp3", "rock", 0.9))
    shutil.copy("lists/rock.m3u8", "lists/party.m3u8")
    write(("a.mp3", "jazz", 0.9))
    assert names() == ["jazz.m3u8", "party.m3u8"]
