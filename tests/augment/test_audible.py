"""The power above 20 Hz is that of a Fourier transform of the whole sound."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mgrkit.audio import open_sound
from mgrkit.augment.audible import energies
from mgrkit.augment.blocks import BLOCK
from tests.augment.mixes import audible


def lines(sound: np.ndarray, rate: int) -> float:
    """The energy of the lines from 20 Hz on, of whole channels as they are."""
    power = 2 * np.abs(np.fft.rfft(sound.astype(np.float64))) ** 2 / sound.shape[1]
    power[:, 0] /= 2
    if sound.shape[1] % 2 == 0:
        power[:, -1] /= 2
    return float(power[:, np.fft.rfftfreq(sound.shape[1], 1 / rate) >= 20].sum())


def decibels(one: float, other: float) -> float:
    return float(10 * np.log10(one / other))


@pytest.mark.parametrize("name", ["songs/vibe_ace.ogg", "songs/hungarian_dance_5.ogg",
                                  "songs/flac_44k_stereo.flac"])  # fmt: skip
@pytest.mark.parametrize("offset", [0.0, 0.4])
def test_in_music(data: Path, name: str, offset: float) -> None:
    with open_sound(data / name) as sound:
        music = np.concatenate(list(sound.blocks()), axis=1)[:, :BLOCK] + np.float32(offset)
        above, _ = energies(music, sound.rate)
        assert abs(decibels(above, lines(music, sound.rate))) < 0.001


@pytest.mark.parametrize("rate", [1000, 8000, 11_025, 22_050, 44_100, 48_000, 192_000, 768_000])
def test_at_every_rate(rate: int) -> None:
    noise = np.random.default_rng(rate).normal(0, 0.1, (2, 5 * rate + 77)).astype(np.float32)
    noise[1] += np.float32(0.3)
    above, below = energies(noise, rate)
    assert abs(decibels(above, lines(noise, rate))) < 0.005
    whole = float(np.sum(np.var(noise.astype(np.float64), axis=1))) * noise.shape[1]
    assert above + below == pytest.approx(whole, rel=1e-6)


@pytest.mark.parametrize("hertz", [24, 40, 80, 120, 344, 670, 708, 5000])
def test_no_tone_is_taken_for_rumble(hertz: float) -> None:
    """Those that alias with the rates of the means among them."""
    tone = np.sin(2 * np.pi * hertz * np.arange(30 * 22_050) / 22_050 + 1)[None].astype("f4")
    assert abs(decibels(energies(tone, 22_050)[0], float(np.sum(tone**2)))) < 0.004


@pytest.mark.parametrize("hertz", [0.0, 1.0, 10.0, 18.0])
def test_rumble_is_below(hertz: float) -> None:
    tone = 0.5 * np.sin(2 * np.pi * hertz * np.arange(30 * 22_050) / 22_050 + 1)[None]
    above, _ = energies(tone.astype(np.float32), 22_050)
    assert above < 1e-3 * float(np.sum(tone**2))


@pytest.mark.parametrize("frames", [1, 2, 3, 10, 100, 2205, 5000])
def test_short_sounds_lose_their_mean_and_little_else(frames: int) -> None:
    sound = np.random.default_rng(frames).normal(0.4, 0.1, (1, frames)).astype(np.float32)
    above, below = energies(sound, 22_050)
    assert above == pytest.approx(audible(sound, 22_050), rel=2e-4, abs=1e-9)
    assert above >= 0 <= below


def test_a_weak_sound_beside_a_large_offset_is_exact() -> None:
    """Where the difference of float32 sums would hold nothing of it."""
    weak = np.random.default_rng(1).normal(0, 1e-4, (1, 200_000)).astype(np.float32)
    moved = weak + np.float32(0.5)
    exact = lines(moved, 22_050)
    assert abs(decibels(energies(moved, 22_050)[0], exact)) < 0.01
