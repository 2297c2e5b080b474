"""The kinds that are librosa's functions, and the options of all, against the installed librosa.

Each value is within 1e-4 of the largest: chroma and tempogram are at most 1, MFCC some hundreds.
The releases that are tested, 0.11 (Python 3.11) and 1.0 (3.12, 3.13), give the same numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import scipy.signal
import soundfile

from mgrkit.frontend import FrontEnd, front_end
from mgrkit.spectrograms import decibels, levels, render, spectrum
from mgrkit.spectrograms.transform import rounded_window
from mgrkit.synthetic import music

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

librosa = pytest.importorskip("librosa")

RATE = 22050
CLIPS = ["blues.00006", "classical.00003", "metal.00007", "pop.00006"]
MADE = ["mfcc", "chroma-stft", "chroma-cqt", "chroma-cens", "cqt", "tempogram", "tonnetz"]


def theirs(samples: Floats, front: FrontEnd) -> Any:
    """What librosa gives for a front end."""
    rate, hop, window = front.rate, front.transform.hop_length, front.transform.window
    sound = {"y": samples, "sr": rate, "hop_length": hop}
    transform = {"n_fft": front.transform.n_fft, "window": window}
    mel = {}
    if front.mel:
        mel = {"n_mels": front.mel.n_mels, "fmin": front.mel.fmin, "fmax": front.mel.fmax}
    if front.kind in ("mel", "stft"):
        power = front.transform.power
        if not front.mel:
            return np.abs(librosa.stft(samples, hop_length=hop, **transform)) ** power
        return librosa.feature.melspectrogram(**sound, **transform, **mel, power=power)
    if front.cepstrum:
        power = librosa.feature.melspectrogram(**sound, **transform, **mel)
        levels = librosa.power_to_db(power, top_db=front.in_decibels.top_db)
        return librosa.feature.mfcc(S=levels, **vars(front.cepstrum))
    if front.kind == "chroma-stft":
        return librosa.feature.chroma_stft(**sound, **transform)
    if front.autocorrelation:
        onsets = librosa.onset.onset_strength(**sound, **transform, **mel)
        lags = front.autocorrelation.lags
        tempogram = librosa.feature.tempogram
        return tempogram(onset_envelope=onsets, sr=rate, hop_length=hop, win_length=lags)
    assert front.constant_q
    bins, octaves = front.constant_q.bins_per_octave, front.constant_q.octaves
    shape = {"bins_per_octave": bins, "fmin": librosa.note_to_hz(front.constant_q.fmin)}
    if front.kind == "cqt":
        return np.abs(librosa.cqt(**sound, **shape, n_bins=bins * octaves)) ** 2
    names = {"chroma-cqt": "chroma_cqt", "chroma-cens": "chroma_cens", "tonnetz": "tonnetz"}
    return getattr(librosa.feature, names[front.kind])(**sound, **shape, n_octaves=octaves)


def hold(samples: Floats, front: FrontEnd) -> None:
    wanted, found = theirs(samples, front), spectrum(samples, front)
    assert found.shape == wanted.shape == (front.bands, found.shape[1])
    assert found.dtype == np.float32
    assert np.abs(found - wanted).max() < 1e-4 * np.abs(wanted).max()


def clip(data: Path, name: str) -> Floats:
    samples: Floats = soundfile.read(data / f"gtzan/clips/{name}.flac", dtype="float32")[0]
    return samples


def sound(seconds: float, rate: int = RATE) -> Floats:
    """Made music, faster at other rates, with some noise, so that nothing hangs on rounding."""
    made = music.render("blues", artist=0, song=0, seconds=seconds * rate / RATE)
    noise = np.random.default_rng(0).standard_normal(len(made)) / 1000
    return (made + noise).astype(np.float32)


@pytest.mark.parametrize("kind", MADE)
@pytest.mark.parametrize("name", CLIPS)
def test_real_clips(data: Path, name: str, kind: str) -> None:
    hold(clip(data, name), front_end(kind))


OPTIONS: list[dict[str, Any]] = [
    {"kind": "mfcc", "n_mfcc": 13, "window": "blackman"},
    {"kind": "mfcc", "n_mfcc": 40, "n_mels": 40, "fmin": 50.0, "fmax": 8000.0, "lifter": 22.0},
    {"kind": "mfcc", "dct_type": 1, "n_mels": 65},
    {"kind": "mfcc", "dct_type": 3, "top_db": 40.0, "n_fft": 1024, "hop_length": 300},
    {"kind": "chroma-stft", "n_fft": 4096, "hop_length": 1000},
    {"kind": "chroma-stft", "window": "hamming", "sample_rate": 44100},
    {"kind": "cqt", "fmin": "A2", "octaves": 3, "bins_per_octave": 24},
    {"kind": "cqt", "fmin": "F#2", "octaves": 5, "hop_length": 1024},
    {"kind": "cqt", "fmin": "Bb1", "octaves": 1, "bins_per_octave": 5, "hop_length": 441},
    {"kind": "cqt", "sample_rate": 44100, "octaves": 8},
    {"kind": "cqt", "sample_rate": 16000, "octaves": 6, "hop_length": 160},
    {"kind": "chroma-cqt", "bins_per_octave": 12},
    {"kind": "chroma-cqt", "bins_per_octave": 24, "octaves": 5, "fmin": "C2"},
    {"kind": "chroma-cqt", "sample_rate": 44100, "hop_length": 1024},
    {"kind": "chroma-cens", "fmin": "E2", "octaves": 4, "hop_length": 256},
    {"kind": "tonnetz", "octaves": 6, "hop_length": 1024},
    {"kind": "tempogram", "lags": 100, "hop_length": 256},
    {"kind": "tempogram", "lags": 33, "n_mels": 40, "n_fft": 1024, "window": "blackmanharris"},
    *({"kind": "mel", "window": window} for window in ("hamming", "blackman", "blackmanharris")),
    {"kind": "mel", "power": 1, "n_fft": 1000, "n_mels": 60},
    {"kind": "stft", "window": "blackman", "power": 1},
    {"kind": "mel", "fmin": "A1", "fmax": 4000.0},
]  # fmt: skip


@pytest.mark.parametrize("options", OPTIONS)
def test_options(options: dict[str, Any]) -> None:
    if isinstance(options.get("fmin"), str) and options["kind"] == "mel":
        assert front_end(**options).mel.fmin == pytest.approx(55)  # type: ignore[union-attr]
    front = front_end(**options)
    hold(sound(5.0, front.rate), front)


@pytest.mark.parametrize("name", ["hann", "hamming", "blackman", "blackmanharris"])
@pytest.mark.parametrize("n_fft", [16, 999, 2048])
def test_windows(name: str, n_fft: int) -> None:
    wanted = scipy.signal.get_window(name, n_fft)
    np.testing.assert_allclose(rounded_window(n_fft, name), wanted, rtol=0, atol=1e-7)


@pytest.mark.parametrize("kind", MADE)
def test_noise_and_sound_that_is_mostly_silent(kind: str) -> None:
    noise = np.random.default_rng(1).standard_normal(12 * RATE).astype(np.float32) / 10
    hold(noise, front_end(kind))
    noise[2 * RATE : 10 * RATE] = 0
    if kind not in ("chroma-cqt", "chroma-cens", "tonnetz"):
        hold(noise, front_end(kind))
        return
    # In silence librosa divides the rounding of its transform by the largest of it; ours is zero.
    wanted, found = theirs(noise, front_end(kind)), spectrum(noise, front_end(kind))
    loud = np.r_[0:40, 477:517]
    assert np.abs(found - wanted)[:, loud].max() < 1e-4
    assert not found[:, 200:300].any()
    middle = round(render(noise, front_end(kind)).values[:, 200:300].mean())
    assert middle == (128 if kind == "tonnetz" else 0)


def test_a_tone_below_all_peaks_has_no_tuning() -> None:
    """Nothing lies between 150 and 4,000 Hz, of which librosa warns."""
    time = np.arange(3 * RATE) / RATE
    tone = (0.5 * np.sin(2 * np.pi * 55 * time)).astype(np.float32)
    found = spectrum(tone, front_end("chroma-cqt"))
    assert (found[:, 20:-20].argmax(axis=0) == 9).all()  # A


def test_decibels_of_cqt_and_of_magnitudes() -> None:
    samples = sound(3.0)
    for front in (front_end("cqt"), front_end("mel", power=1), front_end("stft", power=1)):
        amplitude = np.sqrt(theirs(samples, front)) if front.kind == "cqt" else None
        if amplitude is None:
            amplitude = theirs(samples, front)
        wanted = librosa.amplitude_to_db(amplitude, ref=np.max, top_db=80)
        found, peak_db = decibels(samples, front)
        assert np.abs(found - wanted).max() < 0.01
        assert peak_db == pytest.approx(20 * np.log10(amplitude.max()), abs=0.001)


@pytest.mark.parametrize("kind", ["mel", "stft", "cqt"])
def test_a_fixed_reference_keeps_the_level(kind: str) -> None:
    front = front_end(kind, ref=1.0)
    loud = sound(3.0)
    loud /= np.abs(loud).max()
    for samples in (loud, loud / np.float32(10)):
        wanted = librosa.power_to_db(theirs(samples, front), ref=1.0, top_db=80)
        found, peak_db = decibels(samples, front)
        assert np.abs(found - wanted).max() < 0.01
        assert peak_db == pytest.approx(wanted.max(), abs=0.001)
    near, far = (render(samples, front) for samples in (loud, loud / np.float32(10)))
    assert near.peak_db == far.peak_db  # of 255: a tone of full scale
    both = (levels(near, front), levels(far, front))
    seen = far.values > 0
    assert np.abs(both[0] - both[1] - 20)[seen].max() < 80 / 255 + 0.02
    assert np.abs(both[1] - wanted)[seen].max() < 80 / 255 / 2 + 0.02


@pytest.mark.parametrize("kind", ["mel", "stft", "cqt"])
@pytest.mark.parametrize("window", ["hann", "blackmanharris"])
def test_a_tone_of_full_scale_is_just_below_255(kind: str, window: str) -> None:
    if kind == "cqt" and window != "hann":
        return
    hertz = {"stft": 100 * RATE / 2048, "mel": 200.0, "cqt": 32.7032}[kind]
    for power in (2, 1) if kind == "mel" else (2,):
        front = front_end(kind, ref=1.0, window=window, power=power)
        time = np.arange(3 * RATE) / RATE
        image = render(np.sin(2 * np.pi * hertz * time).astype(np.float32), front)
        inside = image.values[:, 20:-20]
        assert 240 <= inside.max() <= 255, (power, inside.max())


@pytest.mark.parametrize("kind", ["mel", "stft", "cqt"])
@pytest.mark.parametrize("ref", ["peak", 1.0])
@pytest.mark.parametrize("power", [2, 1])
def test_the_other_logarithms(kind: str, ref: str | float, power: int) -> None:
    if kind == "cqt" and power == 1:
        return
    samples = sound(2.0)
    for log in ("ln", "log10"):
        front = front_end(kind, log=log, ref=ref, power=power)
        values = theirs(samples, front)
        wanted = np.log10(1 + 10_000 * values)
        if log == "ln":
            wanted = np.log(np.maximum(values, 1e-10 ** (power / 2)))
        image = render(samples, front)
        found = levels(image, front)
        step = (found.max() - found.min()) / np.ptp(image.values.astype(float))
        assert np.abs(found - np.clip(wanted, None, found.max()))[image.values < 255].max() < (
            0.51 * step + 1e-3
        )
        assert (image.values.max() == 255) == (ref == "peak")
