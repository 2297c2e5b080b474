"""Samples to spectra, levels and 8-bit images."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mgrkit.audio import check_audible
from mgrkit.errors import ItemError, UsageError
from mgrkit.frontend import CENTRED, DECIBELS, KINDS, SHARES
from mgrkit.spectrograms.kinds import code_of
from mgrkit.spectrograms.sizing import on_one_grid, resampled
from mgrkit.spectrograms.transform import frame_count, scratch, short_time_power

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mgrkit.frontend import FrontEnd
    from mgrkit.spectrograms.transform import Floats

_LOUDEST = 1e9
_DB = 10 / math.log(10)
_ROWS = 256
_MIDDLE = 127.5
_DRAWN = (0.0, 256.0)
"""The steps of a picture as matplotlib draws it: see `mgrkit.spectrograms.kinds.Code`."""


class Image(NamedTuple):
    """A spectrum in 8 bits.

    ``values`` is uint8 ``(bands, frames)``, row 0 the lowest. Of kinds with levels ``peak_db`` is
    the level of 255 in dB: 10 log10 of the largest power, or of a tone of full scale; where they
    begin at the least level, ``scale`` is how many dB that is below 255. Of kinds whose values
    have a sign, ``scale`` is the value of 255 in each band; that of 0 is as much
    below zero. Of kind 'kaggle-images' the image has one column in 3.86 frames. Of kind 'rgb'
    ``values`` are ``(3, bands, frames)``, and ``planes`` the peak and scale of each.
    """

    values: NDArray[np.uint8]
    peak_db: float | None = None
    scale: tuple[float, ...] = ()
    planes: tuple[tuple[float | None, tuple[float, ...]], ...] = ()


def spectrum(samples: Floats, frontend: FrontEnd) -> Floats:
    """The values before their law, float32 ``(bands, frames)``, row 0 the lowest.

    That is power, or magnitude where the front end has a power of 1; of kinds without levels what
    the librosa function of their name gives.

    Parameters
    ----------
    samples : mono, float ``(frames,)``, full scale 1, at the front end's sample rate.

    Raises
    ------
    ItemError : ``too-short`` (less than one window or filter), ``silent`` (see `check_audible`),
        ``non-finite`` (a sample that is no number, or beyond 1e9).
    """
    if frontend.planes:
        raise UsageError("the planes of rgb have a spectrum each, and no common one")
    samples = checked(samples, frontend)
    code = code_of(frontend.kind)
    if code.values:
        return code.values(samples, frontend)
    shape = (frontend.bands, frame_count(len(samples), frontend.transform))
    power = np.empty(shape, np.float32)
    for first, block in _projected(samples, frontend):
        power[:, first : first + len(block)] = block.T
    return power


def compressed(samples: Floats, frontend: FrontEnd) -> Floats:
    """log10(1 + factor * power), float32 ``(frames, bands)``, for a front end with that law.

    Errors as for ``spectrum``; UsageError for a front end of another.
    """
    if frontend.compression is None:
        raise UsageError("the front end gives decibels, not log10(1 + factor * power)")
    levels: Floats = spectrum(samples, frontend).T.copy()
    np.multiply(levels, np.float32(frontend.compression.factor), out=levels)
    np.log1p(levels, out=levels)
    return np.multiply(levels, np.float32(1 / math.log(10)), out=levels)


def decibels(samples: Floats, frontend: FrontEnd) -> tuple[Floats, float]:
    """Decibels, float32 ``(bands, frames)``, and the peak's level.

    In [-top_db, 0] below the peak: what ``librosa.power_to_db(power, ref=np.max, top_db=top_db)``
    gives, within 0.01 dB; or above the power 1 where the front end's reference is 'one', as with
    ``ref=1.0``. Of magnitudes, and of power in the columns of kind 'kaggle-images', it is
    ``librosa.amplitude_to_db``. Parameters and errors as for ``spectrum``; UsageError for a front
    end without the law of decibels.
    """
    law = frontend.in_decibels
    if KINDS[frontend.kind].law != DECIBELS:
        raise UsageError(f"{frontend.kind} has no levels, in decibels or otherwise")
    logs, top, peak, _ = _shown(samples, frontend)
    levels = np.empty(logs.shape[::-1], np.float32)
    high = 0.0 if law.ref == "peak" else top * _DB
    floor = _floor(top, frontend)
    for first, block in _scaled(logs, top, law.top_db, high - law.top_db, high, floor):
        levels[:, first : first + len(block)] = block.T
    return levels, peak * _DB


def render(samples: Floats, frontend: FrontEnd, device: str = "cpu") -> Image:
    """The image, by the law of the front end, rounded.

    Decibels are 255 (dB - peak + top_db) / top_db, 0 where that is negative; with a floor of
    'least' 256 (dB - least) / (peak - least), fractions cut off, at most 255; the other laws of
    levels go from their lowest value at 0 to the peak at 255. Where the reference is 'one' the
    level of a tone of full scale takes the place of the peak. Shares are 255 times themselves;
    values of either sign are 127.5 (1 + value / scale). Kinds may take other steps, see
    `mgrkit.spectrograms.kinds.Code`. A front end with a size has it resampled in the end.

    Parameters
    ----------
    samples, frontend : as for ``spectrum``, as are the errors.
    device : 'cpu', or another of torch's: the picture is the same within one level of 255. Of kinds
        that are no sums over the transform, see `on_a_device`, all is computed on the CPU.

    Raises
    ------
    RunError : the device is gone, or has no memory left.
    """
    if frontend.planes:
        return _joined(samples, frontend, device)
    image = _rendered(samples, frontend, device)
    return image._replace(values=_sized(image.values, frontend)) if frontend.size else image


def on_a_device(frontend: FrontEnd) -> bool:
    """Whether a device has a part in pictures of this front end."""
    parts = frontend.planes or (frontend,)
    return any(code_of(part.kind).project for part in parts)


def _joined(samples: Floats, frontend: FrontEnd, device: str) -> Image:
    """Three images as the channels of one."""
    images = [_rendered(samples, plane, device) for plane in frontend.planes]
    planes = [_sized(image.values, frontend) for image in images]
    own = tuple((image.peak_db, image.scale) for image in images)
    return Image(on_one_grid(planes), None, (), own)


def _sized(values: NDArray[np.uint8], frontend: FrontEnd) -> NDArray[np.uint8]:
    size = frontend.size
    return resampled(values, size.width, size.height, size.resample) if size else values


def _rendered(samples: Floats, frontend: FrontEnd, device: str) -> Image:
    """One pixel per band and frame."""
    law = KINDS[frontend.kind].law
    if law == SHARES:
        shares = np.clip(spectrum(samples, frontend), 0, 1)
        return Image(np.rint(shares * 255).astype(np.uint8))
    if law == CENTRED:
        return _centred(spectrum(samples, frontend), frontend)
    logs, top, peak, least = _shown(samples, frontend, device)
    code = code_of(frontend.kind)
    if frontend.ref != "peak":
        top = peak = code.full(frontend)
    values = np.empty(logs.shape[::-1], np.uint8)
    low, high = code.steps
    floor = _floor(top, frontend)
    if frontend.compression:
        _compress(logs, frontend)
        top, floor = _log1p(top, frontend), 0.0
    span = frontend.decibels.top_db if frontend.decibels else (top - floor) * _DB
    if frontend.is_stretched:
        low, high = _DRAWN
        floor = max(floor, least)
        span = (top - floor) * _DB or span  # all may be of one level
    for first, block in _scaled(logs, top, span, low, high, floor):
        if high > 255.5 or frontend.ref != "peak":
            np.minimum(block, 255, out=block)
        values[:, first : first + len(block)] = block.astype(np.uint8).T
    return Image(values, peak * _DB, (span,) if frontend.is_stretched else ())


def levels(image: Image, frontend: FrontEnd) -> Floats:
    """What an image shows, within its rounding: float32 ``(bands, frames)``.

    Decibels below the peak, or above the power 1 where the reference is 'one'; of other laws what
    they give; shares; or values of either sign.

    Parameters
    ----------
    image : an `Image`, or a `mgrkit.spectrograms.Picture` that was read.

    Raises
    ------
    UsageError : of kind 'rgb'; its planes can be taken one by one. Of mfcc of another size, whose
        bands have scales of their own.
    """
    if frontend.planes:
        raise UsageError("the planes of an rgb picture have values of their own")
    if image.scale and len({*image.scale}) > 1 and len(image.scale) != len(image.values):
        raise UsageError(f"{frontend.kind} of another size has no scale for each row")
    law = KINDS[frontend.kind].law
    shares: Floats = np.divide(image.values, np.float32(255), dtype=np.float32)
    if law == SHARES:
        return shares
    if law == CENTRED:
        shares *= 2
        shares -= 1
        scale = np.array(image.scale, np.float32)
        same = len(scale) != len(shares)
        return np.multiply(shares, scale[0] if same else scale[:, None], out=shares)
    low, high = bounds(image, frontend)
    shares *= np.float32(high - low)
    return np.add(shares, np.float32(low), out=shares)


def bounds(image: Image, frontend: FrontEnd) -> tuple[float, float]:
    """The values of 0 and of 255 in an image of levels, see `levels`."""
    peak_db = image.peak_db or 0.0
    if frontend.decibels:
        span = frontend.decibels.top_db * code_of(frontend.kind).decibels
        if frontend.is_stretched:
            (span,) = image.scale
        high = 0.0 if frontend.ref == "peak" else peak_db
        return high - span, high
    top, each = peak_db / _DB, frontend.transform.power / 2
    if frontend.compression:
        return 0.0, _log1p(top, frontend) / math.log(10)
    return each * math.log(_amin(frontend)), each * top


def checked(samples: Floats, frontend: FrontEnd) -> Floats:
    """The samples as float32, contiguous; errors as for ``spectrum``."""
    samples = np.asarray(samples)
    if samples.ndim != 1 or samples.dtype.kind != "f":
        raise UsageError(f"samples must be mono floats, not {samples.dtype} {samples.shape}")
    least = frontend.least_samples
    if len(samples) < least:
        at = f" at {frontend.sample_rate} Hz" if frontend.sample_rate else ""
        what = "one window" if least == frontend.transform.n_fft else f"{frontend.kind}"
        raise ItemError("too-short", f"{len(samples)} samples{at}, {what} needs {least}")
    lowest, highest = float(samples.min()), float(samples.max())
    if not max(highest, -lowest) <= _LOUDEST:
        raise ItemError("non-finite", "a sample is no number, or beyond any real level")
    check_audible(lowest, highest)
    return np.ascontiguousarray(samples, np.float32)


def _projected(samples: Floats, frontend: FrontEnd) -> Iterator[tuple[int, Floats]]:
    """Blocks of frames in the kind's bands, ``(n, bands)``."""
    project = code_of(frontend.kind).project
    assert project
    for first, block in short_time_power(samples, frontend.transform):
        yield first, project(block, frontend)


