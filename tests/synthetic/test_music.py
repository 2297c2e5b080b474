"""Synthetic music: it repeats itself exactly, and its styles are styles."""

from __future__ import annotations

import csv
import itertools
import subprocess
import sys
import wave
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mgrkit.errors import UsageError
from mgrkit.synthetic import music
from mgrkit.synthetic.collection import rain, write_collection

ROOT = Path(__file__).parent.parent.parent
ARTISTS, SONGS = (1, 2, 3, 4), (0, 1, 2)
World = dict[tuple[str, int, int], np.ndarray]


def spectra(sound: np.ndarray, size: int = 4096) -> np.ndarray:
    """Power spectra (frames, bins) of half-overlapping Hann windows."""
    frames = np.lib.stride_tricks.sliding_window_view(sound, size)[:: size // 2]
    return np.abs(np.fft.rfft(frames * np.hanning(size), axis=1)) ** 2


def timbre(sound: np.ndarray) -> np.ndarray:
    """Mean and spread of the log power in 24 bands, half an octave or so each."""
    edges = np.unique(np.geomspace(8, 2048, 25).astype(int))
    bands = np.log10(np.add.reduceat(spectra(sound), edges[:-1], axis=1) + 1e-6)
    return np.concatenate([bands.mean(0), bands.std(0)])


@pytest.fixture(scope="module")
def world() -> World:
    keys = product(music.STYLES, ARTISTS, SONGS)
    return {key: timbre(music.render(*key, seconds=8)) for key in keys}


@pytest.mark.parametrize("style", music.STYLES)
@pytest.mark.parametrize(("seconds", "rate"), [(2.0, 22050), (0.01, 8000), (1.5, 44100)])
def test_shape_type_and_peak(style: str, seconds: float, rate: int) -> None:
    sound = music.render(style, 1, 0, seconds, rate)
    assert sound.shape == (round(seconds * rate),)
    assert sound.dtype == np.float32
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() == pytest.approx(music.PEAK, abs=1e-6)


@pytest.mark.parametrize("style", music.STYLES)
def test_same_arguments_same_music_and_others_other(style: str) -> None:
    asked: dict[str, Any] = {"artist": 1, "song": 0, "seconds": 3.0, "seed": 5}
    first = music.render(style, **asked)
    assert np.array_equal(first, music.render(style, **asked))
    for other in ("artist", "song", "seed"):
        assert not np.allclose(first, music.render(style, **asked | {other: 7}), atol=0.01)


@pytest.mark.parametrize("style", music.STYLES)
def test_never_silent_for_a_second(style: str) -> None:
    sound = music.render(style, 2, 0, 10)
    assert np.sqrt(np.mean(sound.reshape(10, -1) ** 2, axis=1)).min() > 0.02


def test_styles_are_told_apart_across_artists(world: World) -> None:
    """Nearest centroid over the other artists' songs, each feature scaled."""
    scale = np.std(list(world.values()), axis=0)
    right = 0
    for (style, artist, _), features in world.items():
        others = {
            name: np.mean([x for (s, a, _), x in world.items() if s == name and a != artist], 0)
            for name in music.STYLES
        }
        near = min(others, key=lambda name: np.linalg.norm((features - others[name]) / scale))
        right += near == style
    assert right >= 0.9 * len(world)


def test_songs_of_an_artist_resemble_each_other(world: World) -> None:
    """The artist effect: the nearest song of the style is mostly by the same artist."""
    same = 0
    for (style, artist, song), features in world.items():
        others = {(a, n): x for (s, a, n), x in world.items() if s == style}
        del others[artist, song]
        near = min(others, key=lambda key: np.linalg.norm(features - others[key]))
        same += near[0] == artist
    assert same >= 0.6 * len(world)  # chance: 2 of 11


@pytest.mark.parametrize(("style", "minor"), [("waltz", False), ("techno", True)])
def test_harmony(style: str, minor: bool) -> None:
    """The best of the 24 keys (Krumhansl and Kessler's profiles) has the style's mode."""
    major_profile = [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88]
    minor_profile = [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17]
    bins = np.arange(75, 800)  # from 200 Hz, above the bass drum
    classes = np.rint(12 * np.log2(bins * 22050 / 8192 / 440)).astype(int) % 12
    right = 0
    for artist in ARTISTS:
        power = np.sqrt(spectra(music.render(style, artist, 0, 10), 8192)).sum(0)[bins]
        chroma = np.bincount(classes, power, 12)
        best = [
            max(np.corrcoef(np.roll(profile, key), chroma)[0, 1] for key in range(12))
            for profile in (major_profile, minor_profile)
        ]
        right += (best[1] > best[0]) == minor
    assert right >= 3


def test_rhythm() -> None:
    """Only techno's bass drum strikes at an even pace between 124 and 138 a minute."""
    for style in music.STYLES:
        bass = np.sqrt(spectra(music.render(style, 3, 1, 10), 1024)[:, 1:5].sum(1))
        rise = np.maximum(np.diff(bass), 0)
        power = np.abs(np.fft.rfft(rise - rise.mean(), 8192)) ** 2
        per_minute = np.fft.rfftfreq(8192, 512 / 22050) * 60
        peak = per_minute[power.argmax()] if style != "ambient" else 0
        assert (120 < peak < 142) == (style == "techno"), (style, peak)


@pytest.mark.parametrize("depth", [0.0, 30.0])
def test_vibrato_moves_the_pitch_and_no_further(depth: float) -> None:
    rate = 22050
    sound = music.Tone((1.0,), vibrato=depth).sound(69, 1.0, rate).astype(float)
    spectrum = np.fft.fft(sound)
    spectrum[len(sound) // 2 :] = 0  # the analytic signal
    phase = np.unwrap(np.angle(np.fft.ifft(spectrum)))[2000:-3000]
    # a step of the table of one period is small against 20 ms
    hertz = (phase[441:] - phase[:-441]) / 441 * rate / (2 * np.pi)
    cents = 1200 * np.log2(hertz / 440)
    assert (cents.max(), -cents.min()) == pytest.approx((depth, depth), abs=0.1 * depth + 0.5)


@pytest.mark.parametrize("style", music.STYLES)
def test_a_style_has_three_lead_instruments(style: str) -> None:
    def band(lead: int) -> frozenset[music.Instrument]:
        artist = music.Artist(50, 0.5, 0.5, 0.1, lead, kit=0.5, swing=0.6)
        score = music._STYLES[style][0](artist, np.random.default_rng(0))
        return frozenset(instrument for instrument, _ in itertools.islice(score, 200))

    assert len({band(lead) for lead in range(3)}) == 3


@pytest.mark.parametrize(
    ("style", "seconds", "rate"),
    [("polka", 1, 22050), ("waltz", 0, 22050), ("waltz", float("nan"), 22050), ("waltz", 1, 100)],
)
def test_impossible_wishes(style: str, seconds: float, rate: int) -> None:
    with pytest.raises(UsageError, match=r"\(.+\)"):
        music.render(style, 1, 0, seconds, rate)


def make_music(*words: str | Path) -> subprocess.CompletedProcess[str]:
    script = ROOT / "examples" / "make_music.py"
    return subprocess.run(
        [sys.executable, script, *words], capture_output=True, text=True, check=False
    )


def test_the_example_makes_a_collection(tmp_path: Path) -> None:
    done = make_music(tmp_path / "audio", "--seconds", "1", "--songs", "2", "--rate", "16000")
    assert done.returncode == 0, done.stderr
    assert "made 8 songs" in done.stdout
    with (tmp_path / "audio" / "tracks.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    assert [row["genre"] for row in rows] == sorted(2 * music.STYLES)
    assert rows[1] == {
        "path": "ambient/ambient-02.wav",
        "genre": "ambient",
        "group": "ambient-artist-2",
    }
    for row in rows:
        with wave.open(str(tmp_path / "audio" / row["path"])) as file:
            assert (file.getframerate(), file.getnframes(), file.getsampwidth()) == (16000,) * 2 + (
                2,
            )


def test_a_collection_may_have_parts_by_artist(tmp_path: Path) -> None:
    asked: dict[str, Any] = {"songs": 3, "artists": 2, "seconds": 0.2}
    rows = write_collection(tmp_path, **asked, parts=("train", "test"))
    assert [row[3] for row in rows] == ["train", "test", "train"] * 4
    with (tmp_path / "tracks.csv").open(newline="") as table:
        assert [tuple(row.values()) for row in csv.DictReader(table)] == rows
    with pytest.raises(UsageError, match="1 parts for 2 artists"):
        write_collection(tmp_path, **asked, parts=("train",))


def test_rain_hisses_and_drips() -> None:
    wet = rain(2.0, seed=3)
    assert (wet.shape, wet.dtype) == ((44100,), np.float32)
    assert np.abs(wet).max() == pytest.approx(music.PEAK)
    assert np.array_equal(wet, rain(2.0, seed=3))
    assert not np.array_equal(wet, rain(2.0, seed=4))
    level = np.sqrt(np.mean(wet.reshape(-1, 441) ** 2, axis=1))
    assert level.min() > 0.01  # never still
    assert level.max() > 2 * np.median(level)  # and single drops stand out


def test_the_example_says_what_it_cannot_do(tmp_path: Path) -> None:
    done = make_music(tmp_path / "audio", "--seconds", "-1")
    assert done.returncode == 2
    assert "no music of -1" in done.stderr
    assert "Traceback" not in done.stderr
