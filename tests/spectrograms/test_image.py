"""Samples to images: which way up, which value, which refusals."""

from __future__ import annotations

import concurrent.futures
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mgrkit.errors import ItemError, UsageError
from mgrkit.frontend import front_end
from mgrkit.spectrograms import decibels, render, spectrum, transform

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE = 22050
KINDS = pytest.mark.parametrize("kind", ["mel", "stft"])


def tone(hz: float, seconds: float = 1.0, level: float = 0.5) -> NDArray[np.float32]:
    time = np.arange(int(seconds * RATE)) / RATE
    return (level * np.sin(2 * np.pi * hz * time)).astype(np.float32)


def music(seconds: float = 1.0, seed: int = 0) -> NDArray[np.float32]:
    generator = np.random.default_rng(seed)
    noise = generator.standard_normal(int(seconds * RATE)).astype(np.float32)
    return tone(440, seconds) + tone(3000, seconds, 0.01) + np.float32(1e-4) * noise


@KINDS
def test_row_0_is_the_lowest(kind: str) -> None:
    front = front_end(kind)
    low, high = (render(tone(hz), front).values[:, 20].argmax() for hz in (200, 5000))
    assert low < high
    if kind == "stft":
        assert low == round(200 * 2048 / RATE)
        assert high == round(5000 * 2048 / RATE)


@KINDS
def test_a_rising_chirp_rises(kind: str) -> None:
    time = np.arange(2 * RATE) / RATE
    chirp = np.sin(2 * np.pi * (300 * time + 2000 * time**2)).astype(np.float32)
    rows = render(chirp, front_end(kind)).values.argmax(axis=0)[3:-3].astype(int)
    assert (np.diff(rows) >= 0).all()
    assert rows[-1] > rows[0] + 30


@KINDS
def test_the_known_power_of_a_tone(kind: str) -> None:
    # A sine of amplitude a in the middle of a bin: |X|^2 = (a n / 4)^2 under a Hann window.
    hz = 100 * RATE / 2048
    image = render(tone(hz, level=0.5), front_end(kind))
    if kind == "stft":
        assert image.peak_db == pytest.approx(20 * np.log10(0.5 * 2048 / 4), abs=0.01)
    assert image.values.max() == 255


@KINDS
@pytest.mark.parametrize("top_db", [20.0, 80.0, 120.0])
def test_the_law_of_the_values(kind: str, top_db: float) -> None:
    front = front_end(kind, top_db=top_db)
    levels, peak_db = decibels(music(), front)
    image = render(music(), front)
    assert levels.dtype == np.float32
    assert image.values.dtype == np.uint8
    assert image.peak_db == peak_db
    assert levels.max() == pytest.approx(0, abs=1e-4)
    assert levels.min() >= -top_db - 1e-4
    exact = 255 * (levels.astype(float) + top_db) / top_db
    assert np.abs(image.values - exact).max() <= 0.5 + 1e-3
    assert (image.values == np.rint(exact)).mean() > 0.999


@KINDS
def test_decibels_are_those_of_the_power(kind: str) -> None:
    front = front_end(kind)
    power = spectrum(music(), front).astype(float)
    levels, peak_db = decibels(music(), front)
    absolute = 10 * np.log10(np.maximum(power, 1e-10))
    assert peak_db == pytest.approx(absolute.max(), abs=1e-4)
    assert levels == pytest.approx(np.maximum(absolute - absolute.max(), -80), abs=1e-3)


def test_what_is_below_top_db_is_0() -> None:
    values = render(tone(440), front_end("stft", top_db=10)).values[:, 20]
    assert values.max() == 255
    assert np.count_nonzero(values) <= 5


@KINDS
@pytest.mark.parametrize(
    ("n_fft", "hop"), [(16, 1), (17, 5), (2047, 512), (2048, 2048), (60000, 700)]
)
def test_power_against_plain_float64(kind: str, n_fft: int, hop: int) -> None:
    samples = music(0.05 if hop == 1 else 3.0)[: n_fft + 3000]
    front = front_end(kind, n_fft=n_fft, hop_length=hop, n_mels=1 if kind == "mel" else None)
    padded = np.pad(samples.astype(float), n_fft // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    columns = [0, len(frames) // 2, len(frames) - 1]
    power = np.abs(np.fft.rfft(frames[columns] * window)) ** 2
    ours = spectrum(samples, front)
    assert ours.shape == (front.bands, len(frames))
    if kind == "stft":
        assert np.abs(ours[:, columns] - power.T).max() < 1e-5 * power.max()


def test_a_transform_that_does_not_work_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = spectrum(music(), front_end("stft"))
    in_place = transform.fourier.rfft_packed
    monkeypatch.setattr(transform.fourier, "rfft_packed", lambda x: in_place(x.copy()))
    assert (spectrum(music(), front_end("stft")) == expected).all()


@pytest.mark.parametrize("samples", [music(), music()[::2], music().astype(float)])
def test_samples_stay_as_they_are(samples: NDArray[np.float32]) -> None:
    before = samples.copy()
    samples.flags.writeable = False
    image = render(samples, front_end())
    assert (samples == before).all()
    assert (image.values == render(before.astype(np.float32), front_end()).values).all()


def test_threads_and_changing_front_ends_do_not_mix() -> None:
    fronts = [front_end(), front_end("stft", n_fft=512), front_end(n_mels=40), front_end("stft")]
    jobs = [(music(1 + k % 3 / 2, k), fronts[k % len(fronts)]) for k in range(24)]
    alone = [render(*job) for job in jobs]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda job: render(*job), jobs))
    for one, other in zip(alone, together, strict=True):
        assert (one.values == other.values).all()
        assert one.peak_db == other.peak_db


@pytest.mark.parametrize("make", [spectrum, decibels, render])
@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (music()[:2047], "too-short"),
        (np.zeros(0, np.float32), "too-short"),
        (np.zeros(RATE, np.float32), "silent"),
        (np.full(RATE, 3e-5, np.float32), "silent"),
        (np.where(np.arange(RATE) == 99, np.nan, music()), "non-finite"),
        (np.where(np.arange(RATE) == 99, -np.inf, music()), "non-finite"),
        (np.where(np.arange(RATE) == 99, 1e12, music()), "non-finite"),
    ],
)
def test_refused_sound(make: object, samples: NDArray[np.float32], reason: str) -> None:
    with pytest.raises(ItemError) as caught:
        make(samples, front_end())  # type: ignore[operator]
    assert caught.value.reason == reason


def test_the_quietest_and_the_shortest_that_pass() -> None:
    assert render(music()[:2048], front_end()).values.shape == (128, 5)
    assert render(tone(440, level=4e-5), front_end()).values.max() == 255
    assert np.isfinite(render(music() * np.float32(1e8), front_end("stft")).peak_db)


@pytest.mark.parametrize("samples", [np.zeros((2, RATE), np.float32), np.zeros(RATE, np.int16)])
def test_only_mono_floats(samples: NDArray[np.float32]) -> None:
    with pytest.raises(UsageError, match="mono floats"):
        render(samples, front_end())


def test_imports_nothing_heavy() -> None:
    heavy = "('librosa', 'torch', 'matplotlib', 'scipy.signal', 'PIL')"
    code = (
        f"import sys, mgrkit.spectrograms; sys.exit(str([m for m in {heavy} if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.stderr.strip() == "[]"
