"""``mgrkit duplicates`` as a person types it, and what an audit makes of its table."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from mutagen.id3 import APIC, ID3
from mutagen.mp4 import MP4, MP4Cover

from mgrkit.audio import chromaprint
from mgrkit.commands import duplicates as command
from mgrkit.datasets.entries import labelled
from mgrkit.datasets.reading import read_dataset
from mgrkit.errors import ItemError
from mgrkit.inputs.kinds import input_of
from mgrkit.tracks.linked import linked
from tests.audio.encoded import encode
from tests.audio.test_chromaprint import PROGRAMS, chords
from tests.cli.test_cli_features import mgrkit, table

Captured = pytest.CaptureFixture[str]
RATE = 22_050
needs_chromaprint = pytest.mark.skipif(not PROGRAMS, reason="no program with Chromaprint is here")
pytestmark = needs_chromaprint


def song(seed: int, seconds: float = 20) -> np.ndarray:
    """Chords of their own, float32 (frames,)."""
    return chords(seconds, RATE, seed)


def write(path: Path, samples: np.ndarray, rate: int = RATE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.rint(32_000 * samples).astype(np.int16), rate)
    return path


@pytest.fixture
def music(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three songs as FLAC, and other files of the first one, in ``music``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MGRKIT_CACHE", str(tmp_path / "cache"))
    music = tmp_path / "music"
    for number in range(3):
        write(music / "good" / f"{number}.flac", song(number))
    (music / "old").mkdir()
    shutil.copy(music / "good" / "0.flac", music / "old" / "same.flac")
    encode(music / "old" / "poor.mp3", song(0)[None], RATE, "libmp3lame")
    write(music / "old" / "soft.wav", song(0)[3 * RATE : -3 * RATE] / 4)
    return music


def groups(capfd: Captured) -> list[list[str]]:
    """The paths of each group of ``--json``."""
    found = json.loads(capfd.readouterr().out)
    return [[one["path"] for one in group] for group in found["groups"]]


FIRST = ["music/good/0.flac", "music/old/poor.mp3", "music/old/same.flac", "music/old/soft.wav"]


def test_copies_are_shown_with_the_best_first(music: Path, capfd: Captured) -> None:
    assert mgrkit("duplicates", "music") == 0
    captured = capfd.readouterr()
    lines = captured.out.splitlines()
    assert [line.split()[-1] for line in lines] == ["file", *FIRST]
    assert lines[0].split() == ["alike", "length", "Hz", "codec", "file"]
    assert lines[1].split() == ["keep", "0:20", "22050", "flac", FIRST[0]]
    assert lines[2].split()[1:] == ["0:20", "22050", "mp3", "64k", FIRST[1]]
    assert lines[3].split()[0] == "exact"
    assert lines[4].split()[1:] == ["0:14", "22050", "pcm_s16le", FIRST[3]]
    assert all(0.9 < float(lines[n].split()[0]) <= 1 for n in (2, 4))
    assert max(map(len, lines)) <= 80
    assert "alone" not in captured.err
    assert "duplicates: 6 done in" in captured.err
    assert captured.err.endswith("recordings in more than one file: 1 in 4 files\n")
    assert sorted(p.name for p in music.rglob("*.*")) == sorted(
        ["0.flac", "1.flac", "2.flac", "poor.mp3", "same.flac", "soft.wav"]
    )


def test_json_has_all_that_is_known_of_a_file(music: Path, capfd: Captured) -> None:
    assert mgrkit("duplicates", "music", "--json", "--quiet") == 0
    captured = capfd.readouterr()
    assert captured.err == ""
    found = json.loads(captured.out)
    assert (found["files"], found["left_out"], found["exit_code"]) == (6, [], 0)
    assert found["parts"] == []
    best, poor, same, soft = found["groups"][0]
    assert best == {
        "path": FIRST[0], "seconds": 20.0, "rate": RATE, "channels": 1, "codec": "flac",
        "lossless": True, "kbps": best["kbps"], "similarity": 1.0, "compared": 20.0,
        "duplicate_of": None, "keep": True, "names": [],
    }  # fmt: skip
    assert (poor["codec"], poor["lossless"], poor["kbps"], poor["keep"]) == (
        "mp3",
        False,
        64,
        False,
    )
    assert (same["similarity"], same["duplicate_of"]) == (1.0, FIRST[0])
    assert (soft["seconds"], soft["duplicate_of"]) == (14.0, None)
    assert len(found["groups"]) == 1


@pytest.mark.parametrize("kind", ["mp3", "m4a"])
def test_a_cover_is_no_sound(music: Path, capfd: Captured, kind: str) -> None:
    """Of two files of one codec the better is that with more bits for its sound."""
    codec = "libmp3lame" if kind == "mp3" else "aac"
    for name, kbits in (("good", 128), ("poor", 64)):
        encode(music / f"{name}.{kind}", song(7)[None], 44_100, codec, kbits=kbits)
    cover = os.urandom(1 << 20)
    if kind == "mp3":
        tags = ID3()
        tags.add(APIC(encoding=3, mime="image/jpeg", type=3, desc="", data=cover))
        tags.save(music / "poor.mp3")
    else:
        tags = MP4(music / "poor.m4a")
        tags["covr"] = [MP4Cover(cover)]
        tags.save()
    files = [music / f"{name}.{kind}" for name in ("poor", "good")]
    assert mgrkit("duplicates", *files, "--json") == 0
    (group,) = json.loads(capfd.readouterr().out)["groups"]
    assert [Path(one["path"]).stem for one in group] == ["good", "poor"]
    assert group[0]["kbps"] > 1.2 * group[1]["kbps"] > 40


def test_it_is_said_that_only_the_beginning_of_a_long_file_was_heard(
    music: Path, capfd: Captured
) -> None:
    """These two are alike for two minutes, and another song after that."""
    same = np.concatenate([song(number) for number in range(8, 16)])[: 125 * RATE]
    for number, name in enumerate(("a", "b", "c")):
        write(music / "long" / f"{name}.flac", np.r_[same, song(20 + number, 30)])
    shutil.copy(music / "long" / "a.flac", music / "long" / "d.flac")
    assert mgrkit("duplicates", music / "long", "--out", "found.csv") == 0
    captured = capfd.readouterr()
    head, *lines = [line.split() for line in captured.out.splitlines()]
    assert head == ["alike", "heard", "length", "Hz", "codec", "file"]
    assert lines[0][:2] == ["keep", "2:35"]
    assert [line[:3] for line in lines[1:3]] == [["1.000", "2:00", "2:35"]] * 2
    assert lines[3][:2] == ["exact", "2:35"]
    assert captured.err.endswith(
        "compared by their first 2:00 alone: 2 files; hear the rest before you delete one\n"
    )
    assert [row["compared"] for row in table(Path("found.csv"))] == [
        "155.0", "120.0", "120.0", "155.0"
    ]  # fmt: skip
    assert mgrkit("duplicates", music / "long", "--json", "--quiet") == 0
    captured = capfd.readouterr()
    assert captured.err == ""
    (group,) = json.loads(captured.out)["groups"]
    assert [one["compared"] for one in group] == [155.0, 120, 120, 155.0]


def test_a_file_has_one_line_however_long_the_names_are(music: Path, capfd: Captured) -> None:
    folder = music / "some folder with a long name of several words"
    for name in ("a.flac", "b b.wav"):
        write(folder / name, song(0))
    soundfile.write(folder / "law.wav", song(0), RATE, "IMA_ADPCM")
    assert mgrkit("duplicates", folder) == 0
    lines = capfd.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[3].endswith(str(folder / "law.wav"))
    assert " adpcm_ima_wav " in lines[3]


def test_no_duplicates_are_no_lines(music: Path, capfd: Captured) -> None:
    assert mgrkit("duplicates", "music/good") == 0
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.endswith("recordings in more than one file: none\n")
    assert mgrkit("duplicates", "music/good", "--json") == 0
    assert groups(capfd) == []


def test_folders_files_and_lists_are_sources(music: Path, capfd: Captured) -> None:
    assert mgrkit("duplicates", "music/old", "music/good", "--json") == 0
    assert groups(capfd) == [FIRST]
    assert mgrkit("duplicates", "music/good/0.flac", "music/old/poor.mp3", "--json") == 0
    assert groups(capfd) == [FIRST[:2]]
    assert mgrkit("duplicates", music / "good/0.flac", music / "old/poor.mp3", "--json") == 0
    assert groups(capfd) == [[str(music.parent / path) for path in FIRST[:2]]]
    Path("list.txt").write_text("good/0.flac\nold/soft.wav\n")
    assert mgrkit("duplicates", "music", "--files-from", "list.txt", "--json") == 0
    assert groups(capfd) == [[FIRST[0], FIRST[3]]]
    (music / "some.csv").write_text("path\ngood/0.flac\nold/same.flac\n")
    assert mgrkit("duplicates", "music/some.csv", "--json") == 0
    assert groups(capfd) == [[FIRST[0], FIRST[2]]]
    assert mgrkit("duplicates", "music", "--table", "music/some.csv", "--json") == 0
    assert groups(capfd) == [[FIRST[0], FIRST[2]]]


def test_files_of_one_name_in_two_folders_are_compared(music: Path, capfd: Captured) -> None:
    shutil.copy(music / "good" / "1.flac", music / "old" / "1.flac")
    encode(music / "good" / "1.mp3", song(1)[None], RATE, "libmp3lame")
    assert mgrkit("duplicates", "music/good", "music/old", "--json") == 0
    of_first, of_second = groups(capfd)
    assert of_first == FIRST
    assert of_second == ["music/good/1.flac", "music/good/1.mp3", "music/old/1.flac"]


def test_what_cannot_be_compared_is_said(music: Path, capfd: Captured) -> None:
    write(music / "bad" / "silent.wav", np.zeros(20 * RATE))
    write(music / "bad" / "silent_too.wav", np.zeros(20 * RATE))
    write(music / "bad" / "short.wav", song(5, 5))
    write(music / "bad" / "short_copy.flac", song(5, 5))
    (music / "bad" / "empty.mp3").touch()
    whole = (music / "good" / "1.flac").read_bytes()
    (music / "bad" / "cut.flac").write_bytes(whole[: len(whole) // 2])
    assert mgrkit("duplicates", "music", "--json", "--out", "found.csv") == 1
    captured = capfd.readouterr()
    found = json.loads(captured.out)
    why = {one["path"].rpartition("/")[2]: one["reason"] for one in found["left_out"]}
    assert {name: reason.partition(":")[0] for name, reason in why.items()} == {
        "cut.flac": "damaged", "empty.mp3": "empty", "short.wav": "too-short",
        "short_copy.flac": "too-short", "silent.wav": "silent", "silent_too.wav": "silent",
    }  # fmt: skip
    assert why["short.wav"] == "too-short: 5 s are too few for a fingerprint"
    assert [[one["path"] for one in group] for group in found["groups"]] == [
        ["music/bad/short_copy.flac", "music/bad/short.wav"], FIRST,
    ]  # fmt: skip
    assert "warning: music/bad/silent.wav: silent: " in captured.err
    rows = {row["path"]: row for row in table(Path("found.csv"))}
    assert len(rows) == 12
    assert rows["music/bad/cut.flac"]["status"] == "failed"
    assert rows["music/bad/silent.wav"]["status"] == "ok"
    assert rows["music/bad/silent.wav"]["reason"].startswith("silent: ")
    assert rows["music/bad/silent_too.wav"]["duplicate_of"] == ""


def test_stereo_that_is_silent_as_mono_is_left_out(music: Path, capfd: Captured) -> None:
    one = song(0)
    write(music / "bad" / "inverted.wav", np.stack([one, -one], 1))
    assert mgrkit("duplicates", "music", "--json") == 0
    found = json.loads(capfd.readouterr().out)
    assert [one["path"] for group in found["groups"] for one in group] == FIRST
    (left_out,) = found["left_out"]
    assert left_out["path"] == "music/bad/inverted.wav"
    assert left_out["reason"].startswith("silent: ")


def test_silence_at_the_end_makes_no_file_longer(music: Path, capfd: Captured) -> None:
    """With 20 s of it, not quite silent, it is still the same recording, and not the better one."""
    one = song(0)
    hiss = np.random.default_rng(0).normal(0, 1e-4, 20 * RATE).astype(np.float32)
    encode(music / "bad.mp3", np.r_[one, hiss][None], RATE, "libmp3lame")
    encode(music / "good.mp3", one[None], RATE, "libmp3lame", kbits=96)
    assert mgrkit("duplicates", music / "bad.mp3", music / "good.mp3", "--json") == 0
    (group,) = json.loads(capfd.readouterr().out)["groups"]
    assert [Path(found["path"]).name for found in group] == ["good.mp3", "bad.mp3"]
    assert group[1]["seconds"] > 39


def test_many_warnings_of_a_kind_are_counted(music: Path, capfd: Captured) -> None:
    for number in range(13):
        write(music / "bad" / f"{number:02}.wav", song(number, 5))
    write(music / "bad" / "silent.wav", np.zeros(20 * RATE))
    assert mgrkit("duplicates", "music", "-j", "1", "--json") == 0
    captured = capfd.readouterr()
    lines = [line for line in captured.err.splitlines() if line.startswith("warning: ")]
    assert sum("bad/" in line and "too-short" in line for line in lines) == 10
    assert sum("bad/silent.wav: silent" in line for line in lines) == 1
    assert lines[-1] == "warning: too-short: 3 more files"
    assert len(lines) == 12
    assert len(json.loads(captured.out)["left_out"]) == 14


def test_another_name_of_a_file_is_no_copy(music: Path, capfd: Captured) -> None:
    """Who deletes all but the best must not be left with a name of nothing."""
    (music / "good" / "link.flac").symlink_to("1.flac")
    os.link(music / "good" / "2.flac", music / "old" / "hard.flac")
    assert mgrkit("duplicates", "music", "--json", "--out", "found.csv") == 0
    captured = capfd.readouterr()
    found = json.loads(captured.out)
    assert [one["path"] for group in found["groups"] for one in group] == FIRST
    assert found["left_out"] == [
        {"path": "music/good/link.flac", "reason": "link: another name of music/good/1.flac"},
        {"path": "music/old/hard.flac", "reason": "link: another name of music/good/2.flac"},
    ]
    assert "2 files have several names: music/good/1.flac is also music/good/link.flac" in (
        captured.err
    )
    rows = {row["path"]: row for row in table(Path("found.csv"))}
    assert rows["music/good/link.flac"]["duplicate_of"] == "music/good/1.flac"


def test_all_names_of_a_file_are_shown(music: Path, capfd: Captured) -> None:
    for number in range(5):
        os.link(music / "old" / "same.flac", music / "old" / f"same{number}.flac")
    assert mgrkit("duplicates", "music/good/0.flac", *sorted((music / "old").glob("s*.flac"))) == 0
    captured = capfd.readouterr()
    names = [f"{music}/old/same{n}.flac" for n in range(5)]
    assert "1 file has several names: " in captured.err
    assert f"{music}/old/same.flac is also {names[0]} and 4 more" in captured.err
    words = captured.out.split()
    assert [word for word in words if "same" in word] == [f"{music}/old/same.flac", *names[:3]]
    assert words[-4:] == ["and", "2", "more", "names"]
    sources = sorted((music / "old").glob("s*.flac"))
    assert mgrkit("duplicates", "music/good/0.flac", *sources, "--json") == 0
    group = json.loads(capfd.readouterr().out)["groups"][0]
    assert [one["names"] for one in group if one["names"]] == [names]


@pytest.fixture
def album(music: Path) -> Path:
    """Beside ``music`` a folder ``album`` of two songs, one of them twice, and of both in one."""
    album = music.parent / "album"
    write(album / "all.flac", np.concatenate([song(0), song(1), song(2)]))
    write(album / "1.flac", song(1))
    encode(album / "2.mp3", song(2)[None], RATE, "libmp3lame")
    write(album / "2.flac", song(2))
    return album


def test_songs_in_an_album_are_told_as_parts_of_it(album: Path, capfd: Captured) -> None:
    assert mgrkit("duplicates", "album", "--out", "found.csv") == 0
    captured = capfd.readouterr()
    assert [(line[:4].strip(), line.split()[-1]) for line in captured.out.splitlines()[1:]] == [
        ("keep", "album/2.flac"), ("", "album/2.mp3"),
        ("full", "album/all.flac"), ("part", "album/1.flac"), ("part", "album/2.flac"),
    ]  # fmt: skip
    assert captured.err.endswith(
        "recordings in more than one file: 1 in 2 files\n"
        "recordings that are part of longer ones: 2\n"
    )
    rows_of = {row["path"]: row for row in table(Path("found.csv"))}
    names = ("same_as", "part_of", "recording_of", "keep")
    assert {path: tuple(row[name] for name in names) for path, row in rows_of.items()} == {
        "album/1.flac": ("", "album/all.flac", "album/all.flac", ""),
        "album/2.flac": ("", "album/all.flac", "album/all.flac", "yes"),
        "album/2.mp3": ("album/2.flac", "album/all.flac", "album/all.flac", "no"),
        "album/all.flac": ("", "", "album/all.flac", ""),
    }
    assert mgrkit("duplicates", "album", "--json") == 0
    found = json.loads(capfd.readouterr().out)
    assert [[one["path"] for one in group] for group in found["groups"]] == [
        ["album/2.flac", "album/2.mp3"]
    ]
    assert [(one["path"], one["part_of"]) for one in found["parts"]] == [
        ("album/1.flac", "album/all.flac"), ("album/2.flac", "album/all.flac"),
    ]  # fmt: skip


def test_a_part_of_two_is_in_the_table_a_part_of_the_shorter(album: Path) -> None:
    write(album / "z" / "clip.wav", song(1)[4 * RATE : 16 * RATE])
    assert mgrkit("duplicates", "album", "--out", "found.csv") == 0
    rows = {row["path"]: row for row in table(Path("found.csv"))}
    assert rows["album/z/clip.wav"]["part_of"] == "album/1.flac"
    assert rows["album/1.flac"]["part_of"] == "album/all.flac"


def test_a_song_in_train_and_its_album_in_test_are_a_leak(album: Path, capfd: Captured) -> None:
    assert mgrkit("duplicates", "album", "--out", "found.csv") == 0
    parted(Path("found.csv"), {"all.flac": "test"})
    capfd.readouterr()
    assert mgrkit("data", "audit", "found.csv") == 1
    out = capfd.readouterr().out
    assert "in more than one part, near duplicates (other formats, rates or cuts): 1" in out
    assert "slices" not in out


def test_its_own_table_gives_the_same_again(music: Path, capfd: Captured) -> None:
    """What it says of copies is judged anew: none is passed over."""
    (music / "old" / "bad.mp3").write_text("no sound")
    assert mgrkit("duplicates", "music", "--out", "found.csv", "--json") == 1
    first = json.loads(capfd.readouterr().out)
    assert mgrkit("duplicates", "found.csv", "--out", "again.csv", "--json") == 1
    captured = capfd.readouterr()
    assert json.loads(captured.out) == first
    assert "passed over" not in captured.err
    assert Path("again.csv").read_bytes() == Path("found.csv").read_bytes()
    Path("found.csv").rename(music.parent / "tracks.csv")
    assert mgrkit("duplicates", ".", "--json") == 1
    assert json.loads(capfd.readouterr().out) == first


def test_names_are_whole_in_data_and_harmless_on_a_terminal(music: Path, capfd: Captured) -> None:
    name = "new\nline\x1b[31m\u202egnp.flac"
    shutil.copy(music / "good" / "1.flac", music / "old" / name)
    assert mgrkit("duplicates", "music", "--out", "found.csv") == 0
    captured = capfd.readouterr()
    assert r"music/old/new\x0aline\x1b[31m\x202egnp.flac" in captured.out
    assert not {"\x1b", "\u202e"} & {*captured.out, *captured.err}
    assert f"music/old/{name}" in {row["path"] for row in table(Path("found.csv"))}
    assert mgrkit("duplicates", "music", "--json") == 0
    assert ["music/good/1.flac", f"music/old/{name}"] in groups(capfd)


@pytest.mark.skipif(os.name != "posix", reason="elsewhere names are Unicode")
@pytest.mark.parametrize("name", ["found.csv", "found.parquet"])
def test_a_name_that_is_no_utf_8_survives_the_table(
    music: Path, capfd: Captured, name: str
) -> None:
    try:
        os.rename(music / "good" / "0.flac", os.fsencode(music / "good") + b"/bad\xff.flac")
    except OSError:
        pytest.skip("this file system has no such names")
    assert mgrkit("duplicates", "music", "--out", name, "--json") == 0
    first = json.loads(capfd.readouterr().out)
    assert first["groups"][0][0]["path"] == "music/good/bad\udcff.flac"
    assert mgrkit("duplicates", name, "--json") == 0
    assert json.loads(capfd.readouterr().out)["groups"] == first["groups"]
    assert mgrkit("data", "split", name, "split.csv", "--allow-missing") == 0
    rows = {row["path"]: row for row in table(Path("split.csv"))}
    assert r"music/good/bad\udcff.flac" in rows
    assert rows["music/old/poor.mp3"]["same_as"] in rows


def test_a_missing_file_of_a_list_is_said(music: Path, capfd: Captured) -> None:
    Path("list.txt").write_text("good/0.flac\ngood/gone.flac\n")
    assert mgrkit("duplicates", "music", "--files-from", "list.txt", "--json") == 1
    left_out = json.loads(capfd.readouterr().out)["left_out"]
    assert [one["path"] for one in left_out] == ["music/good/gone.flac"]
    assert left_out[0]["reason"].startswith("missing")


def test_the_next_call_makes_only_what_is_new(
    music: Path, capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By whatever name the folder is called then."""
    assert mgrkit("duplicates", "music", "--json") == 0
    first = groups(capfd)
    assert mgrkit("duplicates", music, "--json") == 0
    captured = capfd.readouterr()
    assert "0 done, 6 kept" in captured.err
    made = json.loads(captured.out)["groups"]
    assert [[one["path"] for one in made[0]]] == [[str(music.parent / p) for p in first[0]]]
    monkeypatch.chdir(music)
    encode(music / "good" / "2.mp3", song(2)[None], RATE, "libmp3lame")
    (music / "tracks.csv").write_text("path,genre\ngood/0.flac,rock\n")
    assert mgrkit("duplicates", ".", "--json") == 0
    captured = capfd.readouterr()
    assert "1 done, 6 kept" in captured.err
    paths = [[one["path"] for one in group] for group in json.loads(captured.out)["groups"]]
    assert paths == [[p.removeprefix("music/") for p in FIRST], ["good/2.flac", "good/2.mp3"]]


