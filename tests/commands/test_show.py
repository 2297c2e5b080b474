"""``mgrkit show``: what it draws of short and long sound, and over what it never writes."""

from __future__ import annotations

import json
import os
import wave
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import PIL.Image
import pytest

from mgrkit.cli.app import app
from mgrkit.cli.terminal.errors import guarded
from mgrkit.commands.show import show
from mgrkit.errors import ItemError
from mgrkit.frontend import front_end
from mgrkit.reports import overview as module
from mgrkit.reports.figures import drawn_by
from mgrkit.reports.overview import Columns, overview
from mgrkit.spectrograms import read_picture
from mgrkit.spectrograms.transform import short_time_power

if TYPE_CHECKING:
    from numpy.typing import NDArray

pytest.importorskip("matplotlib")


def mgrkit(*words: object) -> int:
    return guarded(app, [str(word) for word in words])


def sound(seconds: float, rate: int = 22050, channels: int = 1) -> NDArray[np.float64]:
    """An A in the first half, a C in the second, with a little noise; ``(channels, n)``."""
    time = np.arange(round(rate * seconds)) / rate
    hertz = np.where(time < seconds / 2, 440.0, 523.25)
    noise = np.random.default_rng(0).standard_normal((channels, len(time))) / 300
    loud: NDArray[np.float64] = 0.4 * np.sin(2 * np.pi * hertz * time) + noise
    return loud


def written(path: Path, samples: NDArray[np.float64], rate: int = 22050) -> Path:
    with wave.open(os.fspath(path), "wb") as file:
        file.setparams((len(samples), 2, rate, 0, "NONE", ""))
        file.writeframes((32767 * samples.T).astype("<i2").tobytes())
    return path


