"""``mgrkit data check`` as a person types it."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import time
import unicodedata
import wave
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from mgrkit.cli.app import app
from mgrkit.cli.terminal.errors import guarded
from mgrkit.tracks.findings import Published, published
from tests.cli.test_cli_features import content_of, mgrkit, table, tone

Captured = pytest.CaptureFixture[str]


def rows(path: Path | str = "checked.csv") -> dict[str, dict[str, str]]:
    return {row["path"]: row for row in table(Path(path))}


def codes(path: Path | str = "checked.csv") -> dict[str, list[str]]:
    """The codes of each path, without those of what is as it should be."""
    return {
        name: [one.partition(":")[0] for one in row["reason"].split("; ")]
        for name, row in rows(path).items()
        if row["reason"]
    }


def tracks(folder: Path, *lines: str, name: str = "tracks.csv") -> Path:
    (folder / name).write_text("\n".join(lines) + "\n")
    return folder / name


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.fixture
def music(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two genres of two tones, in ``music``."""
    monkeypatch.chdir(tmp_path)
    for number, name in enumerate(["jazz/a", "jazz/b", "rock/c", "rock/d"]):
        tone(tmp_path / "music" / f"{name}.wav", hz=300 + 100 * number)
    return tmp_path / "music"


def test_a_good_folder(music: Path, capfd: Captured) -> None:
    assert mgrkit("data", "check", "music", "checked.csv") == 0
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "check: 4 made in" in captured.err
    found = rows()
    assert list(found) == [f"music/{n}.wav" for n in ("jazz/a", "jazz/b", "rock/c", "rock/d")]
    assert found["music/jazz/a.wav"] == {
        "path": "music/jazz/a.wav", "genre": "jazz", "status": "ok", "reason": "",
        "seconds": "1.0", "rate": "22050", "channels": "1",
        "sound": content_of(music / "jazz" / "a.wav"), "duplicate_of": "",
    }  # fmt: skip


@pytest.mark.parametrize("data", ["music", "music/tracks.csv"])
def test_the_table_lies_beside_and_other_commands_pass_over_what_is_bad(
    music: Path, capfd: Captured, data: str
) -> None:
    tracks(music, "path,genre", *(f"{n}.wav,x" for n in ("jazz/a", "jazz/b", "rock/c", "rock/d")))
    cut(music / "jazz" / "a.wav")
    shutil.copy(music / "jazz" / "b.wav", music / "rock" / "c.wav")
    assert mgrkit("data", "check", data) == 1
    assert "see music/checked.csv" in capfd.readouterr().err
    assert list(rows("music/checked.csv")) == [
        "jazz/a.wav", "jazz/b.wav", "rock/c.wav", "rock/d.wav",
    ]  # fmt: skip
    assert mgrkit("data", "convert", "music/checked.csv", "out", "-q") == 0
    assert {p.name for p in Path("out").rglob("*.wav")} == {"b.wav", "d.wav"}
    assert mgrkit("data", "check", data) == 1, "its own table is none of DATA"
    assert len(rows("music/checked.csv")) == 4