def _shown(
    samples: Floats, frontend: FrontEnd, device: str = "cpu"
) -> tuple[Floats, float, float, float]:
    """Logarithms ``(columns, bands)`` for the law, their peak, the power's, and its least.

    The least is of all that the kind computes, as the peak is, and only looked for where it counts.
    """
    logs, peak = _log_power(checked(samples, frontend), frontend, device)
    least = float(logs.min()) if frontend.is_stretched else -math.inf
    return *code_of(frontend.kind).columns(logs, peak, frontend), peak, least


def _log_power(samples: Floats, frontend: FrontEnd, device: str) -> tuple[Floats, float]:
    """The natural logarithm of the power ``(frames, bands)``, in scratch, and its largest value.

    Natural, because NumPy has it in SIMD and log10 not.
    """
    peak = math.log(_amin(frontend))
    if device != "cpu" and code_of(frontend.kind).project:
        from mgrkit.spectrograms.on_device import log_power

        return log_power(samples, frontend, device, peak)
    values = code_of(frontend.kind).values
    shape = (frame_count(len(samples), frontend.transform), frontend.bands)
    blocks = _projected(samples, frontend)
    if values:
        whole = values(samples, frontend).T
        shape, blocks = whole.shape, iter([(0, whole)])
    logs: Floats = scratch("logs", shape, np.float32)
    with np.errstate(divide="ignore"):
        for first, power in blocks:
            block = logs[first : first + len(power)]
            np.log(power, out=block)
            if frontend.transform.power == 1:
                np.multiply(block, 2, out=block)
            peak = max(peak, float(block.max()))
    return logs, peak


