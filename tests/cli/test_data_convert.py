"""``mgrkit data convert`` as a person types it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mgrkit.audio import open_sound
from mgrkit.audio.encoding import FORMATS
from mgrkit.audio.tags.every import NAMES, every_tag
from mgrkit.audio.writing import INFO
from tests.audio.test_encoding import encode
from tests.cli.test_cli_features import mgrkit, table, tone

Captured = pytest.CaptureFixture[str]


def rows(out: Path | str) -> dict[str, dict[str, str]]:
    return {row["path"]: row for row in table(Path(out) / "tracks.csv")}


def files(out: Path | str) -> dict[str, bytes]:
    """What stands below OUT, but for what the run keeps for itself."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(Path(out).rglob("*"))
        if path.is_file() and ".mgrkit" not in path.parts
    }


def decoded(path: Path) -> np.ndarray:
    with open_sound(path) as sound:
        return np.concatenate(list(sound.blocks()), 1)


@pytest.fixture
def music(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three tones by genre with a table in ``music``."""
    monkeypatch.chdir(tmp_path)
    for number, name in enumerate(["jazz/a", "jazz/deep/b", "rock/c"]):
        tone(tmp_path / "music" / f"{name}.wav", hz=300 + 100 * number)
    (tmp_path / "music" / "tracks.csv").write_text(
        "path,genre,group,split,mood\njazz/a.wav,Jazz,Nina,train,blue\nrock/c.wav,Rock,,test,\n"
    )
    return tmp_path / "music"


@pytest.mark.parametrize("to", FORMATS)
def test_the_tree_and_the_lineage_are_kept(music: Path, to: str) -> None:
    before = files(music)
    assert mgrkit("data", "convert", "music", "out", "--to", to, "-q") == 0
    assert files(music) == before
    assert set(files("out")) == {f"jazz/a.{to}", f"jazz/deep/b.{to}", f"rock/c.{to}", "tracks.csv"}
    found = rows("out")
    rate = 48_000 if to == "opus" else 22_050
    assert found[f"jazz/a.{to}"].items() >= {
        "genre": "Jazz", "group": "Nina", "split": "train", "mood": "blue", "status": "ok",
        "parent": "jazz/a.wav", "source": "jazz/a.wav", "seconds": "1.0", "rate": str(rate),
        "channels": "1", "kind": to, "beyond": "0", "reason": "",
    }.items()  # fmt: skip
    assert found[f"jazz/deep/b.{to}"]["genre"] == "jazz"
    length = decoded(Path("out") / "rock" / f"c.{to}").shape
    assert length[0] == 1
    assert length[1] == rate or (to == "m4a" and 0 <= length[1] - rate < 1024)


def test_what_loses_nothing_is_the_same_sound(music: Path) -> None:
    assert mgrkit("data", "convert", "music", "one", "--to", "flac", "-q") == 0
    assert mgrkit("data", "convert", "one", "two", "-q") == 0
    for name in ("jazz/a", "jazz/deep/b", "rock/c"):
        assert np.array_equal(decoded(music / f"{name}.wav"), decoded(Path("two") / f"{name}.wav"))
    assert rows("two")["jazz/a.wav"]["parent"] == "jazz/a.wav"


def test_rate_and_channels(music: Path) -> None:
    left = np.sin(np.arange(44_100) / 10) / 4
    soundfile.write(music / "rock" / "two.wav", np.stack([left, left / 2], 1), 44_100)
    words = ("--rate", 16_000, "--channels", 1, "--subtype", "FLOAT", "-q")
    assert mgrkit("data", "convert", "music", "out", *words) == 0
    made = decoded(Path("out") / "rock" / "two.wav")
    assert made.shape == (1, 16_000)
    assert np.abs(made[0, 500:15_500]).max() == pytest.approx(0.75 / 4, abs=0.002)
    assert rows("out")["rock/two.wav"]["rate"] == "16000"
    assert mgrkit("data", "convert", "music", "wide", "--channels", 2, "-q") == 0
    both = decoded(Path("wide") / "rock" / "c.wav")
    assert both.shape == (2, 22_050)
    assert np.array_equal(both[0], both[1])


def test_tags_are_kept_and_name_the_group(music: Path) -> None:
    tags = {"title": "Song", "artist": "Björk", "album": "Debut", "genre": "Pop", "track": "3"}
    sound = np.full((1, 9000), 0.1, np.float32) * np.sin(np.arange(9000, dtype=np.float32) / 9)
    encode(music / "rock" / "t.mp3", sound, 22_050, tags=tags)
    for to in FORMATS:
        assert mgrkit("data", "convert", "music", to, "--to", to, "-q") == 0
        assert every_tag(Path(to) / "rock" / f"t.{to}") == tags
        assert rows(to)[f"rock/t.{to}"]["group"] == "Björk"


def test_the_help_names_the_tags_that_are_kept(capfd: Captured) -> None:
    assert mgrkit("data", "convert", "--help") == 0
    text = " ".join(capfd.readouterr().out.split())
    named = re.search(r"These tags are kept, of several values the first: (.*?);", text)
    assert named
    assert tuple(re.split(", | and ", named[1])) == NAMES
    lacking = re.search(r"wav has no (.*?)\. Other tags", text)
    assert lacking
    assert set(re.split(", | and ", lacking[1])) == set(NAMES) - set(INFO)


def test_bad_files_are_failed_rows_and_leave_nothing(music: Path) -> None:
    (music / "rock" / "bad.mp3").write_text("no sound")
    whole = (music / "rock" / "c.wav").read_bytes()
    (music / "rock" / "cut.wav").write_bytes(whole[: len(whole) // 2])
    soundfile.write(music / "rock" / "many.wav", np.ones((99, 3)) / 9, 22_050)
    for to in FORMATS:
        assert mgrkit("data", "convert", "music", to, "--to", to, "-q") == 1
        failed = {n: r["reason"].partition(":")[0] for n, r in rows(to).items() if r["reason"]}
        expected = {f"rock/bad.{to}": "not-audio", f"rock/cut.{to}": "truncated"}
        if to not in ("wav", "flac"):
            expected[f"rock/many.{to}"] = "no-format"
        assert failed == expected
        assert not any(Path(to, ".mgrkit", "tmp").iterdir())
        assert set(files(to)) == {"tracks.csv", *rows(to)} - set(failed)
    assert mgrkit("data", "convert", "music", "mono", "--to", "mp3", "--channels", 1, "-q") == 1
    assert rows("mono")["rock/many.mp3"]["status"] == "ok"
    assert mgrkit("data", "convert", "music", "stereo", "--channels", 2, "-q") == 1
    assert "--channels 1 mixes all of them" in rows("stereo")["rock/many.wav"]["reason"]


def test_what_only_some_files_can_have_is_refused_for_the_others_with_a_cure(music: Path) -> None:
    soundfile.write(music / "rock" / "slow.wav", np.ones(99) / 9, 8000)
    soundfile.write(music / "rock" / "many.wav", np.ones((99, 8)) / 9, 22_050)
    reasons = {}
    for to, words in (("mp3", ("--bit-rate", 128)), ("opus", ())):
        assert mgrkit("data", "convert", "music", to, "--to", to, *words, "-q") == 1
        reasons |= {name: row["reason"] for name, row in rows(to).items() if row["reason"]}
    assert reasons == {
        "rock/many.mp3": "no-format: mp3 cannot hold 8 channels (--channels 1)",
        "rock/slow.mp3": "no-format: mp3 at 8000 Hz in mono has 8 to 64 kbit/s, not 128 "
        "(--bit-rate 64)",
        "rock/many.opus": "no-format: opus cannot hold 8 channels (--channels 1)",
    }
    for to, words in (("mp3", ("--bit-rate", 64)), ("opus", ())):
        words = ("--to", to, "--channels", 1, *words, "--replace", "-q")
        assert mgrkit("data", "convert", "music", to, *words) == 0


def test_clipping_and_what_cancels_is_said(music: Path) -> None:
    loud = 1.5 * np.sin(np.arange(22_050) / 10)
    soundfile.write(music / "rock" / "loud.wav", loud, 22_050, "FLOAT")
    half = np.sin(np.arange(22_050) / 10) / 3
    soundfile.write(music / "rock" / "apart.wav", np.stack([half, -half], 1), 22_050)
    assert mgrkit("data", "convert", "music", "out", "--channels", 1, "-q") == 0
    count = int(np.count_nonzero(np.abs(loud.astype(np.float32)) > 1))
    row = rows("out")["rock/loud.wav"]
    assert row["beyond"] == str(count)
    assert row["reason"] == f"clipped: {count} samples were beyond full scale"
    assert "cancel each other" in rows("out")["rock/apart.wav"]["reason"]
    assert mgrkit("data", "convert", "music", "float", "--subtype", "FLOAT", "-q") == 0
    assert rows("float")["rock/loud.wav"]["reason"] == ""


@pytest.mark.parametrize("to", FORMATS)
def test_the_same_bytes_for_any_number_of_workers_and_after_a_kill(music: Path, to: str) -> None:
    for number in range(20):
        tone(music / "jazz" / f"{number}.wav", 8, hz=100 + 20 * number)
    words = [sys.executable, "-m", "mgrkit", "data", "convert", "music", "killed", "--to", to]
    process = subprocess.Popen([*words, "-q", "-j", "1"])
    while process.poll() is None and not any(Path("killed").rglob(f"*.{to}")):
        time.sleep(0.001)
    process.kill()
    assert process.wait() == -9
    there = {path: path.stat().st_mtime_ns for path in Path("killed").glob(f"*/*.{to}")}
    assert 0 < len(there) < 23
    assert mgrkit("data", "convert", "music", "killed", "--to", to, "-q", "-j", 7) == 0
    assert mgrkit("data", "convert", "music", "whole", "--to", to, "-q", "-j", 2) == 0
    assert files("killed") == files("whole")
    kept = [path for path, made in there.items() if path.stat().st_mtime_ns == made]
    assert len(kept) >= len(there) - 1, "the last one may not have been noted"


def test_a_table_as_src_and_the_dry_run(music: Path, capfd: Captured) -> None:
    assert mgrkit("data", "convert", "music/tracks.csv", "out", "-q") == 0
    assert set(rows("out")) == {"jazz/a.wav", "rock/c.wav"}
    capfd.readouterr()
    assert mgrkit("data", "convert", "music", "dry", "--dry-run", "--json") == 0
    assert json.loads(capfd.readouterr().out)["to_do"] == 3
    assert not Path("dry").exists()


def test_out_inside_src_is_left_out_by_its_own_calls_only(music: Path) -> None:
    for _ in range(2):
        assert mgrkit("data", "convert", "music", "music/one", "-q") == 0
        assert len(rows("music/one")) == 3
    assert mgrkit("data", "convert", "music", "two", "-q") == 0
    assert {"one/jazz/a.wav", "jazz/a.wav"} < set(rows("two"))


def test_two_files_of_one_stem_do_not_meet(music: Path) -> None:
    assert mgrkit("data", "convert", "music", "flac", "--to", "flac", "-q") == 0
    shutil.copy(Path("flac") / "rock" / "c.flac", music / "rock" / "c.flac")
    assert mgrkit("data", "convert", "music", "out", "-q") == 0
    assert {"rock/c.wav.wav", "rock/c.flac.wav"} <= set(files("out"))


def test_other_settings_are_refused(music: Path, capfd: Captured) -> None:
    assert mgrkit("data", "convert", "music", "out", "-q") == 0
    assert mgrkit("data", "convert", "music", "out", "--rate", 8000, "-q") == 2
    assert "no --rate instead of 8000" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("music music", "OUT is SRC"),
        ("music/rock music", "SRC lies inside OUT"),
        ("music out --to aac", "--to must be one of wav, flac, mp3, ogg, opus, m4a"),
        ("music out --to opus --rate 44100", "opus cannot hold sound at 44100 Hz (--rate 48000)"),
        ("music out --to mp3 --rate 96000", "mp3 cannot hold sound at 96000 Hz (--rate 48000)"),
        ("music out --to m4a --rate 44000", "m4a cannot hold sound at 44000 Hz (--rate 44100)"),
        ("music out --to flac --rate 768000", "flac cannot hold sound at 768000 Hz"),
        ("music out --to ogg --rate 768000", "ogg cannot hold sound at 768000 Hz"),
        (
            "music out --to mp3 --rate 8000 --bit-rate 320",
            "mp3 at 8000 Hz in stereo has 8 to 64 kbit/s, not 320 (--bit-rate 64)",
        ),
        ("music out --to mp3 --bit-rate 512", "has 32 to 320 kbit/s, not 512 (--bit-rate 320)"),
        ("music out --to opus --channels 1 --bit-rate 320", "in mono has 1 to 256 kbit/s"),
        ("music out --to flac --subtype FLOAT", "FLAC holds no float samples"),
        ("music out --subtype PCM_8", "--subtype must be PCM_16, PCM_24, FLOAT"),
        ("music out --to mp3 --subtype PCM_16", "--subtype goes with wav, flac, not mp3"),
        ("music out --to ogg --bit-rate 128", "--bit-rate goes with mp3, opus, m4a, not ogg"),
        ("music out --to mp3 --quality 3", "--quality goes with ogg, not mp3"),
        ("music out --channels 3", "--channels must be a whole number from 1 to 2"),
    ],
)
def test_wrong_calls(music: Path, capfd: Captured, words: str, message: str) -> None:
    before = files(music)
    assert mgrkit("data", "convert", *words.split()) == 2
    assert message in capfd.readouterr().err
    assert files(music) == before


@pytest.mark.parametrize("to", FORMATS)
def test_a_full_disk_ends_the_run_and_loses_nothing(music: Path, to: str, capfd: Captured) -> None:
    disk = music.parent / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", os.fspath(disk)]
    if os.name != "posix" or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a tmpfs is not allowed here")
    noise = np.random.default_rng(0).normal(0, 0.1, 22_050 * (10 if to in ("wav", "flac") else 30))
    for number in range(6):
        soundfile.write(music / "rock" / f"n{number}.wav", noise, 22_050)
    try:
        words = ("data", "convert", "music", "disk/out", "--to", to, "-j", 2, "-q")
        assert mgrkit(*words) == 3
        assert "disk is full" in capfd.readouterr().err
        assert not any((disk / "out" / ".mgrkit" / "tmp").iterdir())
        subprocess.run(["mount", "-o", "remount,size=40m", disk], check=True)
        assert mgrkit(*words) == 0
        assert mgrkit("data", "convert", "music", "right", "--to", to, "-q") == 0
        assert files(disk / "out") == files("right")
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def test_real_songs(data: Path, tmp_path: Path) -> None:
    for to in ("mp3", "wav"):
        words = ("--to", to, "--rate", 22_050, "--channels", 1, "-q")
        assert mgrkit("data", "convert", data / "songs", tmp_path / to, *words) == 0
        for row in rows(tmp_path / to).values():
            with open_sound(data / "songs" / row["source"]) as sound:
                before = sum(block.shape[1] for block in sound.blocks()) / sound.rate
            after = decoded(tmp_path / to / row["path"]).shape
            assert after == (1, round(float(row["seconds"]) * 22_050))
            assert after[1] == pytest.approx(before * 22_050, abs=1)
    assert every_tag(tmp_path / "mp3" / "vibe_ace.mp3")["title"] == "Vibe Ace"