def test_every_kind_of_bad_file_is_told(music: Path, capfd: Captured) -> None:
    (music / "jazz" / "empty.wav").touch()
    with wave.open(os.fspath(music / "jazz" / "bare.wav"), "wb") as file:
        file.setparams((1, 2, 22050, 0, "NONE", ""))
    (music / "jazz" / "text.mp3").write_text("no sound at all")
    cut(tone(music / "jazz" / "cut.wav", 3))
    (music / "jazz" / "lfs.au").write_text("version https://git-lfs.github.com/spec/v1\noid a\n")
    tone(music / "jazz" / "silent.wav", level=0)
    tone(music / "jazz" / "short.wav", 0.2)
    tone(music / "jazz" / "loud.wav", level=0)
    sound = np.clip(3 * np.sin(np.arange(22050) / 20), -1, 1)
    with wave.open(os.fspath(music / "jazz" / "loud.wav"), "wb") as file:
        file.setparams((1, 2, 22050, 0, "NONE", ""))
        file.writeframes((32767 * sound).astype("<i2").tobytes())
    shutil.copy(music / "rock" / "c.wav", music / "jazz" / "same.wav")
    tone(music / "jazz" / "rock.00123.wav", hz=777)
    assert (
        mgrkit(
            "data",
            "check",
            "music",
            "checked.csv",
            "--min-seconds",
            "0.5",
            "--quarantine",
            "good.csv",
        )
        == 1
    )
    assert codes() == {
        "music/jazz/bare.wav": ["empty"],
        "music/jazz/cut.wav": ["truncated"],
        "music/jazz/empty.wav": ["empty"],
        "music/jazz/lfs.au": ["pointer"],
        "music/jazz/loud.wav": ["clipped"],
        "music/jazz/rock.00123.wav": ["label"],
        "music/jazz/short.wav": ["short"],
        "music/jazz/silent.wav": ["silent"],
        "music/jazz/text.mp3": ["undecodable"],
        "music/rock/c.wav": ["duplicate"],
    }
    status = {name: row["status"] for name, row in rows().items()}
    assert {name for name in status if status[name] == "failed"} == set(codes()) - {
        "music/jazz/loud.wav", "music/jazz/rock.00123.wav", "music/rock/c.wav",
    }  # fmt: skip
    copy = rows()["music/rock/c.wav"]
    assert copy["duplicate_of"] == "music/jazz/same.wav"
    assert copy["reason"] == "duplicate: the same sound as music/jazz/same.wav, which is jazz"
    assert rows()["music/jazz/cut.wav"]["seconds"] == "1.499501"
    captured = capfd.readouterr()
    assert "music/jazz/same.wav, which is jazz" in " ".join(captured.out.split())
    left = "2 empty, 1 truncated, 1 pointer, 1 short, 1 silent, 1 undecodable, 1 duplicate"
    assert f"good.csv: 6 files, 8 left out ({left})" in captured.err
    good = set(rows("good.csv"))
    assert good == {n for n, row in rows().items() if row["status"] == "ok"} - {"music/rock/c.wav"}


def test_what_a_table_states(music: Path) -> None:
    """Missing files, short ones, labels, contradictions, files that it does not name."""
    tone(music / "jazz" / "e.wav", hz=123)
    table = tracks(
        music, "path,genre,seconds,mood", "jazz/a.wav,jazz,1.02,blue", "jazz/b.wav,rock,1,",
        "rock/c.wav,Rock,30,", "rock/d.wav,rock,,", "rock/d.wav,jazz,,", "rock/gone.wav,rock,9,",
    )  # fmt: skip
    expected = {
        "music/jazz/b.wav": "label: the table says rock, the folder jazz",
        "music/jazz/e.wav": "unlisted: not in tracks.csv",
        "music/rock/c.wav": "short: 1 s of 30 s that are stated",
        "music/rock/d.wav": "contradicting: two rows give this path the genres rock and jazz; "
        "repeated: 2 rows of the table have this path",
        "music/rock/gone.wav": "missing: the file is not there",
    }
    assert mgrkit("data", "check", "music", "checked.csv", "-q") == 1
    found = rows()
    assert {name: row["reason"] for name, row in found.items() if row["reason"]} == expected
    assert found["music/jazz/a.wav"]["mood"] == "blue"
    assert (found["music/jazz/a.wav"]["stated"], found["music/jazz/a.wav"]["seconds"]) == (
        "1.02", "1.0",
    )  # fmt: skip
    assert found["music/rock/gone.wav"]["status"] == "failed"
    # The table alone: what it does not name is not looked for. The stated length is kept.
    assert mgrkit("data", "check", table, "alone.csv", "-q") == 1
    del expected["music/jazz/e.wav"]
    assert {n: row["reason"] for n, row in rows("alone.csv").items() if row["reason"]} == expected
    assert mgrkit("data", "check", "alone.csv", "again.csv", "-q") == 1
    assert rows("again.csv")["music/rock/c.wav"]["reason"] == expected["music/rock/c.wav"]


