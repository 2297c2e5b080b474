"""Samples to spectra, decibels and 8-bit images."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mgrkit.audio import check_audible
from mgrkit.errors import ItemError, UsageError
from mgrkit.spectrograms.kinds import code_of
from mgrkit.spectrograms.transform import frame_count, scratch, short_time_power

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mgrkit.frontend import FrontEnd
    from mgrkit.spectrograms.transform import Floats

_LOUDEST = 1e9
_DB = 10 / math.log(10)
_ROWS = 256


class Image(NamedTuple):
    """A spectrum in 8 bits.

    ``values`` is uint8 ``(bands, frames)``, row 0 the lowest; ``peak_db`` the level of 255 in
    dB: 10 log10 of the largest power. Of kind 'kaggle-images' it has one column in 3.86 frames.
    """

    values: NDArray[np.uint8]
    peak_db: float


def spectrum(samples: Floats, frontend: FrontEnd) -> Floats:
    """Power, float32 ``(bands, frames)``, row 0 the lowest.

    Parameters
    ----------
    samples : mono, float ``(frames,)``, full scale 1, at the front end's sample rate.

    Raises
    ------
    ItemError : ``too-short`` (less than one window), ``silent`` (see `check_audible`),
        ``non-finite`` (a sample that is no number, or beyond 1e9).
    """
    samples = checked(samples, frontend)
    shape = (frontend.bands, frame_count(len(samples), frontend.transform))
    power = np.empty(shape, np.float32)
    project = code_of(frontend.kind).project
    for first, block in short_time_power(samples, frontend.transform):
        power[:, first : first + len(block)] = project(block, frontend).T
    return power


def compressed(samples: Floats, frontend: FrontEnd) -> Floats:
    """log10(1 + factor * power), float32 ``(frames, bands)``, for a front end with that law.

    Errors as for ``spectrum``; UsageError for a front end of decibels.
    """
    if frontend.compression is None:
        raise UsageError("the front end gives decibels, not log10(1 + factor * power)")
    levels: Floats = spectrum(samples, frontend).T.copy()
    np.multiply(levels, np.float32(frontend.compression.factor), out=levels)
    np.log1p(levels, out=levels)
    return np.multiply(levels, np.float32(1 / math.log(10)), out=levels)


def decibels(samples: Floats, frontend: FrontEnd) -> tuple[Floats, float]:
    """Decibels below the peak, float32 ``(bands, frames)`` in [-top_db, 0], and the peak's level.

    What ``librosa.power_to_db(power, ref=np.max, top_db=top_db)`` gives, within 0.01 dB; for
    kind 'kaggle-images' ``librosa.amplitude_to_db`` of the power in the columns of the picture.
    Parameters and errors as for ``spectrum``; UsageError for another reference than the peak.
    """
    logs, top, peak = _shown(samples, frontend)
    levels = np.empty(logs.shape[::-1], np.float32)
    for first, block in _scaled(logs, top, frontend, -frontend.in_decibels.top_db, 0.0):
        levels[:, first : first + len(block)] = block.T
    return levels, peak * _DB


def render(samples: Floats, frontend: FrontEnd) -> Image:
    """The image: round(255 (dB - peak + top_db) / top_db), 0 where that is negative.

    Kinds may take other steps, see `mgrkit.spectrograms.kinds.Code`. Parameters and errors as for
    ``decibels``.
    """
    logs, top, peak = _shown(samples, frontend)
    values = np.empty(logs.shape[::-1], np.uint8)
    low, high = code_of(frontend.kind).steps
    for first, block in _scaled(logs, top, frontend, low, high):
        if high > 255.5:
            np.minimum(block, 255, out=block)
        values[:, first : first + len(block)] = block.astype(np.uint8).T
    return Image(values, peak * _DB)


def checked(samples: Floats, frontend: FrontEnd) -> Floats:
    """The samples as float32, contiguous; errors as for ``spectrum``."""
    samples = np.asarray(samples)
    if samples.ndim != 1 or samples.dtype.kind != "f":
        raise UsageError(f"samples must be mono floats, not {samples.dtype} {samples.shape}")
    n_fft = frontend.transform.n_fft
    if len(samples) < n_fft:
        at = f" at {frontend.sample_rate} Hz" if frontend.sample_rate else ""
        raise ItemError("too-short", f"{len(samples)} samples{at}, one window needs {n_fft}")
    lowest, highest = float(samples.min()), float(samples.max())
    if not max(highest, -lowest) <= _LOUDEST:
        raise ItemError("non-finite", "a sample is no number, or beyond any real level")
    check_audible(lowest, highest)
    return np.ascontiguousarray(samples, np.float32)


def _shown(samples: Floats, frontend: FrontEnd) -> tuple[Floats, float, float]:
    """Logarithms ``(columns, bands)`` for the law of decibels, their peak, and the power's."""
    logs, peak = _log_power(checked(samples, frontend), frontend)
    return *code_of(frontend.kind).columns(logs, peak, frontend), peak


def _log_power(samples: Floats, frontend: FrontEnd) -> tuple[Floats, float]:
    """The natural logarithm of the power ``(frames, bands)``, in scratch, and its largest value.

    Natural, because NumPy has it in SIMD and log10 not.
    """
    if frontend.in_decibels.ref != "peak":
        raise UsageError(f"pictures are relative to the peak, not to {frontend.in_decibels.ref}")
    shape = (frame_count(len(samples), frontend.transform), frontend.bands)
    logs: Floats = scratch("logs", shape, np.float32)
    peak = math.log(frontend.in_decibels.amin)
    project = code_of(frontend.kind).project
    with np.errstate(divide="ignore"):
        for first, power in short_time_power(samples, frontend.transform):
            block = logs[first : first + len(power)]
            np.log(project(power, frontend), out=block)
            peak = max(peak, float(block.max()))
    return logs, peak


def _scaled(
    logs: Floats, peak: float, frontend: FrontEnd, low: float, high: float
) -> Iterator[tuple[int, Floats]]:
    """Blocks of frames with [-top_db, 0] dB below the peak mapped to [low, high], in place."""
    law = frontend.in_decibels
    floor = max(peak - law.top_db / _DB, math.log(law.amin))
    scale = (high - low) * _DB / law.top_db
    offset = high - peak * scale
    for first in range(0, len(logs), _ROWS):
        block = logs[first : first + _ROWS]
        np.maximum(block, floor, out=block)
        np.multiply(block, scale, out=block)
        np.add(block, offset, out=block)
        yield first, block
