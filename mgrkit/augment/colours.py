"""Coloured noise, endless, block by block.

A block depends on the draw, the channel and its number, not on the length of the sound.
White noise is Gaussian numbers as they come. For the other colours Gaussian spectra are shaped
and transformed to segments of `_SEGMENT` frames, which are joined by cross-fades that keep the
power. Coloured noise is empty below 20 Hz: what cannot be heard would eat the SNR.
"""

from __future__ import annotations

import functools
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mgrkit import seeds
from mgrkit.augment.audible import LOWEST_HZ
from mgrkit.augment.blocks import Draw, Take, fade
from mgrkit.augment.gaussian import fill
from mgrkit.compute.fourier import fourier

if TYPE_CHECKING:
    from numpy.random import BitGenerator
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

COLOURS = {"white": 0.0, "pink": -0.5, "brown": -1.0, "blue": 0.5, "violet": 1.0}
"""Amplitude goes with frequency to this power; 0.5 is 3.01 dB per octave."""

_ROWS = 16  # segments that are transformed at a time, half a megabyte
_HOP = 8192
_FADE = _HOP // 8
_SEGMENT = _HOP + _FADE


@dataclass(frozen=True)
class Colour:
    """Noise of one colour.

    Attributes
    ----------
    name : white, pink, brown, blue or violet.
    """

    name: str

    @property
    def digest(self) -> str:
        """Empty: a colour has no content that could change."""
        return ""

    def take(self, draw: Draw, rate: int, channels: int) -> Take:
        """Independent noise of variance 1 for each channel."""
        kind = _White if self.name == "white" else _Shaped
        return Take([kind(self.name, draw, rate, channel) for channel in range(channels)])


class _White:
    def __init__(self, name: str, draw: Draw, rate: int, channel: int) -> None:
        self._name, self._draw, self._rate, self._channel = name, draw, rate, channel
        self._block = 0

    def __call__(self, out: Floats) -> None:
        variant = self._name, self._draw.k, self._channel, self._block
        self._block += 1
        self._fill(out, seeds.bit_generator(self._draw.seed, self._draw.path, variant))

    def _fill(self, out: Floats, bits: BitGenerator) -> None:
        fill(out, bits)


class _Shaped(_White):
    _tail: Floats | None = None

    def _fill(self, out: Floats, bits: BitGenerator) -> None:
        for start in range(0, len(out), _ROWS * _HOP):
            part = out[start : start + _ROWS * _HOP]
            segments = _scratch.segments
            fill(segments.reshape(-1), bits)
            segments *= _shape(self._name, self._rate)
            segments = fourier.irfft_packed(segments)  # unlike irfft it works in place
            self._join(segments)
            if len(part) == _ROWS * _HOP:
                np.copyto(part.reshape(_ROWS, _HOP), segments[:, :_HOP])
            else:
                part[:] = segments[:, :_HOP].reshape(-1)[: len(part)]

    def _join(self, segments: Floats) -> None:
        """Fade each segment's end into the next one's beginning, across blocks as well."""
        rise, fall = fade(_FADE)
        heads = segments[:, :_FADE]
        tails = segments[:, _HOP:] * fall
        first = 1 if self._tail is None else 0  # nothing comes before the very first segment
        heads[first:] *= rise
        heads[1:] += tails[:-1]
        if self._tail is not None:
            heads[0] += self._tail
        self._tail = tails[-1]


class _Scratch(threading.local):
    """A thread's spectra, used again for each block: fresh pages would cost a fifth more."""

    def __init__(self) -> None:
        self.segments = np.empty((_ROWS, _SEGMENT), np.float32)


_scratch = _Scratch()


@functools.lru_cache(maxsize=64)
def _shape(name: str, rate: int) -> Floats:
    """Factors of a segment's spectrum as `fourier.irfft_packed` orders it; variance 1 results."""
    lines = np.arange(_SEGMENT // 2 + 1)
    hertz = lines * rate / _SEGMENT
    audible = (hertz >= LOWEST_HZ) & (lines > 0)
    amplitude = np.where(audible, np.maximum(hertz, 1e-9) ** COLOURS[name], 0.0)
    # A line's real and imaginary part have variance 1 each and stand for two lines; the last
    # is real and stands for itself.
    power = 4 * np.sum(amplitude[:-1] ** 2) + amplitude[-1] ** 2
    amplitude *= _SEGMENT / np.sqrt(power)
    return np.repeat(amplitude, 2)[1:-1].astype(np.float32)
