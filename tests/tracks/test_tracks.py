"""Finding, naming and the lineage of tracks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mgrkit.errors import UsageError
from mgrkit.tracks.find import Finder, Search
from mgrkit.tracks.lineage import Lineage, columns
from mgrkit.tracks.names import prefixes
from mgrkit.tracks.schema import COLUMNS


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def found(*roots: Path, **options) -> dict[str, str]:
    return {track.path: track.prefix for track in Finder(list(roots), **options)}


def test_sound_files_are_found_and_the_rest_is_counted(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "b/c.MP3", "b/notes.txt", "b/cover.jpg", "tracks.csv", "README")
    touch(tmp_path, ".hidden.wav", "b/._c.mp3", ".git/x.wav", ".mgrkit/x.wav")
    finder = Finder([tmp_path])
    assert [track.path for track in finder] == ["a.wav", "b/c.MP3"]
    assert finder.ignored == {".txt": 1, ".jpg": 1, "without suffix": 1, "hidden": 3}
    assert finder.count() == 2


def test_links_are_followed_once(tmp_path: Path) -> None:
    touch(tmp_path / "in", "d/a.wav")
    touch(tmp_path / "other", "b.wav")
    os.symlink("..", tmp_path / "in" / "d" / "loop")
    os.symlink(tmp_path / "other", tmp_path / "in" / "linked")
    os.symlink(tmp_path / "other", tmp_path / "in" / "linked-again")
    os.symlink("self.wav", tmp_path / "in" / "self.wav")
    assert list(found(tmp_path / "in")) == ["self.wav", "d/a.wav", "linked/b.wav"]


def test_a_link_to_a_folder_above_is_not_entered(tmp_path: Path) -> None:
    touch(tmp_path, "beside.wav", "in/a.wav", "in/deep/b.wav")
    os.symlink("..", tmp_path / "in" / "loop")
    os.symlink(tmp_path, tmp_path / "in" / "deep" / "loop")
    os.symlink(tmp_path / "in" / "deep", tmp_path / "in" / "deep" / "itself")
    finder = Finder([tmp_path / "in"])
    assert [track.path for track in finder] == ["a.wav", "deep/b.wav"]
    assert finder.ignored == {"link to a folder above": 3}


def test_nor_is_one_above_the_root_by_way_of_another_link(tmp_path: Path) -> None:
    touch(tmp_path, "here/beside.wav", "there/beside.wav", "there/in/a.wav", "other/b.wav")
    os.symlink(tmp_path / "there" / "in", tmp_path / "here" / "named")
    os.symlink(tmp_path / "other", tmp_path / "there" / "in" / "linked")
    os.symlink(tmp_path / "here", tmp_path / "there" / "in" / "above-the-name")
    os.symlink(tmp_path / "there", tmp_path / "other" / "above-the-folder")
    os.symlink(tmp_path, tmp_path / "other" / "above-both")
    finder = Finder([tmp_path / "here" / "named"])
    assert [track.path for track in finder] == ["a.wav", "linked/b.wav"]
    assert finder.ignored == {"link to a folder above": 3}


def test_what_is_passed_over_is_named_when_asked(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "b/notes.txt", ".hidden.wav", "b/song.xyz", "b/README")
    os.symlink("..", tmp_path / "b" / "loop")
    finder = Finder([tmp_path], search=Search.of(["XYZ"], lists_ignored=True))
    assert [track.path for track in finder] == ["a.wav", "b/song.xyz"]
    assert sorted(finder.ignored_files) == [
        (tmp_path, ".hidden.wav", "hidden"),
        (tmp_path, "b/README", "without suffix"),
        (tmp_path, "b/loop", "link to a folder above"),
        (tmp_path, "b/notes.txt", ".txt"),
    ]
    unasked = Finder([tmp_path])
    assert list(unasked)
    assert unasked.ignored_files == []


@pytest.mark.parametrize("suffix", ["", ".", "a/b", "*.wav", ".tar.gz", "..wav"])
def test_what_is_no_suffix_is_refused(suffix: str) -> None:
    with pytest.raises(UsageError, match="no suffix"):
        Search.of([suffix])


def test_all_usual_suffixes_of_sound_are_candidates(tmp_path: Path) -> None:
    names = ["caf", "w64", "rf64", "wave", "mka", "m4b", "3gp", "mp2", "spx", "oga", "aifc"]
    names += ["wv", "ape", "mpc", "tta", "ac3", "dsf", "dff", "m4v", "avi", "ogx"]
    touch(tmp_path, *(f"a.{name}" for name in names))
    assert len(list(Finder([tmp_path]))) == len(names)


def test_out_inside_the_source_is_left_out(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "out/a.wav")
    assert list(found(tmp_path, out=tmp_path / "out")) == ["a.wav"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_folder_is_a_problem_not_a_silence(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "shut/b.wav")
    (tmp_path / "shut").chmod(0)
    tracks = list(Finder([tmp_path]))
    (tmp_path / "shut").chmod(0o755)
    assert [t.problem and t.problem.reason for t in tracks] == [None, "unreadable"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a.wav", "b.wav"], ["a", "b"]),
        (["x.m4a", "x.opus", "y.wav"], ["x.m4a", "x.opus", "y"]),
        (["x.m4a", "X.opus"], ["x.m4a", "X.opus"]),
        (["caf\u00e9.wav", "cafe\u0301.ogg"], ["caf\u00e9.wav", "cafe\u0301.ogg"]),
        (["a.wav", "a.000.wav"], ["a", "a.000.wav"]),
        (["blues.00000.au", "blues.00001.au"], ["blues.00000", "blues.00001"]),
    ],
)
def test_stems_that_occur_once_are_enough(names, expected) -> None:
    assert prefixes(names) == expected


def test_names_that_still_coincide_fail_naming_the_other(tmp_path: Path) -> None:
    first, second = tmp_path / "audio", tmp_path / "noisy"
    touch(first, "g/a.wav", "g/X.wav", "g/x.wav")
    touch(second, "g/a.wav", "g/b.wav")
    problems = {
        (track.root.name, track.path): track.problem.message
        for track in Finder([first, second], outputs=True)
        if track.problem
    }
    assert problems == {
        ("noisy", "g/a.wav"): "its outputs would have the names of those of audio/g/a.wav",
        ("audio", "g/x.wav"): "its outputs would have the names of those of audio/g/X.wav",
    }


def test_without_outputs_names_that_differ_in_letter_case_are_two_files(tmp_path: Path) -> None:
    touch(tmp_path / "here", "CASE.mp3", "case.mp3")
    touch(tmp_path / "there", "case.mp3")
    assert [track.problem for track in Finder([tmp_path / "here"])] == [None, None]
    both = Finder([tmp_path / "here", tmp_path / "there"])
    problems = [(track.root.name, track.path) for track in both if track.problem]
    assert problems == [("there", "case.mp3")], "one path twice in a table"


def test_roots_share_one_tree(tmp_path: Path) -> None:
    touch(tmp_path / "audio", "g/a.wav")
    touch(tmp_path / "noisy", "g/a.white_10dB_1.wav", "h/b.wav")
    assert found(tmp_path / "audio", tmp_path / "noisy") == {
        "g/a.wav": "g/a",
        "g/a.white_10dB_1.wav": "g/a.white_10dB_1",
        "h/b.wav": "h/b",
    }


def test_listed_files_are_taken_whatever_their_suffix(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "b.bin", ".hidden")
    assert found(tmp_path, files=["b.bin", ".hidden", "b.bin"]) == {
        "b.bin": "b",
        ".hidden": ".hidden",
    }


def test_a_table_hands_on_lineage_and_extras(tmp_path: Path) -> None:
    (tmp_path / "tracks.csv").write_text(
        "path,genre,group,parent,status,mood\n"
        "a.wav,blues,Ann,root.wav,ok,sad\n"
        "b.wav,,,,ok,glad\n"
        "c.wav,rock,,,failed,\n"
    )
    lineage = Lineage.read(tmp_path)
    base = {"genre": "", "group": "", "split": "", "mood": "glad"}
    assert lineage.of("a.wav") == base | {
        "genre": "blues", "group": "Ann", "parent": "root.wav", "mood": "sad",
    }  # fmt: skip
    assert lineage.of("b.wav") == base | {"parent": "b.wav"}
    assert lineage.of("c.wav")["genre"] == "", "a failed row describes no file"
    assert columns(["snr"], [lineage]) == [*COLUMNS, "snr", "mood"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no column path, but nothing"),
        (b"name,genre\nx,y\n", "has no column path, but name, genre"),
        (b"path;genre\nx;y\n", "is separated by semicolons .*save it with commas"),
        (b"path\tgenre\nx\ty\n", "is separated by tabs .*save it with commas"),
        ("path,genre\nx,y\n".encode("utf-16"), "is text in UTF-16.*save it as CSV in UTF-8"),
        ("path,genre\nx,y\n".encode("utf-16-be"), "is text in UTF-16.*save it as CSV in UTF-8"),
        (b'path,genre\nx,"rock\ny,jazz\n', "cannot be read: unexpected end of data"),
        (b"path,genre\nx,caf\xe9\n", "cannot be read: .*save it as CSV in UTF-8"),
    ],
)
def test_what_is_no_track_table_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "tracks.csv").write_bytes(content)
    with pytest.raises(UsageError, match=rf"tracks\.csv {message}"):
        Lineage.read(tmp_path)


def test_a_careless_table_is_read_and_noted(tmp_path: Path) -> None:
    (tmp_path / "tracks.csv").write_text(
        "\ufeffpath, genre ,,peak_db\na.wav,x\n\na.wav,blues,1,2,3\nb.wav\n"
    )
    lineage = Lineage.read(tmp_path, added=["peak_db"])
    assert lineage.of("a.wav")["genre"] == "blues"
    assert lineage.of("b.wav")["genre"] == ""
    assert lineage.extras == ()
    assert [note.partition(": ")[2] for note in lineage.notes] == [
        "peak_db give way to this command's columns",
        "of 1 repeated paths the last row counts",
        "a.wav has two genres, x and blues",
    ]


def test_backslashes_are_read_as_slashes_where_only_that_is_a_file(tmp_path: Path) -> None:
    touch(tmp_path, "blues/0.wav", "blues/1.wav", "back\\slash.wav", "back/slash.wav")
    (tmp_path / "tracks.csv").write_text(
        "path,artist\n./blues/1.wav,Dan\nblues\\0.wav,Ann\nback\\slash.wav,Bob\nC:\\music\\1.wav,Cyd\n"
    )
    lineage = Lineage.read(tmp_path)
    assert list(lineage.rows) == [
        "blues/1.wav",
        "blues/0.wav",
        "back\\slash.wav",
        "C:\\music\\1.wav",
    ]
    assert lineage.of("blues/0.wav")["group"] == "Ann"
    assert lineage.of("blues/1.wav")["group"] == "Dan"
    assert lineage.of("back\\slash.wav")["group"] == "Bob"
    assert lineage.of("back/slash.wav")["group"] == ""
    assert lineage.messages(tmp_path) == [
        f"{tmp_path / 'tracks.csv'}: 3 of 4 rows name a sound file here"
    ]
    assert lineage.messages(tmp_path, every=False) == []


@pytest.mark.parametrize(("held", "here"), [("\u00e9", "e\u0301"), ("e\u0301", "\u00e9")])
def test_names_and_genres_are_the_same_in_both_unicode_forms(
    tmp_path: Path, held: str, here: str
) -> None:
    (tmp_path / "tracks.csv").write_text(f"path,genre\n{held}.wav,caf{held}\n", encoding="utf-8")
    assert Lineage.read(tmp_path).of(f"{here}.wav")["genre"] == "caf\u00e9"


def test_folders_tell_what_the_table_does_not(tmp_path: Path) -> None:
    paths = ["train/polka/a.wav", "test/waltz/b.wav"]
    lineage = Lineage(paths=lambda: paths)
    assert [lineage.of(path)["genre"] for path in paths] == ["polka", "waltz"]
    assert [lineage.of(path)["split"] for path in paths] == ["train", "test"]
    assert lineage.messages(tmp_path) == ["the split is that of the folders train, test"]
    (tmp_path / "tracks.csv").write_text(
        "path,genre,split\ntrain/polka/a.wav,folk,\ntest/waltz/b.wav,,valid\n"
    )
    lineage = Lineage.read(tmp_path)
    lineage.paths = lambda: paths
    assert [lineage.of(path)["genre"] for path in paths] == ["folk", "waltz"]
    assert [lineage.of(path)["split"] for path in paths] == ["", "valid"]


def test_folders_are_not_walked_again_where_the_table_says_all(tmp_path: Path) -> None:
    (tmp_path / "tracks.csv").write_text("path,genre,split\n000/a.wav,folk,\n")
    lineage = Lineage.read(tmp_path)
    lineage.paths = lambda: pytest.fail("walked")
    assert lineage.of("000/a.wav")["genre"] == "folk"
    assert lineage.messages(tmp_path) == []


def test_the_table_says_which_are_noisy_copies(tmp_path: Path) -> None:
    (tmp_path / "tracks.csv").write_text(
        "path,parent,kind,noise\na,x,noisy,\nb,x,,white\nc,x,,\nd,x,live,\n"
    )
    lineage = Lineage.read(tmp_path)
    assert [lineage.is_noisy(path) for path in "abcde"] == [True, True, False, False, False]


def test_names_that_are_not_utf8_are_found_as_tables_hold_them(tmp_path: Path) -> None:
    (tmp_path / "tracks.csv").write_text("path,genre\n\\udcff.wav,blues\n")
    assert Lineage.read(tmp_path).of("\udcff.wav")["genre"] == "blues"


def test_what_is_there_itself_goes_before_links_to_it(tmp_path: Path) -> None:
    touch(tmp_path, "rock/a.wav", "aaa/b.wav")
    os.symlink("../rock", tmp_path / "aaa" / "link")
    assert set(found(tmp_path)) == {"aaa/b.wav", "rock/a.wav"}
