"""Resampling and cutting as streams: the same as in one go."""

from __future__ import annotations

import tracemalloc
import wave

import numpy as np
import pytest
import soundfile
import soxr

from mgrkit.audio import Mixdown, Resampler, open_sound, pieces
from mgrkit.audio.cutting import pieces_at
from mgrkit.audio.reading import BLOCK_FRAMES
from mgrkit.errors import AudioError
from tests.audio.encoded import tone


@pytest.mark.parametrize("rates", [(44100, 22050), (48000, 22050), (8000, 22050), (22050, 16000)])
@pytest.mark.parametrize("channels", [None, 1, 2])
@pytest.mark.parametrize("step", [1000, 50_000])
def test_resampling_in_blocks_is_resampling_in_one_go(rates, channels, step):
    samples = np.random.default_rng(0).normal(0, 0.2, (channels or 1, 100_003)).astype(np.float32)
    samples = samples if channels else samples[0]
    resampler = Resampler(*rates)
    blocks = [resampler.push(samples[..., k : k + step]) for k in range(0, 100_003, step)]
    blocks.append(resampler.push(samples[..., :0], last=True))
    assert all(block.dtype == np.float32 and block.flags.c_contiguous for block in blocks)
    found, expected = np.concatenate(blocks, axis=-1), soxr.resample(samples.T, *rates, "HQ").T
    assert abs(found.shape[-1] - round(100_003 * rates[1] / rates[0])) <= 1
    assert abs(found.shape[-1] - expected.shape[-1]) <= 1
    size = min(found.shape[-1], expected.shape[-1])
    np.testing.assert_allclose(found[..., :size], expected[..., :size], atol=1e-6)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("peak", [3e38, 1e25, 1e16])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_a_level_beyond_any_real_one_is_named(peak, channels):
    block = np.full((channels, 1_000), peak, np.float32)
    with pytest.raises(AudioError) as caught:
        Mixdown().push(block)
    assert caught.value.reason == "non-finite"
    if channels == 2:  # what cancels in the mix
        Mixdown().push(np.stack([block[0], -block[0]]))


def test_equal_rates_pass_untouched():
    block = tone()
    assert Resampler(22050, 22050).push(block) is block


def cut(tmp_path, seconds: float, rate: int = 1000, piece: float | None = None, into: int = 1000):
    samples = np.random.default_rng(0).integers(-9999, 9999, (round(seconds * rate), 2), np.int16)
    soundfile.write(tmp_path / "x.wav", samples, rate)
    with open_sound(tmp_path / "x.wav") as sound:
        found = list(pieces(sound, into, piece))
    return (samples.astype(np.float32) / 32768).mean(axis=1), found


@pytest.mark.parametrize(
    ("seconds", "starts", "lengths"),
    [
        (0.002, [0], [2]),
        (30, [0], [30_000]),
        (45, [0], [45_000]),
        (45.001, [0, 30], [30_000, 15_001]),
        (60, [0, 30], [30_000, 30_000]),
        (74.999, [0, 30], [30_000, 30_000]),
        (75, [0, 30, 60], [30_000, 30_000, 15_000]),
        (300, list(range(0, 300, 30)), [30_000] * 10),
    ],
)
def test_pieces_by_the_rule(tmp_path, seconds, starts, lengths):
    samples, found = cut(tmp_path, seconds)
    assert [piece.start for piece in found] == starts
    assert [len(piece.samples) for piece in found] == lengths
    assert [piece.index for piece in found] == ([None] if seconds <= 45 else [*range(len(starts))])
    for piece in found:
        begin = round(piece.start * 1000)
        expected = samples[begin : begin + len(piece.samples)]
        np.testing.assert_allclose(piece.samples, expected, atol=1e-7)
        assert piece.samples.dtype == np.float32


@pytest.mark.parametrize(("seconds", "count"), [(2.5, 1), (4.999, 1), (5, 2), (100, 40)])
def test_pieces_of_an_exact_length(tmp_path, seconds, count):
    samples, found = cut(tmp_path, seconds, piece=2.5)
    assert [piece.index for piece in found] == list(range(count))
    assert [piece.start for piece in found] == [2.5 * k for k in range(count)]
    joined = np.concatenate([piece.samples for piece in found])
    np.testing.assert_allclose(joined, samples[: count * 2500], atol=1e-7)


