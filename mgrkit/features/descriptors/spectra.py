"""The one short-time Fourier transform of a piece, and the way back to sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mgrkit.compute.fourier import fourier
from mgrkit.spectrograms.exact import blocks, by_block
from mgrkit.spectrograms.transform import exact_window, frame_count, scratch

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mgrkit.frontend import Transform
    from mgrkit.spectrograms.transform import Floats

    Spectrum = NDArray[np.complex64]


def transformed(samples: Floats, transform: Transform) -> Spectrum:
    """The spectra, complex64 ``(frames, n_fft // 2 + 1)``, in scratch.

    Parameters as for `by_block`.
    """
    shape = (frame_count(len(samples), transform), transform.n_fft // 2 + 1)
    spectra: Spectrum = scratch("spectra", shape, np.complex64)
    for block, part in by_block(samples, transform):
        spectra[block] = part
    return spectra


def synthesised(spectra: Spectrum, mask: Callable[[slice], Floats], transform: Transform) -> Floats:
    """The sound of masked spectra, float32 ``((n - 1) hop,)``: up to the last frame's centre.

    Equal to ``librosa.istft`` without ``length``: windowed once more, overlapped and added
    (Griffin and Lim, Signal estimation from modified short-time Fourier transform, 1984).

    Parameters
    ----------
    spectra : ``(n, n_fft // 2 + 1)``; n_fft is a multiple of the hop, and n no less than it.
    mask : gives the factors for a block of frames.
    """
    n_fft, hop = transform.n_fft, transform.hop_length
    overlap = n_fft // hop
    window = exact_window(n_fft).astype(np.float32)
    squares = (window**2).reshape(overlap, hop)
    rows = np.zeros((len(spectra) + overlap - 1, hop), np.float32)
    for block in blocks(len(spectra)):
        frames = fourier.irfft(spectra[block] * mask(block), n_fft)
        np.multiply(frames, window, out=frames)
        for k in range(overlap):
            target = rows[block.start + k : block.stop + k]
            np.add(target, frames[:, k * hop : (k + 1) * hop], out=target)
    count = len(spectra)
    rows[overlap - 1 : count] /= squares.sum(axis=0)
    # Fewer windows reach the rows at the ends.
    for row in (*range(overlap // 2, overlap - 1), *range(count, count + overlap // 2 - 1)):
        rows[row] /= squares[[k for k in range(overlap) if 0 <= row - k < count]].sum(axis=0)
    return rows[overlap // 2 : overlap // 2 + count - 1].reshape(-1)
