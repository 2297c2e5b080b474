"""Kind kaggle-images: its columns, its law, and that nothing of it can be chosen."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mgrkit.errors import ItemError, UsageError
from mgrkit.frontend import Decibels, FrontEnd, Mel, Transform, front_end
from mgrkit.spectrograms import Image, decibels, read_picture, read_png, render, spectrum, write_png
from mgrkit.spectrograms.kinds.kaggle import columns

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FRONT = front_end("kaggle-images")


def noise(length: int) -> NDArray[np.float32]:
    samples = np.random.default_rng(0).standard_normal(length) / 10
    # A decay of 60 dB, so that both ends of the scale are met.
    return (samples * np.logspace(0, -3, length)).astype(np.float32)


def test_json_comes_back() -> None:
    assert FrontEnd.from_json(FRONT.to_json()) == FRONT
    assert front_end() != FRONT
    assert FRONT.bands == 128


def test_digests_of_the_other_kinds_stay() -> None:
    assert front_end().digest == "e4a157449041a52a"
    assert front_end("stft").digest == "a9b20bfa7bc51621"
    assert FRONT.digest == "41f1cfdabc849bdb"


@pytest.mark.parametrize(
    "options",
    [
        {"sample_rate": 44100},
        {"n_fft": 4096},
        {"hop_length": 256},
        {"n_mels": 64},
        {"fmin": 20.0},
        {"fmax": 8000.0},
        {"top_db": 60.0},
    ],
)
def test_nothing_can_be_chosen(options: dict[str, Any]) -> None:
    (name,) = options
    with pytest.raises(UsageError, match=f"{name} must be .* for kind kaggle-images"):
        front_end("kaggle-images", **options)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"transform": Transform()}, "padding must be reflect"),
        ({"decibels": Decibels(ref="one")}, "ref must be peak"),
        ({"mel": Mel(n_mels=127)}, "n_mels must be 128"),
        ({"mel": None}, "mel must be a Mel record"),
    ],
)
def test_not_even_by_records(part: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        dataclasses.replace(FRONT, **part)


def test_the_defaults_may_be_said() -> None:
    named = front_end("kaggle-images", sample_rate=22050, n_mels=128, fmin=0, fmax=11025, top_db=80)
    assert named == FRONT


@pytest.mark.parametrize("frames", [1229, 1280, 1292, 1293, 1300, 1357])
def test_about_thirty_seconds_fill_334_columns(frames: int) -> None:
    shown = columns(frames)
    assert len(shown) == 334
    assert shown[0] == int(2 * frames / 334.8)
    assert shown[-1] == frames - 1
    assert (np.diff(shown)[:-1] >= 3).all()


@pytest.mark.parametrize("frames", [5, 130, 600, 1228, 1358, 1950, 20_000])
def test_other_lengths_keep_the_scale_of_time(frames: int) -> None:
    shown = columns(frames)
    assert len(shown) == max(1, int(frames * 334.8 / 1293))
    assert shown[-1] == frames - 1
    same = max(0, min(len(shown), 334) - 2)
    assert (shown[:same] == columns(1293)[:same]).all()


def test_an_edge_on_a_frame_belongs_to_the_frame_before() -> None:
    # 1296 frames: every 31st column begins exactly with a frame.
    assert columns(1296)[29] == 119
    assert columns(1296)[308] == 1199


def law(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """The levels in dB as written down, in float64."""
    power = spectrum(samples, FRONT).astype(float)
    power = power[:, columns(power.shape[1])] / power.max()
    return np.maximum(20 * np.log10(np.maximum(power, 1e-30)), -80)


@pytest.mark.parametrize("length", [2048, 5000, 66_150, 661_500, 700_000])
def test_twenty_times_the_logarithm_of_power(length: int) -> None:
    samples = noise(length)
    levels, peak_db = decibels(samples, FRONT)
    assert levels.shape == (128, len(columns(1 + length // 512)))
    assert np.abs(levels - law(samples)).max() < 0.01
    assert peak_db == pytest.approx(10 * np.log10(spectrum(samples, FRONT).max()), abs=1e-3)
    image = render(samples, FRONT)
    expected = np.minimum(255, np.floor(256 * (law(samples) + 80) / 80))
    assert np.abs(image.values - expected).max() <= 1
    assert (image.values != expected).mean() < 0.001
    assert image.peak_db == peak_db


def test_both_ends_of_the_scale() -> None:
    values = render(noise(661_500), FRONT).values
    assert values.dtype == np.uint8
    assert values.min() == 0
    loudest = np.zeros(66_150, np.float32)
    loudest[20_000:] = np.sin(np.arange(46_150) / 3)
    assert render(loudest, FRONT).values.max() == 255


def test_of_quiet_sound_the_least_power_is_told_apart() -> None:
    # librosa's amplitude_to_db never goes below 1e-5.
    samples = noise(66_150) / 300
    power = spectrum(samples, FRONT).astype(float)
    power = np.maximum(power[:, columns(power.shape[1])], 1e-5)
    expected = 20 * np.log10(power / spectrum(samples, FRONT).max())
    levels, _ = decibels(samples, FRONT)
    assert expected.min() > -80
    assert np.abs(levels - expected).max() < 0.01


def test_no_level_is_above_the_peak_of_the_quietest_sound() -> None:
    samples = (4e-5 * np.sin(np.arange(66_150) * 2)).astype(np.float32)
    assert spectrum(samples, FRONT).max() < 1e-5
    levels, _ = decibels(samples, FRONT)
    assert np.abs(levels).max() < 1e-4


def test_too_short() -> None:
    with pytest.raises(ItemError, match="too-short"):
        render(noise(2047), FRONT)


def test_png_round_trip(tmp_path: Path) -> None:
    image = render(noise(66_150), FRONT)
    write_png(tmp_path / "a.png", image, FRONT, "blues/a.wav")
    picture = read_png(tmp_path / "a.png")
    assert (picture.values == image.values).all()
    assert picture.frontend == FRONT
    assert picture.peak_db == image.peak_db
    again = read_picture(tmp_path / "a.png")
    assert (again.values == image.values).all()
    assert (again.frontend, again.source) == (FRONT, "blues/a.wav")


def test_mel_is_drawn_as_before() -> None:
    image = render(noise(66_150), front_end())
    assert image.values.shape == (128, 130)
    levels, _ = decibels(noise(66_150), front_end())
    assert isinstance(image, Image)
    assert np.abs(image.values - 255 * (levels + 80) / 80).max() < 0.51