def test_too_short(tmp_path):
    with pytest.raises(AudioError, match=r"too-short: the track has 2\.499 s, a piece 2\.5 s"):
        cut(tmp_path, 2.499, piece=2.5)


def test_a_piece_is_cut_from_the_resampled_sound(tmp_path):
    samples, found = cut(tmp_path, 70, rate=3000, into=2000)
    expected = soxr.resample(samples.astype(np.float32), 3000, 2000, "HQ")
    for piece in found:
        begin = round(piece.start * 2000)
        np.testing.assert_allclose(piece.samples, expected[begin : begin + 60_000], atol=1e-6)
    assert [len(piece.samples) for piece in found] == [60_000, 60_000]


def test_memory_holds_one_piece(tmp_path):
    with wave.open(str(tmp_path / "x.wav"), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        for _ in range(30):
            file.writeframes(bytes([1, 2, 3, 4]) * (30 * 16000))
    Resampler(2, 1).push(np.zeros(9, np.float32))  # imports soxr
    tracemalloc.start()
    with open_sound(tmp_path / "x.wav") as sound:
        count = sum(1 for _ in pieces(sound, 8000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 60
    blocks = 6 * BLOCK_FRAMES * 4
    assert peak < 2.5 * 45 * 8000 * 4 + blocks  # the piece in use, the next one, some blocks


def test_a_constant_is_silent_although_resampling_makes_a_click_of_its_start(tmp_path):
    soundfile.write(tmp_path / "x.wav", np.full(44100 * 2, 0.9), 44100)
    with open_sound(tmp_path / "x.wav") as sound, pytest.raises(AudioError, match="silent"):
        list(pieces(sound, 22050))


@pytest.mark.parametrize(("rest", "how"), [(0.0, "silent"), (0.02, "40 dB below them")])
def test_channels_that_cancel_each_other_are_named(tmp_path, rest, how):
    left = tone(2, 22050)[0]
    noise = rest * np.random.default_rng(0).standard_normal(len(left)).astype(np.float32) * 0.35
    soundfile.write(tmp_path / "a.wav", np.stack([left, noise - left], 1), 22050)
    with (
        open_sound(tmp_path / "a.wav") as sound,
        pytest.raises(AudioError, match=f"silent: the mix of its channels is {how}"),
    ):
        list(pieces(sound, 22050))


def test_wide_stereo_is_mixed(tmp_path):
    rng = np.random.default_rng(0)
    middle, side = rng.standard_normal((2, 44100)) * [[0.05], [0.2]]
    soundfile.write(tmp_path / "a.wav", np.stack([middle + side, middle - side], 1), 22050)
    with open_sound(tmp_path / "a.wav") as sound:
        assert len(list(pieces(sound, 22050))) == 1


@pytest.mark.parametrize("seconds", [3, 44.9, 45.001, 70, 131])
@pytest.mark.parametrize("piece", [None, 2.5])
def test_pieces_at_several_rates_of_one_decoding_are_those_of_each_alone(tmp_path, seconds, piece):
    rates, (_, alone) = (1600, 1000, 700), cut(tmp_path, seconds, 1600, piece)
    decoded = 0
    with open_sound(tmp_path / "x.wav") as sound:
        real = sound.blocks

        def blocks():
            nonlocal decoded
            for block in real():
                decoded += block.shape[-1]
                yield block

        sound.blocks = blocks
        found = {rate: [] for rate in rates}
        for rate, one in pieces_at(sound, rates, piece):
            found[rate].append(one)
    assert decoded == round(seconds * 1600), "once for all rates"
    assert len(alone) == len(found[1000]) > 0
    for rate in rates:
        with open_sound(tmp_path / "x.wav") as sound:
            expected = list(pieces(sound, rate, piece))
        assert [(p.index, p.start) for p in found[rate]] == [(p.index, p.start) for p in expected]
        for one, other in zip(found[rate], expected, strict=True):
            np.testing.assert_array_equal(one.samples, other.samples)


def test_silence_is_refused_at_several_rates(tmp_path):
    soundfile.write(tmp_path / "x.wav", np.zeros(5000), 1000)
    with open_sound(tmp_path / "x.wav") as sound, pytest.raises(AudioError) as caught:
        list(pieces_at(sound, (1000, 700)))
    assert caught.value.reason == "silent"