@pytest.mark.parametrize("other", ["jazz/a.wav", "./jazz/a.wav", "jazz\\a.wav"])
def test_a_path_with_two_genres_has_none_that_is_right(music: Path, other: str) -> None:
    """However the second row writes the path; the same genre written otherwise is no second."""
    names = ("jazz/b.wav,Hip-Hop", "jazz/b.wav,hip hop", "jazz/b.wav,", "rock/c.wav,x")
    table = tracks(music, "path,genre", "jazz/a.wav,blues", f"{other},rock", *names)
    for data in ("music", table):
        out = ("checked.csv", "--quarantine", "good.csv", "--replace", "-q")
        assert mgrkit("data", "check", data, *out) == 1
        found = rows()["music/jazz/a.wav"]
        assert found["status"] == "failed"
        assert found["reason"] == (
            "contradicting: two rows give this path the genres blues and rock; "
            "label: the table says blues, the folder jazz; "
            "repeated: 2 rows of the table have this path"
        )
        assert codes()["music/jazz/b.wav"] == ["label", "repeated"]
        assert "music/jazz/a.wav" not in rows("good.csv")
        assert "music/jazz/b.wav" in rows("good.csv")


def test_of_copies_one_whose_label_nothing_speaks_against_is_kept(music: Path) -> None:
    """In a first run and in a later one; where all are in doubt, the first."""
    for name in ("pop/rock.00121", "rock/rock.00121", "rock/rock.00122"):
        tone(music / f"{name}.wav", hz=1234)
    for name in ("jazz/rock.00123", "pop/rock.00123"):
        tone(music / f"{name}.wav", hz=4321)
    for _ in range(2):
        out = ("checked.csv", "--quarantine", "good.csv", "-q")
        assert mgrkit("data", "check", "music", *out) == 0
        copies = {n: row["duplicate_of"] for n, row in rows().items() if row["duplicate_of"]}
        assert copies == {
            "music/pop/rock.00121.wav": "music/rock/rock.00121.wav",
            "music/rock/rock.00122.wav": "music/rock/rock.00121.wav",
            "music/pop/rock.00123.wav": "music/jazz/rock.00123.wav",
        }
        assert rows()["music/pop/rock.00121.wav"]["reason"] == (
            "label: the folder says pop, the file's name rock; "
            "duplicate: the same sound as music/rock/rock.00121.wav, which is rock"
        )
        assert rows()["music/rock/rock.00121.wav"]["reason"] == ""
        assert set(rows("good.csv")) == set(rows()) - set(copies)


def test_a_folder_with_a_table_from_elsewhere(music: Path, capfd: Captured) -> None:
    tracks(music.parent, "path,genre", "jazz/a.wav,jazz", "rock/gone.wav,rock", name="t.csv")
    assert mgrkit("data", "check", "music", "checked.csv", "--table", "t.csv", "-q") == 1
    assert codes() == {"music/rock/gone.wav": ["missing"]}
    assert len(rows()) == 2
    assert mgrkit("data", "check", "music", "t.csv", "--table", "t.csv") == 2
    assert "OUT is the table of DATA" in capfd.readouterr().err


