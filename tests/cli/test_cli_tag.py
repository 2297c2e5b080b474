"""``mgrkit tag`` as a person calls it: what it writes, leaves, refuses and takes back."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

mutagen = pytest.importorskip("mutagen")

from mgrkit.audio.tags import kinds
from mgrkit.audio.tags.genre import genre_tags
from mgrkit.audio.tags.writing import open_tags
from mgrkit.commands import tag as command
from mgrkit.errors import UsageError
from mgrkit.files.beside import copy_name
from mgrkit.files.undo import UndoFile
from mgrkit.models.model import Model
from tests.audio import made_tags
from tests.audio.taggable import FORMATS, song
from tests.cli.test_commands import mgrkit
from tests.models.test_tagging import SPEC, offering

Captured = pytest.CaptureFixture[str]
WORDS = ("--model", "svm", "--device", "cpu", "--even-unsure")
UNDO = "mgrkit-undo.jsonl"


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("songs")
    for form in FORMATS:
        song(folder / f"a.{form}")
    return folder


@pytest.fixture
def music(songs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with a song in every format in ``music``."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(songs, tmp_path / "music")
    return tmp_path / "music"


@pytest.fixture
def one(songs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with one song."""
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copy2(songs / "a.flac", "song.flac"))


def digests(folder: Path) -> dict[str, str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def told(capfd: Captured, *words: object, code: int = 0) -> dict[str, Any]:
    capfd.readouterr()
    assert mgrkit("tag", *words, "--json", "-q") == code
    found: dict[str, Any] = json.loads(capfd.readouterr().out)
    return found


def refused(capfd: Captured, *words: object, code: int) -> str:
    """The line that says why; nothing is on stdout."""
    capfd.readouterr()
    assert mgrkit("tag", *words) == code
    out, err = capfd.readouterr()
    assert out == ""
    return err


def genre(path: Path, field: str = "genre") -> list[str]:
    return open_tags(path).values(field)


def test_every_file_gets_its_genre_and_undo_gives_back_the_very_bytes(
    music: Path, capfd: Captured
) -> None:
    before = digests(music)
    times = {path.name: path.stat().st_mtime_ns for path in music.iterdir()}
    assert mgrkit("tag", "music", *WORDS) == 0
    out, err = capfd.readouterr()
    assert len(out.splitlines()) == len(FORMATS)
    assert f"tag: {len(FORMATS)} written\nundo: mgrkit tag --undo {UNDO}\n" in err
    for path in music.iterdir():
        (written,) = genre(path)
        assert f"music/{path.name}: {written} 0." in out
        assert path.stat().st_mtime_ns > times[path.name]
    assert not set(before.values()) & set(digests(music).values())
    assert mgrkit("tag", "--undo", UNDO) == 0
    assert digests(music) == before
    assert {path.name: path.stat().st_mtime_ns for path in music.iterdir()} == times
    assert f"tag: {len(FORMATS)} restored" in capfd.readouterr().err
    again = told(capfd, "--undo", UNDO)
    assert {row["action"] for row in again["files"]} == {"same"}


def test_where_a_genre_stands_nothing_is_predicted_or_written(
    music: Path, capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert mgrkit("tag", "music", *WORDS, "-q") == 0
    before, noted = digests(music), Path(UNDO).read_bytes()
    monkeypatch.setattr(command, "predict_track", None)  # to call it would be a failure
    found = told(capfd, "music", *WORDS)
    assert {row["action"] for row in found["files"]} == {"has-one"}
    assert (digests(music), Path(UNDO).read_bytes()) == (before, noted)
    assert found["undo_file"] is None


def test_what_label_from_takes_for_a_genre_is_one_here(one: Path, capfd: Captured) -> None:
    """A FLAC whose genre stands in an ID3v2 in front of it, and one where that is no genre."""
    raw = one.read_bytes()
    for text, action in (("Rock", "has-one"), ("(255)", "would-write"), ("None", "would-write")):
        one.write_bytes(made_tags.id3v2(made_tags.text_frame("TCON", text, 0)) + raw)
        (row,) = told(capfd, "song.flac", *WORDS, "--dry-run")["files"]
        assert (row["action"], row["was"]) == (action, genre_tags(one))


def test_overwrite_writes_over_it_and_undo_goes_all_the_way_back(
    music: Path, capfd: Captured
) -> None:
    before = digests(music)
    assert mgrkit("tag", "music", *WORDS, "-q", "--map", "names.txt") == 2
    assert mgrkit("tag", "music", *WORDS, "-q") == 0
    first = {path.name: genre(path) for path in music.iterdir()}
    labels = {text for texts in first.values() for text in texts}
    Path("names.txt").write_text("".join(f"{label} = My {label}\n" for label in labels))
    found = told(capfd, "music", *WORDS, "--overwrite", "--map", "names.txt")
    assert {row["action"] for row in found["files"]} == {"written"}
    for path in music.iterdir():
        assert genre(path) == [f"My {first[path.name][0]}"]
    again = told(capfd, "music", *WORDS, "--overwrite", "--map", "names.txt")
    assert {row["action"] for row in again["files"]} == {"same"}
    assert mgrkit("tag", "--undo", UNDO, "-q") == 0
    assert digests(music) == before


def test_a_dry_run_says_what_would_change_and_changes_nothing(music: Path, capfd: Captured) -> None:
    before = digests(music)
    dry = told(capfd, "music", *WORDS, "--dry-run")
    assert {row["action"] for row in dry["files"]} == {"would-write"}
    assert digests(music) == before
    assert sorted(os.listdir()) == ["music"]
    wet = told(capfd, "music", *WORDS)
    assert [row["fields"] for row in dry["files"]] == [row["fields"] for row in wet["files"]]


def test_unsure_verdicts_are_written_only_if_that_is_asked(one: Path, capfd: Captured) -> None:
    words = ("song.flac", "--model", "svm", "--device", "cpu", "--threshold", "1")
    found = told(capfd, *words)
    assert [row["action"] for row in found["files"]] == ["unsure"]
    assert found["files"][0]["fields"]["genre"]
    assert genre(one) == []
    assert told(capfd, *words, "--even-unsure")["files"][0]["action"] == "written"
    assert len(genre(one)) == 1


def test_a_custom_field_has_several_values_and_their_probabilities(
    music: Path, capfd: Captured
) -> None:
    found = told(capfd, "music", *WORDS, "--field", "MGRKIT_GENRE", "--top", "3")
    for row in found["files"]:
        path = Path(row["path"])
        assert genre(path) == []
        assert genre(path, "MGRKIT_GENRE") == row["fields"]["MGRKIT_GENRE"]
        shares = [float(text) for text in genre(path, "MGRKIT_GENRE_PROBABILITY")]
        assert len(shares) == 3
        assert shares == sorted(shares, reverse=True)
        assert shares[0] == pytest.approx(row["probability"], abs=1e-4)


def test_tags_of_a_network_are_further_values(
    one: Path, capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    offering(monkeypatch, SPEC)
    (row,) = told(capfd, "song.flac", *WORDS, "--tags", "2", "--field", "MINE")["files"]
    first, *tags = row["fields"]["MINE"]
    assert tags == ["calm", "loud"]
    assert genre(one, "MINE") == [first, "calm", "loud"]
    assert len(genre(one, "MINE_PROBABILITY")) == 3
    (row,) = told(capfd, "song.flac", "--model", "moods", "--device", "cpu")["files"]
    assert genre(one) == row["fields"]["genre"] == ["calm", "loud", "odd"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({}, ["pop", "dance", "Hip-Hop"]),
        ({"pop": "Pop"}, ["Pop", "dance", "Hip-Hop"]),
        ({"hip hop": "Rap", "dance": "POP"}, ["pop", "Rap"]),
    ],
)
def test_one_genre_is_written_once_whoever_names_it_and_however(
    names: dict[str, str], expected: list[str]
) -> None:
    predict = command.PredictSettings("svm", 1, tags=3)
    answer = {
        "genres": [{"genre": "pop", "probability": 0.7}, {"genre": "rock", "probability": 0.2}],
        "tags": [
            {"tag": tag, "value": 0.5} for tag in ("Pop", "dance", "Hip-Hop", "hip hop", "DANCE")
        ],
    }
    settings = command.TagSettings(predict, names=tuple(names.items()))
    assert settings.fields(answer) == {"genre": expected}
    mine = command.TagSettings(predict, "MINE", tuple(names.items())).fields(answer)
    assert (mine["MINE"], mine["MINE_PROBABILITY"][0]) == (expected, "0.7000")
    assert len(mine["MINE_PROBABILITY"]) == len(expected)


def test_tags_of_a_network_can_be_called_otherwise_where_they_are_asked_for(
    one: Path, capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    offering(monkeypatch, SPEC)
    words = ("song.flac", *WORDS, "--map", "Calm=Quiet")
    assert "has no label Calm" in refused(capfd, *words, code=2)
    (row,) = told(capfd, *words, "--tags", "2", "-n")["files"]
    assert row["fields"]["genre"][1:] == ["Quiet", "loud"]
    (row,) = told(capfd, "song.flac", "--model", "moods", *words[-2:], "-n")["files"]
    assert row["fields"]["genre"] == ["Quiet", "loud", "odd"]
    words = ("song.flac", *WORDS, "--map", "clam=Quiet", "--tags", "1")
    assert "has no label clam (did you mean calm?)" in refused(capfd, *words, code=2)


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        ([], 2, "no SRC is given"),
        (["song.flac", "--map", "hip=Hip-Hop"], 2, "has no label hip (did you mean hiphop?)"),
        (["song.flac", "--map", "rock=A", "--map", "Rock=B"], 2, "names rock twice"),
        (["song.flac", "--map", "rock="], 2, "--map must be label=name"),
        (["song.flac", "--map", "none.txt"], 2, "--map must be label=name, or a file"),
        (["song.flac", "--field", "a=b"], 2, "--field must be 2 to 64 letters"),
        (["song.flac", "--field", " "], 2, "--field must be 2 to 64 letters"),
        (["song.flac", "--field", "G"], 2, "--field must be 2 to 64 letters"),
        (["song.flac", "--field", "Album Artist"], 2, "means something else to players"),
        (["song.flac", "--field", "X_Probability"], 2, "the probabilities of another field stand"),
        (["song.flac", "--undo-file", "no/u.jsonl"], 2, "there is no folder no"),
        (["song.flac", "--undo-file", "song.flac"], 2, "song.flac is no undo file of mgrkit"),
        (["song.flac", "--undo", "u.jsonl"], 2, "--undo takes no SRC"),
        (["--undo", "u.jsonl", "--overwrite"], 2, "--undo takes no --overwrite"),
        (["--undo", "none.jsonl"], 3, "cannot read none.jsonl"),
        (["--undo", "song.flac"], 2, "song.flac is no undo file of mgrkit"),
        (["s3://bucket/music"], 2, "takes no URL such as s3://bucket/music"),
        (["none.flac"], 3, "there is no none.flac"),
    ],
)
def test_wrong_calls(
    one: Path, capfd: Captured, words: list[str], code: int, expected: str
) -> None:
    before = one.read_bytes()
    model = ["--model", "svm"] if "--undo" not in words else []
    assert expected in refused(capfd, *words, *model, code=code)
    assert one.read_bytes() == before
    assert os.listdir() == ["song.flac"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("rock=(17)", "rock cannot be called '(17)': it would be read back as Rock"),
        ("rock=17", "rock cannot be called '17': it would be read back as Rock"),
        ("rock=(255)", "'(255)': it would be read back as no genre"),
        ("rock=Pop; Rock", "'Pop; Rock': it would be read back as Pop and Rock"),
        ("rock=Pop;", "'Pop;': it would be read back as Pop"),
        ("rock=Unknown", "'Unknown': it would be read back as no genre"),
        ("rock=A\0B", "'A\\x00B': it holds control characters"),
        ("rock=A\x1b[31mB", "it holds control characters"),
        ("rock=A\u2028B", "it holds control characters or line ends"),
        ("rock=" + 101 * "x", "it has 101 characters, and 100 are the most"),
        ("rock=" + 20_000_000 * "x", "names.txt is too large for --map"),
        (500_000 * "x" + "=Rock", "svm has no label xxx"),
        ("=" + 500_000 * "x", "--map must be label=name, not '=xxx"),
        ("rock=A\nB", "names.txt: a line of --map must be label=name, one = only, not 'B'"),
    ],
)
def test_names_that_files_cannot_have_are_refused_before_anything_is_done(
    one: Path, capfd: Captured, line: str, expected: str
) -> None:
    before = one.read_bytes()
    Path("names.txt").write_text(f"# ours = theirs\n{line}\n")
    err = refused(capfd, "song.flac", *WORDS, "--map", "names.txt", code=2)
    assert expected in err
    assert len(err) < 400
    assert one.read_bytes() == before
    assert not Path(UNDO).exists()