@pytest.fixture
def song(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return written(Path("song.wav"), sound(2.0))


def test_one_png(song: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert mgrkit("show", song) == 0
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "song.wav: 22,050 Hz, mono, 2 s, peak -7.7 dBFS" in captured.err
    assert "song.png" in captured.err
    with PIL.Image.open("song.png") as picture:
        assert picture.size == (1200, 1000)
    with pytest.raises(ItemError, match="for-people"):
        read_picture("song.png")
    assert sorted(os.listdir()) == ["song.png", "song.wav"]


def test_quiet(song: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert mgrkit("show", song, "--quiet", "--size", "640x480") == 0
    assert capfd.readouterr() == ("", "")


def test_json(song: Path, capfd: pytest.CaptureFixture[str]) -> None:
    stereo = written(Path("blues.00006.wav"), sound(3.0, 44100, 2), 44100)
    assert mgrkit("show", stereo, "--out", "seen.png", "--size", "700x500", "--json") == 0
    result = json.loads(capfd.readouterr().out)
    assert result.pop("peak_db") == pytest.approx(-7.7, abs=0.1)
    assert result.pop("column_seconds") == pytest.approx(512 / 22050, abs=1e-6)
    assert result == {
        "command": "show",
        "file": "blues.00006.wav",
        "out": "seen.png",
        "rate": 44100,
        "channels": 2,
        "seconds": 3.0,
        "track": "gtzan:blues.00006",
        "genre": "blues",
        "artist": "John Lee Hooker",
        "warning": "",
        "warnings": [],
        "exit_code": 0,
    }
    with PIL.Image.open("seen.png") as picture:
        assert picture.size == (700, 500)


def test_never_over_a_foreign_file(song: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Path("song.png").write_bytes(b"the cover of the record")
    assert mgrkit("show", song) == 2
    assert "song.png was not drawn by mgrkit show (give another --out, or --replace" in (
        capfd.readouterr().err
    )
    assert Path("song.png").read_bytes() == b"the cover of the record"
    assert mgrkit("show", song, "--replace", "--size", "640x480") == 0
    assert mgrkit("show", song, "--size", "640x480") == 0
    assert Path("song.png").read_bytes().startswith(b"\x89PNG")


def test_never_over_the_sound_itself(song: Path, capfd: pytest.CaptureFixture[str]) -> None:
    content = song.read_bytes()
    song.rename("song.png")
    assert mgrkit("show", "song.png", "--replace") == 2
    assert "--out is FILE" in capfd.readouterr().err
    assert Path("song.png").read_bytes() == content


def test_an_earlier_picture_stays_when_drawing_fails(
    song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert mgrkit("show", song, "--size", "640x480") == 0
    before = Path("song.png").read_bytes()

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", fail)
    assert mgrkit("show", song) == 3
    assert Path("song.png").read_bytes() == before
    assert sorted(os.listdir()) == ["song.png", "song.wav"]


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (["nothere.wav"], 3, "there is no nothere.wav"),
        (["."], 2, "FILE is a folder"),
        (["song.wav", "--out", "a.jpg"], 2, "--out must end in .png, not a.jpg"),
        (["song.wav", "--out", "nowhere/a.png"], 2, "there is no folder nowhere"),
        (["song.wav", "--out", "folder.png"], 2, "folder.png is a folder"),
        (["song.wav", "--size", "9x9"], 2, "--size must be from 640x480 to 8000x8000"),
        (["song.wav", "--size", "big"], 2, "--size must be WxH in pixels such as"),
        (["text.wav"], 1, "not-audio: text.wav"),
        (["short.wav"], 1, "too-short: short.wav"),
        (["silent.wav"], 1, "silent: silent.wav"),
        (["cut.wav"], 1, "truncated: cut.wav"),
    ],
)
def test_bad_input(
    song: Path, capfd: pytest.CaptureFixture[str], words: list[str], code: int, expected: str
) -> None:
    Path("folder.png").mkdir()
    Path("text.wav").write_text("no sound")
    written(Path("short.wav"), sound(0.05))
    written(Path("silent.wav"), 0 * sound(1.0))
    Path("cut.wav").write_bytes(song.read_bytes()[:50_000])
    before = sorted(os.listdir())
    assert mgrkit("show", *words) == code
    (line,) = capfd.readouterr().err.splitlines()
    assert expected in line
    assert sorted(os.listdir()) == before


def test_any_name(song: Path) -> None:
    for name in ("音楽 $x_{$ mit vielen Zeichen " + "n" * 90, "\udce4\n"):
        song = song.rename(f"{name}.wav")
        assert mgrkit("show", song, "--size", "640x480") == 0
        assert Path(f"{name}.png").exists()


def test_spectra_are_the_same_as_of_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = sound(5.3)
    path = written(tmp_path / "a.wav", samples)
    monkeypatch.setattr(module, "_CHUNK", 10_000)
    monkeypatch.setattr("mgrkit.audio.reading._BLOCK_SAMPLES", 3001)
    seen = overview(path)
    quantised = ((32767 * samples[0]).astype(np.int16) / np.float32(32768)).astype(np.float32)
    parts = short_time_power(quantised, front_end().transform)
    whole = np.concatenate([power.copy() for _, power in parts])
    assert seen.power.shape == whole.shape
    np.testing.assert_allclose(seen.power, whole, rtol=1e-3, atol=1e-6 * whole.max())
    assert seen.seconds == samples.shape[1] / 22050
    assert seen.extremes[:, 1].max() == quantised.max()


@pytest.mark.parametrize("blocks", [[1], [7], [1000], [3, 1, 40, 900, 17]])
@pytest.mark.parametrize("total", [1, 39, 40, 41, 79, 80, 81, 1000, 1281])
def test_columns_are_few_and_complete(
    monkeypatch: pytest.MonkeyPatch, blocks: list[int], total: int
) -> None:
    monkeypatch.setattr(module, "COLUMNS", 40)
    rows = np.random.default_rng(0).standard_normal((total, 2)).astype(np.float32)
    columns = Columns(lambda part: part.sum(axis=1))
    at = turn = 0
    while at < total:
        size = blocks[turn % len(blocks)]
        columns.push(rows[at : at + size])
        at, turn = at + size, turn + 1
    found, counts = columns.columns()
    assert len(found) <= 40
    assert total < 40 or len(found) >= 20
    assert counts.sum() == total
    assert set(counts[:-1]) <= {columns.size}
    starts = np.cumsum([0, *counts[:-1]])
    np.testing.assert_allclose(found, np.add.reduceat(rows, starts), rtol=1e-4, atol=1e-5)


def test_long_sound_is_averaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "COLUMNS", 100)
    path = written(tmp_path / "a.wav", sound(60.0))
    seen = overview(path)
    assert 50 <= len(seen.power) <= 100
    assert 50 <= len(seen.extremes) <= 100
    assert len(seen.power) * seen.column_seconds == pytest.approx(60, abs=seen.column_seconds)
    assert len(seen.extremes) * seen.extreme_seconds == pytest.approx(60, abs=1.2)
    loudest = seen.chroma().argmax(axis=1)
    half = len(loudest) // 2
    assert set(loudest[: half - 2]) == {9}
    assert set(loudest[half + 2 :]) == {0}
    assert np.allclose(np.abs(seen.extremes), 0.41, atol=0.01)


@pytest.mark.parametrize("kind", ["cqt", "mfcc", "tonnetz", "rgb:mel,cqt,chroma-stft"])
def test_another_kind_in_the_place_of_mel(song: Path, kind: str) -> None:
    pytest.importorskip("librosa")
    for name, words in (("mel", []), ("kind", ["--kind", kind])):
        assert mgrkit("show", song, "--out", f"{name}.png", *words) == 0
    with PIL.Image.open("mel.png") as mel, PIL.Image.open("kind.png") as other:
        differs = (np.asarray(mel.convert("RGB")) != np.asarray(other.convert("RGB"))).any(axis=2)
    height, width = differs.shape
    # The third of the four drawings is another, here at its middle.
    middle = differs[int(0.5 * height) : int(0.6 * height), width // 4 : width // 2]
    assert middle.mean() > 0.3
    assert drawn_by(Path("kind.png"), "mgrkit show")


def test_a_kind_of_a_sound_that_is_too_long_or_too_short(
    song: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert mgrkit("show", song, "--out", "a.png", "--kind", "tempogramm") == 2
    assert "--kind must be mel, stft" in capfd.readouterr().err
    assert mgrkit("show", song, "--out", "a.png", "--kind", "tempogram") == 1
    assert "tempogram needs 196096" in capfd.readouterr().err
    monkeypatch.setattr("mgrkit.reports.overview.KEPT_SECONDS", 1)
    assert mgrkit("show", song, "--out", "a.png", "--kind", "cqt") == 1
    assert "a kind is drawn of at most 1 s" in capfd.readouterr().err
    assert not Path("a.png").exists()


def test_extremes_are_of_all_channels(tmp_path: Path) -> None:
    samples = np.zeros((2, 22050))
    samples[0] = sound(1.0)[0]
    samples[1, 5000] = -0.9
    seen = overview(written(tmp_path / "a.wav", samples))
    assert seen.extremes[:, 0].min() == pytest.approx(-0.9, abs=1e-3)
    assert seen.channels == 2


def test_real_songs(data: Path, tmp_path: Path) -> None:
    for name, found in (
        ("flac_8_channels_7.1.flac", "8 channels"),
        ("templeos_30s.opus", "stereo"),
    ):
        shown = show(data / "songs" / name, tmp_path / "a.png", size="640x480")
        assert found in shown.words()


def cut(path: Path) -> Path:
    content = written(path, sound(4.0)).read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path


def test_a_cut_sound_is_drawn_when_allowed(song: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = cut(Path("cut.wav"))
    assert mgrkit("show", path) == 1
    assert "truncated" in capfd.readouterr().err
    assert not Path("cut.png").exists()
    assert mgrkit("show", path, "--allow-truncated", "--json") == 0
    captured = capfd.readouterr()
    assert "warning: truncated: the header promises 4 s" in captured.err
    result = json.loads(captured.out)
    assert result["warning"].startswith("truncated")
    assert result["seconds"] == pytest.approx(2, abs=0.01)


def test_channels_that_cancel_are_named(song: Path, capfd: pytest.CaptureFixture[str]) -> None:
    half = sound(2.0)
    written(Path("halves.wav"), np.concatenate([half, -half]))
    assert mgrkit("show", "halves.wav") == 1
    assert "the mix of its channels is silent: they cancel" in capfd.readouterr().err
