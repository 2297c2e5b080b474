"""The SNR holds in the written file, whatever the sound."""

from __future__ import annotations

import itertools
import tracemalloc
from contextlib import nullcontext

import numpy as np
import pytest
import soundfile

from mgrkit.audio import Writer, open_sound, quantise
from mgrkit.augment import Colour, Mixed, check_snr, material, mix
from mgrkit.augment.blocks import BLOCK
from mgrkit.errors import ItemError, UsageError
from tests.augment.mixes import (
    RATE,
    STEPS,
    Kept,
    audible,
    mixed,
    residual,
    snr_of,
    source,
    tone,
)

WITHIN = {"PCM_16": 0.01, "PCM_24": 0.01, "FLOAT": 0.001}
WHITE = Colour("white")


def unbalanced() -> np.ndarray:
    sound = tone(40_000, channels=2)
    sound[1] *= 2**-6
    return sound


SOUNDS = {
    "mono": tone(50_000),
    "two_blocks": tone(BLOCK + 12_345),
    "unbalanced": unbalanced(),
    "eight": tone(8_000, channels=8),
    "near_full_scale": np.clip(tone(30_000, 0.5) * 3, -1, 1 - 2**-15),
    "off_the_grid": tone(30_000, bits=None),
}


@pytest.mark.parametrize("subtype", STEPS)
@pytest.mark.parametrize("snr", [-20, 0, 10, 40, 80])
@pytest.mark.parametrize("name", SOUNDS)
def test_snr_is_exact(name: str, snr: float, subtype: str) -> None:
    sound = SOUNDS[name]
    if snr == 80 and subtype == "PCM_16" and name != "near_full_scale":
        with pytest.raises(ItemError, match="noise-below-lsb"):
            mixed(sound, WHITE, snr, subtype)
        return
    made, samples, kept = mixed(sound, WHITE, snr, subtype)
    assert samples.shape == sound.shape
    assert abs(snr_of(sound, made, samples) - snr) < WITHIN[subtype]
    assert abs(snr_of(sound, made, samples) - made.snr_db) < 3e-4
    assert abs(samples).max() < 1.0
    assert made.gain == float(f"{made.gain:.9g}") <= 1.0
    assert kept.files <= 3


@pytest.mark.parametrize("colour", ["white", "pink", "brown", "blue", "violet"])
def test_an_ordinary_clip_is_written_once(colour: str) -> None:
    _, _, kept = mixed(tone(100_000), Colour(colour), 10, "PCM_16")
    assert kept.files == 1


@pytest.mark.parametrize("subtype", STEPS)
@pytest.mark.parametrize("snr", [-20, 0, 20])
@pytest.mark.parametrize("frames", [10, 100, 1000])
def test_short_sounds(frames: int, snr: float, subtype: str) -> None:
    sound = tone(frames, 0.2)
    made, samples, _ = mixed(sound, WHITE, snr, subtype)
    assert abs(snr_of(sound, made, samples) - snr) < WITHIN[subtype]


def test_too_few_samples_for_rounding_fail_with_a_hint() -> None:
    with pytest.raises(ItemError, match="snr-not-met") as failure:
        mixed(tone(3, 0.01), WHITE, 45, "PCM_16")
    assert failure.value.hint == "--subtype PCM_24"


@pytest.mark.parametrize("frames", [1, 2, 3, 5, 10])
def test_a_handful_of_samples_is_met_or_fails_by_name(frames: int) -> None:
    sound = np.abs(tone(frames, 0.02)) + np.float32(2**-10)
    reasons = set()
    for snr, k in itertools.product((-20, 20, 45, 50), range(1, 11)):
        try:
            made, samples, _ = mixed(sound, WHITE, snr, "PCM_16", k=k)
        except ItemError as error:
            reasons.add(error.reason)
        else:
            assert abs(snr_of(sound, made, samples) - snr) < 0.01
    if frames == 1:  # a constant
        assert reasons == {"silent"}
    else:
        assert reasons <= {"snr-not-met", "noise-below-lsb"}
        assert "snr-not-met" in reasons


def heard_snr(sound: np.ndarray, made: Mixed, samples: np.ndarray) -> float:
    """By the lines above 20 Hz of whole channels as they are."""

    def power(values: np.ndarray) -> float:
        lines = np.abs(np.fft.rfft(values)) ** 2
        return float(lines[:, np.fft.rfftfreq(values.shape[1], 1 / RATE) >= 20].sum())

    rest = residual(sound, made, samples)
    return 10 * np.log10(power(made.gain * sound.astype(np.float64)) / power(rest))


