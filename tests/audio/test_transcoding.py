"""Codecs in memory: as long as before, aligned to the sample, at any rate, of any channels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from mgrkit.audio import Resampler, transcoding
from mgrkit.audio.transcoding import MP3_KBITS, check_codec, mp3_kbits, rate_for, transcoded
from mgrkit.errors import ItemError, RunError

CODECS = [
    ("mp3", 16), ("mp3", 64), ("mp3", 128), ("mp3", 320), ("opus", 24), ("opus", 128), ("aac", 24),
    ("aac", 64), ("vorbis", 0), ("vorbis", 5), ("gsm", 0),
]  # fmt: skip
OF_TWO = [("mp3", 128), ("opus", 96), ("aac", 128), ("vorbis", 5)]
EACH = [("mp3", 128), ("opus", 128), ("aac", 128), ("vorbis", 8), ("gsm", 0)]
RATES = [8_000, 22_050, 44_100, 48_000]


def test_each_quality_of_vorbis_is_another_sound() -> None:
    made = {
        transcoded(chirp(22_050), 22_050, "vorbis", quality).samples.tobytes()
        for quality in (0, 0.5, 1, 5, 10)
    }
    assert len(made) == 5


def chirp(rate: int, seconds: float = 3.0) -> np.ndarray:
    """From 100 Hz to 3 kHz, float32 ``(1, frames)``: each moment sounds like no other."""
    time = np.arange(round(seconds * rate)) / rate
    phase = 2 * np.pi * (100 * time + 2900 * time**2 / 2 / seconds)
    return (0.5 * np.sin(phase)).astype(np.float32)[None]


def lag(before: np.ndarray, after: np.ndarray) -> int:
    """By how many samples the second is later, where their cross-correlation is highest."""
    size = 1 << (2 * len(before)).bit_length()
    spectrum = np.fft.rfft(after, size) * np.conj(np.fft.rfft(before, size))
    peak = int(np.argmax(np.fft.irfft(spectrum, size)))
    return peak if peak < size // 2 else peak - size


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(("name", "amount"), CODECS)
def test_a_chirp_comes_back_where_it_was(name: str, amount: float, rate: int) -> None:
    sound = chirp(rate)
    coded = transcoded(sound, rate, name, amount)
    assert coded.samples.shape == sound.shape
    assert coded.samples.dtype == np.float32
    assert abs(lag(sound[0], coded.samples[0])) <= 1
    assert not np.array_equal(coded.samples, sound)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(("name", "amount"), CODECS)
def test_music_comes_back_where_it_was(data: Path, name: str, amount: float, rate: int) -> None:
    clip = sorted((data / "gtzan" / "clips").iterdir())[20]
    samples, own = soundfile.read(clip, dtype="float32", frames=5 * 22_050)
    sound = Resampler(own, rate).push(samples[None], last=True)
    coded = transcoded(sound, rate, name, amount)
    assert coded.samples.shape == sound.shape
    assert abs(lag(sound[0], coded.samples[0])) <= 1


@pytest.mark.parametrize("channels", [2, 3, 6, 8])
@pytest.mark.parametrize(("name", "amount"), OF_TWO)
def test_each_channel_stays_itself(name: str, amount: float, channels: int) -> None:
    random = np.random.default_rng(0)
    sound = np.concatenate([np.roll(chirp(22_050), 4_000 * c) for c in range(channels)])
    sound *= random.uniform(0.3, 1, (channels, 1)).astype(np.float32)
    coded = transcoded(sound, 22_050, name, amount).samples
    for before, after in zip(sound, coded, strict=True):
        assert abs(lag(before, after)) <= 1
        assert np.corrcoef(before, after)[0, 1] > 0.9


def test_a_telephone_has_one_channel_of_8_khz() -> None:
    sound = np.concatenate([chirp(22_050), chirp(22_050)[:, ::-1]])
    high = np.sin(np.arange(sound.shape[1]) * 2 * np.pi * 5_000 / 22_050).astype(np.float32)
    coded = transcoded(sound + 0.3 * high, 22_050, "gsm").samples
    assert np.array_equal(coded[0], coded[1])
    assert abs(lag(sound.mean(0), coded[0])) <= 1
    spectrum = np.abs(np.fft.rfft(coded[0]))
    hertz = np.fft.rfftfreq(len(high), 1 / 22_050)
    assert spectrum[hertz > 4_200].max() < 1e-3 * spectrum.max()


@pytest.mark.parametrize("frames", [1, 2, 159, 320, 575, 577, 1_152, 3_000])
@pytest.mark.parametrize(("name", "amount"), EACH)
def test_no_sound_is_too_short(name: str, amount: float, frames: int) -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, (1, frames)).astype(np.float32)
    for rate in RATES:
        assert transcoded(sound, rate, name, amount).samples.shape == (1, frames)


@pytest.mark.parametrize(("name", "amount"), EACH)
def test_what_is_beyond_full_scale_is_not_cut_off(name: str, amount: float) -> None:
    sound = chirp(22_050) * 8
    coded = transcoded(sound, 22_050, name, amount).samples
    assert np.abs(coded).max() == pytest.approx(4, rel=0.35)
    quiet = transcoded(chirp(22_050) * 2, 22_050, name, amount).samples
    np.testing.assert_allclose(coded, quiet * 4, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "amount", "rate"),
    [("mp3", 8, 44_100), ("mp3", 64, 22_050), ("mp3", 320, 22_050), ("opus", 24, 44_100),
     ("aac", 64, 44_100)],
)  # fmt: skip
def test_the_bit_rate_is_what_was_asked_for(
    name: str, amount: float, rate: int, data: Path
) -> None:
    clip = sorted((data / "gtzan" / "clips").iterdir())[20]
    samples, own = soundfile.read(clip, dtype="float32", frames=5 * 22_050)
    sound = Resampler(own, rate).push(samples[None], last=True)
    assert transcoded(sound, rate, name, amount).kbits == pytest.approx(amount, rel=0.06)


def test_where_mp3_lacks_a_bit_rate_the_next_sample_rate_has_it() -> None:
    assert rate_for("mp3", 22_050, 1, 64) == 22_050
    assert rate_for("mp3", 22_050, 1, 192) == 32_000
    assert rate_for("mp3", 44_100, 2, 8) == 24_000
    assert rate_for("mp3", 8_000, 1, 128) == 16_000
    assert rate_for("opus", 44_100, 1, 24) == 48_000
    assert rate_for("aac", 22_050, 1, 64) == 22_050
    assert rate_for("aac", 22_050, 1, 256) == 44_100
    assert all(any(kbits in mp3_kbits(rate) for rate in RATES) for kbits in MP3_KBITS)


def test_the_same_sound_gives_the_same() -> None:
    for name, amount in CODECS:
        one, other = (transcoded(chirp(22_050), 22_050, name, amount) for _ in range(2))
        assert np.array_equal(one.samples, other.samples)


def test_a_build_without_the_codec_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, _ in CODECS:
        check_codec(name)
    lame = transcoding.CODECS["mp3"]._replace(encoder="libnobody")
    monkeypatch.setitem(transcoding.CODECS, "mp3", lame)
    with pytest.raises(RunError, match="libnobody, which mp3 needs"):
        check_codec("mp3")
    monkeypatch.setattr(soundfile, "available_subtypes", lambda kind: {})
    with pytest.raises(RunError, match="GSM610, which gsm needs"):
        check_codec("gsm")


def test_a_decoder_that_gives_too_little_is_no_short_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = transcoding._decoded
    monkeypatch.setattr(transcoding, "_decoded", lambda *given: decoded(*given)[:, :9_000])
    with pytest.raises(ItemError, match="no-codec: the decoder gave"):
        transcoded(chirp(22_050), 22_050, "mp3", 64)
