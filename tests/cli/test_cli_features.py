"""``mgrkit features`` as a person types it."""

from __future__ import annotations

import csv
import json
import os
import shutil
import wave
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from mgrkit.audio import open_sound, pieces
from mgrkit.audio.hashing import SoundDigest
from mgrkit.cli.app import app
from mgrkit.cli.terminal.errors import guarded
from mgrkit.features.sets.gtzan57 import COLUMNS, FRONT_END, gtzan57
from mgrkit.registry import installed


def tone(path: Path, seconds: float = 1.0, hz: float = 440.0, level: float = 0.3) -> Path:
    """A sine with a little noise as a 16-bit WAV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(round(22050 * seconds)) / 22050
    sound = level * np.sin(2 * np.pi * hz * time)
    if level:
        sound += np.random.default_rng(0).standard_normal(len(time)) / 100
    with wave.open(os.fspath(path), "wb") as file:
        file.setparams((1, 2, 22050, 0, "NONE", ""))
        file.writeframes((32767 * sound).astype("<i2").tobytes())
    return path


def mgrkit(*words: object) -> int:
    return guarded(app, [str(word) for word in words])


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def audio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with three tones of two genres in ``audio``."""
    monkeypatch.chdir(tmp_path)
    tone(tmp_path / "audio" / "high" / "a.wav", hz=2000)
    tone(tmp_path / "audio" / "high" / "b.wav", hz=3000)
    tone(tmp_path / "audio" / "low" / "c.wav", hz=200)
    return tmp_path / "audio"


def content_of(path: Path) -> str:
    with open_sound(path) as sound:
        digest = SoundDigest(sound.rate, sound.channels)
        for block in sound.blocks():
            digest.update(block)
    return digest.hexdigest()


def test_without_arguments(audio: Path, capfd: pytest.CaptureFixture[str]) -> None:
    tone(audio.parent / "noisy" / "low" / "c2.wav", hz=210)
    assert mgrkit("features") == 0
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "features: 4 made in" in captured.err
    assert "see features.csv" in captured.err
    rows = table(Path("features.csv"))
    assert [row["path"] for row in rows] == ["high/a.wav", "high/b.wav", "low/c.wav", "low/c2.wav"]
    row = rows[2]
    known = {
        "path": "low/c.wav", "genre": "low", "group": "", "split": "", "parent": "low/c.wav",
        "start": "0.0", "seconds": "1.0", "rate": "22050", "channels": "1", "kind": "gtzan57",
        "status": "ok", "reason": "", "source": "low/c.wav",
        "settings": installed().feature_set("gtzan57").digest,
        "sound": content_of(audio / "low" / "c.wav"), "frontend": FRONT_END.to_json(),
    }  # fmt: skip
    assert list(row) == [*known, *COLUMNS]
    assert {name: row[name] for name in known} == known
    with open_sound(str(audio / "low" / "c.wav")) as sound:
        (piece,) = pieces(sound, 22050)
    assert [float(row[name]) for name in COLUMNS] == gtzan57(piece.samples)[0].tolist()


def test_lineage_and_a_table_that_gives_way(audio: Path, capfd) -> None:
    (audio / "tracks.csv").write_text(
        "path,genre,group,split,mood,tempo\nhigh/a.wav,jazz,Ann,test,calm,99\n"
    )
    assert mgrkit("features", "audio") == 0
    assert "tempo give way to this command's columns" in capfd.readouterr().err
    row = table(Path("features.csv"))[0]
    assert (row["genre"], row["group"], row["split"], row["mood"]) == (
        "jazz", "Ann", "test", "calm"
    )  # fmt: skip
    assert list(row).count("tempo") == 1
    assert float(row["tempo"]) != 99


def test_again_keeps_and_resumes_to_the_same_bytes(audio: Path, capfd) -> None:
    assert mgrkit("features", "audio", "whole.csv", "--workers", 1) == 0
    Path("list.txt").write_text("low/c.wav\n")
    assert mgrkit("features", "audio", "parts.csv", "--files-from", "list.txt") == 0
    assert len(table(Path("parts.csv"))) == 1
    assert mgrkit("features", "audio", "parts.csv") == 0
    assert "2 made, 1 kept" in capfd.readouterr().err
    assert Path("parts.csv").read_bytes() == Path("whole.csv").read_bytes()
    Path("whole.csv").unlink()
    assert mgrkit("features", "audio", "whole.csv") == 0
    assert "0 made, 3 kept" in capfd.readouterr().err
    assert Path("parts.csv").read_bytes() == Path("whole.csv").read_bytes()


def test_bad_files_are_rows(audio: Path, capfd) -> None:
    (audio / "low" / "bad.wav").write_bytes(b"no sound")
    tone(audio / "low" / "none.wav", level=0)
    tone(audio / "low" / "short.wav", seconds=0.05)
    assert mgrkit("features") == 1
    assert "3 made, 3 failed (1 not-audio, 1 silent, 1 too-short)" in capfd.readouterr().err
    rows = {row["path"]: row for row in table(Path("features.csv"))}
    for name, reason in (("bad", "not-audio"), ("none", "silent"), ("short", "too-short")):
        row = rows[f"low/{name}.wav"]
        assert row["status"] == "failed"
        assert row["reason"].startswith(reason)
        assert {row[column] for column in COLUMNS} == {""}


def test_a_row_for_each_piece(audio: Path) -> None:
    tone(audio / "low" / "long.wav", seconds=3.2)
    assert mgrkit("features", "audio/low/long.wav", "pieces.csv", "--piece-seconds", 1) == 0
    rows = table(Path("pieces.csv"))
    assert [(row["path"], row["start"], row["seconds"]) for row in rows] == [
        ("long.wav", f"{start}.0", "1.0") for start in range(3)
    ]