@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
@pytest.mark.parametrize("colour", ["white", "brown"])
def test_an_offset_of_the_sound_is_no_signal(colour: str, subtype: str) -> None:
    """10 dB of a sound with an offset of 0.4 were -8 dB of what is heard of it."""
    plain = tone(10 * RATE, 0.05)
    moved = plain + np.float32(0.4)
    made, samples, kept = mixed(moved, Colour(colour), 10, subtype)
    assert abs(heard_snr(moved, made, samples) - 10) < 0.01
    assert abs(heard_snr(plain, made, samples) - 10) < 0.01
    assert kept.files == 1
    assert made.gain == 1


def test_rumble_of_the_sound_is_no_signal() -> None:
    plain = tone(10 * RATE, 0.05)
    time = np.arange(10 * RATE) / RATE
    rough = plain + (0.2 * np.sin(2 * np.pi * 9.3 * time)).astype(np.float32)
    made, samples, _ = mixed(rough, WHITE, 10, "PCM_16")
    power = audible(made.gain * plain) / audible(residual(rough, made, samples))
    assert abs(10 * np.log10(power) - 10) < 0.05


@pytest.mark.parametrize("hertz", [0.3, 5.0, 15.0])
def test_what_lies_below_20_hz_is_silent(hertz: float) -> None:
    time = np.arange(30 * RATE) / RATE
    sound = (0.3 + 0.5 * np.sin(2 * np.pi * hertz * time))[None].astype(np.float32)
    with pytest.raises(ItemError, match="silent: less than a thousandth"):
        mixed(sound, WHITE)


def test_quiet_sound_needs_more_bits() -> None:
    sound = tone(50_000, 10 ** (-55 / 20))
    with pytest.raises(ItemError, match="noise-below-lsb") as failure:
        mixed(sound, WHITE, 60, "PCM_16")
    assert failure.value.hint == "--subtype PCM_24"
    for subtype in ("PCM_24", "FLOAT"):
        made, samples, _ = mixed(sound, WHITE, 60, subtype)
        assert abs(snr_of(sound, made, samples) - 60) < WITHIN[subtype]
    with pytest.raises(ItemError, match="noise-below-lsb") as failure:
        mixed(tone(5_000, 10 ** (-75 / 20), bits=24), WHITE, 80, "PCM_24")
    assert failure.value.hint == "--subtype FLOAT"


@pytest.mark.parametrize("snr", [72.0, 73.5])
def test_noise_of_about_one_lsb_is_met(snr: float) -> None:
    """Here a twelfth of the power asked for is rounding."""
    sound = tone(10**6, 0.16)
    made, samples, kept = mixed(sound, WHITE, snr, "PCM_16")
    assert abs(snr_of(sound, made, samples) - snr) < 0.01
    assert kept.files == 1


def test_gain_only_where_the_mix_does_not_fit() -> None:
    assert mixed(tone(20_000), WHITE, 20, "PCM_16")[0].gain == 1.0
    made, samples, _ = mixed(SOUNDS["near_full_scale"], WHITE, 10, "PCM_16")
    assert made.gain < 1.0
    assert 0.998 < abs(samples).max() < 1.0


def test_float_sound_beyond_full_scale_is_brought_inside() -> None:
    sound = tone(20_000, bits=None) * 50
    made, samples, _ = mixed(sound, WHITE, 10, "FLOAT")
    assert abs(samples).max() < 1.0
    assert abs(snr_of(sound, made, samples) - 10) < 0.001
    with pytest.raises(ItemError, match="noise-below-lsb"):  # once the gain has made it so
        mixed(sound, WHITE, 80, "PCM_16")


def test_rounding_is_that_of_the_audio_package() -> None:
    sound = SOUNDS["near_full_scale"]
    made, exact, _ = mixed(sound, WHITE, 10, "FLOAT")
    factor = np.sqrt(np.mean(residual(sound, made, exact) ** 2))
    for subtype, dtype in (("PCM_16", np.int16), ("PCM_24", np.int32)):
        _, samples, kept = mixed(sound, WHITE, 10, subtype)
        assert kept.raw.dtype == dtype
        rounded = quantise(samples.astype(np.float32), subtype)
        np.testing.assert_array_equal(rounded, kept.raw)
        assert abs(samples - exact).max() < STEPS[subtype] + 1e-3 * factor


