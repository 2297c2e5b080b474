"""The front end of musicnn in NumPy: each frame of a piece once.

Windows of 187 frames lie 61 frames apart, so that each frame is in three of them; and what a
filter gives for a frame is the same in all three, but where the filter reaches beyond a window,
which has zeros there. So all frames are computed once, and the edges of windows anew. The
products are BLAS's: it is the only fast code that NumPy brings.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mgrkit_pretrained.layout import FRONT_END, HOP, TIMBRAL, WINDOW
from mgrkit_pretrained.stretches import neighbours, windowed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Doubles = NDArray[np.float64]

BANDS = FRONT_END.bands
TAPS = TIMBRAL[0][0]
AROUND = TAPS // 2
"""Frames on either side that a kernel of seven frames sees."""

_ORDERS = BANDS // 2 + 1
_BLOCK = 64
"""Frames that the timbral filters take at once, so that their spectra stay in the cache."""
_EDGES = _BLOCK // (2 * AROUND)
"""Windows whose edges they take at once; each has six frames of them."""
_STEPS = {128: 16, 64: 16, 32: 12}
"""Frames of one product, by the taps of a temporal filter. Of the matrix only a band is not
zero, so that long steps waste products, and short ones are slow for BLAS."""


class Timbral:
    """Filters of 7 frames by many bands: the largest value of each over the places in the bands.

    Along the bands a filter is a correlation, and a discrete Fourier transform of 96 points makes
    a product of it; as the last place of a kernel ends with the last band, nothing wraps round.
    Over the 7 frames products are summed before the transform back, which is needed only at the
    kernel's places. These lie evenly about a middle. With the phase of the middle taken out, two
    places that mirror one another are C + S and C - S, where C is a sum of cosines and S one
    of sines; the larger is C + |S|, so that half of the places are enough.

    Parameters
    ----------
    kernels : ``(filters, 1, 7, bands)`` of each width.
    """

    def __init__(self, kernels: Sequence[Doubles]) -> None:
        orders = np.arange(_ORDERS)
        turn = 2 * np.pi / BANDS * orders
        forth = np.exp(-1j * turn[:, None] * np.arange(BANDS))
        self._forth = single(np.stack([forth.real, forth.imag], 1).reshape(-1, BANDS))
        # Of real values all orders but the first and the last stand for two.
        weight = np.where(orders % (BANDS // 2), 2, 1) / BANDS
        spectra, self._back, first = [], [], 0
        for kernel in kernels:
            filters, _, _, width = kernel.shape
            last = BANDS - width
            there = np.einsum("ob,ftb->oft", forth[:, :width], kernel[:, 0]).conj()
            spectra.append(there * (weight * np.exp(1j * turn * last / 2))[:, None, None])
            angles = np.arange(last % 2, last + 1, 2)[:, None] / 2 * turn
            part = slice(first, first + filters)
            self._back.append((part, single(np.cos(angles)), single(np.sin(angles))))
            first += filters
        self.filters = first
        whole = np.concatenate(spectra, 1)
        real = np.stack([whole.real, -whole.imag], 2)
        imaginary = np.stack([whole.imag, whole.real], 2)
        self._kernels = [
            single(rows.reshape(_ORDERS, first, 2 * TAPS)) for rows in (real, imaginary)
        ]

    def __call__(self, x: Floats, count: int, out: Floats) -> None:
        """Fill ``out``, ``(filters, count, 187)``.

        Parameters
        ----------
        x : ``(96, frames + 6)``, three frames of zeros at either end.
        count : windows.
        """
        size = x.shape[1]
        spectrum = (self._forth @ x).reshape(_ORDERS, 2, size)
        frames = size - 2 * AROUND
        response = np.empty((self.filters, frames), np.float32)
        for first in range(0, frames, _BLOCK):
            block = min(_BLOCK, frames - first)
            seen = neighbours(spectrum[:, :, first:], TAPS, block, axis=2)
            self._respond(seen, response[:, first : first + block])
        out[:] = windowed(response, count)
        for start in range(0, count, _EDGES):
            self._edges(spectrum, out, slice(start, min(start + _EDGES, count)))

    def _edges(self, spectrum: Floats, out: Floats, some: slice) -> None:
        """The three frames at either end of some windows: zeros and six frames decide them."""
        count = some.stop - some.start
        inside = windowed(spectrum[:, :, AROUND + some.start * HOP : -AROUND], count)
        seen = np.zeros((_ORDERS, 2, 2, count, 3 * AROUND), np.float32)
        seen[:, :, 0, :, AROUND:] = inside[..., : 2 * AROUND]
        seen[:, :, 1, :, : 2 * AROUND] = inside[..., -2 * AROUND :]
        response = np.empty((self.filters, 2 * count * AROUND), np.float32)
        self._respond(neighbours(seen, TAPS, AROUND, axis=2), response)
        starts, ends = response.reshape(-1, 2, count, AROUND).swapaxes(0, 1)
        out[:, some, :AROUND], out[:, some, -AROUND:] = starts, ends

    def _respond(self, seen: Floats, response: Floats) -> None:
        """Fill ``response``, ``(filters, n)``, of spectra ``(49, 2, 7, ...)`` of n places."""
        columns = np.ascontiguousarray(seen).reshape(_ORDERS, 2 * TAPS, -1)
        real, imaginary = (rows @ columns for rows in self._kernels)
        for part, cosines, sines in self._back:
            whole = cosines @ real[:, part].reshape(_ORDERS, -1)
            odd = sines @ imaginary[:, part].reshape(_ORDERS, -1)
            whole += np.abs(odd, out=odd)
            response[part] = whole.max(axis=0).reshape(-1, response.shape[1])


class Temporal:
    """Filters of many frames in one band: the largest value of each over the bands.

    A stretch of frames times a band matrix gives several frames of all filters: the matrix has
    the kernels one below another, shifted by a frame each.

    Parameters
    ----------
    kernel : ``(filters, 1, frames, 1)``.
    """

    def __init__(self, kernel: Doubles) -> None:
        along = kernel[:, 0, :, 0].T
        taps, self.filters = along.shape
        self._step, self._reach = _STEPS[taps], taps - 1
        self._before, self._behind = (taps - 1) // 2, taps // 2
        self._whole = _banded(along, self._step)
        # At its edges a window has zeros: the rows of the matrix that would meet them are cut.
        self._start = _banded(along, self._before)[self._before :]
        self._end = _banded(along, self._behind)[: -self._behind]

    def __call__(self, x: Floats, count: int, out: Floats) -> None:
        """Fill ``out``, ``(filters, count, 187)``, of ``(96, frames)``."""
        frames, reach, before = x.shape[1], self._reach, self._before
        response = np.empty((self.filters, frames), np.float32)
        last = frames - reach - self._step  # it begins there, even if that gives some twice
        for start in [*range(0, last, self._step), last]:
            seen = x[:, start : start + self._step + reach]
            at = slice(start + before, start + before + self._step)
            _respond(seen, self._whole, response[:, at])
        inner = slice(before, WINDOW - self._behind)
        out[:, :, inner] = windowed(response, count)[:, :, inner]
        for number in range(count):
            begin, end = number * HOP, number * HOP + WINDOW
            starts, ends = out[:, number, :before], out[:, number, -self._behind :]
            _respond(x[:, begin : begin + reach], self._start, starts)
            _respond(x[:, end - reach : end], self._end, ends)


def _respond(seen: Floats, matrix: Floats, response: Floats) -> None:
    """Fill ``response``, ``(filters, n)``, of the frames ``(96, n + taps - 1)`` of n places."""
    response[:] = (seen @ matrix).max(axis=0).reshape(response.shape)


def single(values: NDArray[np.floating]) -> Floats:
    """float32 in C order, which BLAS takes as it is."""
    return np.ascontiguousarray(values, np.float32)


def _banded(kernel: Doubles, step: int) -> Floats:
    """``(step + taps - 1, filters * step)``, of a kernel ``(taps, filters)``."""
    taps, filters = kernel.shape
    matrix = np.zeros((step + taps - 1, filters, step), np.float32)
    for place in range(step):
        matrix[place : place + taps, :, place] = kernel
    return matrix.reshape(len(matrix), -1)
