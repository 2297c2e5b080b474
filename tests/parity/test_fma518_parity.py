"""fma518 against FMA's script, run with the librosa of today."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from mgrkit.audio import open_sound, pieces
from mgrkit.features.sets.fma518 import COLUMNS, fma518
from mgrkit.spectrograms.constantq import constant_q
from mgrkit.synthetic import music
from tests.bench.fma_script import curves, numbers

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

librosa = pytest.importorskip("librosa")

FMA = ["000010", "000140", "000459", "000667", "000695", "001075", "010250"]
GTZAN = ["blues.00052", "classical.00003", "metal.00007", "pop.00007"]
SECONDS = 5


def scales(theirs: dict[str, float]) -> NDArray[np.float64]:
    """What each column is held against: itself, or where it is near 0, how far its curve swings.

    Skewness and kurtosis have no unit, and SciPy computes them of float32 numbers: they are held
    against 1. Whatever else may be near 0 (means and medians of MFCC and tonnetz, minima) is held
    against a tenth of the curve's deviation.
    """
    found = []
    for name in COLUMNS:
        curve, statistic, number = name.rsplit("_", 2)
        least = 1.0
        if statistic not in ("skew", "kurtosis"):
            least = theirs[f"{curve}_std_{number}"] / 10
        found.append(max(abs(theirs[name]), least))
    return np.array(found)


def differences(samples: Floats, rate: int) -> dict[str, float]:
    """How far each column is from the script's, in units of `scales`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SciPy's and librosa's, of short and of constant curves
        theirs = numbers(samples, rate)
    reference = np.array([theirs[name] for name in COLUMNS])
    reference = np.where(np.isnan(reference), constants(), reference)
    off = np.abs(fma518(samples, rate)[0] - reference)
    scale = np.nan_to_num(scales(theirs), nan=1.0)
    found = np.divide(off, scale, out=off, where=scale > 0)
    return dict(zip(COLUMNS, found, strict=True))


def constants() -> NDArray[np.float64]:
    """What stands for SciPy's NaN, by column; NaN where SciPy has none."""
    usual = {"skew": 0.0, "kurtosis": -3.0}
    return np.array([usual.get(name.rsplit("_", 2)[1], np.nan) for name in COLUMNS])


def hold(samples: Floats, rate: int) -> None:
    found = differences(samples, rate)
    assert len(found) == 518
    worst = max(found, key=found.__getitem__)
    assert found[worst] < 1e-4, (worst, found[worst])


@pytest.mark.parametrize("name", FMA)
def test_clips_of_fma(data: Path, name: str) -> None:
    with open_sound(data / f"fma/clips/{name}.mp3") as sound:
        piece = next(iter(pieces(sound, sound.rate)))
        hold(piece.samples[10 * sound.rate :][: SECONDS * sound.rate], sound.rate)


@pytest.mark.parametrize("name", GTZAN)
def test_clips_of_gtzan(data: Path, name: str) -> None:
    samples, rate = soundfile.read(data / f"gtzan/clips/{name}.flac", dtype="float32")
    hold(samples[10 * rate :][: SECONDS * rate], rate)


def test_a_whole_clip(data: Path) -> None:
    with open_sound(data / "fma/clips/000667.mp3") as sound:
        piece = next(iter(pieces(sound, sound.rate)))
        hold(piece.samples, sound.rate)


def noise(length: int) -> NDArray[np.float64]:
    return np.random.default_rng(0).standard_normal(length) / 10


def chirp(rate: int) -> NDArray[np.float64]:
    time = np.arange(4 * rate) / rate
    return 0.5 * np.sin(2 * np.pi * (100 * time + 300 * time**2)) + noise(len(time)) / 100


SOUNDS: dict[str, Callable[[int], NDArray[np.float64]]] = {
    "white noise": lambda rate: noise(3 * rate),
    "faint noise": lambda rate: noise(3 * rate) * 1e-3,
    "chirp": chirp,
    "a short one": lambda rate: noise(20_000),
    "whole hops": lambda rate: noise(64 * 512),
}


@pytest.mark.parametrize("rate", [11_025, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("name", SOUNDS)
def test_made_sound(name: str, rate: int) -> None:
    hold(SOUNDS[name](rate).astype(np.float32), rate)


@pytest.mark.parametrize("style", ["techno", "waltz"])
def test_made_music(style: str) -> None:
    hold(music.render(style, artist=0, song=0, seconds=SECONDS), 22_050)


@pytest.mark.parametrize("tuning", [-50, 0, 23])
@pytest.mark.parametrize("rate", [8_700, 16_000, 22_050, 32_000, 44_100, 96_000])
def test_constant_q(rate: int, tuning: int) -> None:
    if rate < 9_000 and not librosa.__version__.startswith("0."):
        pytest.skip("librosa 1.0 gives others where half the rate is just above the highest filter")
    samples = noise(2 * rate).astype(np.float32)
    theirs = np.abs(librosa.cqt(samples, sr=rate, tuning=tuning / 100))
    ours = constant_q(samples, rate, tuning)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-6 * float(theirs.max()))


def test_the_script_has_all_curves() -> None:
    found: dict[str, Any] = curves(noise(30_000).astype(np.float32), 22_050)
    assert {name: len(curve) for name, curve in found.items()} == {
        "zcr": 1, "chroma_cqt": 12, "chroma_cens": 12, "tonnetz": 6, "chroma_stft": 12, "rmse": 1,
        "spectral_centroid": 1, "spectral_bandwidth": 1, "spectral_contrast": 7,
        "spectral_rolloff": 1, "mfcc": 20,
    }  # fmt: skip
