"""scipy's transforms without the packages around them are scipy's, to the last bit."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy import fft, fftpack

from mgrkit.compute import fourier
from mgrkit.compute.fourier import Direct, Public, Transforms, chosen

WAYS = (Direct, Public)
LENGTHS = (5, 64, 1000, 2047, 2048, 2049)


def numbers(length: int, dtype: type) -> np.ndarray:
    return np.random.default_rng(length).standard_normal((16, length)).astype(dtype)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("length", LENGTHS)
def test_every_transform_is_scipys(way: type, dtype: type, length: int) -> None:
    of: Transforms = way()
    x = numbers(length, dtype)
    spectra = fft.rfft(x)
    for n in (length - 1, length, length + 3):
        same(of.rfft(x, n), fft.rfft(x, n))
    same(of.irfft(spectra, length), fft.irfft(spectra, length))
    same(of.dct(x), fft.dct(x, norm="ortho"))
    same(of.rfft_packed(x.copy()), fftpack.rfft(x))
    same(of.irfft_packed(x.copy()), fftpack.irfft(x))
    assert of.next_fast_len(length) == fft.next_fast_len(length, real=True)


def same(told: np.ndarray, wanted: np.ndarray) -> None:
    assert told.dtype == wanted.dtype
    np.testing.assert_array_equal(told, wanted)


@pytest.mark.parametrize("way", WAYS)
def test_packed_transforms_work_in_place(way: type) -> None:
    of: Transforms = way()
    held = np.zeros((16, 2050), np.float32)
    x = held[:, 1:-1]  # rows of a larger array, as the short-time transform has them
    x[:] = numbers(2048, np.float32)
    wanted = fftpack.rfft(x)
    assert np.shares_memory(of.rfft_packed(x), x)
    same(x, wanted)
    assert np.shares_memory(of.irfft_packed(x), x)


def test_the_direct_way_is_there_with_this_scipy() -> None:
    """Where this fails scipy has changed: all works on, and starts 0.2 s later."""
    assert isinstance(chosen(), Direct)


@pytest.mark.parametrize("name", ["rfft", "irfft", "dct", "rfft_packed", "irfft_packed"])
def test_transforms_that_tell_something_else_are_not_taken(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = getattr(Direct, name)
    monkeypatch.setattr(Direct, name, lambda *given: of(*given) * 2)
    assert isinstance(chosen(), Public)


def test_another_signature_or_place_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Direct, "dct", lambda self: None)
    assert isinstance(chosen(), Public)
    monkeypatch.setattr(fourier, "_PLACES", ("scipy.fft._elsewhere.fft",))
    assert isinstance(chosen(), Public)


SCIPY = "print(sorted(n for n in sys.modules if n.split('.')[0] == 'scipy' and n not in _PLACES))"


@pytest.mark.parametrize(
    "code",
    [
        f"import mgrkit.features.sets.gtzan57, mgrkit.augment.colours; {SCIPY}",
        "import scipy.fft; assert scipy.fft.rfft([1.0, 1.0]).tolist() == [2, 0]; print([])",
        "import scipy.signal, scipy.fftpack; print([])",
    ],
)
def test_scipy_is_not_imported_and_can_be_later(code: str) -> None:
    code = f"import sys\nfrom mgrkit.compute.fourier import _PLACES\n{code}"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"
