"""Our spectra against librosa's, on real clips and on synthetic sound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from mgrkit.errors import UsageError
from mgrkit.frontend import FrontEnd, Transform, front_end
from mgrkit.spectrograms import decibels, render, spectrum
from mgrkit.spectrograms.kinds.mel import filters

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

librosa = pytest.importorskip("librosa")

SETTINGS: list[dict[str, Any]] = [
    {},
    {"n_fft": 1024, "hop_length": 300, "n_mels": 64, "fmin": 50.0, "fmax": 8000.0},
    {"n_fft": 4096, "hop_length": 4096, "n_mels": 200, "top_db": 60.0},
    {"n_fft": 1500, "hop_length": 441, "n_mels": 20, "top_db": 80.0},
    {"kind": "stft"},
    {"kind": "stft", "n_fft": 999, "hop_length": 250},
]
CLIPS = ["blues.00006", "classical.00003", "metal.00007", "pop.00006", "reggae.00009"]


def reference(samples: NDArray[Any], front: FrontEnd) -> NDArray[Any]:
    """librosa's power."""
    options = {"n_fft": front.transform.n_fft, "hop_length": front.transform.hop_length}
    if front.mel is None:
        return np.abs(librosa.stft(samples, **options)) ** 2
    return librosa.feature.melspectrogram(
        y=samples,
        sr=front.sample_rate,
        n_mels=front.mel.n_mels,
        fmin=front.mel.fmin,
        fmax=front.mel.fmax,
        **options,
    )


def compare(samples: NDArray[np.float32], front: FrontEnd, precise: bool = False) -> float:
    """The largest difference in dB, before quantisation."""
    top_db = front.decibels.top_db
    theirs = reference(samples.astype(float) if precise else samples, front)
    levels = librosa.power_to_db(theirs, ref=np.max, top_db=top_db)
    ours, peak_db = decibels(samples, front)
    assert ours.shape == levels.shape
    assert peak_db == pytest.approx(10 * np.log10(max(theirs.max(), 1e-10)), abs=0.001)
    values = render(samples, front).values
    assert np.abs(values - 255 * (levels + top_db) / top_db).max() < 0.5 + 255 * 0.01 / top_db
    return float(np.abs(ours - levels).max())


def sound(data: Path, clip: str, start: int = 0, stop: int | None = None) -> NDArray[np.float32]:
    samples, _ = soundfile.read(data / f"gtzan/clips/{clip}.flac", dtype="float32")
    return samples[start:stop]


@pytest.mark.parametrize("options", SETTINGS)
@pytest.mark.parametrize("clip", CLIPS)
def test_real_clips(data: Path, clip: str, options: dict[str, Any]) -> None:
    samples = sound(data, clip, 100_000, 300_000)
    assert compare(samples, front_end(**options)) < 0.01
    assert compare(samples, front_end(**options), precise=True) < 0.01


@pytest.mark.parametrize("kind", ["mel", "stft"])
def test_whole_clip(data: Path, kind: str) -> None:
    assert compare(sound(data, "rock.00007"), front_end(kind), precise=True) < 0.01


@pytest.mark.parametrize("kind", ["mel", "stft"])
@pytest.mark.parametrize("level", [1.0, 1e-2, 5e-4])
def test_loud_then_quiet_and_quiet_pieces(data: Path, kind: str, level: float) -> None:
    samples = sound(data, "classical.00001", 0, 150_000).copy()
    samples *= np.float32(level) / np.abs(samples).max()
    samples[60_000:] *= np.float32(1e-3)
    samples[120_000:] = 0
    assert compare(samples, front_end(kind), precise=True) < 0.01


@pytest.mark.parametrize("length", [2048, 2049, 2560, 5000])
def test_short_sound_has_librosas_frames(length: int) -> None:
    samples = np.random.default_rng(0).standard_normal(length).astype(np.float32) / 10
    assert compare(samples, front_end(), precise=True) < 0.01
    assert compare(samples, front_end("stft"), precise=True) < 0.01


@pytest.mark.parametrize("length", [2048, 2049, 2560, 5000, 300_000])
@pytest.mark.parametrize("n_fft", [2048, 999])
def test_mirrored_ends(length: int, n_fft: int) -> None:
    samples = np.random.default_rng(0).standard_normal(length).astype(np.float32) / 10
    transform = Transform(n_fft=n_fft, hop_length=250, padding="reflect")
    front = FrontEnd(kind="stft", mel=None, transform=transform)
    theirs = np.abs(
        librosa.stft(samples.astype(float), n_fft=n_fft, hop_length=250, pad_mode="reflect")
    )
    ours = np.sqrt(spectrum(samples, front))
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() < 1e-4


def test_power_of_one_value() -> None:
    samples = np.random.default_rng(0).standard_normal(22050).astype(np.float32) / 10
    for front in (front_end(), front_end("stft")):
        theirs = reference(samples.astype(float), front)
        assert np.abs(spectrum(samples, front) / theirs - 1).max() < 1e-3


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"n_mels": 40, "n_fft": 512},
        {"sample_rate": 44100, "n_fft": 4096, "n_mels": 229, "fmin": 30.0, "fmax": 16000.0},
        {"sample_rate": 8000, "n_mels": 1, "fmax": 400.0},
    ],
)
def test_filter_bank(options: dict[str, Any]) -> None:
    front = front_end(**options)
    assert front.mel is not None
    theirs = librosa.filters.mel(
        sr=front.sample_rate,
        n_fft=front.transform.n_fft,
        n_mels=front.mel.n_mels,
        fmin=front.mel.fmin,
        fmax=front.mel.fmax,
    )
    np.testing.assert_allclose(filters(front), theirs, rtol=1e-6, atol=1e-12)


@pytest.mark.filterwarnings("ignore:Empty filters")
@pytest.mark.parametrize("n_fft", [256, 500, 1024])
def test_refused_are_just_the_banks_with_an_empty_filter(n_fft: int) -> None:
    for n_mels in range(20, 330, 5):
        bank = librosa.filters.mel(sr=22050, n_fft=n_fft, n_mels=n_mels)
        if (bank.max(axis=1) > 0).all():
            front_end(n_mels=n_mels, n_fft=n_fft, hop_length=n_fft)
        else:
            with pytest.raises(UsageError, match="too many"):
                front_end(n_mels=n_mels, n_fft=n_fft, hop_length=n_fft)
