"""The recipes that ship: what they do to music, by measure; and steps of codecs and rooms."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("audiomentations")

from mgrkit.augment.recipes import Recipe, aligning, shipped
from mgrkit.errors import ItemError
from tests.augment.recipes import cooking
from tests.augment.recipes.cooking import GAIN, RATE

NAMES = ("cassette", "club", "phone", "pitch-and-stretch", "radio", "streaming-low")
ROOT = Path(__file__).parents[3]


def noise(seconds: float = 6.0, channels: int = 1, rate: int = RATE) -> np.ndarray:
    random = np.random.default_rng(3)
    return random.normal(size=(channels, round(seconds * rate))).astype("f4") * np.float32(0.1)


def power(samples: np.ndarray, rate: int, low: float, high: float) -> float:
    """In dB, the mean power of the lines from one frequency to another."""
    lines = np.abs(np.fft.rfft(samples.astype(float).mean(axis=0))) ** 2 / samples.shape[1]
    hertz = np.fft.rfftfreq(samples.shape[1], 1 / rate)
    return float(10 * np.log10(lines[(hertz >= low) & (hertz < high)].mean() + 1e-30))


def copies(name: str, folder: Path, sound: np.ndarray, count: int, rate: int = RATE):
    made = Recipe.load(name).ready(folder)
    return [cooking.apply(made, sound, rate, k=k) for k in range(1, count + 1)]


def test_six_ship() -> None:
    assert shipped() == NAMES


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("channels", [1, 2, 8])
def test_they_run_anywhere_with_no_further_package(
    name: str, channels: int, tmp_path: Path
) -> None:
    found = Recipe.load(name)
    assert found.name == name
    assert not found.requires
    for rate in (8_000, 22_050, 48_000):
        sound = cooking.made_music(2.0, channels, rate)
        for k in (1, 2):
            altered = cooking.apply(found.ready(tmp_path), sound, rate, k=k)
            assert altered.samples.shape[0] == channels
            assert altered.rate == rate
            assert not [one for one in altered.warnings if one.startswith("unchanged")]
            again = cooking.apply(
                found.ready(tmp_path), sound, rate, k=k,
                recorded=json.loads(json.dumps(altered.drawn)),
            )  # fmt: skip
            assert again.samples.tobytes() == altered.samples.tobytes()
            assert again.warnings == altered.warnings


@pytest.mark.parametrize("name", NAMES)
def test_each_says_why(name: str) -> None:
    text = (ROOT / f"mgrkit/augment/recipes/shipped/{name}.toml").read_text()
    assert text.startswith("# ")
    assert 'transform = "' in text or "codec = " in text


def test_a_phone_carries_300_to_3400_hz(tmp_path: Path) -> None:
    sound = noise(channels=2)
    for altered in copies("phone", tmp_path, sound, 2):
        middle = power(altered.samples, RATE, 500, 2000)
        assert power(altered.samples, RATE, 4100, 11_000) < middle - 40
        assert power(altered.samples, RATE, 20, 120) < middle - 20
        assert np.array_equal(altered.samples[0], altered.samples[1])
        assert abs(aligning.shift(sound, RATE, altered.samples, RATE)) <= 1 / RATE


def test_radio_is_am_or_fm(tmp_path: Path) -> None:
    rate = 44_100
    tops = []
    for altered in copies("radio", tmp_path, noise(rate=rate), 16, rate):
        index = altered.drawn[1]["parameters"]["transform_index"]
        middle = power(altered.samples, rate, 500, 2000)
        top = 5_500 if index else 17_000
        hiss = altered.drawn[2]["parameters"]["snr_db"]
        assert power(altered.samples, rate, top, top + 2000) < middle - min(12, hiss - 6)
        assert power(altered.samples, rate, 0.6 * top, 0.63 * top) > middle - 6
        tops.append(index)
        assert altered.shift == 0.0
    assert set(tops) == {0, 1}


def test_a_cassette_runs_a_little_fast_or_slow(tmp_path: Path) -> None:
    rate = 44_100
    sound = noise(rate=rate)
    lengths = set()
    for altered in copies("cassette", tmp_path, sound, 8, rate):
        ratio = altered.samples.shape[1] / sound.shape[1]
        assert 1 / 1.016 < ratio < 1 / 0.984
        assert abs(altered.drawn[0]["parameters"]["num_semitones"]) <= 0.25
        assert 30 <= altered.drawn[-1]["measured"]["snr_db"] <= 45
        middle = power(altered.samples, rate, 500, 2000)
        assert power(altered.samples, rate, 16_000, 20_000) < middle - 10
        lengths.add(altered.samples.shape[1])
    assert len(lengths) == 8


def test_a_club_has_bass_and_a_room(tmp_path: Path) -> None:
    sound = noise(3.0)
    sound[:, RATE:] = 0  # a burst of a second
    raised = []
    for altered in copies("club", tmp_path, sound, 8):
        burst, tail = altered.samples[:, :RATE], altered.samples[:, RATE:]
        bass, middle = (
            power(burst, RATE, *band) - power(sound[:, :RATE], RATE, *band)
            for band in ((20, 60), (500, 2000))
        )
        raised.append(bass - middle)
        decay = np.sqrt(np.mean(tail[0][: 2 * RATE // 10 * 10].reshape(20, -1) ** 2, axis=1))
        seconds = altered.drawn[2]["parameters"]["seconds"]
        assert 0.6 <= seconds <= 1.2
        fell = 20 * np.log10(decay[0] / decay[4])  # within 0.4 s
        assert fell == pytest.approx(60 * 0.4 / seconds, abs=4)
        assert altered.samples.shape == sound.shape
    assert 4 < np.mean(raised) < 9  # each room has frequencies of its own


def test_a_poor_stream_has_few_bits(tmp_path: Path) -> None:
    rate = 44_100
    drawn = {
        altered.drawn[0]["parameters"]["codec"]: altered
        for altered in copies("streaming-low", tmp_path, cooking.made_music(3.0, 2, rate), 24, rate)
    }
    assert len(drawn) >= 5
    for name, altered in drawn.items():
        asked = float(name.split("@")[1])
        assert asked <= 64
        assert abs(altered.drawn[0]["kbits"] / asked - 1) < 0.2 or altered.warnings


def test_pitch_and_tempo_change(tmp_path: Path) -> None:
    """A tone of 440 Hz, by its frequency and its length."""
    time = np.arange(4 * RATE) / RATE
    sound = (0.3 * np.sin(2 * np.pi * 440 * time))[None].astype("f4")
    for altered in copies("pitch-and-stretch", tmp_path, sound, 8):
        pitch, stretch = (one["parameters"] for one in altered.drawn)
        semitones = pitch.get("num_semitones", 0.0)
        assert abs(semitones) <= 2
        middle = altered.samples[0, RATE : 2 * RATE]
        lines = np.abs(np.fft.rfft(middle * np.hanning(RATE)))
        assert np.argmax(lines) == pytest.approx(440 * 2 ** (semitones / 12), abs=2)
        ratio = sound.shape[1] / altered.samples.shape[1]
        assert ratio == pytest.approx(stretch.get("rate", 1.0), rel=0.001)


def test_codec_steps_are_aligned_and_keep_the_length(tmp_path: Path, data: Path) -> None:
    for text in ("mp3@64", "aac@48", "opus@32", "vorbis@1", "gsm"):
        made = cooking.ready(tmp_path, f'[[step]]\ncodec = "{text}"')
        for sound in (cooking.chirp(), cooking.music(data)):
            altered = cooking.apply(made, sound)
            assert altered.samples.shape == sound.shape
            assert abs(aligning.shift(sound, RATE, altered.samples, RATE)) <= 1 / RATE
            assert altered.shift == 0.0
            assert altered.drawn[0]["parameters"] == {"should_apply": True, "codec": text}


def test_a_room_keeps_length_and_place(tmp_path: Path, data: Path) -> None:
    made = cooking.ready(tmp_path, "[[step]]\nreverb = [0.3, 1.0]\n[[step]]\nreverb = [0.3, 1.0]")
    for sound in (cooking.chirp(channels=2), cooking.music(data)):
        altered = cooking.apply(made, sound)
        assert altered.samples.shape == sound.shape
        assert abs(aligning.shift(sound, RATE, altered.samples, RATE)) <= 1 / RATE
        first, second = (one["parameters"]["seconds"] for one in altered.drawn)
        assert first != second


def test_recorded_codecs_and_rooms_are_put_in_place(tmp_path: Path) -> None:
    made = cooking.ready(
        tmp_path, '[[step]]\ncodec = ["mp3@32", "gsm"]\n[[step]]\nreverb = [0.3, 1.0]\n' + GAIN
    )
    sound = cooking.made_music()
    first = cooking.apply(made, sound)
    recorded = json.loads(json.dumps(first.drawn))
    other = "gsm" if recorded[0]["parameters"]["codec"] == "mp3@32" else "mp3@32"
    recorded[0]["parameters"]["codec"] = other
    recorded[1]["parameters"]["seconds"] = 0.5
    altered = cooking.apply(made, sound, recorded=recorded)
    assert [one["parameters"] for one in altered.drawn] == [one["parameters"] for one in recorded]
    assert [one.split(" (")[0] for one in altered.warnings if one.startswith("drawn")] == [
        "drawn-otherwise: step 1", "drawn-otherwise: step 2"]  # fmt: skip
    recorded[0]["parameters"]["codec"] = "opus@32"
    with pytest.raises(ItemError, match="other-recipe: step 1"):
        cooking.apply(made, sound, recorded=recorded)


def test_the_wheel_holds_them(tmp_path: Path) -> None:
    hatchling = pytest.importorskip("hatchling.builders.wheel")
    built = next(iter(hatchling.WheelBuilder(str(ROOT)).build(directory=str(tmp_path))))
    with zipfile.ZipFile(built) as wheel:
        names = {Path(one).name for one in wheel.namelist() if "/recipes/shipped/" in one}
    assert names == {f"{name}.toml" for name in NAMES}