@pytest.mark.parametrize("words", [("--map", "rock=17"), ("--field", "a=b"), ("--map", "rock=")])
def test_a_wrong_call_is_seen_before_weights_are_fetched(
    one: Path, capfd: Captured, monkeypatch: pytest.MonkeyPatch, words: tuple[str, str]
) -> None:
    monkeypatch.setattr("mgrkit.commands.predict.found", None)  # to call it would be a failure
    assert "mgrkit: --" in refused(capfd, one, "--model", "svm", "--fetch", *words, code=2)


def test_a_newline_in_a_name_is_refused_and_a_comma_is_not(one: Path, capfd: Captured) -> None:
    err = refused(capfd, "song.flac", *WORDS, "--map", "rock=A\nB", code=2)
    assert "rock cannot be called 'A\\nB': it holds control characters or line ends" in err
    names = [("--map", f"{label}=Pop, Rock | Folk") for label in ("rock", "hiphop", "jazz", "pop")]
    every = [word for pair in names for word in pair]
    assert told(capfd, "song.flac", *WORDS, "--top", "9", *every)["failed"] == 0
    assert "Pop, Rock | Folk" in genre(one)
    assert genre(one) == genre_tags(one)


def test_labels_that_no_file_can_have_need_a_name() -> None:
    predict = command.PredictSettings("svm", 1)
    with pytest.raises(UsageError, match=r"label '17' can be no genre of a file: .* Rock"):
        command.TagSettings(predict).check_names(["17", "rock"], "svm")
    command.TagSettings(predict, names=(("17", "Seventeen"),)).check_names(["17", "rock"], "svm")
    command.TagSettings(predict, field="MINE").check_names(["17", "rock"], "svm")