@pytest.mark.parametrize("subtype", STEPS)
def test_snr_holds_in_a_file(subtype: str, tmp_path) -> None:
    sound = tone(60_000, channels=2)
    soundfile.write(tmp_path / "in.wav", sound.T, RATE, "PCM_16")
    out = tmp_path / "out.wav"
    with open_sound(tmp_path / "in.wav") as opened:
        made = mix(opened.blocks, RATE, 2, Colour("pink"), 15.0, 1, "in.wav", 1, subtype,
                   lambda: Writer(out, RATE, 2, subtype))  # fmt: skip
    samples, rate = soundfile.read(out)
    assert rate == RATE
    assert abs(snr_of(sound, made, samples.T) - 15) < WITHIN[subtype]


def test_channels_get_independent_noise_of_one_power() -> None:
    sound = unbalanced()
    made, samples, _ = mixed(sound, WHITE, 10)
    left, right = residual(sound, made, samples)
    assert abs(np.corrcoef(left, right)[0, 1]) < 4 / np.sqrt(len(left))
    assert abs(np.mean(left**2) / np.mean(right**2) - 1) < 0.05


@pytest.mark.parametrize("colour", ["white", "brown"])
def test_snrs_share_a_draw_and_the_rest_does_not(colour: str) -> None:
    sound = tone(30_000)

    def noise(**call: object) -> np.ndarray:
        made, samples, _ = mixed(sound, Colour(colour), **call)
        rest = residual(sound, made, samples)
        return (rest / np.sqrt(np.mean(rest**2)))[0]

    first = noise(snr=10.0)
    np.testing.assert_array_equal(first, noise(snr=10.0))
    np.testing.assert_allclose(first, noise(snr=-15.0), atol=1e-4)
    for other in ({"k": 2}, {"path": "a/c.wav"}, {"seed": 2}):
        assert abs(np.mean(first * noise(**other))) < 0.4


def test_blocks_of_the_source_and_of_memory_change_nothing(monkeypatch) -> None:
    sound = tone(2 * BLOCK + 100, 0.3, channels=2)
    results = []
    for bound, size in itertools.product((material.KEPT_BYTES, 0, 3_000_000), (10_007, 10**6)):
        monkeypatch.setattr(material, "KEPT_BYTES", bound)
        made, _, kept = mixed(sound, Colour("pink"), 0, "PCM_16", size=size)
        results.append((made, kept.raw.tobytes()))
    assert all(result == results[0] for result in results)


def test_kept_sound_is_decoded_once(monkeypatch) -> None:
    sound = tone(30_000, 0.5)
    calls = []

    def blocks():
        calls.append(1)
        return source(sound)()

    def run() -> int:
        calls.clear()
        mix(blocks, RATE, 1, WHITE, 0, 1, "a", 1, "PCM_16", Kept())
        return len(calls)

    assert run() == 1
    monkeypatch.setattr(material, "KEPT_BYTES", 0)
    assert run() == 3


def test_memory_does_not_grow_with_length() -> None:
    block = tone(BLOCK)

    class Nothing:
        def write(self, block: np.ndarray) -> None: ...

    def peak(minutes: float) -> int:
        count = round(minutes * 60 * RATE / BLOCK)
        tracemalloc.start()
        mix(lambda: itertools.repeat(block, count), RATE, 1, WHITE, 10, 1, "a", 1, "PCM_16",
            lambda: nullcontext(Nothing()))  # fmt: skip
        result = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return result

    peak(2)  # the thread's arena
    assert peak(30) < 1.1 * peak(3)


def test_silence_and_nonsense() -> None:
    with pytest.raises(ItemError, match="silent"):
        mixed(np.zeros((1, 1000), np.float32), WHITE)
    with pytest.raises(ItemError, match="out-of-range"):
        mixed(np.full((1, 1000), 1e30, np.float32), WHITE)


@pytest.mark.parametrize("snr", [-20.5, 80.1, float("nan"), float("inf")])
def test_snr_out_of_range(snr: float) -> None:
    with pytest.raises(UsageError, match="from -20 to 80 dB"):
        check_snr(snr)
    with pytest.raises(UsageError):
        mixed(tone(100), WHITE, snr)
