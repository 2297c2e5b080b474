"""Samples to short-time spectra, in float32 and in pieces that stay in a core's cache."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from mgrkit.compute.fourier import fourier
from mgrkit.compute.scratch import Scratch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mgrkit.frontend import Transform

    Floats = NDArray[np.float32]

# Two megabytes of windows at a time: several transforms share one SIMD register. Smaller blocks
# would stay nearer to the core, but two threads then meet at the interpreter lock too often.
_BLOCK = 2**19

scratch = Scratch()


_COSINES = {
    "hann": (0.5, 0.5),
    "hamming": (0.54, 0.46),
    "blackman": (0.42, 0.5, 0.08),
    "blackmanharris": (0.35875, 0.48829, 0.14128, 0.01168),
    "blackmanharris62": (0.44959, 0.49364, 0.05677),
}
"""Windows as sums of cosines (Harris, On the use of windows, 1978): weights of alternating sign.

Blackman-Harris is the one of four terms, 92 dB, or that of three for the narrowest peak, 62 dB.
"""


@functools.lru_cache(maxsize=8)
def exact_window(n_fft: int, name: str = "hann") -> NDArray[np.float64]:
    """A periodic window, float64 ``(n_fft,)``: one of `mgrkit.frontend.parts.WINDOWS`."""
    turn = 2 * np.pi * np.arange(n_fft) / n_fft
    window: NDArray[np.float64] = np.zeros(n_fft)
    for order, weight in enumerate(_COSINES[name]):
        window += (-1) ** order * weight * np.cos(order * turn)
    return window


@functools.lru_cache(maxsize=8)
def rounded_window(n_fft: int, name: str) -> Floats:
    """The same, float32."""
    return exact_window(n_fft, name).astype(np.float32)


def frame_count(length: int, transform: Transform) -> int:
    """The number of frames of a sound of ``length`` samples, at least ``n_fft``."""
    whole = length + 2 * (transform.n_fft // 2)
    return 1 + (whole - transform.n_fft) // transform.hop_length


def short_time_power(samples: Floats, transform: Transform) -> Iterator[tuple[int, Floats]]:
    """The magnitudes of the transform to its power, block by block.

    Parameters
    ----------
    samples : mono, float32 ``(frames,)``, contiguous, at least ``n_fft`` long.

    Yields
    ------
    the index of the block's first frame, and its power ``(n, n_fft // 2 + 1)``, one row per
    frame, valid until the next block is asked for.
    """
    n_fft, hop = transform.n_fft, transform.hop_length
    bins = n_fft // 2 + 1
    window = rounded_window(n_fft, transform.window)
    size = max(4, _BLOCK // n_fft)
    total = frame_count(len(samples), transform)
    for first in range(0, total, size):
        count = min(size, total - first)
        start = first * hop - n_fft // 2
        span = padded(samples, start, start + (count - 1) * hop + n_fft, transform.padding)
        frames = np.ndarray((count, n_fft), np.float32, span, strides=(4 * hop, 4))
        pairs = scratch("pairs", (count, 2 * bins), np.float32)
        power = scratch("power", (count, bins), np.float32)
        _transform(frames, window, pairs)
        np.square(pairs, out=pairs)
        np.add(pairs[:, 0::2], pairs[:, 1::2], out=power)
        if transform.power == 1:
            np.sqrt(power, out=power)
        yield first, power


def _transform(frames: Floats, window: Floats, pairs: Floats) -> None:
    """The windowed frames' spectra, as pairs of real and imaginary parts.

    The packed transform is ``re0 re1 im1 re2 im2 ...``. One zero in front of it, and for an
    even length one behind it, make whole pairs (in the first the two parts are swapped), so
    that squares and sums run over the block in one sweep. This legacy transform is used
    because, unlike `fourier.rfft`, it can work in place and so needs no fresh pages.
    """
    pairs[:, 0] = pairs[:, -1] = 0
    windowed = pairs[:, 1 : 1 + len(window)]
    np.multiply(frames, window, out=windowed)
    packed = fourier.rfft_packed(windowed)
    if not np.may_share_memory(packed, windowed):
        windowed[...] = packed


def padded(samples: Floats, start: int, stop: int, padding: str) -> Floats:
    """samples[start:stop], with zeros or the mirrored sound for what lies outside."""
    inside = samples[max(start, 0) : stop]
    if len(inside) == stop - start:
        return inside
    span = np.zeros(stop - start, np.float32)
    before, after = max(-start, 0), max(stop - len(samples), 0)
    span[before:][: len(inside)] = inside
    if padding == "reflect":
        # At most half a window lies outside, and the sound is at least one window long.
        last = len(samples) - 1
        span[:before] = samples[before:0:-1]
        span[stop - start - after :] = samples[last - after : last][::-1]
    return span
