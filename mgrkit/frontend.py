"""The front end: how sound becomes the picture or the numbers that a model sees.

A ``FrontEnd`` is pure data. It stands in every PNG, table and bundle, so that what was made
once can be made again, and so that a model never sees input of another kind than its own.

>>> front_end(n_mels=64).bands
64
>>> FrontEnd.from_json(front_end().to_json()) == front_end()
True
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mgrkit.errors import UsageError

FORMAT = 1
KAGGLE = "kaggle-images"
KAGGLE_STEP = 1293 / 334.8
"""Frames from one column of a public picture of GTZAN to the next, of most clips."""
KINDS = ("mel", "stft", KAGGLE)
_NOTHING: Mapping[str, None] = {}


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


@dataclass(frozen=True)
class FrontEnd:
    """How sound becomes a picture; ``front_end`` makes one from single options.

    Parameters
    ----------
    kind : 'mel'; 'stft' for linear frequency, with ``mel`` None; or 'kaggle-images', mel as the
        public pictures of GTZAN show it, of which nothing can be chosen.
    sample_rate : in Hz, of the sound that the transform sees, 1,000 to 384,000.
    channels : how many become one: 'mean'.
    resampler : 'soxr_hq'.
    decibels, compression : the law of the levels, one of the two.
    """

    kind: str = "mel"
    sample_rate: int = 22050
    channels: str = "mean"
    resampler: str = "soxr_hq"
    transform: Transform = Transform()
    mel: Mel | None = Mel()
    decibels: Decibels | None = Decibels()
    compression: Compression | None = None

    def __post_init__(self) -> None:
        _check(self)

    @property
    def bands(self) -> int:
        """The height of a spectrum: mel bands, or n_fft // 2 + 1 frequencies."""
        return self.mel.n_mels if self.mel else self.transform.n_fft // 2 + 1

    @property
    def column_seconds(self) -> float:
        """From one column of a picture to the next."""
        seconds = self.transform.hop_length / self.sample_rate
        return seconds * KAGGLE_STEP if self.kind == KAGGLE else seconds

    @property
    def in_decibels(self) -> Decibels:
        """The law of decibels; UsageError for a front end that has another."""
        if self.decibels is None:
            raise UsageError("a front end with log10(1 + factor * power) gives no decibels")
        return self.decibels

    @functools.cached_property
    def digest(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of ``to_json()``."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]

    def to_json(self) -> str:
        """Canonical JSON: equal front ends give equal text."""
        plain = {"format": FORMAT, **_plain(self)}
        del plain["compression" if self.compression is None else "decibels"]
        return json.dumps(plain, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> FrontEnd:
        """The front end of ``to_json()``'s text; UsageError for any other, naming the fault."""
        try:
            plain = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"front end is not JSON: {error}") from None
        if not isinstance(plain, dict):
            raise UsageError("front end is not a JSON object")
        version = plain.pop("format", None)
        if version != FORMAT or isinstance(version, bool):
            raise UsageError(
                f"front end has format {version!r}, this mgrkit reads {FORMAT}", "update mgrkit"
            )
        law = "compression" if "compression" in plain else "decibels"
        parts: dict[str, type] = {"transform": Transform}
        parts[law] = Compression if law == "compression" else Decibels
        if plain.get("mel") is not None:
            parts["mel"] = Mel
        for name, part in parts.items():
            if name in plain:
                plain[name] = _build(part, plain[name], f"{name}.")
        other = {"compression", "decibels"} - {law}
        front: FrontEnd = _build(cls, plain, "", dict.fromkeys(other))
        return front


def front_end(
    kind: str = "mel",
    *,
    sample_rate: int = 22050,
    n_fft: int = 2048,
    hop_length: int = 512,
    n_mels: int | None = None,
    fmin: float | None = None,
    fmax: float | None = None,
    top_db: float = 80.0,
) -> FrontEnd:
    """A checked front end.

    Parameters
    ----------
    kind : 'mel'; 'stft', which takes none of ``n_mels``, ``fmin``, ``fmax``; or 'kaggle-images',
        which takes no other values than the defaults.
    sample_rate : 1,000 to 384,000 Hz.
    n_fft : window and transform in samples, 16 to 65,536.
    hop_length : samples from one frame to the next, 1 to ``n_fft``.
    n_mels : mel bands (128), no more than leaves each one a frequency of the transform.
    fmin, fmax : in Hz, 0 <= fmin < fmax <= sample_rate / 2 (0, sample_rate / 2).
    top_db : dB below the peak that are told apart, above 0 and up to 200.

    Raises
    ------
    UsageError : a value out of range; the message says what is allowed.
    """
    mel = None
    if kind in ("mel", KAGGLE):
        mel = Mel(
            n_mels=128 if n_mels is None else n_mels,
            fmin=0.0 if fmin is None else fmin,
            fmax=_half(sample_rate) if fmax is None else fmax,
        )
    elif not n_mels is fmin is fmax is None:
        raise UsageError(f"n_mels, fmin and fmax belong to kind mel, not to {kind}")
    return FrontEnd(
        kind=kind,
        sample_rate=sample_rate,
        transform=Transform(n_fft, hop_length, padding="reflect" if kind == KAGGLE else "constant"),
        mel=mel,
        decibels=Decibels(top_db=top_db),
    )


# The Slaney mel scale (Auditory Toolbox, 1998): linear below 1,000 Hz, logarithmic above.
_LINEAR = 200.0 / 3
_BREAK_HZ = 1000.0
_BREAK_MEL = _BREAK_HZ / _LINEAR
_LOG_STEP = math.log(6.4) / 27


def hz_to_mel(hz: float) -> float:
    """Frequency in Hz to Slaney mel."""
    if hz < _BREAK_HZ:
        return hz / _LINEAR
    return _BREAK_MEL + math.log(hz / _BREAK_HZ) / _LOG_STEP


def mel_to_hz(mel: float) -> float:
    """Slaney mel to frequency in Hz."""
    if mel < _BREAK_MEL:
        return mel * _LINEAR
    return _BREAK_HZ * math.exp(_LOG_STEP * (mel - _BREAK_MEL))


def mel_edges(mel: Mel) -> list[float]:
    """The n_mels + 2 corners of the filters in Hz; filter i rises at i and ends at i + 2."""
    low, high = hz_to_mel(mel.fmin), hz_to_mel(mel.fmax)
    step = (high - low) / (mel.n_mels + 1)
    return [mel_to_hz(low + i * step) for i in range(mel.n_mels + 1)] + [mel_to_hz(high)]


def _half(sample_rate: object) -> float:
    # A sample rate that is no number is named by the check, not by a failed division.
    return sample_rate / 2 if isinstance(sample_rate, int) else 0.0


def _plain(record: Any) -> dict[str, Any]:
    """A record as JSON values; a float field is a float even where 0 was given for 0.0."""
    plain: dict[str, Any] = {}
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if dataclasses.is_dataclass(value):
            value = _plain(value)
        plain[field.name] = float(value) if field.type == "float" else value
    return plain


def _build(record: Any, plain: object, prefix: str, unset: Mapping[str, None] = _NOTHING) -> Any:
    """A record from a JSON object that has exactly its fields, without those that are unset."""
    if not isinstance(plain, dict):
        raise UsageError(f"front end: {prefix.rstrip('.')} is not a JSON object")
    names = {field.name for field in dataclasses.fields(record)} - unset.keys()
    for name in sorted(plain.keys() - names):
        raise UsageError(f"front end has an unknown field {prefix}{name}")
    for name in sorted(names - plain.keys()):
        raise UsageError(f"front end lacks the field {prefix}{name}")
    return record(**plain, **unset)


def _check(front: FrontEnd) -> None:
    """UsageError for the first field out of range."""
    _one_of("kind", front.kind, *KINDS)
    _whole("sample_rate", front.sample_rate, 1000, 384_000)
    _one_of("channels", front.channels, "mean")
    _one_of("resampler", front.resampler, "soxr_hq")
    transform = _part("transform", front.transform, Transform)
    _whole("n_fft", transform.n_fft, 16, 65536)
    _whole("hop_length", transform.hop_length, 1, transform.n_fft)
    _one_of("window", transform.window, "hann")
    _one_of("centre", transform.centre, True)
    _one_of("padding", transform.padding, "constant", "reflect")
    _one_of("power", transform.power, 2.0)
    _check_law(front)
    if front.kind in ("mel", KAGGLE):
        _check_mel(_part("mel", front.mel, Mel), front.sample_rate, transform.n_fft)
        if front.kind == KAGGLE:
            _check_kaggle(front)
    elif front.mel is not None:
        raise UsageError(f"mel must be empty for kind {front.kind}")


def _check_law(front: FrontEnd) -> None:
    if front.decibels is None:
        factor = _part("compression", front.compression, Compression).factor
        _number("factor", factor)
        if not 0 < factor <= 1e12:
            raise UsageError(f"factor must be above 0 and at most 1e12, not {factor!r}")
        return
    if front.compression is not None:
        raise UsageError("decibels and compression exclude each other")
    decibels = _part("decibels", front.decibels, Decibels)
    _one_of("amin", decibels.amin, 1e-10)
    _one_of("ref", decibels.ref, "peak", "one")
    _number("top_db", decibels.top_db)
    if not 0 < decibels.top_db <= 200:
        raise UsageError(f"top_db must be above 0 and at most 200, not {decibels.top_db!r}")


def _check_mel(mel: Mel, rate: int, n_fft: int) -> None:
    _whole("n_mels", mel.n_mels, 1, 65536)
    _one_of("scale", mel.scale, "slaney")
    _one_of("norm", mel.norm, "slaney")
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


def _check_kaggle(front: FrontEnd) -> None:
    """How the public pictures were drawn is past choosing."""
    for part, fixed in (
        (front, {"sample_rate": 22050}),
        (front.transform, _plain(Transform(padding="reflect"))),
        (front.mel, _plain(Mel())),
        (front.in_decibels, _plain(Decibels())),
    ):
        for name, value in fixed.items():
            if getattr(part, name) != value:
                raise UsageError(
                    f"{name} must be {value} for kind {KAGGLE}, not {getattr(part, name)!r}"
                )


def _part(name: str, value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise UsageError(f"{name} must be a {kind.__name__} record, not {value!r}")
    return value


def _one_of(name: str, value: object, *allowed: object) -> None:
    if not any(value == good and isinstance(value, type(good)) for good in allowed):
        *others, last = map(str, allowed)
        choice = f"{', '.join(others)} or {last}" if others else last
        raise UsageError(f"{name} must be {choice}, not {value!r}")


def _whole(name: str, value: object, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise UsageError(f"{name} must be a whole number from {low} to {high}, not {value!r}")


def _number(name: str, value: object) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < 1e300:
        raise UsageError(f"{name} must be a number, not {value!r}")
