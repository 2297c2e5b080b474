"""gtzan57 against plain librosa and against the Kaggle table."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from mgrkit.features.descriptors.spectra import synthesised, transformed
from mgrkit.features.sets.gtzan57 import COLUMNS, gtzan57
from mgrkit.frontend import Transform
from mgrkit.spectrograms.chroma import filters
from mgrkit.synthetic import music

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

librosa = pytest.importorskip("librosa")

RATE = 22050
CLIPS = [
    "blues.00052",
    "classical.00003",
    "country.00000",
    "jazz.00020",
    "metal.00007",
    "pop.00007",
]
NOISE_AROUND_ZERO = ("harmony_mean", "perceptr_mean")


def reference(y: NDArray[np.float32]) -> dict[str, float]:
    """The columns as a user of librosa computes them, one function after the other."""
    pad: dict[str, Any] = {"pad_mode": "reflect"}
    spectrum = librosa.stft(y, **pad)
    halves = [librosa.istft(half) for half in librosa.decompose.hpss(spectrum)]
    curves = {
        "chroma_stft": librosa.feature.chroma_stft(y=y, sr=RATE, **pad),
        "rms": librosa.feature.rms(y=y, **pad),
        "spectral_centroid": librosa.feature.spectral_centroid(y=y, sr=RATE, **pad),
        "spectral_bandwidth": librosa.feature.spectral_bandwidth(y=y, sr=RATE, **pad),
        "rolloff": librosa.feature.spectral_rolloff(y=y, sr=RATE, **pad),
        "zero_crossing_rate": librosa.feature.zero_crossing_rate(y),
        "harmony": librosa.util.fix_length(halves[0], size=len(y)),
        "perceptr": librosa.util.fix_length(halves[1], size=len(y)),
    }
    mfcc = librosa.feature.mfcc(y=y, sr=RATE, n_mfcc=20, **pad)
    curves |= {f"mfcc{number}": row for number, row in enumerate(mfcc, 1)}
    values = {f"{name}_mean": float(curve.mean(dtype=float)) for name, curve in curves.items()}
    values |= {f"{name}_var": float(curve.var(dtype=float)) for name, curve in curves.items()}
    onsets = librosa.onset.onset_strength(y=y, sr=RATE, aggregate=np.median, **pad)
    bpm, _ = librosa.beat.beat_track(onset_envelope=onsets, sr=RATE)
    return values | {"tempo": float(np.atleast_1d(bpm)[0])}


def differences(samples: NDArray[np.float32]) -> dict[str, float]:
    """How far each column is from librosa's, relative to it.

    The mean of a cepstral curve, which swings around zero, is held against the curve: what is left
    of it near zero are the last digits of float32, which differ from one processor to the next.
    """
    theirs = reference(samples)
    ours = dict(zip(COLUMNS, gtzan57(samples)[0], strict=True))
    assert ours.keys() == theirs.keys()
    found = {}
    for name, value in ours.items():
        whole = abs(theirs[name])
        if name in NOISE_AROUND_ZERO:
            whole = theirs[name.replace("mean", "var")] ** 0.5
        elif name.startswith("mfcc") and name.endswith("_mean"):
            whole = (whole**2 + theirs[name.replace("mean", "var")]) ** 0.5
        found[name] = abs(value - theirs[name]) / whole if whole else abs(value)
    return found


def clip(data: Path, name: str) -> NDArray[np.float32]:
    samples, rate = soundfile.read(data / f"gtzan/clips/{name}.flac", dtype="float32")
    assert rate == RATE
    return samples


@pytest.mark.parametrize("name", CLIPS)
def test_real_clips_equal_librosa(data: Path, name: str) -> None:
    found = differences(clip(data, name))
    assert max(found.values()) < 1e-5, max(found, key=found.__getitem__)


def chirp(seconds: float) -> NDArray[np.float64]:
    time = np.arange(round(RATE * seconds)) / RATE
    return 0.5 * np.sin(2 * np.pi * (100 * time + 300 * time**2))


def noise(length: int) -> NDArray[np.float64]:
    return np.random.default_rng(0).standard_normal(length)


def interrupted() -> NDArray[np.float64]:
    return np.concatenate([noise(40_000), np.zeros(60_000), noise(30_000)]) / 10


def long_silence() -> NDArray[np.float64]:
    """Longer than a window of the tempogram."""
    return np.concatenate([noise(40_000), np.zeros(RATE * 10), noise(30_000)]) / 10


def clicks() -> NDArray[np.float64]:
    return np.where(np.arange(RATE * 6) % 11025 < 20, noise(RATE * 6), 0)


def tone() -> NDArray[np.float64]:
    return 0.3 * np.sin(2 * np.pi * 440 * np.arange(RATE * 4) / RATE)


def swelling() -> NDArray[np.float64]:
    """Less than a millionth of it is percussive."""
    return tone() * np.hanning(RATE * 4) ** 2


SOUNDS = {
    "chirp": lambda: chirp(6),
    "white noise": lambda: noise(RATE * 6) / 10,
    "faint": lambda: interrupted() * 1e-3,
    "interrupted noise": interrupted,
    "long silence": long_silence,
    "clicks": clicks,
    "tone": tone,
    "swelling tone": swelling,
    "one window": lambda: noise(2048) / 10,
    "two and a half windows": lambda: noise(5000) / 10,
    "whole hops": lambda: noise(20 * 512) / 10,
}


@pytest.mark.parametrize("name", SOUNDS)
def test_synthetic_sounds_equal_librosa(name: str) -> None:
    found = differences(SOUNDS[name]().astype(np.float32))
    assert max(found.values()) < 1e-5, max(found, key=found.__getitem__)


@pytest.mark.parametrize("style", ["techno", "waltz"])
def test_synthetic_music_equals_librosa(style: str) -> None:
    found = differences(music.render(style, artist=0, song=0, seconds=12.0))
    assert max(found.values()) < 1e-5, max(found, key=found.__getitem__)


def test_all_clips_are_as_in_the_kaggle_table(data: Path) -> None:
    with (data / "gtzan" / "features_30_sec.csv").open(newline="") as file:
        table = {row["filename"]: row for row in csv.DictReader(file)}
    names = sorted(path.stem for path in (data / "gtzan" / "clips").glob("*.flac"))
    assert len(names) == 44
    for name in names:
        for column, value in zip(COLUMNS, gtzan57(clip(data, name))[0], strict=True):
            if column not in NOISE_AROUND_ZERO:
                there = float(table[f"{name}.wav"][column])
                assert value == pytest.approx(there, rel=0.005), (name, column)


@pytest.mark.parametrize("tuning", [-50, -7, 0, 33, 49])
def test_chroma_filters(tuning: int) -> None:
    theirs = librosa.filters.chroma(sr=RATE, n_fft=2048, tuning=tuning / 100)
    np.testing.assert_allclose(filters(RATE, 2048, tuning), theirs, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize(("n_fft", "hop"), [(2048, 512), (1024, 128), (512, 256)])
def test_there_and_back(n_fft: int, hop: int) -> None:
    sound = (noise(20_000) / 10).astype(np.float32)
    transform = Transform(n_fft=n_fft, hop_length=hop, padding="reflect")
    spectra = transformed(sound, transform)
    theirs = librosa.stft(sound, n_fft=n_fft, hop_length=hop, pad_mode="reflect")
    np.testing.assert_allclose(spectra, theirs.T, rtol=1e-7, atol=1e-14)
    back = synthesised(spectra, lambda block: np.float32(0.5), transform)
    again = librosa.istft(theirs / 2, n_fft=n_fft, hop_length=hop)
    np.testing.assert_allclose(back, again, rtol=0, atol=1e-7)
    np.testing.assert_allclose(back, sound[: len(back)] / 2, rtol=0, atol=1e-6)