def test_undo_refuses_what_has_changed_since_and_restores_the_rest(
    music: Path, capfd: Captured
) -> None:
    before = digests(music)
    assert mgrkit("tag", "music", *WORDS, "-q") == 0
    changed = music / "a.flac"
    file = mutagen.File(changed)
    file.tags["TITLE"] = "Another"
    file.save()
    (music / "a.wav").unlink()
    mine = changed.read_bytes()
    found = told(capfd, "--undo", UNDO, code=1)
    errors = {Path(row["path"]).name: row["error"] for row in found["files"] if "error" in row}
    assert set(errors) == {"a.flac", "a.wav"}
    assert errors["a.flac"].startswith("changed-since")
    assert errors["a.wav"].startswith("missing")
    assert changed.read_bytes() == mine
    rest = digests(music)
    assert {n: d for n, d in rest.items() if n != "a.flac"} == {
        n: d for n, d in before.items() if n not in errors
    }


def test_undo_over_runs_with_a_change_between_says_what_it_did_not_take_back(
    music: Path, capfd: Captured
) -> None:
    before = digests(music)
    assert mgrkit("tag", "music", *WORDS, "-q") == 0
    first = genre(music / "a.flac")
    file = mutagen.File(music / "a.flac")
    file.tags["TITLE"] = "Another"
    file.save()
    mine = (music / "a.flac").read_bytes()
    assert mgrkit("tag", "music", *WORDS, "-q", "--overwrite", "--field", "MINE") == 0
    assert genre(music / "a.flac", "MINE")
    # So it stands as the person left it, and nobody is told that it is what it was at first.
    for what in ("it was changed between two runs", "it has changed since"):
        found = told(capfd, "--undo", UNDO, code=1)
        (wrong,) = (row for row in found["files"] if "error" in row)
        assert Path(wrong["path"]).name == "a.flac"
        assert wrong["error"].startswith(f"changed-since: {what}")
        assert (music / "a.flac").read_bytes() == mine
        assert genre(music / "a.flac") == first
    rest = digests(music)
    assert {**rest, "a.flac": ""} == {**before, "a.flac": ""}