def test_a_run_that_stopped_goes_on(
    music: Path, capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mgrkit.errors import RunError

    done: list[Path] = []
    print_it = command.fingerprint

    def until_the_third(samples: np.ndarray) -> np.ndarray:
        if len(done) == 2:
            raise RunError("the power is out")
        done.append(music)
        return print_it(samples)

    monkeypatch.setattr(command, "fingerprint", until_the_third)
    assert mgrkit("duplicates", "music", "--resume", "kept.jsonl", "-j", "1") == 3
    monkeypatch.setattr(command, "fingerprint", print_it)
    capfd.readouterr()
    assert mgrkit("duplicates", "music", "--resume", "kept.jsonl", "--json") == 0
    captured = capfd.readouterr()
    assert "4 done, 2 kept" in captured.err
    assert [one["path"] for one in json.loads(captured.out)["groups"][0]] == FIRST
    assert not Path("cache").exists()


def test_a_program_that_fails_once_is_tried_again(
    music: Path, capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(samples: np.ndarray) -> np.ndarray:
        raise ItemError("fingerprint", "ffmpeg gave 0 of 3 words", again=True)

    with monkeypatch.context() as broken:
        broken.setattr(command, "fingerprint", failing)
        assert mgrkit("duplicates", "music", "--json") == 1
    left_out = json.loads(capfd.readouterr().out)["left_out"]
    assert {one["reason"] for one in left_out} == {"fingerprint: ffmpeg gave 0 of 3 words"}
    assert mgrkit("duplicates", "music", "--json") == 0
    assert groups(capfd) == [FIRST]


def test_the_answer_is_the_same_for_any_number_of_workers(music: Path, capfd: Captured) -> None:
    outs = []
    for workers in (1, 4):
        out, kept = f"{workers}.csv", f"{workers}.jsonl"
        assert mgrkit("duplicates", "music", "--out", out, "--resume", kept, "-j", workers) == 0
        outs.append((Path(out).read_bytes(), capfd.readouterr().out))
    assert outs[0] == outs[1]


def test_a_dry_run_makes_nothing(music: Path, capfd: Captured) -> None:
    assert mgrkit("duplicates", "music", "--dry-run", "--json", "--out", "found.csv") == 0
    captured = capfd.readouterr()
    assert json.loads(captured.out)["to_do"] == 6
    assert "recordings" not in captured.err
    assert not Path("found.csv").exists()
    assert mgrkit("duplicates", "music") == 0
    assert "6 done" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "no SRC is given"),
        (["nowhere"], 3, "there is no nowhere"),
        (["music/good/0.flac", "nowhere.mp3"], 3, "there is no nowhere.mp3"),
        (["music/good", "music/old/poor.mp3"], 2, "SRC are folders and files"),
        (["music", "music/old", "--files-from", "list.txt"], 2, "goes with one SRC"),
        (["music/good", "music/old", "--table", "list.csv"], 2, "--table goes with one SRC"),
        (["empty"], 3, "no sound files in empty"),
        (["music", "--out", "found.txt"], 2, "--out is no table: found.txt"),
        (["music", "--out", "nowhere/found.csv"], 2, "there is no folder nowhere"),
        (["music", "--out", "music/tracks.csv"], 2, "--out is the table of DATA"),
        (["list.csv", "--out", "list.csv"], 2, "--out is the table of DATA"),
        (["music", "--out", "list.csv"], 3, "list.csv was not made by mgrkit duplicates"),
        (["music", "--resume", "list.csv"], 2, "list.csv was not made by mgrkit duplicates"),
        (["music", "--workers", "0"], 2, "--workers"),
    ],
)
def test_wrong_calls(music: Path, capfd: Captured, words: list[str], code: int, said: str) -> None:
    Path("empty").mkdir()
    Path("list.txt").write_text("0.flac\n")
    Path("list.csv").write_text("path,genre\nmusic/good/0.flac,rock\n")
    (music / "tracks.csv").write_text("path,genre\ngood/0.flac,rock\n")
    before = Path("list.csv").read_bytes()
    assert mgrkit("duplicates", *words) == code
    captured = capfd.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert Path("list.csv").read_bytes() == before


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_cache_that_cannot_be_written_names_resume(
    music: Path, capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("cache").mkdir(mode=0o500)
    assert mgrkit("duplicates", "music") == 3
    assert "--resume" in capfd.readouterr().err


def test_a_cache_that_is_a_file_names_resume(
    music: Path, capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("cache").touch()
    assert mgrkit("duplicates", "music") == 3
    assert "name a file with --resume" in capfd.readouterr().err


def test_without_chromaprint_nothing_is_decoded(
    music: Path, capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chromaprint, "_commands", list)
    chromaprint.program.cache_clear()
    try:
        assert mgrkit("duplicates", "music") == 3
    finally:
        chromaprint.program.cache_clear()
    assert "pip install 'mgrkit[duplicates]'" in capfd.readouterr().err
    assert not Path("cache").exists()


def test_a_name_that_is_no_utf_8_stays_whole(music: Path, capfd: Captured) -> None:
    name = os.fsdecode(b"caf\xe9\n.flac")
    try:
        shutil.copy(music / "good" / "1.flac", music / "old" / name)
    except OSError:
        pytest.skip("this file system takes no such name")
    assert mgrkit("duplicates", "music", "--out", "found.csv") == 0
    assert r"music/old/caf\udce9\x0a.flac" in capfd.readouterr().out
    assert mgrkit("duplicates", "music", "--json") == 0
    assert ["music/good/1.flac", f"music/old/{name}"] in groups(capfd)
    assert any("caf" in row["path"] for row in table(Path("found.csv")))


def test_a_table_as_parquet_is_written_over_its_former_self(music: Path) -> None:
    import polars as pl

    for _ in range(2):
        assert mgrkit("duplicates", "music", "--out", "found.parquet") == 0
    frame = pl.read_parquet("found.parquet")
    assert frame.filter(pl.col("keep") == "yes")["path"].to_list() == FIRST[:1]


def parted(path: Path, part_of: dict[str, str]) -> None:
    """Give the rows of a table, by the ends of their paths, a part; train to the others."""
    rows = table(path)
    for row in rows:
        row["split"] = part_of.get(row["path"].rpartition("/")[2], "train")
    save(path, rows)


def save(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_an_audit_of_its_table_finds_the_leaks(music: Path, capfd: Captured) -> None:
    assert mgrkit("duplicates", "music", "--out", "found.csv") == 0
    parted(Path("found.csv"), {"poor.mp3": "test", "1.flac": "test"})
    capfd.readouterr()
    assert mgrkit("data", "audit", "found.csv", "--json") == 1
    found = json.loads(capfd.readouterr().out)
    assert found["split"]["leaks"] == {
        "duplicate": 0, "copy": 0, "near_duplicate": 1, "piece": 0, "recording": 0, "artist": 0
    }  # fmt: skip
    tracks = found["split"]["examples"][0]["tracks"]
    assert tracks[1] == {"path": "music/old/poor.mp3", "part": "test"}
    assert not any("formats" in note for note in found["notes"])
    parted(Path("found.csv"), {"1.flac": "test"})
    assert mgrkit("data", "audit", "found.csv") == 0
    parted(Path("found.csv"), {"same.flac": "test"})
    assert mgrkit("data", "audit", "found.csv", "--json") == 1
    assert json.loads(capfd.readouterr().out.splitlines()[-1])["split"]["leaks"]["duplicate"] == 1


def test_the_table_lies_where_a_person_wants_it(music: Path, capfd: Captured) -> None:
    """Paths are relative to it, and no file is taken for a copy of another by that."""
    (music / "tracks.csv").write_text("path,genre,artist\ngood/0.flac,rock,The Band\n")
    Path("tables").mkdir()
    assert mgrkit("duplicates", "music", "--out", "tables/found.csv") == 0
    rows = table(Path("tables/found.csv"))
    assert rows[0]["path"] == "../music/good/0.flac"
    assert {row["recording_of"] for row in rows} == {"../music/good/0.flac", ""}
    assert (rows[0]["genre"], rows[0]["artist"]) == ("rock", "The Band")
    assert all(Path("tables", row["path"]).is_file() for row in rows)
    parted(Path("tables/found.csv"), {"2.flac": "test"})
    assert mgrkit("data", "audit", "tables/found.csv") == 0


def test_other_songs_of_one_name_in_two_folders_are_no_leak(music: Path) -> None:
    write(music / "old" / "1.flac", song(7))
    assert mgrkit("duplicates", "music/good", "music/old", "--out", "found.csv") == 0
    rows = table(Path("found.csv"))
    for row in rows:
        row["split"] = "test" if row["path"] == "music/old/1.flac" else "train"
    save(Path("found.csv"), rows)
    assert mgrkit("data", "audit", "found.csv") == 0


def test_training_on_pictures_keeps_a_recording_together(music: Path) -> None:
    """Its table hands the column on."""
    assert mgrkit("duplicates", "music", "--out", "found.csv") == 0
    rows = [row for row in table(Path("found.csv")) if not row["duplicate_of"]]
    save(Path("found.csv"), [{**row, "genre": "rock"} for row in rows])
    assert mgrkit("spectrograms", "found.csv", "pictures") == 0
    for data in (Path("pictures"), Path("found.csv")):
        dataset = read_dataset(data, input_of("image", "cnn"))
        sets = linked(label.dealt_with for label in labelled(dataset.entries))
        assert sorted(map(len, sets)) == [1, 1, 3]


def test_a_split_in_another_folder_moves_the_paths(music: Path) -> None:
    assert mgrkit("duplicates", "music", "--out", "found.csv") == 0
    rows = [{**row, "genre": row["genre"] or "rock"} for row in table(Path("found.csv"))]
    save(Path("found.csv"), rows)
    Path("tables").mkdir()
    assert mgrkit("data", "split", "found.csv", "tables/split.csv", "--allow-missing") == 0
    made = {row["path"]: row for row in table(Path("tables/split.csv"))}
    poor = made["../music/old/poor.mp3"]
    assert poor["recording_of"] == poor["same_as"] == "../music/good/0.flac"


def test_a_split_keeps_a_recording_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = ["path,genre,recording_of"]
    for number in range(40):
        of = f"{number // 2}.flac"
        lines.append(f"{number}.flac,{'rock' if number % 4 < 2 else 'jazz'},{of}")
    (tmp_path / "found.csv").write_text("\n".join(lines) + "\n")
    assert mgrkit("data", "split", "found.csv", "out.csv") == 0
    rows = table(tmp_path / "out.csv")
    parts: dict[str, set[str]] = {}
    for row in rows:
        parts.setdefault(row["recording_of"], set()).add(row["split"])
    assert len(parts) == 20
    assert all(len(its) == 1 for its in parts.values())
    assert len({row["split"] for row in rows}) > 1


@pytest.mark.parametrize("kind", ["flac", "mp3", "ogg", "opus"])
def test_real_music_is_found_again(
    data: Path, tmp_path: Path, capfd: Captured, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """At half the rate, 12 dB softer and cut by three seconds at both ends, in another format."""
    monkeypatch.chdir(tmp_path)
    clips = sorted((data / "gtzan" / "clips").glob("*.flac"))[::5]
    for clip in clips:
        shutil.copy(clip, tmp_path / clip.name)
    sound, rate = soundfile.read(clips[3])
    cut = sound[3 * rate : -3 * rate] / 4
    to = 48_000 if kind == "opus" else rate // 2
    half = soxr.resample(soxr.resample(cut, rate, rate // 2), rate // 2, to)
    if kind in ("mp3", "opus"):
        encode(
            tmp_path / f"copy.{kind}",
            half[None].astype(np.float32),
            to,
            f"lib{kind}".replace("mp3", "mp3lame"),
        )
    else:
        soundfile.write(tmp_path / f"copy.{kind}", half, to)
    assert mgrkit("duplicates", ".", "--json") == 0
    assert groups(capfd) == [[clips[3].name, f"copy.{kind}"]]


def test_a_ctrl_c_leaves_no_half_fingerprint(music: Path) -> None:
    """The program that makes it is not of the terminal's group."""
    script = (
        "import os, signal, sys; sys.stdin.buffer.read(10); os.killpg(0, signal.SIGINT)\n"
        "rest = sys.stdin.buffer.read(); print(','.join(['1'] * 62))"
    )
    samples = np.zeros(4096 + 80 * 1365, np.int16)
    code = (
        "import numpy as np; from mgrkit.audio import chromaprint\n"
        f"print(len(chromaprint._made(({sys.executable!r}, '-c', {script!r}, '-plain'), "
        f"np.zeros({len(samples)}, np.int16))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, start_new_session=True
    )
    assert "gave 0 of 62 words" in done.stderr
    assert done.returncode == 1
