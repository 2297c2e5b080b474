"""``mgrkit report``: which sounds are found, what is drawn of them, and what a run leaves."""

from __future__ import annotations

import base64
import io
import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
import soundfile
from PIL import Image

from mgrkit.batch import Item, Options, Summary, Work
from mgrkit.commands.report import _Places, drawn, report
from mgrkit.errors import ItemError, RunError, Stopped, UsageError
from mgrkit.frontend import front_end
from mgrkit.reports.html.sources import Beside, page_of
from mgrkit.reports.html.thumbnails import HEIGHT, WIDTH, thumbnail
from mgrkit.spectrograms import render
from mgrkit.spectrograms.png import write_png
from tests.reports import made_results as made

RATE = 22_050


def sound(path: Path, seconds: float = 2.0, hertz: float = 440.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(int(seconds * RATE)) / RATE
    soundfile.write(path, np.sin(2 * np.pi * hertz * time) / 2, RATE)
    return path


def table(path: Path, names: list[str]) -> Path:
    rows = [f"{name},pop" if number else f"{name},jazz" for number, name in enumerate(names)]
    path.write_text("\n".join(["path,genre", *rows]) + "\n")
    return path


def data(out: Path) -> dict[str, Any]:
    """What the script of a page reads."""
    text = out.read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text.partition('id="tracks-0">')[2].partition("</")[0])
    return found


def test_sounds_beside_the_table_have_players_and_pictures(tmp_path: Path) -> None:
    names = ["a/x.wav", "b #2.wav", "gone.wav"]
    for name in names[:2]:
        sound(tmp_path / "music" / name)
    source = table(tmp_path / "music" / "songs.csv", names)
    made_ = report(source, tmp_path / "r.html")
    assert (made_.rows, made_.sounds, made_.pictures) == (3, 2, 2)
    found = data(tmp_path / "r.html")
    assert found["sounds"] == {"0": "./music/a/x.wav", "1": "./music/b%20%232.wav"}
    picture = Image.open(io.BytesIO(base64.b64decode(found["pictures"]["0"])))
    assert picture.size == (WIDTH, HEIGHT)
    assert made_.summary.exit_code == 0


def test_no_more_pictures_than_asked_for_and_the_first_ones(tmp_path: Path) -> None:
    names = [sound(tmp_path / f"{n}.wav").name for n in range(4)]
    source = table(tmp_path / "songs.csv", names)
    assert report(source, tmp_path / "r.html", pictures=2).pictures == 2
    assert list(data(tmp_path / "r.html")["pictures"]) == ["0", "1"]
    assert report(source, tmp_path / "r.html", pictures=0).pictures == 0
    assert len(data(tmp_path / "r.html")["sounds"]) == 4
    for many in (-1, 2001):
        with pytest.raises(UsageError, match="--pictures must be from 0 to 2,000"):
            report(source, tmp_path / "r.html", pictures=many)


def test_the_page_is_the_same_bytes_for_any_number_of_workers(tmp_path: Path) -> None:
    names = [sound(tmp_path / f"{n}.wav", 4 - n / 3).name for n in range(10)]
    source = table(tmp_path / "songs.csv", names)
    pages = []
    for workers in (1, 8):
        report(source, tmp_path / "r.html", options=Options(workers))
        pages.append((tmp_path / "r.html").read_bytes())
    assert pages[0] == pages[1]


def test_the_hardest_tracks_get_the_pictures(tmp_path: Path) -> None:
    source = made.verdicts(tmp_path / "verdicts.csv")
    tracks = page_of(source, Beside()).tracks[0]
    for name in tracks.names:
        sound(tmp_path / "audio" / name)
    report(source, tmp_path / "r.html", sound=tmp_path / "audio", pictures=3)
    assert {int(row) for row in data(tmp_path / "r.html")["pictures"]} == {*tracks.first[:3]}


