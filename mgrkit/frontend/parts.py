"""The parts of a front end, each a record of JSON values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Transform:
    """The short-time Fourier transform: frame t is centred on sample ``t * hop_length``.

    Before the first sample and after the last come zeros or, where ``padding`` is 'reflect',
    the sound mirrored about its end. The window is the periodic one, and ``power`` is the
    exponent of the magnitude.
    """

    n_fft: int = 2048
    hop_length: int = 512
    window: str = "hann"
    centre: bool = True
    padding: str = "constant"
    power: float = 2.0


@dataclass(frozen=True)
class Mel:
    """A bank of triangular filters from ``fmin`` to ``fmax`` Hz, equally spaced in mel."""

    n_mels: int = 128
    fmin: float = 0.0
    fmax: float = 11025.0
    scale: str = "slaney"
    norm: str = "slaney"


@dataclass(frozen=True)
class Decibels:
    """The law 10 log10(max(power, amin) / reference), at most ``top_db`` below the peak.

    The reference ``ref`` is the peak, or the power 1 where it is 'one'.
    """

    amin: float = 1e-10
    ref: str = "peak"
    top_db: float = 80.0


@dataclass(frozen=True)
class Compression:
    """The law log10(1 + factor * power)."""

    factor: float = 10_000.0
