"""How high a song's sound reaches: less than what a model learnt makes its verdict unsure.

Sound of old radio, of the telephone, or resampled from 8 kHz is far from the music that most
models learnt, and they are wrong about it without being unsure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.compute.fourier import fourier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mgrkit.errors import ItemError
    from mgrkit.models.listening import Known

RATE = 22_050
_FRAME = 1_024
_BAND = 500.0
_DROP = 65.0
"""A band counts whose level is within so many dB of the loudest..."""
_SHARE = 0.75
"""...where a level is this quantile over the frames: no click or cough decides."""
_FLOOR = 1e-12


class Bandwidth:
    """Listens to how high each piece reaches."""

    name = "bandwidth"
    rate = RATE

    def described(
        self, samples: NDArray[np.float32], rate: int, known: Known
    ) -> NDArray[np.float64]:
        """The bandwidth of a piece in Hz, ``(1,)``."""
        del rate, known
        return np.array([bandwidth(samples)])


def bandwidth(samples: NDArray[np.float32]) -> float:
    """The upper edge, in Hz, of the highest band of 500 Hz that can be heard beside the loudest.

    Parameters
    ----------
    samples : mono, float32 ``(frames,)`` at 22,050 Hz.
    """
    count = max(1, len(samples) // _FRAME)
    frames = np.zeros((count, _FRAME), np.float32)
    taken = samples[: count * _FRAME]
    frames.ravel()[: len(taken)] = taken
    frames *= np.hanning(_FRAME).astype(np.float32)
    spectra = fourier.rfft(frames, _FRAME)
    power = np.square(spectra.real) + np.square(spectra.imag)
    edges = np.searchsorted(
        np.arange(_FRAME // 2 + 1) * RATE / _FRAME, np.arange(0, RATE / 2 - _BAND / 2, _BAND)
    )
    bands = np.add.reduceat(power, edges, axis=1) / np.diff(np.append(edges, power.shape[1]))
    level = 10 * np.log10(np.quantile(bands, _SHARE, axis=0) + _FLOOR)
    return float(_BAND * (1 + np.flatnonzero(level > level.max() - _DROP)[-1]))


def heights(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """`bandwidth` as a feature set gives it: one row of one column."""
    return np.array([[bandwidth(samples)]])


def reached(pieces: Sequence[NDArray[Any] | ItemError]) -> float:
    """Of a song: what the piece that reaches highest reaches, in Hz."""
    return max((float(one[0]) for one in pieces if isinstance(one, np.ndarray)), default=RATE / 2)
