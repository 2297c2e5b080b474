"""What values a front end may have."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from mgrkit.errors import UsageError
from mgrkit.frontend.kinds import DECIBELS, KINDS, Kind
from mgrkit.frontend.parts import (
    WINDOWS,
    Autocorrelation,
    Cepstrum,
    Compression,
    ConstantQ,
    Decibels,
    Logarithm,
    Mel,
    Size,
    Transform,
)
from mgrkit.frontend.scales import mel_edges

_Value = TypeVar("_Value")


def check_sound(kind: str, sample_rate: int | None, channels: str, resampler: str) -> None:
    """Of kind and sound; like all of these, UsageError for the first that is out of range."""
    one_of("kind", kind, *KINDS)
    if sample_rate is not None:
        _integer("sample_rate", sample_rate, 1000, 384_000)
    elif KINDS[kind].has_mel:
        raise UsageError(f"sample_rate must be given for kind {kind}")
    one_of("channels", channels, "mean")
    one_of("resampler", resampler, "soxr_hq")


def check_transform(transform: Transform) -> None:
    """Of the short-time Fourier transform."""
    _part("transform", transform, Transform)
    _integer("n_fft", transform.n_fft, 16, 65536)
    _integer("hop_length", transform.hop_length, 1, transform.n_fft)
    one_of("window", transform.window, *WINDOWS)
    one_of("centre", transform.centre, True)
    one_of("padding", transform.padding, "constant", "reflect")
    one_of("power", transform.power, 2.0, 1.0)


def check_law(
    kind: str,
    decibels: Decibels | None,
    compression: Compression | None,
    logarithm: Logarithm | None,
) -> None:
    """Of the levels: one of the three where the kind has levels, else what it needs on the way."""
    rules = KINDS[kind]
    laws = [law for law in (decibels, compression, logarithm) if law is not None]
    if len(laws) > 1:
        raise UsageError("decibels, compression and logarithm exclude each other")
    if not rules.has_decibels:
        if laws:
            raise UsageError(f"decibels must be empty for kind {kind}")
    elif rules.law != DECIBELS:
        one_of("ref", _part("decibels", decibels, Decibels).ref, "one")
        one_of("floor", decibels.floor, "top-db") if decibels else None
    if decibels is not None:
        _check_decibels(_part("decibels", decibels, Decibels))
    elif logarithm is not None:
        _part("logarithm", logarithm, Logarithm)
        one_of("amin", logarithm.amin, 1e-10)
        one_of("ref", logarithm.ref, "peak", "one")
    elif rules.has_decibels:
        factor = _part("compression", compression, Compression).factor
        one_of("ref", compression.ref, "peak", "one") if compression else None
        _number("factor", factor)
        if not 0 < factor <= 1e12:
            raise UsageError(f"factor must be above 0 and at most 1e12, not {factor!r}")


def _check_decibels(decibels: Decibels) -> None:
    one_of("amin", decibels.amin, 1e-10)
    one_of("ref", decibels.ref, "peak", "one")
    one_of("floor", decibels.floor, "top-db", "least")
    _number("top_db", decibels.top_db)
    if not 0 < decibels.top_db <= 200:
        raise UsageError(f"top_db must be above 0 and at most 200, not {decibels.top_db!r}")


def check_parts(
    kind: str, parts: Mapping[str, Any], sample_rate: int | None, transform: Transform
) -> None:
    """Of the bands: the records that the kind has, and mel bands none without a frequency."""
    rules = KINDS[kind]
    for name, part in parts.items():
        has = rules.has_mel if name == "mel" else name in rules.parts
        if has and sample_rate is not None:
            _part(name, part, _PARTS[name])
            _CHECKS[name](part, sample_rate, transform)
        elif part is not None:
            raise UsageError(f"{name} must be empty for kind {kind}")


def check_size(size: Size) -> None:
    """Of pictures that are resampled."""
    _part("size", size, Size)
    for side in (size.width, size.height):
        if not isinstance(side, int) or isinstance(side, bool) or not 8 <= side <= 4096:
            raise UsageError(
                f"size must be from 8x8 to 4096x4096 pixels, not {size.width}x{size.height}"
            )
    one_of("resample", size.resample, "nearest", "bilinear", "area", "matplotlib")


def _check_cepstrum(cepstrum: Cepstrum, rate: int, transform: Transform) -> None:
    del rate, transform
    _integer("n_mfcc", cepstrum.n_mfcc, 1, 65536)
    one_of("dct_type", cepstrum.dct_type, 1, 2, 3)
    _number("lifter", cepstrum.lifter)
    if not 0 <= cepstrum.lifter <= 1e6:
        raise UsageError(f"lifter must be from 0 to 1e6, not {cepstrum.lifter!r}")


def _check_constant_q(shape: ConstantQ, rate: int, transform: Transform) -> None:
    _integer("bins_per_octave", shape.bins_per_octave, 1, 360)
    _integer("octaves", shape.octaves, 1, 12)
    if not isinstance(shape.fmin, str):
        raise UsageError(f"fmin must be a note such as C1, not {shape.fmin!r}")
    if shape.lowest_rate > rate:
        raise UsageError(
            f"octaves {shape.octaves} from fmin {shape.fmin} on ({shape.lowest_hertz():.1f} Hz) "
            f"reach {shape.highest_hertz(50):.0f} Hz, half the sample rate is {rate / 2:g} Hz",
            "fewer octaves, or a lower fmin",
        )
    if transform.hop_length % shape.hop_unit:
        raise UsageError(
            f"hop_length must be a multiple of {shape.hop_unit} for octaves {shape.octaves}, "
            f"not {transform.hop_length}",
            "or take fewer octaves: from each to the next below, the rate is halved",
        )


def _check_autocorrelation(found: Autocorrelation, rate: int, transform: Transform) -> None:
    del rate, transform
    _integer("lags", found.lags, 2, 65536)


def _check_mel(mel: Mel, rate: int, transform: Transform) -> None:
    n_fft = transform.n_fft
    _integer("n_mels", mel.n_mels, 1, 65536)
    one_of("scale", mel.scale, "slaney")
    one_of("norm", mel.norm, "slaney")
    _number("fmin", mel.fmin)
    _number("fmax", mel.fmax)
    if not 0 <= mel.fmin < mel.fmax <= rate / 2:
        raise UsageError(
            f"fmin and fmax must hold 0 <= fmin < fmax <= {rate / 2:g} Hz (half the sample "
            f"rate), not {mel.fmin!r} and {mel.fmax!r}"
        )
    edges = mel_edges(mel)
    for band, (low, high) in enumerate(zip(edges, edges[2:], strict=False)):
        above = math.floor(low * n_fft / rate) + 1
        if above * rate / n_fft >= high:
            raise UsageError(
                f"n_mels {mel.n_mels} is too many for n_fft {n_fft}: band {band} "
                f"({low:.1f} to {high:.1f} Hz) holds no frequency of the transform",
                "fewer mel bands, or a larger n_fft",
            )


def check_usual(kind: str, of_part: Mapping[str, object], usual: Mapping[str, object]) -> None:
    """How pictures of a kind that is fixed were drawn is past choosing."""
    for name, value in usual.items():
        if of_part[name] != value:
            raise UsageError(f"{name} must be {value} for kind {kind}, not {of_part[name]!r}")


def check_belonging(kind: str, given: Iterable[str]) -> None:
    """Of options: that the kind has what they are of."""
    for name in given:
        having = [other for other in KINDS if belongs(name, other)]
        if kind not in having:
            *others, last = having
            kinds = f"{', '.join(others)} and {last}" if others else last
            raise UsageError(f"{name} belongs to kind {kinds}, not to {kind}")


def belongs(name: str, kind: str) -> bool:
    """Whether a kind has what an option is of."""
    return _OF_WHOM[name](KINDS[kind])


def _part(name: str, value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise UsageError(f"{name} must be a {kind.__name__} record, not {value!r}")
    return value


def one_of(name: str, value: _Value, *allowed: object) -> _Value:
    """The value, if it is an allowed one and of its type; else UsageError."""
    if not any(value == good and isinstance(value, type(good)) for good in allowed):
        *others, last = map(str, allowed)
        choice = f"{', '.join(others)} or {last}" if others else last
        raise UsageError(f"{name} must be {choice}, not {value!r}")
    return value


def _integer(name: str, value: object, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise UsageError(f"{name} must be a whole number from {low} to {high}, not {value!r}")


def _number(name: str, value: object) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < 1e300:
        raise UsageError(f"{name} must be a number, not {value!r}")


_PARTS: dict[str, type] = {
    "mel": Mel,
    "cepstrum": Cepstrum,
    "constant_q": ConstantQ,
    "autocorrelation": Autocorrelation,
}
_CHECKS: dict[str, Callable[[Any, int, Transform], None]] = {
    "mel": _check_mel,
    "cepstrum": _check_cepstrum,
    "constant_q": _check_constant_q,
    "autocorrelation": _check_autocorrelation,
}
_OF_WHOM: dict[str, Callable[[Kind], bool]] = {
    **dict.fromkeys(("n_mels", "fmax"), lambda kind: kind.has_mel),
    "fmin": lambda kind: kind.has_mel or "constant_q" in kind.parts,
    "top_db": lambda kind: kind.has_decibels,
    **dict.fromkeys(("log", "ref", "floor"), lambda k: k.law == DECIBELS and not k.is_fixed),
    **dict.fromkeys(("n_mfcc", "dct_type", "lifter"), lambda kind: "cepstrum" in kind.parts),
    **dict.fromkeys(("bins_per_octave", "octaves"), lambda kind: "constant_q" in kind.parts),
    "lags": lambda kind: "autocorrelation" in kind.parts,
}
"""The kinds that have what an option is of."""