def _amin(frontend: FrontEnd) -> float:
    law = frontend.decibels or frontend.logarithm
    return law.amin if law else float(np.finfo(np.float32).tiny)


def _floor(top: float, frontend: FrontEnd) -> float:
    """The logarithm of the least power that is shown."""
    least = math.log(_amin(frontend))
    return max(top - frontend.decibels.top_db / _DB, least) if frontend.decibels else least


def _compress(logs: Floats, frontend: FrontEnd) -> None:
    """Logarithms of power to ln(1 + factor * value), in place."""
    assert frontend.compression
    np.multiply(logs, np.float32(frontend.transform.power / 2), out=logs)
    np.exp(logs, out=logs)
    np.multiply(logs, np.float32(frontend.compression.factor), out=logs)
    np.log1p(logs, out=logs)


def _log1p(top: float, frontend: FrontEnd) -> float:
    """The same of one number."""
    assert frontend.compression
    return math.log1p(frontend.compression.factor * math.exp(top * frontend.transform.power / 2))


def _scaled(
    logs: Floats, top: float, span: float, low: float, high: float, floor: float
) -> Iterator[tuple[int, Floats]]:
    """Blocks of frames with ``span`` dB up to ``top`` mapped to [low, high], in place.

    What is below ``floor`` is brought up to it.
    """
    scale = (high - low) * _DB / span
    offset = high - top * scale
    for first in range(0, len(logs), _ROWS):
        block = logs[first : first + _ROWS]
        np.maximum(block, floor, out=block)
        np.multiply(block, scale, out=block)
        np.add(block, offset, out=block)
        yield first, block


def _centred(values: Floats, frontend: FrontEnd) -> Image:
    """Values of either sign about the middle of the 8 bits."""
    widest = code_of(frontend.kind).widest
    assert widest
    scale = widest(values, frontend)
    steps = np.float32(_MIDDLE) / np.where(scale > 0, scale, 1)
    shown = np.rint(_MIDDLE + values * steps[:, None])
    return Image(np.clip(shown, 0, 255).astype(np.uint8), None, tuple(map(float, scale)))
