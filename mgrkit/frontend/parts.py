"""The parts of a front end, each a record of JSON values."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from mgrkit.frontend.notes import hertz_of

WINDOWS = ("hann", "hamming", "blackman", "blackmanharris", "blackmanharris62")
_HALF_WIDTH = 0.75
"""Half the noise bandwidth of a Hann window, in bins."""


LATER = {"later": True}
"""Metadata of fields that were added when front ends stood in files already.

Where such a field has its default it does not stand in them, so that those files are as they were.
"""


@dataclass(frozen=True)
class Transform:
    """The short-time Fourier transform: frame t is centred on sample ``t * hop_length``.

    Before the first sample and after the last come zeros or, where ``padding`` is 'reflect',
    the sound mirrored about its end. The window is a periodic one of `WINDOWS`, and ``power`` is
    the exponent of the magnitude, 2 or 1.
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

    The reference ``ref`` is the peak, or the power 1 where it is 'one'. Of magnitudes (a power of
    1 in `Transform`) it is 20 log10, and the least of them the root of ``amin``. Pictures begin
    ``top_db`` below the peak, or with a ``floor`` of 'least' at the least level that they hold, and
    then have 256 equal steps from there to the peak, as matplotlib colours what it draws.
    """

    amin: float = 1e-10
    ref: str = "peak"
    top_db: float = 80.0
    floor: str = field(default="top-db", metadata=LATER)


@dataclass(frozen=True)
class Compression:
    """The law log10(1 + factor * power); pictures show it from 0 to the ``ref`` of `Decibels`."""

    factor: float = 10_000.0
    ref: str = field(default="peak", metadata=LATER)


@dataclass(frozen=True)
class Logarithm:
    """The law ln(max(power, amin)); pictures show it from ``amin`` to the reference."""

    amin: float = 1e-10
    ref: str = "peak"


@dataclass(frozen=True)
class Cepstrum:
    """The first ``n_mfcc`` of a discrete cosine transform of decibels in mel bands.

    It is orthonormal, of type 1, 2 or 3. A ``lifter`` L above 0 multiplies coefficient n, counted
    from 1, by 1 + L / 2 sin(pi n / L).
    """

    n_mfcc: int = 20
    dct_type: int = 2
    lifter: float = 0.0


@dataclass(frozen=True)
class ConstantQ:
    """Equal parts of octaves, from the note ``fmin`` on."""

    bins_per_octave: int = 12
    octaves: int = 7
    fmin: str = "C1"

    @property
    def bins(self) -> int:
        """How many there are."""
        return self.bins_per_octave * self.octaves

    @property
    def q(self) -> float:
        """Frequency over bandwidth of each filter."""
        wide = 2 ** (2 / self.bins_per_octave)
        return float((wide + 1) / (wide - 1))

    @property
    def hop_unit(self) -> int:
        """Hops are multiples of it, as the rate is halved from octave to octave."""
        return int(2 ** (self.octaves - 1))

    @property
    def lowest_rate(self) -> int:
        """In Hz: the highest filter of any tuning lies below half of it."""
        return math.ceil(2 * self.highest_hertz(tuning=50))

    def lowest_hertz(self, tuning: int = 0) -> float:
        """The frequency of the lowest bin, tuned by hundredths of a bin."""
        return float(hertz_of(self.fmin) * 2 ** (tuning / 100 / self.bins_per_octave))

    def highest_hertz(self, tuning: int = 0) -> float:
        """Up to where the highest filter reaches."""
        octaves = (self.bins - 1) / self.bins_per_octave
        return float(self.lowest_hertz(tuning) * 2**octaves * (1 + _HALF_WIDTH / self.q))

    def longest(self, rate: int) -> int:
        """The samples of the lowest filter."""
        return math.ceil(self.q * rate / self.lowest_hertz())


@dataclass(frozen=True)
class Size:
    """Pixels of a picture that was drawn as it comes and then resampled, with no border.

    By Pillow's 'nearest', 'bilinear' or 'area' (which it calls box); or as 'matplotlib' paints: of
    each pixel what lies in its middle.
    """

    width: int
    height: int
    resample: str = "bilinear"


@dataclass(frozen=True)
class Autocorrelation:
    """How much onsets repeat after 0 to ``lags`` - 1 frames, within a window of so many."""

    lags: int = 384