def test_what_a_collection_says_of_itself_is_checked_and_told(music: Path) -> None:
    """The list is told beside what was found, whether it is so or not; slices are no clips."""
    folder = music.parent / "genres_original"
    tone(folder / "jazz" / "jazz.00054.wav", 30, hz=500)
    tone(folder / "jazz" / "jazz.00055.wav", 9, hz=500)
    tone(folder / "jazz" / "jazz.00056.3.wav", 3, hz=550)
    assert mgrkit("data", "check", "genres_original", "checked.csv", "-q") == 1
    reasons = [row["reason"] for row in rows().values()]
    told = "listed: gtzan has undecodable: Kaggle's WAV is damaged"
    assert reasons == [
        f"{told}; nothing like it was found", "short: 9 s of 30 s that are stated", "",
    ]  # fmt: skip
    (folder / "jazz" / "jazz.00054.wav").write_text("rubbish")
    assert mgrkit("data", "check", "genres_original", "checked.csv", "-q") == 1
    found = next(iter(rows().values()))
    assert found["reason"] == f"undecodable: no decoder knows this file; {told}"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("genres/jazz/jazz.00054.au", Published("gtzan", 30, "")),
        ("jazz/jazz.00054.wav", Published("gtzan", 30, "undecodable: Kaggle's WAV is damaged")),
        ("jazz/jazz.00054.flac", Published("gtzan", 0, "")),
        ("jazz/jazz.00054_2.wav", Published()),
        ("fma_full/099/099134.mp3", Published("fma", 0, "")),
        ("099/099134.mp3", Published("fma", 0, "")),  # of the clips, or of full
        ("a/song.wav", Published()),
    ],
)
def test_what_collections_say(path: str, expected: Published) -> None:
    assert published(path) == expected


def test_the_folder_may_say_which_form_it_is() -> None:
    fault = published("099/099134.mp3", "/data/fma_small").fault
    assert fault.startswith("empty: ")
    assert published("099/099134.mp3", "/data/fma_full").fault == ""


def test_several_findings_of_one_file_are_all_told_failures_first(music: Path) -> None:
    cut(tone(music / "jazz" / "rock.00123.wav", 3))
    assert mgrkit("data", "check", "music", "checked.csv", "--min-seconds", 2, "-q") == 1
    assert codes()["music/jazz/rock.00123.wav"] == ["truncated", "short", "label"]


def test_folders_that_are_no_genres_contradict_nothing(music: Path, tmp_path: Path) -> None:
    for artist in ("Train", "Rock Hudson"):
        tone(tmp_path / "by_artist" / artist / f"{len(artist)}.wav", hz=50 * len(artist))
    tracks(tmp_path / "by_artist", "path,genre", "Train/5.wav,jazz", "Rock Hudson/11.wav,pop")
    tone(tmp_path / "by_artist" / "Hip-Hop" / "pop.00123.wav", hz=1500)
    tracks(
        tmp_path / "by_artist", "path,genre", "Train/5.wav,jazz", "Rock Hudson/11.wav,pop",
        "Hip-Hop/pop.00123.wav,hiphop",
    )  # fmt: skip
    assert mgrkit("data", "check", "by_artist", "checked.csv", "-q") == 0
    reasons = [row["reason"] for row in rows().values()]
    assert reasons == ["label: the table says hiphop, the file's name pop", "", ""]


def test_rows_name_files_as_other_systems_do(music: Path) -> None:
    name = "caf\u00e9.wav"
    tone(music / "jazz" / name, hz=900)
    tracks(
        music, "path,genre", f"jazz/{unicodedata.normalize('NFD', name)},jazz", "./jazz/a.wav,jazz",
        "jazz\\b.wav,jazz", "rock/c.wav,rock", "rock/d.wav,rock",
    )  # fmt: skip
    for data, out in (("music", "one.csv"), ("music/tracks.csv", "two.csv")):
        assert mgrkit("data", "check", data, out, "-q") == 0
        assert codes(out) == {}
        assert len(rows(out)) == 5


@pytest.mark.skipif(sys.platform != "linux", reason="names are any bytes on Linux only")
def test_names_that_are_no_text_come_back(music: Path) -> None:
    shutil.move(music / "jazz" / "a.wav", os.fsencode(music / "jazz") + b"/\xe9.wav")
    assert mgrkit("data", "check", "music", "music/one.csv", "-q") == 0
    assert "jazz/\\udce9.wav" in rows("music/one.csv")
    assert mgrkit("data", "check", "music/one.csv", "music/two.csv", "-q") == 0
    assert list(rows("music/two.csv")) == list(rows("music/one.csv"))