def test_an_undo_file_of_another_folder_changes_nothing(music: Path, capfd: Captured) -> None:
    assert mgrkit("tag", "music", *WORDS, "-q") == 0
    Path("elsewhere").mkdir()
    shutil.move(UNDO, "elsewhere")
    assert "is of another folder" in refused(capfd, "--undo", f"elsewhere/{UNDO}", code=3)
    # Where other files have the same names, each of them is refused.
    shutil.copytree("music", "elsewhere/music")
    for path in Path("elsewhere/music").iterdir():
        path.write_bytes(path.read_bytes() + b"\0")
    other = digests(Path("elsewhere/music"))
    assert told(capfd, "--undo", f"elsewhere/{UNDO}", code=1)["failed"] == len(FORMATS)
    assert digests(Path("elsewhere/music")) == other


def test_what_a_run_is_writing_is_not_undone(one: Path, capfd: Captured) -> None:
    assert mgrkit("tag", "song.flac", *WORDS, "-q") == 0
    running = UndoFile(Path(UNDO))
    assert "another run writes" in refused(capfd, "--undo", UNDO, code=3)
    assert "another run writes" in refused(capfd, "song.flac", *WORDS, "--overwrite", code=3)
    running.close()
    assert mgrkit("tag", "--undo", UNDO, "-q") == 0


