"""Kind ``mel``: power summed under triangular filters that are equally spaced in mel."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

import numpy as np

from mgrkit.frontend import hz_to_mel, mel_edges
from mgrkit.spectrograms.kinds import Code
from mgrkit.spectrograms.transform import exact_window, frame_count, scratch, short_time_power

if TYPE_CHECKING:
    from mgrkit.frontend import FrontEnd
    from mgrkit.spectrograms.transform import Floats

_GROUP = 16


@functools.lru_cache(maxsize=8)
def filters(frontend: FrontEnd) -> Floats:
    """The filter bank, float32 ``(n_mels, n_fft // 2 + 1)``, computed in float64.

    Slaney's: each triangle has the area 1 in Hz. Equal to ``librosa.filters.mel``.
    """
    assert frontend.mel is not None
    n_fft = frontend.transform.n_fft
    edges = np.array(mel_edges(frontend.mel))[:, None]
    bins = np.arange(n_fft // 2 + 1) * (frontend.rate / n_fft)
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (bins - low) / (centre - low), (high - bins) / (high - centre)
    triangles = np.maximum(0, np.minimum(rising, falling)) * (2 / (high - low))
    bank: Floats = triangles.astype(np.float32)
    return bank


@functools.lru_cache(maxsize=8)
def _groups(frontend: FrontEnd) -> list[tuple[slice, slice, Floats]]:
    """Neighbouring filters with the bins that they reach: (bands, bins, (bins, bands))."""
    bank = filters(frontend)
    groups = []
    for first in range(0, len(bank), _GROUP):
        bands = slice(first, first + _GROUP)
        reached = np.flatnonzero(bank[bands].any(axis=0))
        bins = slice(int(reached[0]), int(reached[-1]) + 1)
        groups.append((bands, bins, np.ascontiguousarray(bank[bands, bins].T)))
    return groups


def project(power: Floats, frontend: FrontEnd) -> Floats:
    """Power ``(n, n_fft // 2 + 1)`` to mel power ``(n, n_mels)``, valid until the next call.

    Small dense products over the bins that a group of bands reaches are faster than a sparse
    matrix, and need no import of scipy.sparse.
    """
    assert frontend.mel
    bands: Floats = scratch("mel", (len(power), frontend.mel.n_mels), np.float32)
    for group, bins, weights in _groups(frontend):
        np.matmul(power[:, bins], weights, out=bands[:, group])
    return bands


def mel_decibels(samples: Floats, frontend: FrontEnd) -> Floats:
    """Decibels above the power 1 in mel bands, at most ``top_db`` below the largest.

    Float32 ``(frames, n_mels)``, in scratch.
    """
    assert frontend.mel
    assert frontend.decibels
    law, n_mels = frontend.decibels, frontend.mel.n_mels
    levels: Floats = scratch(
        "mel-decibels", (frame_count(len(samples), frontend.transform), n_mels), np.float32
    )
    peak = math.log(law.amin)
    for first, power in short_time_power(samples, frontend.transform):
        block = levels[first : first + len(power)]
        np.maximum(project(power, frontend), np.float32(law.amin), out=block)
        np.log(block, out=block)
        peak = max(peak, float(block.max()))
    np.maximum(levels, np.float32(peak - law.top_db * math.log(10) / 10), out=levels)
    return np.multiply(levels, np.float32(10 / math.log(10)), out=levels)


def place(hertz: float, frontend: FrontEnd) -> float:
    """Where a frequency lies on an axis of bands, whose first is at 0."""
    assert frontend.mel is not None
    low, high = hz_to_mel(frontend.mel.fmin), hz_to_mel(frontend.mel.fmax)
    return (hz_to_mel(hertz) - low) / (high - low) * (frontend.bands + 1) - 1


def full(frontend: FrontEnd) -> float:
    """The natural logarithm of what a tone of full scale gives in the narrowest band."""
    n_fft, name = frontend.transform.n_fft, frontend.transform.window
    window = exact_window(n_fft, name)
    # Of these windows the magnitudes around a tone sum up to their middle, which is 1.
    power = n_fft * float(np.square(window).sum()) / 4
    tone = math.log(n_fft / 2) if frontend.transform.power == 1 else math.log(power)
    level = tone + math.log(float(filters(frontend).max()))
    return 2 * level if frontend.transform.power == 1 else level


CODE = Code(project, place, full=full)