def test_with_a_folder_ids_and_pictures_are_found_by_what_they_are_called(tmp_path: Path) -> None:
    names = ["gtzan:blues.00000", "name:song.wav", "images/jazz00001.png", "deep/other.wav",
             "twice.wav", "sha256:0123", "nothing.wav"]  # fmt: skip
    for path in ("blues/blues.00000.wav", "x/song.wav", "jazz/jazz.00001.au", "y/other.wav",
                 "1/twice.wav", "2/twice.wav"):  # fmt: skip
        (tmp_path / "audio" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "audio" / path).touch()
    places = _Places.of(tmp_path, tmp_path / "audio")
    found = {row: file.name for row, file in places.files(names).items()}
    assert found == {0: "blues.00000.wav", 1: "song.wav", 2: "jazz.00001.au", 3: "other.wav"}
    assert not _Places.of(tmp_path, None).files([*names, "nul\0", "a" * 5000, "."])


def test_a_sound_that_cannot_be_drawn_is_told_and_the_page_is_there(tmp_path: Path) -> None:
    sound(tmp_path / "good.wav")
    (tmp_path / "bad.wav").write_text("no sound")
    source = table(tmp_path / "songs.csv", ["good.wav", "bad.wav"])
    made_ = report(source, tmp_path / "r.html")
    assert (made_.pictures, made_.summary.failed, made_.summary.exit_code) == (1, 1, 1)
    found = data(tmp_path / "r.html")
    assert list(found["pictures"]) == list(found["sounds"]) == ["0"]
    assert found["failures"]["1"].startswith("not-audio: ")
    assert "bad.wav" not in found["failures"]["1"]


