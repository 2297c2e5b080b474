"""The record of a front end, in code and as JSON."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from mgrkit.errors import UsageError
from mgrkit.frontend.canonical import as_values, build
from mgrkit.frontend.checks import (
    check_law,
    check_parts,
    check_size,
    check_sound,
    check_transform,
    check_usual,
)
from mgrkit.frontend.kinds import DECIBELS, KINDS, RGB
from mgrkit.frontend.parts import (
    LATER,
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

FORMAT = 1
LAWS: dict[str, type] = {
    "decibels": Decibels,
    "compression": Compression,
    "logarithm": Logarithm,
}
PARTS: dict[str, type] = {
    "transform": Transform,
    "mel": Mel,
    "cepstrum": Cepstrum,
    "constant_q": ConstantQ,
    "autocorrelation": Autocorrelation,
    "size": Size,
}


@dataclass(frozen=True)
class FrontEnd:
    """How sound becomes a picture; ``front_end`` makes one from single options.

    Parameters
    ----------
    kind : one of `mgrkit.frontend.KINDS`; of 'kaggle-images', mel as the public pictures of GTZAN
        show it, and 's2-images', the transform as SpectroTune draws it, nothing can be chosen.
    sample_rate : in Hz, of the sound that the transform sees, 1,000 to 384,000; None for the rate
        that the file has, which feature sets may have and pictures not.
    channels : how many become one: 'mean'.
    resampler : 'soxr_hq'.
    mel, cepstrum, constant_q, autocorrelation : those that the kind has, else None.
    size : of pictures; None for one pixel per band and frame.
    planes : of kind 'rgb' three front ends of one rate and no size, resampled to the most bands and
        frames of any; ``transform`` is then the first one's.
    decibels, compression, logarithm : the law of the levels, one of the three; none where the kind
        has another.
    """

    kind: str = "mel"
    sample_rate: int | None = 22050
    channels: str = "mean"
    resampler: str = "soxr_hq"
    transform: Transform = dataclasses.field(default_factory=Transform)
    mel: Mel | None = dataclasses.field(default_factory=Mel)
    decibels: Decibels | None = dataclasses.field(default_factory=Decibels)
    compression: Compression | None = None
    logarithm: Logarithm | None = dataclasses.field(default=None, metadata=LATER)
    cepstrum: Cepstrum | None = dataclasses.field(default=None, metadata=LATER)
    constant_q: ConstantQ | None = dataclasses.field(default=None, metadata=LATER)
    autocorrelation: Autocorrelation | None = dataclasses.field(default=None, metadata=LATER)
    size: Size | None = dataclasses.field(default=None, metadata=LATER)
    planes: tuple[FrontEnd, ...] = dataclasses.field(default=(), metadata=LATER)

    def __post_init__(self) -> None:
        check_sound(self.kind, self.sample_rate, self.channels, self.resampler)
        check_transform(self.transform)
        rules = KINDS[self.kind]
        check_law(self.kind, self.decibels, self.compression, self.logarithm)
        parts = {name: getattr(self, name) for name in PARTS if name not in ("transform", "size")}
        check_parts(self.kind, parts, self.sample_rate, self.transform)
        self._check_planes()
        if self.size is not None:
            check_size(self.size)
        if self.constant_q and rules.bands and self.constant_q.bins_per_octave % 12:
            bins = self.constant_q.bins_per_octave
            raise UsageError(
                f"bins_per_octave must be a multiple of 12 for kind {self.kind}, not {bins}"
            )
        if self.cepstrum and self.mel and self.cepstrum.n_mfcc > self.mel.n_mels:
            raise UsageError(
                f"n_mfcc must be at most n_mels, {self.mel.n_mels}, not {self.cepstrum.n_mfcc}"
            )
        usual, own = asdict(Transform()), asdict(self.transform)
        check_usual(self.kind, own, {name: usual[name] for name in rules.fixed})
        if rules.is_fixed:
            self._check_usual()

    def _check_planes(self) -> None:
        if self.kind != RGB:
            if self.planes:
                raise UsageError(f"planes must be empty for kind {self.kind}")
            return
        planes = self.planes
        if not isinstance(planes, tuple) or not all(isinstance(one, FrontEnd) for one in planes):
            raise UsageError(f"planes must be front ends, not {planes!r}")
        if len(planes) != 3 or any(plane.planes or plane.size for plane in planes):
            raise UsageError("planes must be three front ends of one channel and no size")
        if {plane.sample_rate for plane in planes} != {self.sample_rate}:
            raise UsageError("planes must have one sample_rate")
        if planes[0].transform != self.transform:
            raise UsageError("transform must be that of the first of planes")

    def _check_usual(self) -> None:
        rules = KINDS[self.kind]
        law = Decibels(floor=rules.floor)
        usual = Transform(padding=rules.padding), Mel() if rules.has_mel else None, law
        check_usual(self.kind, {"sample_rate": self.sample_rate}, {"sample_rate": 22050})
        for part, wanted in zip((self.transform, self.mel, self.in_decibels), usual, strict=True):
            if part and wanted:
                check_usual(self.kind, asdict(part), asdict(wanted))

    @property
    def bands(self) -> int:
        """The height of a spectrum, or the greatest one of planes."""
        if self.planes:
            return max(plane.bands for plane in self.planes)
        if self.cepstrum:
            return self.cepstrum.n_mfcc
        if self.autocorrelation:
            return self.autocorrelation.lags
        if self.mel:
            return self.mel.n_mels
        of_kind = KINDS[self.kind].bands
        if self.constant_q and not of_kind:
            return self.constant_q.bins
        return of_kind or self.transform.n_fft // 2 + 1

    @property
    def name(self) -> str:
        """The kind as `front_end` takes it, 'rgb:A,B,C' of planes."""
        return (
            f"{RGB}:{','.join(plane.kind for plane in self.planes)}" if self.planes else self.kind
        )

    @property
    def breadth(self) -> tuple[int, ...]:
        """The shape of a column of a picture: ``(height,)``, of planes ``(3, height)``."""
        height = self.size.height if self.size else self.bands
        return (len(self.planes), height) if self.planes else (height,)

    @property
    def width(self) -> int:
        """The columns of a picture, however long the sound is; 0 where that decides."""
        return self.size.width if self.size else KINDS[self.kind].width

    @property
    def border(self) -> int:
        """White pixels around a picture."""
        return 0 if self.size else KINDS[self.kind].border

    @property
    def least_samples(self) -> int:
        """Of a sound that can be described: one window, or the longest filter."""
        if self.planes:
            return max(plane.least_samples for plane in self.planes)
        least = self.transform.n_fft
        if self.constant_q:
            least = max(least, self.constant_q.longest(self.rate))
        if self.autocorrelation:
            least = max(least, (self.autocorrelation.lags - 1) * self.transform.hop_length)
        return least

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
        """From one column of a picture to the next; 0 where that hangs on how long the sound is."""
        if self.width:
            return 0.0
        if self.planes:
            return min(plane.column_seconds for plane in self.planes)
        return KINDS[self.kind].frames_a_column * self.transform.hop_length / self.rate

    @property
    def in_decibels(self) -> Decibels:
        """The law of decibels; UsageError for a front end that has another."""
        if self.decibels is None:
            raise UsageError("a front end with another law gives no decibels")
        return self.decibels

    @property
    def is_stretched(self) -> bool:
        """Whether pictures begin at the least level that they hold, see `Decibels`."""
        return self.decibels is not None and self.decibels.floor == "least"

    @property
    def ref(self) -> str:
        """What the levels are relative to: 'peak' or 'one'."""
        law = self.decibels or self.compression or self.logarithm
        return law.ref if law else "one"

    def options(self) -> dict[str, object]:
        """What can be chosen of it, by the names of the options of ``mgrkit spectrograms``.

        Of what once could not be chosen, only what differs from what it then was.
        """
        options: dict[str, object] = {
            "kind": self.name,
            "sample-rate": self.sample_rate,
            "n-fft": self.transform.n_fft,
            "hop-length": self.transform.hop_length,
        }
        for plane in self.planes:
            options = {**plane.options(), **options}
        if self.decibels:
            options["top-db"] = self.decibels.top_db
        if self.mel:
            options |= {"n-mels": self.mel.n_mels, "fmin": self.mel.fmin, "fmax": self.mel.fmax}
        for part in (self.cepstrum, self.constant_q, self.autocorrelation):
            if part:
                options |= {name.replace("_", "-"): v for name, v in as_values(part).items()}
        if self.transform.window != "hann":
            options["window"] = self.transform.window
        if self.transform.power != 2:
            options["power"] = int(self.transform.power)
        if KINDS[self.kind].law == DECIBELS:
            if not self.decibels:
                options["log"] = "log10" if self.compression else "ln"
            if self.ref != "peak":
                options["ref"] = "1.0"
            if self.is_stretched:
                options["floor"] = "least"
        if self.size:
            options["size"] = f"{self.size.width}x{self.size.height}"
            options["resample"] = self.size.resample
        return options

    @functools.cached_property
    def digest(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of ``to_json()``."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]

    def to_json(self) -> str:
        """Canonical JSON: equal front ends give equal text."""
        values = {"format": FORMAT, **self._as_values()}
        return json.dumps(values, sort_keys=True, separators=(",", ":"))

    def _as_values(self) -> dict[str, Any]:
        values = as_values(self)
        for law in LAWS.keys() & values.keys():
            if values[law] is None:
                del values[law]
        if self.planes:
            values["planes"] = [plane._as_values() for plane in self.planes]
        return values

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
        return cls._of_values(values)

    @classmethod
    def _of_values(cls, values: Any) -> FrontEnd:
        if not isinstance(values, dict):
            raise UsageError("front end: one of planes is not a JSON object")
        if "planes" in values:
            if not isinstance(values["planes"], list) or len(values["planes"]) != 3:
                raise UsageError("front end: planes are not a list of three")
            values["planes"] = tuple(map(cls._of_values, values["planes"]))
        for name, part in (LAWS | PARTS).items():
            never_null = name in LAWS or name == "transform"
            if name in values and (never_null or values[name] is not None):
                values[name] = build(part, values[name], f"{name}.")
        rules = KINDS.get(str(values.get("kind")))
        absent = {"decibels", "compression"} - values.keys()
        if len(absent) == 2 and "logarithm" not in values and (not rules or rules.has_decibels):
            absent = {"compression"}  # so that a missing law is told by name
        front: FrontEnd = build(cls, values, "", absent)
        return front
