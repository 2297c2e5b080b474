"""What values a front end may have."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeVar

from mgrkit.errors import UsageError
from mgrkit.frontend.kinds import KINDS
from mgrkit.frontend.parts import Compression, Decibels, Mel, Transform
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
    one_of("window", transform.window, "hann")
    one_of("centre", transform.centre, True)
    one_of("padding", transform.padding, "constant", "reflect")
    one_of("power", transform.power, 2.0)


def check_law(decibels: Decibels | None, compression: Compression | None) -> None:
    """Of the levels: one of the two."""
    if decibels is None:
        factor = _part("compression", compression, Compression).factor
        _number("factor", factor)
        if not 0 < factor <= 1e12:
            raise UsageError(f"factor must be above 0 and at most 1e12, not {factor!r}")
        return
    if compression is not None:
        raise UsageError("decibels and compression exclude each other")
    one_of("amin", decibels.amin, 1e-10)
    one_of("ref", decibels.ref, "peak", "one")
    _number("top_db", decibels.top_db)
    if not 0 < decibels.top_db <= 200:
        raise UsageError(f"top_db must be above 0 and at most 200, not {decibels.top_db!r}")


def check_bands(kind: str, mel: Mel | None, sample_rate: int | None, n_fft: int) -> None:
    """Of the bands: mel ones where the kind has them, and there none without a frequency."""
    if KINDS[kind].has_mel and sample_rate is not None:
        _check_mel(_part("mel", mel, Mel), sample_rate, n_fft)
    elif mel is not None:
        raise UsageError(f"mel must be empty for kind {kind}")


def _check_mel(mel: Mel, rate: int, n_fft: int) -> None:
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
