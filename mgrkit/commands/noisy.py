"""Noisy copies, at exact signal-to-noise ratios or of so many times the noise."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mgrkit.batch import Item, Output, Report, Work
from mgrkit.batch.model import Row
from mgrkit.commands.copying import POWER, AugmentSettings
from mgrkit.commands.plan import Plan
from mgrkit.errors import UsageError
from mgrkit.tracks.find import Search, Track
from mgrkit.tracks.schema import NOISY

if TYPE_CHECKING:
    from mgrkit.augment import Colour, Noise, Recordings

COLUMNS = (
    "noise", "snr", "copy", "seed", "gain", "snr_measured", "power", "recording", "offset",
)  # fmt: skip
GAIN_COLUMNS = ("mix_gain", "clipped")
"""Beside those, of noise that is mixed in so many times: the gain, and samples that clipped."""


@dataclass(frozen=True)
class Level:
    """How loud a noise is: at a signal-to-noise ratio in dB, or so many times itself."""

    value: float
    is_gain: bool = False

    @classmethod
    def read(cls, snrs: Sequence[float], gains: Sequence[float]) -> list[Level]:
        """Each once, as it is written in names; UsageError if one is out of range, or of both."""
        from mgrkit.augment import Times, check_snr

        if snrs and gains:
            raise UsageError(
                f"--snr {snrs[0]:g} contradicts --mix-gain {gains[0]:g}",
                "one of the two says how loud the noise is",
            )
        levels = list(dict.fromkeys(cls(float(f"{x + 0.0:g}"), bool(gains)) for x in snrs or gains))
        for level in levels:
            if level.is_gain:
                Times(level.value)
            else:
                check_snr(level.value)
        return levels

    @property
    def name(self) -> str:
        """As names of files have it."""
        return f"gain{self.value:g}" if self.is_gain else f"{self.value:g}dB"

    @property
    def key(self) -> str:
        """As keys of the journal have it."""
        return f"{'gain ' * self.is_gain}{self.value:g}"

    @property
    def row(self) -> Row:
        """As the table has it, whatever the table of SRC says."""
        snr, gain = ("", self.value) if self.is_gain else (self.value, "")
        return {"snr": snr, "mix_gain": gain, "clipped": ""}


@dataclass
class NoisyCopies:
    """``copies`` of each track with each noise at each level.

    Parameters
    ----------
    noises : no two of one name; see `parse_noises`.
    """

    settings: AugmentSettings
    noises: Sequence[Colour | Recordings]
    levels: Sequence[Level]
    copies: int
    _ready: dict[str, tuple[str, Noise]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.noises) * len(self.levels) * self.copies

    @property
    def asked(self) -> dict[str, object]:
        """Which copies, by the words of the command."""
        name = "mix-gain" if self.of_gains else "snr"
        levels = [level.value for level in self.levels]
        return {"noise": [one.name for one in self.noises], name: levels, "copies": self.copies}

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of the rows."""
        return (*COLUMNS, *(GAIN_COLUMNS if self.of_gains else ()))

    @property
    def of_gains(self) -> bool:
        """Whether each noise is mixed in so many times itself."""
        return any(level.is_gain for level in self.levels)

    @property
    def repeats(self) -> bool:
        """Whether there is a noise of one recording."""
        from mgrkit.augment import Recordings

        return any(isinstance(one, Recordings) and len(one.files) == 1 for one in self.noises)

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
        for noise, level in itertools.product(self.noises, self.levels):
            for k in range(1, self.copies + 1):
                path = self.settings.path(track.prefix, f"{noise.name}_{level.name}_{k}")
                yield self.item(track, row, key, path, noise, level, k)

    def item(
        self,
        track: Track,
        row: Row,
        key: str,
        path: str,
        noise: Colour | Recordings,
        level: Level,
        k: int,
    ) -> Item:
        """The copy ``k`` of a track that lies at ``path``."""
        called, source = self._ready[noise.name]
        of_copy = {
            "path": path, "kind": NOISY, "noise": noise.name, **level.row, "copy": k,
            "seed": self.settings.seed, "power": POWER, **self.settings.row(),
        }  # fmt: skip
        return Item(
            f"{key}\t{called}\t{level.key}\t{k}",
            track.file,
            {**row, **of_copy},
            (mixed, source, level, k),
            f"{track.prefix} {noise.digest}",
            track.problem,
        )


def parse_noises(
    texts: Sequence[str], search: Search, begin: float | None = None
) -> list[Colour | Recordings]:
    """The noises by the words that name them; two may not share a name in file names."""
    from mgrkit.augment import parse_noise

    noises = [parse_noise(text, search.suffixes, begin) for text in dict.fromkeys(texts)]
    for name, times in Counter(noise.name for noise in noises).most_common(1):
        if times > 1:
            raise UsageError(f"{times} noises are called {name!r}", "rename one of the recordings")
    return noises


def mixed(
    settings: AugmentSettings, item: Item, work: Work, noise: Noise, level: Level, k: int
) -> list[Output]:
    """The job: one noisy copy."""
    from mgrkit.audio import Writer, open_sound
    from mgrkit.augment import Times, add, mix

    temp = work.temp()
    times = Times(level.value, settings.clip == "hard") if level.is_gain else None
    with open_sound(item.source, work.allow) as sound:
        part = settings.excerpt.of(sound)
        common = settings.seed, item.row["source"], k, settings.subtype

        def writer() -> Writer:
            return Writer(temp, part.rate, part.channels, settings.subtype, settings.format)

        what = part.blocks, part.rate, part.channels, noise
        if times:
            made = add(*what, times, *common, writer)
        else:
            made = mix(*what, level.value, *common, writer)
    row: Row = {
        "start": settings.excerpt.start,
        "seconds": round(part.seconds, 6),
        "rate": part.rate,
        "channels": part.channels,
        "gain": made.gain,
        "snr_measured": round(made.snr_db, 6),
        "recording": made.recording,
        "offset": round(made.offset, 6) if made.recording else "",
    }
    if times:
        row["clipped"] = made.clipped
    return [Output(row, temp)]
