"""``mgrkit data convert``: a whole collection in another format, rate or number of channels."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mgrkit.audio.encoding import FORMATS, KBITS, OPUS_RATE, QUALITY, RATES, Encoder, misfit
from mgrkit.audio.writing import BITS
from mgrkit.batch import (
    Fetched,
    FolderSink,
    Item,
    Options,
    Output,
    Report,
    Summary,
    Work,
    run,
    run_now,
)
from mgrkit.batch.model import Row
from mgrkit.commands.plan import Plan
from mgrkit.errors import AudioError, UsageError
from mgrkit.tracks.find import SOUND, Search, Track

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.audio import Sound

COLUMNS = ("beyond",)
"""What the table has besides: samples that were beyond full scale and were cut off there."""
_PCM = ("wav", "flac")


@dataclass(frozen=True)
class ConvertSettings:
    """What decides the bytes of the files; what is None is as in the source, or as usual.

    Parameters
    ----------
    format : one of `mgrkit.audio.encoding.FORMATS`.
    rate : in Hz; Opus has 48,000 always.
    channels : 1 (the mean of all) or 2.
    subtype : of wav and flac: PCM_16, PCM_24 or (wav only) FLOAT.
    bit_rate : of mp3, opus and m4a, in kbit/s.
    quality : of ogg, 0 to 10.
    """

    format: str = "wav"
    rate: int | None = None
    channels: int | None = None
    subtype: str | None = None
    bit_rate: int | None = None
    quality: float | None = None

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise UsageError(f"--to must be one of {', '.join(FORMATS)}, not {self.format!r}")
        if self.subtype not in (None, *BITS):
            raise UsageError(f"--subtype must be {', '.join(BITS)}, not {self.subtype!r}")
        if (self.subtype, self.format) == ("FLOAT", "flac"):
            raise UsageError("FLAC holds no float samples", "--subtype PCM_24, or --to wav")
        for option, given, formats in (
            ("--subtype", self.subtype, _PCM),
            ("--bit-rate", self.bit_rate, tuple(KBITS)),
            ("--quality", self.quality, ("ogg",)),
        ):
            if given is not None and self.format not in formats:
                raise UsageError(f"{option} goes with {', '.join(formats)}, not {self.format}")
        rates = [self.rate] if self.rate else RATES.get(self.format, ())
        refused = [
            misfit(self.format, rate, self.channels or 2, self.bit_rate or 0) for rate in rates
        ]
        # What some sound may have is for each file to say.
        if rates and all(refused) and (last := refused[-1]):
            raise UsageError(*last)

    def as_json(self) -> dict[str, object]:
        """For the journal: names and values as a person would compare them."""
        return {
            "command": "data convert",
            "to": self.format,
            "rate": self.rate,
            "channels": self.channels,
            "subtype": self.subtype,
            "bit-rate": self.bit_rate,
            "quality": self.quality,
        }

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that stand for these settings in the table."""
        return hashlib.sha256(json.dumps(self.as_json()).encode()).hexdigest()[:16]


def convert(
    settings: ConvertSettings,
    source: Path,
    out: Path,
    *,
    files: Sequence[str] | None = None,
    search: Search = SOUND,
    table: Path | None = None,
    options: Options | None = None,
    replace: bool = False,
    report: Report | None = None,
) -> Summary:
    """Write each track anew below ``out``, in the same tree, with tags and lineage.

    Parameters
    ----------
    source, table : a folder, a sound file or a track table; or a folder and a table of its files.
    files : relative paths below ``source``, instead of all that is there.
    search : which files of a folder are taken.

    Raises
    ------
    UsageError : OUT is or holds SRC, or holds files of other settings.
    RunError : there is no sound, or OUT cannot be written.
    """
    plan = Plan([source], out, COLUMNS, files, search=search, table=table)

    def make(track: Track, row: Row, key: str) -> Iterator[Item]:
        path = f"{track.prefix}.{settings.format}"
        row = {**row, "path": path, "kind": settings.format, "settings": settings.digest}
        yield Item(key, track.file, row, (), track.prefix, track.problem)

    sink = FolderSink(out, settings.as_json(), replace, search.shard)
    sink.journal.asked = plan.asked
    job, count = Fetched(partial(converted, settings)), plan.finder.count
    return plan.complete(
        run_now(run(plan.items(make), job, sink, plan.columns, options, report, count))
    )


def converted(settings: ConvertSettings, item: Item, work: Work) -> list[Output]:
    """The job: one file."""
    from mgrkit.audio import open_sound
    from mgrkit.audio.tags.artist import artist_tag
    from mgrkit.audio.tags.every import every_tag

    temp = work.temp()
    with open_sound(item.source, work.allow) as sound:
        rate = settings.rate or (OPUS_RATE if settings.format == "opus" else sound.rate)
        channels = settings.channels or sound.channels
        shape = _Shape(sound, rate, channels)
        with Encoder(
            temp, settings.format, rate, channels, subtype=settings.subtype or "PCM_16",
            kbits=settings.bit_rate or 0,
            quality=QUALITY if settings.quality is None else settings.quality,
            tags=every_tag(item.source),
        ) as encoder:  # fmt: skip
            for block in shape.blocks():
                encoder.write(block)
    warnings = [sound.warning, shape.warning]
    if encoder.beyond:
        warnings.append(f"clipped: {encoder.beyond} samples were beyond full scale")
    row: Row = {
        "group": item.row["group"] or artist_tag(item.source),
        "start": 0.0,
        "seconds": round(shape.frames / rate, 6),
        "rate": rate,
        "channels": channels,
        "beyond": encoder.beyond,
    }
    return [Output(row, temp, warning="; ".join(filter(None, warnings)))]


class _Shape:
    """A sound with another number of channels and at another rate.

    ``frames`` counts what came, ``warning`` says afterwards if little is left in the mix.
    """

    def __init__(self, sound: Sound, rate: int, channels: int) -> None:
        if channels > 1 and channels != sound.channels and sound.channels > 1:
            message = f"{sound.channels} channels have no places in {channels}"
            raise AudioError("channels", message, "--channels 1 mixes all of them")
        self._sound, self._rate, self._channels = sound, rate, channels
        self.frames = 0
        self.warning = ""

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """float32 ``(channels, n)``."""
        from mgrkit.audio import Resampler

        resampler = Resampler(self._sound.rate, self._rate)
        for block in self._mixed():
            yield self._counted(resampler.push(block))
        rest = np.empty((self._channels, 0), np.float32)
        yield self._counted(resampler.push(rest, last=True))

    def _counted(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        self.frames += block.shape[1]
        return block

    def _mixed(self) -> Iterator[NDArray[np.float32]]:
        from mgrkit.audio import Mixdown

        if self._channels == self._sound.channels:
            yield from self._sound.blocks()
        elif self._channels > 1:
            for block in self._sound.blocks():
                yield np.repeat(block, self._channels, 0)
        else:
            mix = Mixdown()
            for block in self._sound.blocks():
                yield mix.push(block)[None]
            try:
                mix.check()
            except AudioError as error:
                self.warning = str(error)
