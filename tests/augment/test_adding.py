"""So many times the noise: what is added is exactly that, and what is clipped is counted."""

from __future__ import annotations

import numpy as np
import pytest

from mgrkit.audio import lsb, quantise
from mgrkit.augment import Colour, Excerpt, Times, add, material
from mgrkit.augment.blocks import Draw
from mgrkit.augment.material import FULL_SCALE
from mgrkit.errors import ItemError, UsageError
from tests.augment.mixes import RATE, STEPS, Kept, snr_of, source, tone

WHITE = Colour("white")


def added(sound, times, subtype="PCM_16", size=10_007, noise=WHITE):
    kept = Kept()
    place = 1, "a/b.wav", 1
    made = add(source(sound, size), RATE, len(sound), noise, times, *place, subtype, kept)
    return made, kept.raw


def noise_of(sound, noise=WHITE):
    """The noise that `added` takes, float32."""
    take = noise.take(Draw(1, "a/b.wav", 1), RATE, len(sound))
    out = np.empty(sound.shape, np.float32)
    for fill, row in zip(take.channels, out, strict=True):
        fill(row)
    return out


@pytest.mark.parametrize("subtype", STEPS)
@pytest.mark.parametrize("clips", [True, False])
def test_it_is_the_sound_and_so_many_times_the_noise(subtype: str, clips: bool) -> None:
    sound = tone(30_000, channels=2)
    made, raw = added(sound, Times(0.02, clips), subtype)
    assert (made.gain, made.clipped) == (1.0, 0)
    wanted = sound + np.float32(0.02) * noise_of(sound)
    if subtype == "PCM_16":
        np.testing.assert_array_equal(raw, quantise(wanted, subtype))
    else:  # float32 has about as many steps as 24 bits, and was multiplied in another order
        assert abs(raw * STEPS[subtype] - wanted).max() < 2e-7
    assert made.snr_db == pytest.approx(snr_of(sound, made, raw * STEPS[subtype]), abs=3e-4)


def test_a_colour_has_an_rms_of_the_gain() -> None:
    sound = tone(200_000)
    _, raw = added(sound, Times(0.005), "FLOAT")
    assert np.sqrt(np.mean((raw - sound) ** 2)) == pytest.approx(0.005, rel=0.01)


@pytest.mark.parametrize("subtype", STEPS)
def test_what_goes_beyond_full_scale_is_clipped_and_counted(subtype: str) -> None:
    sound = tone(30_000, 0.5)
    made, raw = added(sound, Times(0.3, clips=True), subtype)
    mixed = sound.astype(np.float64) + np.float32(0.3) * noise_of(sound)
    top, step = 1 - lsb(subtype), STEPS[subtype]
    beyond = np.count_nonzero((mixed > top) | (mixed < -1))
    assert beyond > 1000
    assert made.gain == 1.0
    assert abs(made.clipped - beyond) <= 2, "but for those that rounding decides"
    assert (raw.max() * step, raw.min() * step) == (top, -1)
    assert abs(raw * step - np.clip(mixed, -1, top)).max() <= max(0.51 * lsb(subtype), 2e-7)
    assert made.snr_db == pytest.approx(snr_of(sound, made, raw * step), abs=3e-4)


def test_or_the_finished_mix_is_made_softer() -> None:
    sound = tone(30_000, 0.5)
    made, raw = added(sound, Times(0.3), "FLOAT")
    mixed = sound + np.float32(0.3) * noise_of(sound)
    assert made.gain == pytest.approx(FULL_SCALE / abs(mixed).max(), rel=1e-7)
    assert made.gain == float(f"{made.gain:.9g}")
    assert made.clipped == 0
    np.testing.assert_allclose(raw, made.gain * mixed, atol=2e-7)


def test_blocks_of_the_source_and_of_memory_change_nothing(monkeypatch) -> None:
    sound = tone(2**20 + 5000, 0.5)
    first, raw = added(sound, Times(0.3, clips=True))
    monkeypatch.setattr(material, "KEPT_BYTES", 0)
    again, same = added(sound, Times(0.3, clips=True), size=123_457)
    np.testing.assert_array_equal(raw, same)
    assert again == first
    tail = raw[:, 2**20 :]
    assert first.clipped > 100 * np.count_nonzero((tail == 32767) | (tail == -32768)), "of both"


@pytest.mark.parametrize(("subtype", "hint"), [("PCM_16", "--subtype PCM_24"), ("FLOAT", "")])
def test_noise_that_would_not_survive_rounding_is_none(subtype: str, hint: str) -> None:
    # Of 24 bits in float32, 1e-6 of a loud sound's noise is next to nothing.
    sound = np.full((1, 4000), 0.5, np.float32)
    sound[:, ::2] = -0.5
    noise = Still(1e-4)
    with pytest.raises(ItemError, match=r"noise-below-lsb: .*1e-06 times the noise") as failure:
        added(sound, Times(1e-6), subtype, noise=noise)
    assert failure.value.hint == hint


class Still:
    """Noise of nothing, or of a faint tone."""

    name = "still"

    def __init__(self, level: float) -> None:
        self.level = level

    def take(self, draw, rate, channels):
        taken = WHITE.take(draw, rate, channels)

        def fill(out: np.ndarray) -> None:
            out[:] = self.level * np.sin(np.arange(len(out), dtype=np.float32))

        return taken._replace(channels=[fill] * channels)


def test_silent_noise_and_silent_sound_are_named() -> None:
    with pytest.raises(ItemError, match="noise-silent"):
        added(tone(1000), Times(0.3), noise=Still(0.0))
    with pytest.raises(ItemError, match="silent: its samples"):
        added(np.zeros((1, 1000), np.float32), Times(0.3))


@pytest.mark.parametrize("gain", [0, -1, 1e-7, 1001, float("nan")])
def test_a_gain_out_of_range(gain: float) -> None:
    with pytest.raises(UsageError, match=r"from 0\.000001 to 1000"):
        Times(gain)


def test_an_excerpt_that_cannot_be() -> None:
    for wrong in ({"start": -1}, {"seconds": 0}, {"rate": 999}, {"start": float("inf")}):
        with pytest.raises(UsageError, match=f"--{next(iter(wrong))} must be"):
            Excerpt(**wrong)