def test_a_damaged_undo_file_never_makes_a_damaged_song(one: Path, capfd: Captured) -> None:
    assert mgrkit("tag", "song.flac", *WORDS, "-q") == 0
    made = one.read_bytes()
    head, line = Path(UNDO).read_text().splitlines()
    step = json.loads(line)
    for edits in ([], [[0, 10**9]], [[0, 50], *step["edits"]], ["%%"], [None], [["a", "b"]]):
        Path(UNDO).write_text(f"{head}\n{json.dumps({**step, 'edits': edits})}\n")
        (row,) = told(capfd, "--undo", UNDO, code=1)["files"]
        assert row["error"].startswith("damaged-undo")
        assert one.read_bytes() == made
    assert sorted(os.listdir()) == [UNDO, "song.flac"]


def test_mode_and_time_stay(one: Path, capfd: Captured) -> None:
    one.chmod(0o604)
    os.utime(one, ns=(10**18, 10**18))
    assert mgrkit("tag", "song.flac", *WORDS, "-q", "--keep-mtime") == 0
    assert genre(one)
    status = one.stat()
    assert (status.st_mode & 0o777, status.st_mtime_ns) == (0o604, 10**18)


def test_a_file_is_what_it_holds_whatever_it_is_called(
    one: Path, capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also by a model that takes pictures, which `mgrkit predict` knows by their names."""
    monkeypatch.setattr(Model, "takes_pictures", True)
    for name in ("cover.jpg", "COVER.PNG"):
        one = one.rename(name)
        (row,) = told(capfd, name, *WORDS, "--overwrite", "--field", name[-3:])["files"]
        assert row["action"] == "written"
    Path("real.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(99))
    (row,) = told(capfd, "real.png", *WORDS, code=1)["files"]
    assert row["error"].startswith("not-audio")


def test_links(one: Path, capfd: Captured) -> None:
    Path("real").mkdir()
    real = one.rename("real/song.flac")
    Path("link.flac").symlink_to(real)
    assert mgrkit("tag", "link.flac", "real", *WORDS) == 0
    assert "done by another name: real/song.flac" in capfd.readouterr().err
    assert Path("link.flac").is_symlink()
    assert genre(real)
    os.link(real, "hard.flac")
    before = real.read_bytes()
    (row,) = told(capfd, "real", *WORDS, "--overwrite", code=1)["files"]
    assert row["error"].startswith("hard-link: it has 2 names")
    assert told(capfd, "--undo", UNDO, code=1)["reasons"] == {"hard-link": 1}
    assert real.read_bytes() == Path("hard.flac").read_bytes() == before


def test_two_files_whose_names_differ_in_letter_case_are_two_files(
    one: Path, capfd: Captured
) -> None:
    Path("music").mkdir()
    one.rename("music/song.flac")
    if Path("music/SONG.FLAC").exists():
        pytest.skip("this file system does not tell letter case apart")
    shutil.copy("music/song.flac", "music/SONG.FLAC")
    found = told(capfd, "music", *WORDS)
    assert [row["action"] for row in found["files"]] == ["written", "written"]
    assert genre(Path("music/SONG.FLAC")) == genre(Path("music/song.flac")) != []
    capfd.readouterr()
    assert mgrkit("predict", "music", "--model", "svm", "--device", "cpu", "--json", "-q") == 0
    predicted = json.loads(capfd.readouterr().out)
    assert {row["path"]: row.get("error") for row in predicted} == {
        "music/SONG.FLAC": None,
        "music/song.flac": None,
    }


def test_read_only_files_and_folders(one: Path, capfd: Captured) -> None:
    before = one.read_bytes()
    one.chmod(0o444)
    (row,) = told(capfd, "song.flac", *WORDS, code=1)["files"]
    assert row["error"].startswith("read-only: it may not be written")
    one.chmod(0o644)
    folder = Path("locked")
    folder.mkdir()
    path = one.rename(folder / "song.flac")
    folder.chmod(0o555)
    try:
        (row,) = told(capfd, "locked", *WORDS, code=1)["files"]
    finally:
        folder.chmod(0o755)
    assert row["error"].startswith("read-only: its folder")
    assert path.read_bytes() == before
    assert os.listdir(folder) == ["song.flac"]


def test_a_file_that_is_open_elsewhere_stays_what_it_was_there(one: Path, capfd: Captured) -> None:
    before = one.read_bytes()
    with one.open("rb") as player:
        player.read(100)
        assert mgrkit("tag", "song.flac", *WORDS, "-q") == 0
        assert before[100:] == player.read()
    assert genre(one)


def test_a_file_that_changes_while_it_is_in_work_is_not_replaced(
    one: Path, capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = command.PuttingSink.publish

    def publish(self: Any, item: Any, *rest: Any) -> Any:
        with open(item.source, "ab") as file:
            file.write(b"more")
        return real(self, item, *rest)

    monkeypatch.setattr(command.PuttingSink, "publish", publish)
    before = one.read_bytes()
    (row,) = told(capfd, "song.flac", *WORDS, code=1)["files"]
    assert row["error"].startswith("changed: the file changed meanwhile")
    assert one.read_bytes() == before + b"more"
    assert os.listdir() == ["song.flac"], "no copy, and no undo file of nothing"


def test_the_undo_file_knows_of_a_change_before_it_is_made(
    one: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = []
    real = os.replace

    def replace(copy: Any, path: Any) -> None:
        noted.append(json.loads(Path(UNDO).read_text().splitlines()[-1])["path"])
        real(copy, path)

    monkeypatch.setattr(os, "replace", replace)
    assert mgrkit("tag", "song.flac", *WORDS, "-q") == 0
    assert noted == ["song.flac"]


@pytest.mark.parametrize("spoilt", ["sound", "tags"])
def test_nothing_is_replaced_by_a_copy_with_other_sound_or_fewer_tags(
    one: Path, capfd: Captured, monkeypatch: pytest.MonkeyPatch, spoilt: str
) -> None:
    """As a fault in what writes the tags would make it."""
    real = kinds.Comments.save

    def save(self: Any) -> None:
        if spoilt == "tags":
            del self.tags["TITLE"]
        real(self)
        if spoilt == "sound":
            raw = bytearray(Path(self.path).read_bytes())
            raw[-100] ^= 1
            Path(self.path).write_bytes(raw)

    monkeypatch.setattr(kinds.Comments, "save", save)
    before = one.read_bytes()
    (row,) = told(capfd, "song.flac", *WORDS, code=1)["files"]
    why = {"sound": "its sound would not stay", "tags": "other tags of it would not stay"}
    assert row["error"].startswith(f"damaged-tags: {why[spoilt]}")
    assert one.read_bytes() == before
    assert os.listdir() == ["song.flac"]


def test_what_cannot_be_tagged_is_named_and_the_others_are_done(
    music: Path, capfd: Captured
) -> None:
    raw = (music / "a.mp3").read_bytes()
    title = made_tags.id3v2(made_tags.text_frame("TIT2", "x"))
    (music / "two.mp3").write_bytes(title + title + raw)
    bad = made_tags.id3v2(made_tags.frame("TXXX", b"\x09bad"))
    (music / "bad.mp3").write_bytes(bad + (music / "a.mp3").read_bytes()[mutagen_size(raw) :])
    (music / "text.mp3").write_text("words")
    (music / "empty.mp3").touch()
    (music / "lfs.mp3").write_text("version https://git-lfs.github.com/spec/v1\n")
    os.mkfifo(music / "pipe.mp3")
    before = digests(music)
    found = told(capfd, "music", *WORDS, code=1)
    errors = {Path(r["path"]).name: r["error"] for r in found["files"] if "error" in r}
    reasons = {name: error.partition(":")[0] for name, error in errors.items()}
    assert reasons == {
        "two.mp3": "two-tags", "bad.mp3": "damaged-tags", "empty.mp3": "empty",
        "lfs.mp3": "lfs-pointer", "pipe.mp3": "not-audio", "text.mp3": "not-audio"
    }  # fmt: skip
    after = digests(music)
    assert after.keys() == before.keys()
    assert all(after[name] == before[name] for name in set(reasons) & set(before))
    assert found["actions"] == {"written": len(FORMATS)}


def mutagen_size(raw: bytes) -> int:
    return 10 + sum(
        (byte & 0x7F) << shift for byte, shift in zip(raw[6:10], (21, 14, 7, 0), strict=True)
    )


def test_without_mutagen_it_is_one_line(
    one: Path, capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = one.read_bytes()
    assert mgrkit("tag", "song.flac", *WORDS, "-q") == 0
    monkeypatch.setitem(sys.modules, "mutagen", None)
    assert refused(capfd, "song.flac", *WORDS, code=3) == (
        "mgrkit: to write tags needs mutagen, which is not installed (pip install 'mgrkit[tags]')\n"
    )
    assert mgrkit("tag", "--undo", UNDO, "-q") == 0, "to undo needs no mutagen"
    assert one.read_bytes() == before


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    point = tmp_path / "disk"
    point.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", os.fspath(point)]
    if os.name != "posix" or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a tmpfs is not allowed here")
    yield point
    subprocess.run(["umount", "-l", point], check=True)


@pytest.mark.parametrize("undo_on_it", [False, True])
def test_a_full_disk_in_the_middle_loses_nothing(
    songs: Path, disk: Path, tmp_path: Path, capfd: Captured, undo_on_it: bool
) -> None:
    for name in ("a.mp3", "b.mp3", "c.mp3"):
        shutil.copy(songs / "a.mp3", disk / name)
    undo = (disk if undo_on_it else tmp_path) / UNDO
    shutil.copy(songs / "a.wav", disk / "d.wav")
    before = digests(disk)
    room = os.statvfs(disk).f_bavail * os.statvfs(disk).f_bsize
    (disk / "filler").write_bytes(bytes(room - (disk / "a.mp3").stat().st_size - 3 * 4096))
    words = ("tag", disk, *WORDS, "--undo-file", undo, "-j", "1")
    assert mgrkit(*words) == 3
    out, err = capfd.readouterr()
    written = len(out.splitlines())
    assert written > 0
    assert f"tag: {written} written\nundo: mgrkit tag --undo {undo}\nmgrkit: " in err
    assert "disk is full" in err.splitlines()[-1]
    (disk / "filler").unlink()
    there = {n: d for n, d in digests(disk).items() if n != UNDO}
    assert set(there) == set(before), "no copy is left"
    old = [name for name in before if there[name] == before[name]]
    assert "d.wav" in old
    assert len(old) < len(before), "in the middle, not at the beginning"
    assert mgrkit(*words) == 0
    assert all(genre(disk / name) for name in before)
    assert mgrkit("tag", "--undo", undo) == 0
    assert {n: d for n, d in digests(disk).items() if n != UNDO} == before


def full_after(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Let the disk be full once so many files have been put into their place."""
    real, done = os.replace, []

    def replace(copy: Any, path: Any) -> None:
        if len(done) == number:
            raise OSError(errno.ENOSPC, "No space left on device")
        done.append(path)
        real(copy, path)

    monkeypatch.setattr(os, "replace", replace)


def test_a_run_that_a_full_disk_ends_says_what_was_done_and_how_to_undo_it(
    music: Path, capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = digests(music)
    with monkeypatch.context() as patched:
        full_after(patched, 3)
        assert mgrkit("tag", "music", *WORDS, "-j", "1") == 3
    out, err = capfd.readouterr()
    assert len(out.splitlines()) == 3
    *_, counts, undo, error = err.splitlines()
    assert counts == "tag: 3 written"
    assert undo == f"undo: mgrkit tag --undo {UNDO}"
    assert "the disk is full" in error
    with monkeypatch.context() as patched:
        full_after(patched, 2)
        assert mgrkit("tag", "--undo", UNDO, "-j", "1") == 3
    err = capfd.readouterr().err
    assert "\ntag: 2 restored\nmgrkit: the disk is full" in f"\n{err}"
    with monkeypatch.context() as patched:
        full_after(patched, 1)
        found = told(capfd, "music", *WORDS, "-j", "1", code=3)
    assert found["actions"] == {"written": 1}
    assert (found["undo_file"], found["exit_code"]) == (UNDO, 3)
    assert "the disk is full" in found["error"]
    assert mgrkit("tag", "--undo", UNDO, "-q") == 0
    assert digests(music) == before


def test_a_run_that_cannot_begin_has_no_counts(
    one: Path, capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    full_after(monkeypatch, 0)
    found = told(capfd, "song.flac", *WORDS, code=3)
    assert set(found) == {"error", "exit_code"}


def test_a_copy_that_a_killed_run_left_is_gone_afterwards(one: Path, capfd: Captured) -> None:
    copy_name(one.absolute()).write_bytes(b"half a copy")
    assert mgrkit("tag", "song.flac", *WORDS, "-q") == 0
    assert sorted(os.listdir()) == [UNDO, "song.flac"]


def test_copies_of_other_files_that_a_killed_run_left_are_gone_too(
    music: Path, capfd: Captured
) -> None:
    """Of a file that is left this time, or has another name by now."""
    assert mgrkit("tag", "music", *WORDS, "-q") == 0
    for number, words in enumerate((["music", *WORDS], ["music/a.mp3", *WORDS], ["--undo", UNDO])):
        left = copy_name(music / "gone.mp3")
        left.write_bytes(b"half a copy")
        if number == 0:
            assert mgrkit("tag", *words, "-q", "--dry-run", "--overwrite") == 0
            assert left.exists(), "a dry run changes nothing"
        assert mgrkit("tag", *words, "-q") == 0
        assert not left.exists()
