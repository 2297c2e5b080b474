"""What all copies of ``mgrkit augment`` have in common: the settings that decide their bytes."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mgrkit.augment.excerpts import Excerpt
from mgrkit.batch.model import Row
from mgrkit.errors import UsageError

POWER = "above 20 Hz"
"""What an SNR is of, as tables and journals say it."""
CLIPS = ("gain", "hard")
NAMES = ("own", "same")
OPTIONS = "options"
"""The column of what a table's copies were made with beside seed, subtype and format, as JSON."""

_SECONDS = ("start", "seconds", "noise-start")


@dataclass(frozen=True)
class AugmentSettings:
    """What decides the bytes of the copies, beside the noise and its level or the recipe of each.

    Parameters
    ----------
    subtype : PCM_16, PCM_24 or FLOAT.
    format : wav or flac (PCM only).
    excerpt : the part of each source that is copied.
    noise_start : seconds into a recording where its noise begins; None for a place that is drawn.
    clip : what is done against clipping of noise that is mixed in so many times: the finished mix
        is made softer (gain), or clipped (hard).
    names : a copy has one of its own, or the same as its source.
    """

    seed: int = 0
    subtype: str = "PCM_16"
    format: str = "wav"
    excerpt: Excerpt = field(default_factory=Excerpt)
    noise_start: float | None = None
    clip: str = "gain"
    names: str = "own"

    def __post_init__(self) -> None:
        from mgrkit.audio.writing import BITS, FORMATS

        if self.subtype not in BITS:
            raise UsageError(f"--subtype must be {', '.join(BITS)}, not {self.subtype!r}")
        for name, known in (("format", FORMATS), ("clip", CLIPS), ("names", NAMES)):
            if (value := getattr(self, name)) not in known:
                raise UsageError(f"--{name} must be {' or '.join(known)}, not {value!r}")
        if self.noise_start is not None and not 0 <= self.noise_start < math.inf:
            raise UsageError(f"--noise-start must be 0 s or more, not {self.noise_start:g}")
        if (self.subtype, self.format) == ("FLOAT", "flac"):
            raise UsageError("FLAC holds no float samples", "--subtype PCM_24, or --format wav")

    @classmethod
    def of(
        cls,
        seed: int,
        subtype: str,
        format: str,  # noqa: A002
        options: Mapping[str, Any],
    ) -> AugmentSettings:
        """Settings from `options`, which may be anybody's: ValueError for what is none."""
        if not isinstance(options, Mapping):
            raise ValueError(f"{options!r} is no record")
        left = dict(options)
        start, seconds, begin = (_float(left.pop(n, None)) for n in _SECONDS)
        rate = left.pop("rate", None)
        if not isinstance(rate, int | None):
            raise ValueError(f"the rate {rate!r} is no number")
        excerpt = Excerpt(start or 0.0, seconds, rate, left.pop("mono", False) is True)
        clip, names = left.pop("clip", "gain"), left.pop("names", "own")
        settings = cls(seed, subtype, format, excerpt, begin, clip, names)
        if left:
            raise ValueError(f"there is no option {next(iter(left))}")
        return settings

    @property
    def options(self) -> dict[str, Any]:
        """Those that are not what they are by themselves, by their names in the command."""
        part = self.excerpt
        numbers = part.start or None, part.seconds, self.noise_start
        options: dict[str, Any] = {
            name: None if value is None else float(value)
            for name, value in zip(_SECONDS, numbers, strict=True)
        }
        options |= {"rate": part.rate, "mono": part.mono or None}
        options |= {"clip": self.clip if self.clip != "gain" else None}
        options |= {"names": self.names if self.names != "own" else None}
        return {name: value for name, value in options.items() if value is not None}

    def path(self, prefix: str, name: str) -> str:
        """Where a copy of its own name lies, or one that is called as its source."""
        stem = prefix if self.names == "same" else f"{prefix}.{name}"
        return f"{stem}.{self.format}"

    def row(self, more: str = "") -> Row:
        """What the table says of them; ``more`` decides bytes, too."""
        options = json.dumps(self.options) if self.options else ""
        return {OPTIONS: options, "settings": self.digest_with(more)}

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that stand for these settings in the table."""
        return self.digest_with("")

    def digest_with(self, more: str) -> str:
        """The same of these settings and of something else that decides bytes."""
        text = json.dumps(self.as_json()) + more
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def as_json(self) -> dict[str, object]:
        """For the journal: names and values as a person would compare them."""
        return {
            "command": "augment",
            "seed": self.seed,
            "subtype": self.subtype,
            "format": self.format,
            "SNR": f"of power {POWER}",
            **self.options,
        }


def _float(value: object) -> float | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise ValueError(f"{value!r} is no number of seconds")
    return value
