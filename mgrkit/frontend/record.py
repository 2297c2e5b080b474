"""The record of a front end, in code and as JSON."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mgrkit.errors import UsageError
from mgrkit.frontend.checks import (
    check_bands,
    check_law,
    check_sound,
    check_transform,
    check_usual,
    one_of,
)
from mgrkit.frontend.kinds import KINDS
from mgrkit.frontend.parts import Compression, Decibels, Mel, Transform

FORMAT = 1
_NOTHING: Mapping[str, None] = {}


@dataclass(frozen=True)
class FrontEnd:
    """How sound becomes a picture; ``front_end`` makes one from single options.

    Parameters
    ----------
    kind : 'mel'; 'stft' for linear frequency, with ``mel`` None; or 'kaggle-images', mel as the
        public pictures of GTZAN show it, of which nothing can be chosen.
    sample_rate : in Hz, of the sound that the transform sees, 1,000 to 384,000; None for the rate
        that the file has, which feature sets may have and pictures not.
    channels : how many become one: 'mean'.
    resampler : 'soxr_hq'.
    decibels, compression : the law of the levels, one of the two.
    """

    kind: str = "mel"
    sample_rate: int | None = 22050
    channels: str = "mean"
    resampler: str = "soxr_hq"
    transform: Transform = dataclasses.field(default_factory=Transform)
    mel: Mel | None = dataclasses.field(default_factory=Mel)
    decibels: Decibels | None = dataclasses.field(default_factory=Decibels)
    compression: Compression | None = None

    def __post_init__(self) -> None:
        check_sound(self.kind, self.sample_rate, self.channels, self.resampler)
        check_transform(self.transform)
        check_law(self.decibels, self.compression)
        check_bands(self.kind, self.mel, self.sample_rate, self.transform.n_fft)
        if KINDS[self.kind].is_fixed:
            self._check_usual()

    def _check_usual(self) -> None:
        rules = KINDS[self.kind]
        usual = Transform(padding=rules.padding), Mel() if rules.has_mel else None, Decibels()
        check_usual(self.kind, {"sample_rate": self.sample_rate}, {"sample_rate": 22050})
        for part, wanted in zip((self.transform, self.mel, self.in_decibels), usual, strict=True):
            if part and wanted:
                check_usual(self.kind, asdict(part), asdict(wanted))

    @property
    def bands(self) -> int:
        """The height of a spectrum: mel bands, those of the kind, or n_fft // 2 + 1 frequencies."""
        if self.mel:
            return self.mel.n_mels
        return KINDS[self.kind].bands or self.transform.n_fft // 2 + 1

    @property
    def rate(self) -> int:
        """The sample rate in Hz; UsageError for that of the file, which is not known here."""
        if self.sample_rate is None:
            raise UsageError("a front end at the rate of the file is for features alone")
        return self.sample_rate

    def of_pictures(self) -> FrontEnd:
        """The same; UsageError for what pictures and samples cannot have."""
        _ = self.rate
        return self

    @property
    def column_seconds(self) -> float:
        """From one column of a picture to the next."""
        return KINDS[self.kind].frames_a_column * self.transform.hop_length / self.rate

    @property
    def in_decibels(self) -> Decibels:
        """The law of decibels; UsageError for a front end that has another."""
        if self.decibels is None:
            raise UsageError("a front end with log10(1 + factor * power) gives no decibels")
        return self.decibels

    def options(self) -> dict[str, object]:
        """What can be chosen of it, by the names of the options of ``mgrkit spectrograms``."""
        options: dict[str, object] = {
            "kind": self.kind,
            "sample-rate": self.sample_rate,
            "n-fft": self.transform.n_fft,
            "hop-length": self.transform.hop_length,
        }
        if self.decibels:
            options["top-db"] = self.decibels.top_db
        if self.mel:
            options |= {"n-mels": self.mel.n_mels, "fmin": self.mel.fmin, "fmax": self.mel.fmax}
        return options

    @functools.cached_property
    def digest(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of ``to_json()``."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]

    def to_json(self) -> str:
        """Canonical JSON: equal front ends give equal text."""
        values = {"format": FORMAT, **_as_json(self)}
        del values["compression" if self.compression is None else "decibels"]
        return json.dumps(values, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> FrontEnd:
        """The front end of ``to_json()``'s text; UsageError for any other, naming the fault."""
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"front end is not JSON: {error}") from None
        if not isinstance(values, dict):
            raise UsageError("front end is not a JSON object")
        version = values.pop("format", None)
        if version != FORMAT or isinstance(version, bool):
            raise UsageError(
                f"front end has format {version!r}, this mgrkit reads {FORMAT}", "update mgrkit"
            )
        law = "compression" if "compression" in values else "decibels"
        parts: dict[str, type] = {"transform": Transform}
        parts[law] = Compression if law == "compression" else Decibels
        if values.get("mel") is not None:
            parts["mel"] = Mel
        for name, part in parts.items():
            if name in values:
                values[name] = _build(part, values[name], f"{name}.")
        other = {"compression", "decibels"} - {law}
        front: FrontEnd = _build(cls, values, "", dict.fromkeys(other))
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
    top_db : dB below the peak that are kept, above 0 and up to 200.

    Raises
    ------
    UsageError : a value out of range; the message says what is allowed.
    """
    mel = None
    rules = KINDS[one_of("kind", kind, *KINDS)]
    if rules.has_mel:
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
        transform=Transform(n_fft, hop_length, padding=rules.padding),
        mel=mel,
        decibels=Decibels(top_db=top_db),
    )


def _half(sample_rate: object) -> float:
    # A sample rate that is no number is named by the check, not by a failed division.
    return sample_rate / 2 if isinstance(sample_rate, int) else 0.0


def _as_json(record: Any) -> dict[str, Any]:
    """A record as JSON values; a float field is a float even where 0 was given for 0.0."""
    values: dict[str, Any] = {}
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if dataclasses.is_dataclass(value):
            value = _as_json(value)
        values[field.name] = float(value) if field.type == "float" else value
    return values


def _build(record: Any, values: object, prefix: str, unset: Mapping[str, None] = _NOTHING) -> Any:
    """A record from a JSON object that has exactly its fields, without those that are unset."""
    if not isinstance(values, dict):
        raise UsageError(f"front end: {prefix.rstrip('.')} is not a JSON object")
    names = {field.name for field in dataclasses.fields(record)} - unset.keys()
    for name in sorted(values.keys() - names):
        raise UsageError(f"front end has an unknown field {prefix}{name}")
    for name in sorted(names - values.keys()):
        raise UsageError(f"front end lacks the field {prefix}{name}")
    return record(**values, **unset)
