"""Samples to spectra in float64, then rounded, as librosa does it.

Sums up to a threshold, counts of peaks and maxima follow the last bit, and so does what is to equal
librosa's by them: the tuning of a sound, features.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mgrkit.compute.fourier import fourier
from mgrkit.spectrograms.transform import exact_window, padded, scratch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mgrkit.frontend import Transform
    from mgrkit.spectrograms.transform import Floats

    Spectrum = NDArray[np.complex64]

_BLOCK = 128
"""Frames at a time: some megabytes, which stay in a core's cache."""


def blocks(frames: int) -> Iterator[slice]:
    """The frames block by block."""
    for first in range(0, frames, _BLOCK):
        yield slice(first, min(first + _BLOCK, frames))


def by_block(samples: Floats, transform: Transform) -> Iterator[tuple[slice, Spectrum]]:
    """Blocks of frames and their spectra, complex64 ``(n, n_fft // 2 + 1)``, in scratch.

    Equal to ``librosa.stft`` with the transform's window, and its padding as ``pad_mode``.

    Parameters
    ----------
    samples : float32 ``(frames,)``, at least ``n_fft`` of them.
    """
    n_fft = transform.n_fft
    half = n_fft // 2
    whole = padded(samples, -half, len(samples) + half, transform.padding)
    frames = np.lib.stride_tricks.sliding_window_view(whole, n_fft)[:: transform.hop_length]
    window = exact_window(n_fft, transform.window)
    bins = n_fft // 2 + 1
    for block in blocks(len(frames)):
        pairs = scratch("exact-pairs", (block.stop - block.start, 2 * bins), np.float64)
        # As in `transform`, but that the first pair is put in order.
        pairs[:, -1] = 0
        windowed = pairs[:, 1 : 1 + n_fft]
        np.multiply(frames[block], window, out=windowed)
        packed = fourier.rfft_packed(windowed)
        if not np.may_share_memory(packed, windowed):
            windowed[...] = packed
        pairs[:, 0] = pairs[:, 1]
        pairs[:, 1] = 0
        rounded = scratch("exact", pairs.shape, np.float32)
        rounded[...] = pairs
        yield block, rounded.view(np.complex64)


def magnitudes(samples: Floats, transform: Transform) -> Iterator[tuple[slice, Floats]]:
    """The same blocks' magnitudes, float32, in scratch."""
    for block, spectra in by_block(samples, transform):
        found = scratch("exact-magnitudes", spectra.shape, np.float32)
        yield block, np.abs(spectra, out=found)