@pytest.mark.parametrize("workers", [1, 7])
def test_the_same_bytes_for_any_number_of_workers(music: Path, workers: int) -> None:
    for number in range(30):
        tone(music / "jazz" / f"{number}.wav", 0.1, hz=100 + 20 * (number // 2))
    cut(music / "jazz" / "11.wav")
    mgrkit("data", "check", "music", "one.csv", "-j", 3, "-q")
    mgrkit("data", "check", "music", "two.csv", "-j", workers, "-q")
    assert Path("one.csv").read_bytes() == Path("two.csv").read_bytes()
    assert sum("duplicate" in found for found in codes("one.csv").values()) == 14
    assert rows("one.csv")["music/jazz/1.wav"]["duplicate_of"] == "music/jazz/0.wav"


def test_parquet_says_the_same(music: Path) -> None:
    cut(tone(music / "jazz" / "cut.wav", 3))
    for out in ("c.csv", "c.parquet"):
        assert mgrkit("data", "check", "music", out, "-q", "--quarantine", f"good-{out}") == 1
    one = pl.read_csv("c.csv", infer_schema=False).with_columns(pl.all().fill_null(""))
    two = pl.read_parquet("c.parquet").with_columns(pl.all().cast(pl.String).fill_null(""))
    assert two.equals(one)
    assert pl.read_parquet("good-c.parquet")["path"].to_list() == list(rows("good-c.csv"))


def test_nothing_is_decoded_twice_whatever_is_asked_or_mended(
    music: Path, monkeypatch: pytest.MonkeyPatch, capfd: Captured
) -> None:
    assert mgrkit("data", "check", "music", "checked.csv", "-q") == 0
    monkeypatch.setattr("mgrkit.audio.measuring.measure", None)
    assert mgrkit("data", "check", "music", "checked.csv", "--min-seconds", 2, "--json", "-q") == 1
    assert json.loads(capfd.readouterr().out)["reasons"] == {"short": 4}
    words = [f"{name}.wav,rock" for name in ("jazz/a", "jazz/b", "rock/c", "rock/d")]
    tracks(music, "path,genre", *words)
    assert mgrkit("data", "check", "music", "checked.csv", "-q", "--replace", "--dry-run") == 0
    assert "4 to do" in capfd.readouterr().err


def test_a_file_that_is_gone_is_in_the_table_no_more(music: Path) -> None:
    assert mgrkit("data", "check", "music", "checked.csv", "-q") == 0
    (music / "jazz" / "a.wav").unlink()
    assert mgrkit("data", "check", "music", "checked.csv", "-q") == 0
    assert "music/jazz/a.wav" not in rows()
    assert len(rows()) == 3


def test_a_changed_file_is_decoded_again(music: Path) -> None:
    assert mgrkit("data", "check", "music", "checked.csv", "-q") == 0
    tone(music / "jazz" / "a.wav", 2, hz=50)
    assert mgrkit("data", "check", "music", "checked.csv", "-q") == 0
    assert rows()["music/jazz/a.wav"]["seconds"] == "2.0"


def finished(journal: Path) -> int:
    return journal.read_text().count('{"done"') if journal.exists() else 0


def test_killed_again_and_again_it_ends_in_the_same_table(music: Path) -> None:
    for number in range(60):
        tone(music / "jazz" / f"{number}.wav", 8, hz=100 + 20 * (number // 2))
    words = [
        sys.executable,
        "-m",
        "mgrkit",
        "data",
        "check",
        "music",
        "checked.csv",
        "-q",
        "-j",
        "1",
    ]
    journal = Path(".mgrkit") / "checked.csv" / "journal" / "0.jsonl"
    before = 0
    for _ in range(4):
        process = subprocess.Popen(words)
        while process.poll() is None and (done := finished(journal)) <= before:
            time.sleep(0.001)
        process.kill()
        assert process.wait() == -9
        before = done
    assert not Path("checked.csv").exists()
    assert subprocess.run(words).returncode == 0
    assert mgrkit("data", "check", "music", "whole.csv", "-q") == 0
    assert Path("checked.csv").read_bytes() == Path("whole.csv").read_bytes()


def test_json_has_the_counts_and_the_first(music: Path, capfd: Captured) -> None:
    for number in range(5):
        tone(music / "jazz" / f"s{number}.wav", level=0)
    words = ("data", "check", "music", "checked.csv", "--json", "--quarantine", "good.csv")
    assert mgrkit(*words) == 1
    told = json.loads(capfd.readouterr().out)
    assert told["findings"] == {"silent": 5}
    assert [path for path, _ in told["examples"]["silent"]] == [
        f"music/jazz/s{number}.wav" for number in range(3)
    ]
    assert told["quarantine"] == {"kept": 4, "left_out": {"silent": 5}}
    assert (told["failed"], told["made"], told["exit_code"]) == (5, 4, 1)
    assert mgrkit(*words[:-2], "--dry-run") == 1
    assert json.loads(capfd.readouterr().out)["to_do"] == 0


def test_another_collection_is_not_written_over_the_first(music: Path, capfd: Captured) -> None:
    assert mgrkit("data", "check", "music", "checked.csv", "-q") == 0
    assert mgrkit("data", "check", "music/jazz", "checked.csv", "-q") == 2
    assert "DATA music instead of music/jazz" in capfd.readouterr().err
    assert mgrkit("data", "check", "music/jazz", "checked.csv", "-q", "--replace") == 0
    assert set(rows()) == {"music/jazz/a.wav", "music/jazz/b.wav"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("music none.txt", "OUT is no table"),
        ("music music/tracks.csv", "OUT is the table of DATA"),
        ("music/tracks.csv music/tracks.csv", "OUT is the table of DATA"),
        ("music c.csv --quarantine c.csv", "--quarantine is OUT"),
        ("music c.csv --quarantine music/tracks.csv", "--quarantine is the table of DATA"),
        ("music none/c.csv", "there is no folder none"),
        ("music folder.csv", "OUT is a folder"),
        ("music/jazz/a.wav", "DATA is neither a folder nor a track table"),
        ("music --min-seconds -1", "--min-seconds must be a number of at least 0"),
    ],
)
def test_wrong_calls(music: Path, capfd: Captured, words: str, message: str) -> None:
    tracks(music, "path,genre", "jazz/a.wav,jazz")
    Path("folder.csv").mkdir()
    before = (music / "tracks.csv").read_bytes()
    assert mgrkit("data", "check", *words.split()) == 2
    assert message in capfd.readouterr().err
    assert (music / "tracks.csv").read_bytes() == before


def test_somebody_elses_table_stays(music: Path, capfd: Captured) -> None:
    Path("checked.csv").write_text("mine")
    assert mgrkit("data", "check", "music", "checked.csv") == 3
    assert "was not made by mgrkit" in capfd.readouterr().err
    assert Path("checked.csv").read_text() == "mine"


def test_real_clips_and_hostile_files(data: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert mgrkit("data", "check", data / "gtzan" / "clips", "g.csv", "-q") == 0
    assert codes("g.csv") == {}
    with (data / "gtzan" / "clips_manifest.csv").open() as file:
        stated = {row["track"]: float(row["seconds"]) for row in csv.DictReader(file)}
    seconds = {Path(name).stem: float(row["seconds"]) for name, row in rows("g.csv").items()}
    assert seconds == pytest.approx(stated, abs=0.001)
    assert guarded(app, ["data", "check", str(data / "hostile"), "h.csv", "-q"]) == 1
    found = {Path(name).name: what for name, what in codes("h.csv").items()}
    assert found["git_lfs_pointer.au"] == ["pointer"]
    assert found["wav_header_only.wav"] == ["empty"]
    assert found["empty_file.aiff"] == ["empty"]
    assert found["garbage.mp3"] == ["truncated"]
    assert found["flac_453s_silence.flac"] == ["silent", "clipped"]
    assert found["flac_channels_change_midstream.flac"] == ["undecodable"]
    assert "flac_192khz.flac" not in found
    assert len(rows("h.csv")) == 40