def test_parquet_holds_what_csv_holds(audio: Path) -> None:
    (audio / "low" / "bad.wav").write_bytes(b"no sound")
    assert mgrkit("features", "audio", "f.csv") == 1
    assert mgrkit("features", "audio", "f.PARQUET") == 1
    frame = pl.read_parquet("f.PARQUET")
    shown = [{k: "" if v is None else str(v) for k, v in row.items()} for row in frame.to_dicts()]
    assert shown == table(Path("f.csv"))
    assert frame.schema["tempo"] == frame.schema["start"] == pl.Float64
    assert frame.schema["rate"] == pl.Int64
    assert frame.schema["group"] == pl.String


def test_other_settings_are_refused_and_replaced(audio: Path, capfd) -> None:
    assert mgrkit("features") == 0
    before = Path("features.csv").read_bytes()
    assert mgrkit("features", "--piece-seconds", 0.5) == 2
    assert "was made with other settings: no --piece-seconds instead of 0.5" in (
        capfd.readouterr().err
    )
    assert Path("features.csv").read_bytes() == before
    assert mgrkit("features", "--piece-seconds", 0.5, "--replace") == 0
    assert len(table(Path("features.csv"))) == 6


def test_a_table_inside_src_or_beside_it(audio: Path) -> None:
    assert mgrkit("features", "audio", "audio/features.csv") == 0
    assert mgrkit("features", "audio", "audio/features.csv") == 0
    assert mgrkit("features", ".", "features.csv") == 0
    assert len(table(audio / "features.csv")) == 3
    assert [row["genre"] for row in table(Path("features.csv"))] == ["high", "high", "low"]
    assert mgrkit("features", "audio", "new/folder/features.csv") == 0
    assert len(table(Path("new/folder/features.csv"))) == 3


def test_json_names_the_table(audio: Path, capfd) -> None:
    assert mgrkit("features", "--json", "--quiet") == 0
    summary = json.loads(capfd.readouterr().out)
    assert (summary["command"], summary["made"]) == ("features", 3)
    assert summary["out"] == summary["table"] == "features.csv"


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["audio", "f.xlsx"], 2, "OUT is no table: f.xlsx (a file ending in .csv or .parquet)"),
        (["audio", "table"], 2, "OUT is no table: table"),
        (["audio", "audio/tracks.csv"], 2, "tracks.csv is the table of a folder of sound"),
        (["audio", "folder.csv"], 2, "OUT is a folder: folder.csv (give a file)"),
        (["audio", "mine.csv"], 3, "mine.csv was not made by mgrkit"),
        (["nowhere"], 3, "there is no nowhere"),
        (["--set", "gtzan75"], 2, "no feature set 'gtzan75' (did you mean gtzan57?)"),
        (["--piece-seconds", "0.05"], 2, "--piece-seconds must be from 0.09288 (one window)"),
        (["--piece-seconds", "121"], 2, "--piece-seconds must be"),
        (["--piece-seconds", "nan"], 2, "--piece-seconds must be"),
    ],
)
def test_wrong_calls_end_in_one_line(audio: Path, capfd, words, code, text) -> None:
    Path("folder.csv").mkdir()
    Path("mine.csv").write_text("mine")
    assert mgrkit("features", *words) == code
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("mgrkit: ")
    assert captured.err.count("\n") == 1
    assert text in captured.err
    assert {path.name for path in Path().iterdir()} == {"audio", "folder.csv", "mine.csv"}


def test_without_any_source_it_says_so(audio: Path, capfd) -> None:
    shutil.rmtree(audio)
    assert mgrkit("features") == 3
    assert "neither a folder audio nor noisy here (give SRC)" in capfd.readouterr().err


def test_a_track_that_gets_another_label_gets_another_row(audio: Path) -> None:
    assert mgrkit("features", "audio", "f.csv") == 0
    (audio / "tracks.csv").write_text(
        "path,genre,group\nhigh/a.wav,swing,Ann\nhigh/b.wav,high,\nlow/c.wav,low,\n"
    )
    assert mgrkit("features", "audio", "f.csv") == 0
    before = table(Path("f.csv"))
    assert (before[0]["genre"], before[0]["group"]) == ("swing", "Ann")
    text = (audio / "tracks.csv").read_text().replace("swing", "jazz").replace("Ann", "Bob")
    (audio / "tracks.csv").write_text(text)
    assert mgrkit("features", "audio", "f.csv") == 0
    rows = table(Path("f.csv"))
    assert (rows[0]["genre"], rows[0]["group"]) == ("jazz", "Bob")
    assert rows[1:] == before[1:]


def test_the_artist_of_the_tags_is_the_group(audio: Path) -> None:
    import av

    song = audio / "low" / "tagged.flac"
    with av.open(str(song), "w") as file:
        file.metadata["artist"] = "Ann of the Tags"
        stream = file.add_stream("flac", rate=22050, layout="mono")
        time = np.arange(22050) / 22050
        samples = (9000 * np.sin(2 * np.pi * 300 * time)).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
        frame.rate = 22050
        for packet in (*stream.encode(frame), *stream.encode(None)):
            file.mux(packet)
    assert mgrkit("features", "audio", "f.csv") == 0
    groups = {row["path"]: row["group"] for row in table(Path("f.csv"))}
    assert groups == {
        "high/a.wav": "",
        "high/b.wav": "",
        "low/c.wav": "",
        "low/tagged.flac": "Ann of the Tags",
    }


def test_a_table_is_not_its_own_source(audio: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Path("x.csv").write_text("words")
    assert mgrkit("features", "x.csv", "x.csv") == 2
    assert "OUT is SRC" in capfd.readouterr().err
    assert Path("x.csv").read_text() == "words"
