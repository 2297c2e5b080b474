"""scipy's fast transforms of real numbers, to the last bit, without what scipy imports beside them.

``import scipy.fft`` brings in special functions, masked arrays, f2py, testing and more: 0.2 s and
28 MB, at each start of a command that hears sound. The transforms themselves are one extension
module, which loads in a millisecond and needs NumPy only. Its place and its functions are scipy's
own affair, and have changed (pypocketfft until 1.17, pyduccfft since): so what was loaded must
first give what scipy.fft is known to give for small arrays, and where anything at all is
other than expected, scipy.fft and scipy.fftpack are imported as usual. Both ways compute by the
same code of scipy's.
"""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Complexes = NDArray[np.complexfloating[Any, Any]]

_PLACES = ("scipy.fft._pocketfft.pypocketfft", "scipy.fft._duccfft.pyduccfft")
_SAME, _ORTHO, _BY_LENGTH = 0, 1, 2
"""How the extension calls the scale of what comes out: as summed, by the root, by the length."""


class Transforms(Protocol):
    """What both ways offer; all transform the last axis of an array of floats."""

    def rfft_packed(self, x: Floats) -> Floats:
        """``re0 re1 im1 re2 im2 ...`` of ``(n, length)``, written over x where that is possible."""

    def irfft_packed(self, x: Floats) -> Floats:
        """The way back, written over x too."""

    def rfft(self, x: Floats, n: int) -> Complexes:
        """Complex ``(..., n // 2 + 1)`` of the first n numbers, or of all and zeros up to n."""

    def irfft(self, x: Complexes, n: int) -> Floats:
        """Real ``(..., n)`` of complex ``(..., n // 2 + 1)``."""

    def dct(self, x: Floats) -> Floats:
        """The orthonormal discrete cosine transform of type 2."""

    def next_fast_len(self, n: int) -> int:
        """The least length from n on that a transform of real numbers is fast at."""


class Direct:
    """By the extension module alone."""

    def __init__(self) -> None:
        self._module: Any = _extension()

    def rfft_packed(self, x: Floats) -> Floats:
        packed: Floats = self._module.r2r_fftpack(x, (1,), True, True, _SAME, x, 1)
        return packed

    def irfft_packed(self, x: Floats) -> Floats:
        back: Floats = self._module.r2r_fftpack(x, (1,), False, False, _BY_LENGTH, x, 1)
        return back

    def rfft(self, x: Floats, n: int) -> Complexes:
        if x.shape[-1] < n:
            padded = np.zeros((*x.shape[:-1], n), x.dtype)
            padded[..., : x.shape[-1]] = x
            x = padded
        spectra: Complexes = self._module.r2c(x[..., :n], (x.ndim - 1,), True, _SAME, None, 1)
        return spectra

    def irfft(self, x: Complexes, n: int) -> Floats:
        back: Floats = self._module.c2r(x, (x.ndim - 1,), n, False, _BY_LENGTH, None, 1)
        return back

    def dct(self, x: Floats) -> Floats:
        cosines: Floats = self._module.dct(x, 2, (x.ndim - 1,), _ORTHO, None, 1, None)
        return cosines

    def next_fast_len(self, n: int) -> int:
        return int(self._module.good_size(n, True))


class Public:
    """By scipy.fft and scipy.fftpack."""

    def __init__(self) -> None:
        from scipy import fft, fftpack

        self._fft: Any = fft
        self._fftpack: Any = fftpack

    def rfft_packed(self, x: Floats) -> Floats:
        packed: Floats = self._fftpack.rfft(x, axis=1, overwrite_x=True)
        return packed

    def irfft_packed(self, x: Floats) -> Floats:
        back: Floats = self._fftpack.irfft(x, axis=1, overwrite_x=True)
        return back

    def rfft(self, x: Floats, n: int) -> Complexes:
        spectra: Complexes = self._fft.rfft(x, n)
        return spectra

    def irfft(self, x: Complexes, n: int) -> Floats:
        back: Floats = self._fft.irfft(x, n)
        return back

    def dct(self, x: Floats) -> Floats:
        cosines: Floats = self._fft.dct(x, norm="ortho")
        return cosines

    def next_fast_len(self, n: int) -> int:
        return int(self._fft.next_fast_len(n, real=True))


def _extension() -> ModuleType:
    """The extension module, by the name that scipy gives it: loaded twice, old ones crash."""
    scipy = importlib.util.find_spec("scipy")
    top = Path(scipy.origin or "").parents[1] if scipy else Path()
    for name in _PLACES:
        if name in sys.modules:
            return sys.modules[name]
        folder = top.joinpath(*name.split(".")[:-1])
        found = PathFinder.find_spec(name, [str(folder)])
        if found and found.loader:
            sys.modules[name] = module = importlib.util.module_from_spec(found)
            found.loader.exec_module(module)
            return module
    raise ImportError("scipy keeps its transforms elsewhere")


def chosen() -> Transforms:
    """The direct way if it is there and tells what it must, else the public one."""
    try:
        direct = Direct()
        if _right(direct):
            return direct
    except Exception:  # noqa: S110  # whatever has changed in scipy: nothing is lost but time
        pass
    return Public()


def _right(of: Transforms) -> bool:
    """Whether small transforms are as they are known to be."""
    x, packed = np.array([[1, 2, 4, 3]], np.float32), np.array([[10, -3, 1, 0]], np.float32)
    spectrum = np.array([[10, -3 + 1j, 0]], np.complex64)
    pairs = (
        (of.rfft(x, 4), spectrum),
        (of.rfft(x[:, :2], 4), np.array([[3, 1 - 2j, -1]], np.complex64)),
        (of.irfft(spectrum, 4), x),
        (of.dct(np.array([[3, 1]], np.float32)), np.array([[8**0.5, 2**0.5]], np.float32)),
        (of.rfft_packed(x.copy()), packed),
        (of.irfft_packed(packed.copy()), x),
    )
    return of.next_fast_len(13) == 15 and all(
        told.shape == wanted.shape
        and told.dtype == wanted.dtype
        and np.allclose(told, wanted, rtol=0, atol=1e-5)
        for told, wanted in pairs
    )


fourier = chosen()
