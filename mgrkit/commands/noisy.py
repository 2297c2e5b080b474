"""Noisy copies at exact signal-to-noise ratios: the items of each track, and their job."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mgrkit.batch import Item, Output, Report, Work
from mgrkit.batch.model import Row
from mgrkit.commands.plan import Plan
from mgrkit.errors import UsageError
from mgrkit.tracks.find import Search, Track
from mgrkit.tracks.schema import NOISY

if TYPE_CHECKING:
    from mgrkit.augment import Colour, Noise, Recordings

POWER = "above 20 Hz"
"""What an SNR is of, as tables and journals say it."""
COLUMNS = (
    "noise", "snr", "copy", "seed", "gain", "snr_measured", "power", "recording", "offset",
)  # fmt: skip


@dataclass(frozen=True)
class AugmentSettings:
    """What decides the bytes of the copies, beside the noise and the SNR or the recipe of each.

    ``subtype`` is PCM_16, PCM_24 or FLOAT, ``format`` wav or flac (PCM only).
    """

    seed: int = 0
    subtype: str = "PCM_16"
    format: str = "wav"

    def __post_init__(self) -> None:
        from mgrkit.audio.writing import BITS, FORMATS

        if self.subtype not in BITS:
            raise UsageError(f"--subtype must be {', '.join(BITS)}, not {self.subtype!r}")
        if self.format not in FORMATS:
            raise UsageError(f"--format must be {' or '.join(FORMATS)}, not {self.format!r}")
        if (self.subtype, self.format) == ("FLOAT", "flac"):
            raise UsageError("FLAC holds no float samples", "--subtype PCM_24, or --format wav")

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
        }


@dataclass
class NoisyCopies:
    """``copies`` of each track with each noise at each SNR.

    Parameters
    ----------
    noises : no two of one name; see `parse_noises`.
    snrs : in dB.
    """

    settings: AugmentSettings
    noises: Sequence[Colour | Recordings]
    snrs: Sequence[float]
    copies: int
    _ready: dict[str, tuple[str, Noise]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.noises) * len(self.snrs) * self.copies

    def ready(self, folder: Path, plan: Plan, report: Report) -> None:
        """Decode recordings into the folder; what cannot be used of them is a note."""
        from mgrkit.augment import Recordings

        for noise in self.noises:
            name = noise.name
            if isinstance(noise, Recordings):
                spooled = noise.spooled(folder)
                for warning in spooled.warnings:
                    report.note(f"warning: {warning}")
                self._ready[name] = f"{name} {plan.id(noise.folder)}", spooled
            else:
                self._ready[name] = name, noise

    def items(self, track: Track, row: Row, key: str) -> Iterator[Item]:
        """The items of one track."""
        for noise in self.noises:
            for snr in self.snrs:
                for k in range(1, self.copies + 1):
                    path = f"{track.prefix}.{noise.name}_{snr:g}dB_{k}.{self.settings.format}"
                    yield self.item(track, row, key, path, noise, snr, k)

    def item(
        self,
        track: Track,
        row: Row,
        key: str,
        path: str,
        noise: Colour | Recordings,
        snr: float,
        k: int,
    ) -> Item:
        """The copy ``k`` of a track that lies at ``path``."""
        called, source = self._ready[noise.name]
        of_copy = {
            "path": path, "kind": NOISY, "noise": noise.name, "snr": snr, "copy": k,
            "seed": self.settings.seed, "power": POWER, "settings": self.settings.digest,
        }  # fmt: skip
        return Item(
            f"{key}\t{called}\t{snr:g}\t{k}",
            track.file,
            {**row, **of_copy},
            (mixed, source, snr, k),
            f"{track.prefix} {noise.digest}",
            track.problem,
        )


def parse_snrs(snrs: Sequence[float]) -> list[float]:
    """Each SNR once, as it is written in names; UsageError if one is out of range."""
    from mgrkit.augment import check_snr

    ratios = list(dict.fromkeys(float(f"{snr + 0.0:g}") for snr in snrs))
    for ratio in ratios:
        check_snr(ratio)
    return ratios


def parse_noises(texts: Sequence[str], search: Search) -> list[Colour | Recordings]:
    """The noises by the words that name them; two may not share a name in file names."""
    from mgrkit.augment import parse_noise

    noises = [parse_noise(text, search.suffixes) for text in dict.fromkeys(texts)]
    for name, times in Counter(noise.name for noise in noises).most_common(1):
        if times > 1:
            raise UsageError(f"{times} noises are called {name!r}", "rename one of the recordings")
    return noises


def mixed(
    settings: AugmentSettings, item: Item, work: Work, noise: Noise, snr: float, k: int
) -> list[Output]:
    """The job: one noisy copy."""
    from mgrkit.audio import Writer, open_sound
    from mgrkit.augment import mix

    temp = work.temp()
    length = 0.0

    def heard(seconds: float) -> None:
        nonlocal length
        length = seconds
        work.allow(seconds)

    with open_sound(item.source, heard) as sound:
        mixed = mix(
            sound.blocks,
            sound.rate,
            sound.channels,
            noise,
            snr,
            settings.seed,
            item.row["source"],
            k,
            settings.subtype,
            lambda: Writer(temp, sound.rate, sound.channels, settings.subtype, settings.format),
        )
        row: Row = {
            "start": 0.0,
            "seconds": round(length, 6),
            "rate": sound.rate,
            "channels": sound.channels,
            "gain": mixed.gain,
            "snr_measured": round(mixed.snr_db, 6),
            "recording": mixed.recording,
            "offset": round(mixed.offset, 6) if mixed.recording else "",
        }
    return [Output(row, temp)]