def test_what_failed_before_has_no_player(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        sound(tmp_path / name)
    (tmp_path / "songs.csv").write_text("path,status\na.wav,failed\nb.wav,ok\nc.wav,ok\n")
    rows = [{"path": "a.wav", "error": "damaged: so"}, made.predictions()[0] | {"path": "b.wav"}]
    for source in (tmp_path / "songs.csv", made.write(tmp_path / "songs.json", rows)):
        for pictures in (200, 0):
            report(source, tmp_path / "r.html", pictures=pictures)
            assert list(data(tmp_path / "r.html")["sounds"]) == ["1"]
    (tmp_path / "songs.csv").write_text("path,status\na.wav,failed\nb.wav,failed\n")
    assert report(tmp_path / "songs.csv", tmp_path / "r.html").sounds == 0


def test_pictures_are_counted_by_the_rows_that_have_them(tmp_path: Path) -> None:
    names = [sound(tmp_path / f"{n}.wav").name for n in (0, 1)]
    source = table(tmp_path / "songs.csv", [*names[:1] * 3, *names[1:] * 2])
    assert report(source, tmp_path / "r.html", pictures=2).pictures == 2
    assert list(data(tmp_path / "r.html")["pictures"]) == ["0", "1"]
    assert report(source, tmp_path / "r.html", pictures=4).pictures == 4
    assert len(data(tmp_path / "r.html")["sounds"]) == 5


def test_without_any_sound_it_says_how_to_name_it(tmp_path: Path) -> None:
    source = table(tmp_path / "songs.csv", ["gone.wav", "away.wav"])
    [note] = report(source, tmp_path / "r.html").notes
    assert "--sound FOLDER says where" in note
    assert note in (tmp_path / "r.html").read_text(encoding="utf-8")
    assert data(tmp_path / "r.html")["failures"] == {}
    with pytest.raises(UsageError, match="--sound must be a folder"):
        report(source, tmp_path / "r.html", sound=tmp_path / "gone")


def test_of_some_sounds_that_are_not_here_each_row_says_it(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav")
    source = table(tmp_path / "songs.csv", ["a.wav", "gone.wav", "away.wav"])
    [note] = report(source, tmp_path / "r.html").notes
    assert note.startswith("2 rows have no player and no picture, as the sound is not here")
    assert note in (tmp_path / "r.html").read_text(encoding="utf-8")
    lost = "its sound was not found"
    assert data(tmp_path / "r.html")["failures"] == {"1": lost, "2": lost}
    sound(tmp_path / "gone.wav")
    sound(tmp_path / "away.wav")
    assert report(source, tmp_path / "r.html").notes == []


def test_tables_name_files_that_are_no_utf_8_and_they_are_found(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.wav")
    sound(tmp_path / "cafe.wav").rename(tmp_path / name)
    source = table(tmp_path / "songs.csv", [r"caf\udce9.wav"])
    for folder in (None, tmp_path):
        assert report(source, tmp_path / "r.html", sound=folder).pictures == 1
        assert list(data(tmp_path / "r.html")["sounds"].values()) == ["./caf%E9.wav"]


def test_names_that_are_no_utf_8_are_linked_byte_by_byte(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.wav")
    sound(tmp_path / "cafe.wav").rename(tmp_path / name)
    song = made.predictions()[0] | {"path": str(tmp_path / name)}
    source = made.write(tmp_path / "songs.json", [song])
    report(source, tmp_path / "r.html")
    [address] = data(tmp_path / "r.html")["sounds"].values()
    assert address == "./caf%E9.wav"
    assert unquote(address, errors="surrogateescape") == f"./{name}"


def test_the_page_is_in_nobody_s_place(tmp_path: Path) -> None:
    source = table(tmp_path / "songs.csv", ["a.wav"])
    out = tmp_path / "mine.html"
    out.write_text("mine")
    with pytest.raises(UsageError, match="was not made by mgrkit report"):
        report(source, out)
    assert out.read_text() == "mine"
    report(source, out, replace=True)
    first = out.read_bytes()
    report(source, out)  # its own it replaces, by the same bytes
    assert out.read_bytes() == first
    link = tmp_path / "link.html"
    link.symlink_to(source)
    with pytest.raises(UsageError, match="--out is SRC"):
        report(source, link, replace=True)


def test_whoever_stops_it_gets_no_page(tmp_path: Path, monkeypatch: Any) -> None:
    source = table(tmp_path / "songs.csv", [sound(tmp_path / "a.wav").name])

    def stopped(run: Any) -> Summary:
        run.close()
        return Summary(stopped_by=2)

    monkeypatch.setattr("mgrkit.commands.report.run_now", stopped)
    with pytest.raises(Stopped) as ended:
        report(source, tmp_path / "r.html")
    assert ended.value.exit_code == 130
    assert not (tmp_path / "r.html").exists()


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path, monkeypatch: Any) -> None:
    source = table(tmp_path / "songs.csv", ["a.wav"])

    def refused(*_: object) -> None:
        raise OSError(13, "Permission denied", "r.html")

    monkeypatch.setattr("mgrkit.commands.report.write_page", refused)
    with pytest.raises(RunError, match=r"cannot write .*r\.html: Permission denied"):
        report(source, tmp_path / "r.html")


def test_a_small_picture_shows_what_sounds_where(tmp_path: Path) -> None:
    low, high = sound(tmp_path / "low.wav", 3, 100), sound(tmp_path / "high.wav", 3, 8000)

    def rows(path: Path) -> np.ndarray:
        image = Image.open(io.BytesIO(thumbnail(path)))
        return np.asarray(image).mean(1)[::-1]  # the lowest band first

    assert rows(low).argmax() < HEIGHT / 8 < 3 * HEIGHT / 4 < rows(high).argmax()
    late = np.concatenate([np.zeros(3 * RATE), np.sin(np.arange(RATE) / 5) / 2])
    soundfile.write(tmp_path / "late.wav", late, RATE)
    columns = np.asarray(Image.open(io.BytesIO(thumbnail(tmp_path / "late.wav")))).mean(0)
    assert columns[: WIDTH // 2].max() < columns[-WIDTH // 8 :].min()


def test_a_long_sound_has_as_long_as_it_lasts(tmp_path: Path) -> None:
    path, heard = sound(tmp_path / "a.wav", 20), []
    drawn(Item("a", str(path), {}), Work("", heard.append))
    assert heard[-1] == pytest.approx(20, abs=0.1)


def test_pictures_of_mgrkit_are_shown_as_they_are(tmp_path: Path) -> None:
    front = front_end()
    image = render(np.sin(np.arange(4 * RATE) / 3).astype(np.float32) / 2, front)
    write_png(tmp_path / "a.png", image, front, "a.wav")
    brightest = Image.open(io.BytesIO(thumbnail(tmp_path / "a.png")))
    place = np.asarray(brightest).mean(1)[::-1].argmax()
    assert place == pytest.approx(image.values.mean(1).argmax() / 2, abs=1)
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(ItemError):
        thumbnail(tmp_path / "b.png")
    source = table(tmp_path / "songs.csv", ["a.png"])
    found = report(source, tmp_path / "r.html")
    assert (found.sounds, found.pictures) == (0, 1)
