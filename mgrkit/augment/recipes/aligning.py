"""By how much a sound was shifted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mgrkit.audio import Resampler, mono

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

LONGEST = 2**24
"""So many frames are compared at most, from the beginning: six minutes at 44.1 kHz."""
STRETCH = 2**16
"""So many frames, a second or two, tell of a lag that is known to be short."""


def lag(before: Floats, after: Floats) -> int:
    """By how many frames ``after`` comes later than ``before``, mono ``(frames,)`` each.

    The place of the peak of their cross-correlation, of either sign.
    """
    from scipy import fft

    before, after = before[:LONGEST], after[:LONGEST]
    size = fft.next_fast_len(len(before) + len(after), real=True)
    product = fft.rfft(after, size)
    product *= np.conj(fft.rfft(before, size))
    peak = int(np.argmax(np.abs(fft.irfft(product, size))))
    return peak if peak < len(after) else peak - size


def shift(before: Floats, rate: int, after: Floats, rate_after: int, near: bool = False) -> float:
    """By how many seconds ``(channels, frames)`` of any rates and channels comes later.

    With ``near`` it is known to be by much less than a second: the loudest stretch tells.
    """
    first, second = mono(before), mono(after)
    if rate_after != rate:
        second = Resampler(rate_after, rate).push(second, last=True)
    if near and len(first) > STRETCH:
        whole = first[: len(first) // STRETCH * STRETCH].reshape(-1, STRETCH)
        start = int(np.argmax(np.einsum("ij,ij->i", whole, whole))) * STRETCH
        first, second = (one[start : start + STRETCH] for one in (first, second))
    return lag(first, second) / rate
