"""Codecs, rooms and pitch as conditions."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path

import numpy as np
import pytest

from mgrkit.augment.conditions import parse_conditions
from mgrkit.augment.rooms import Reverb
from mgrkit.errors import RunError
from tests.audio.test_transcoding import chirp, lag

RATE = 22_050


def done(text: str, sound: np.ndarray, seed: int = 0, path: str = "a.wav", k: int = 1):  # type: ignore[no-untyped-def]
    [condition] = parse_conditions(text)
    return condition.ready(Path()).apply(sound, RATE, seed, path, k)


@pytest.mark.parametrize("seconds", [0.2, 0.6, 3.0])
def test_the_tail_falls_by_60_db_in_the_reverberation_time(seconds: float) -> None:
    response = Reverb(seconds).response(RATE, 0, "a.wav", 1, 0)
    assert response[0] == 1
    tail = response[1:].astype(np.float64)
    assert np.sum(tail**2) == pytest.approx(1, rel=1e-4)
    # Schroeder's backward integration, between -5 and -25 dB as for T20 of ISO 3382.
    decay = 10 * np.log10(np.cumsum(tail[::-1] ** 2)[::-1])
    start, stop = np.argmax(decay < -5), np.argmax(decay < -25)
    slope = np.polyfit(np.arange(start, stop) / RATE, decay[start:stop], 1)[0]
    assert -60 / slope == pytest.approx(seconds, rel=0.1)


def test_the_direct_sound_stays_where_it_was() -> None:
    sound = chirp(RATE)
    found = done("reverb@0.6", sound)
    assert found.samples.shape == sound.shape
    assert lag(sound[0], found.samples[0]) == 0
    assert found.shift == 0
    click = np.zeros((1, RATE), np.float32)
    click[0, 1000] = 0.5
    heard = done("reverb@0.6", click).samples[0]
    assert np.abs(heard[:1000]).max() < 1e-7  # what transforms round
    assert np.abs(heard).argmax() == 1000
    assert np.abs(heard[1001:]).max() > 1e-3


def test_a_room_makes_nothing_louder() -> None:
    sound = chirp(RATE)
    heard = done("reverb@2", sound).samples
    assert np.linalg.norm(heard) == pytest.approx(np.linalg.norm(sound), rel=1e-4)


def test_rooms_are_drawn_by_seed_path_copy_and_channel() -> None:
    sound = np.repeat(chirp(RATE), 2, axis=0)
    first = done("reverb@0.6", sound).samples
    assert np.array_equal(first, done("reverb", sound).samples)
    assert not np.array_equal(first[0], first[1])
    for other in ({"seed": 1}, {"path": "b.wav"}, {"k": 2}):
        assert not np.array_equal(first, done("reverb@0.6", sound, **other).samples)


def test_codecs_say_what_bit_rate_came_of_them() -> None:
    sound = chirp(RATE)
    found = done("mp3@64", sound)
    assert found.samples.shape == sound.shape
    assert found.drawn == [{"codec": "mp3@64", "kbits": 64.0}]
    assert (found.rate, found.shift, found.warnings) == (RATE, 0, ())
    odd = done("aac@320", sound)
    assert odd.warnings[0].startswith("other-bit-rate: aac@320 came to ")


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_another_pitch_at_the_same_tempo(channels: int) -> None:
    pytest.importorskip("audiomentations")
    time = np.arange(2 * RATE) / RATE
    tone = (0.3 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
    sound = np.repeat(tone[None], channels, axis=0)
    state = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    found = done("pitch@1", sound)
    assert (random.getstate(), np.random.get_state()[1].tolist()) == state  # noqa: NPY002
    assert found.samples.shape == sound.shape
    assert found.samples.dtype == np.float32
    assert np.array_equal(found.samples, done("pitch@1", sound).samples)
    for row in found.samples:
        hertz = np.abs(np.fft.rfft(row)).argmax() / 2
        assert hertz == pytest.approx(440 * 2 ** (1 / 12), abs=1)


def test_onsets_stay_where_they_were_at_another_pitch() -> None:
    """By the rise of the level, for the waveforms of two pitches do not correlate."""
    pytest.importorskip("audiomentations")
    drawn = np.random.default_rng(0)
    sound = np.zeros((1, 8 * RATE), np.float32)
    fade = np.exp(-np.arange(2_000) / 300)
    for start in (np.cumsum(drawn.uniform(0.2, 0.6, 15)) * RATE).astype(int):
        if start + 2_000 < sound.shape[1]:
            sound[0, start : start + 2_000] += 0.3 * drawn.normal(size=2_000) * fade

    def rise(row: np.ndarray) -> np.ndarray:
        level = np.convolve(np.abs(row), np.ones(64) / 64)[: len(row)]
        return np.maximum(np.diff(level), 0)

    for semitones, frames in ((1, 3), (-1, 3), (4, 11)):
        found = done(f"pitch@{semitones}", sound).samples
        assert abs(lag(rise(sound[0]), rise(found[0]))) <= frames


def test_without_audiomentations_pitch_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "audiomentations" else find(name)
    )
    with pytest.raises(RunError, match="pitch needs audiomentations"):
        done("pitch@1", chirp(RATE))
