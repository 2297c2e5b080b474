"""What each colour of noise is like: slope, distribution, joins, seeds."""

from __future__ import annotations

import itertools
import statistics

import numpy as np
import pytest
from scipy.signal import welch

from mgrkit.augment import COLOURS, Colour, colours
from mgrkit.augment.blocks import BLOCK, Draw
from mgrkit.augment.gaussian import pairs, quantiles
from tests.augment.mixes import RATE

SLOPES = {"white": 0.0, "pink": -3.01, "brown": -6.02, "blue": 3.01, "violet": 6.02}


def noise(colour: str, frames: int, rate: int = RATE, channel: int = 0, **draw) -> np.ndarray:
    """The first frames of a channel, float64."""
    settings = {"seed": 3, "path": "a.wav", "k": 1, **draw}
    fill = Colour(colour).take(Draw(**settings), rate, channel + 1).channels[channel]
    out = np.empty(frames, np.float32)
    for start in range(0, frames, BLOCK):
        fill(out[start : start + BLOCK])
    return out.astype(np.float64)


def test_the_five_colours() -> None:
    assert set(COLOURS) == set(SLOPES)


@pytest.mark.parametrize("rate", [22_050, 44_100])
@pytest.mark.parametrize("colour", SLOPES)
def test_slope(colour: str, rate: int) -> None:
    hertz, power = welch(noise(colour, 4 * BLOCK, rate), rate, nperseg=8192, window="blackman")
    band = (hertz >= 50) & (hertz <= 10_000)
    # One value per twelfth of an octave, lest the many lines on top decide alone.
    octave = np.round(12 * np.log2(hertz[band])) / 12
    steps = np.unique(octave)
    level = [10 * np.log10(power[band][octave == step].mean()) for step in steps]
    slope, offset = np.polyfit(steps, level, 1)
    assert abs(slope - SLOPES[colour]) < 0.1
    assert max(abs(level - slope * steps - offset)) < 2.5
    low, high = (np.polyfit(steps[part], np.array(level)[part], 1)[0]
                 for part in (steps < 9.5, steps > 10.5))  # fmt: skip
    assert abs(low - SLOPES[colour]) < 0.5
    assert abs(high - SLOPES[colour]) < 0.3


@pytest.mark.parametrize("colour", SLOPES)
def test_unit_power_and_nothing_inaudible(colour: str) -> None:
    sound = noise(colour, 8 * BLOCK)
    assert abs(np.mean(sound**2) - 1) < (0.06 if colour == "brown" else 0.02)
    if colour != "white":
        hertz, power = welch(sound, RATE, nperseg=65536, window="blackman")
        below, above = power[(hertz > 1) & (hertz < 15)], power[(hertz > 20) & (hertz < 30)]
        assert below.mean() < 0.02 * above.mean()


@pytest.mark.parametrize("colour", ["pink", "brown", "violet"])
def test_no_clicks_and_no_dips_at_joins(colour: str) -> None:
    sound = noise(colour, 48 * BLOCK, RATE)
    by_segment = sound.reshape(-1, colours._HOP)
    for order in (0, 1, 2, 3):
        differences = np.diff(sound, order)
        whole = np.sqrt(np.mean(differences**2))
        at = np.arange(1, len(by_segment)) * colours._HOP
        edges = differences[(at[:, None] + np.arange(-4, 4)).reshape(-1)]
        allowed = 0.1 if order else 0.15  # the level itself changes slowly: few are independent
        assert abs(np.sqrt(np.mean(edges**2)) / whole - 1) < allowed
        assert abs(edges).max() < 6 * whole
    inside = by_segment[1:, : colours._FADE]
    assert abs(np.mean(inside**2) / np.mean(sound**2) - 1) < 0.05


def test_white_is_gaussian() -> None:
    sound = noise("white", BLOCK)
    count = len(sound)
    assert abs(sound.mean()) < 4 / np.sqrt(count)
    assert abs(sound.var() - 1) < 4 * np.sqrt(2 / count)
    assert abs(np.mean(sound**3)) < 4 * np.sqrt(15 / count)
    assert abs(np.mean(sound**4) - 3) < 4 * np.sqrt(96 / count)
    ideal = [statistics.NormalDist().inv_cdf(p) for p in (np.arange(1000) + 0.5) / 1000]
    below = np.searchsorted(np.sort(sound), ideal) / count
    assert abs(below - (np.arange(1000) + 0.5) / 1000).max() < 1.7 / np.sqrt(count)
    spectrum = np.abs(np.fft.rfft(sound))[1:-1] ** 2 / count
    assert spectrum.max() < 25  # exponential with mean 1: no periods


def test_table_holds_the_quantiles() -> None:
    normal = statistics.NormalDist()
    table = quantiles()
    scale = table[-1] / normal.inv_cdf(1 - 0.5 / 65536)
    assert abs(scale - 1) < 1e-4
    for index in (0, 1, 100, 5000, 20_000, 32_767, 32_768, 50_000, 65_534, 65_535):
        exact = scale * normal.inv_cdf((index + 0.5) / 65536)
        assert table[index] == pytest.approx(exact, rel=1e-5, abs=1e-7)
    wide = table.astype(np.float64)
    assert np.mean(wide**2) == pytest.approx(1, abs=1e-6)
    assert -0.002 < np.mean(wide**4) - 3 < 0


def test_pairs_are_two_independent_normal_numbers() -> None:
    first, second = pairs().T.astype(np.float64)
    np.testing.assert_array_equal(np.sort(first), quantiles())
    np.testing.assert_array_equal(np.sort(second), quantiles())
    for power in (1, 2):
        assert abs(np.corrcoef(first**power, second**power)[0, 1]) < 0.01
    cells, _, _ = np.histogram2d(first, second, bins=[np.array([-9, -1, 0, 1, 9])] * 2)
    sides = cells.sum(axis=1) / 65536
    np.testing.assert_allclose(cells / 65536, np.outer(sides, sides), atol=2e-4)


@pytest.mark.parametrize("colour", ["white", "pink", "blue"])
def test_a_longer_sound_begins_alike(colour: str) -> None:
    long = noise(colour, 2 * BLOCK + 5000)
    for frames in (1, 10, 8191, 8193, 140_000, BLOCK - 1, BLOCK, BLOCK + 1):
        np.testing.assert_array_equal(noise(colour, frames), long[:frames])


@pytest.mark.parametrize("colour", SLOPES)
def test_full_level_from_the_first_sample_on(colour: str) -> None:
    starts = [noise(colour, 8, k=k) for k in range(200)]
    assert 0.75 < np.mean(np.square(starts)) < 1.33


@pytest.mark.parametrize("colour", ["white", "pink"])
def test_draws_are_unrelated(colour: str) -> None:
    frames = 100_000
    draws = [
        noise(colour, frames),
        noise(colour, frames, channel=1),
        noise(colour, frames, k=2),
        noise(colour, frames, path="b.wav"),
        noise(colour, frames, seed=4),
        noise(colour, BLOCK + frames)[BLOCK:],
    ]
    for one, other in itertools.combinations(draws, 2):
        assert abs(np.mean(one * other)) < (0.015 if colour == "white" else 0.08)


@pytest.mark.parametrize("rate", [1_000, 8_000, 192_000, 768_000])
@pytest.mark.parametrize("colour", SLOPES)
def test_any_rate(colour: str, rate: int) -> None:
    sound = noise(colour, BLOCK, rate)
    assert np.isfinite(sound).all()
    assert 0.5 < np.mean(sound**2) < 2
