"""``mgrkit augment``: noisy copies of sounds at exact signal-to-noise ratios, and their table."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mgrkit.batch import FolderSink, Item, Options, Output, Report, Summary, Work, run, run_now
from mgrkit.batch.model import Row
from mgrkit.commands.plan import Plan
from mgrkit.errors import UsageError
from mgrkit.tracks.find import SOUND, Search, Track

if TYPE_CHECKING:
    from mgrkit.augment import Colour, Noise, Recordings

DEFAULT_SOURCE = Path("audio")
DEFAULT_OUT = Path("noisy")
POWER = "above 20 Hz"
"""What an SNR is of, as tables and journals say it."""
COLUMNS = (
    "noise", "snr", "copy", "seed", "gain", "snr_measured", "power", "recording", "offset",
)  # fmt: skip


@dataclass(frozen=True)
class AugmentSettings:
    """What decides the bytes of the copies, beside the noise and the SNR of each.

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
        return hashlib.sha256(json.dumps(self.as_json()).encode()).hexdigest()[:16]

    def as_json(self) -> dict[str, object]:
        """For the journal: names and values as a person would compare them."""
        return {
            "command": "augment",
            "seed": self.seed,
            "subtype": self.subtype,
            "format": self.format,
            "SNR": f"of power {POWER}",
        }


def augment(
    settings: AugmentSettings,
    source: Path = DEFAULT_SOURCE,
    out: Path = DEFAULT_OUT,
    *,
    noises: Sequence[str] = ("white",),
    snrs: Sequence[float] = (10.0,),
    copies: int = 1,
    files: Sequence[str] | None = None,
    search: Search = SOUND,
    table: Path | None = None,
    options: Options | None = None,
    replace: bool = False,
    report: Report | None = None,
) -> Summary:
    """Make ``copies`` noisy copies of each track for each noise and SNR.

    Parameters
    ----------
    source, table : a folder, a sound file or a track table; or a folder and a table of its files.
    noises : colours (white, pink, ...), or paths of recordings or folders of them.
    snrs : in dB, -20 to 80, over all channels together, of power above 20 Hz.
    files : relative paths below ``source``, instead of all that is there.
    search : which files of a folder are taken, one of noises too.

    Raises
    ------
    UsageError : an unknown noise, an SNR out of range, OUT is or holds SRC, or other copies.
    RunError : there is no sound, a recording cannot be used, or OUT cannot be written.
    """
    ratios = _ratios(snrs)
    sources = _noises(noises, search)
    plan = Plan([source], out, COLUMNS, files, search=search, table=table)
    sink = FolderSink(out, settings.as_json(), replace)
    ready: list[tuple[tuple[str, str], Noise]] = []

    def make(track: Track, row: Row, key: str) -> Iterator[Item]:
        # Only now: the sink has taken its lock and emptied the folder for temporary files.
        if not ready:
            ready.extend(
                (_name(noise, plan), _ready(noise, sink, report or Report())) for noise in sources
            )
        return _copies(settings, ready, ratios, copies, track, row, key)

    each = len(sources) * len(ratios) * copies
    going = run(
        plan.items(make), partial(copy, settings), sink, plan.columns, options, report,
        lambda: plan.finder.count() * each,
    )  # fmt: skip
    return plan.complete(run_now(going))


def _ratios(snrs: Sequence[float]) -> list[float]:
    """Each SNR once, as it is written in names; UsageError if one is out of range."""
    from mgrkit.augment import check_snr

    ratios = list(dict.fromkeys(float(f"{snr + 0.0:g}") for snr in snrs))
    for ratio in ratios:
        check_snr(ratio)
    return ratios


def _noises(texts: Sequence[str], search: Search) -> list[Colour | Recordings]:
    """The noises by the words that name them; two may not share a name in file names."""
    from mgrkit.augment import parse_noise

    noises = [parse_noise(text, search.suffixes) for text in dict.fromkeys(texts)]
    name, times = Counter(noise.name for noise in noises).most_common(1)[0]
    if times > 1:
        raise UsageError(f"{times} noises are called {name!r}", "rename one of the recordings")
    return noises


def _name(noise: Colour | Recordings, plan: Plan) -> tuple[str, str]:
    """What a noise is called in keys, and the digest of its content."""
    from mgrkit.augment import Recordings

    place = f" {plan.id(noise.folder)}" if isinstance(noise, Recordings) else ""
    return noise.name + place, noise.digest


def _ready(noise: Colour | Recordings, sink: FolderSink, report: Report) -> Noise:
    """Recordings decoded into the folder for temporary files; a colour as it is."""
    from mgrkit.augment import Recordings

    if not isinstance(noise, Recordings):
        return noise
    assert sink.state
    spooled = noise.spooled(sink.state / "tmp")
    for warning in spooled.warnings:
        report.note(f"warning: {warning}")
    return spooled


def _copies(
    settings: AugmentSettings,
    ready: Sequence[tuple[tuple[str, str], Noise]],
    ratios: Sequence[float],
    copies: int,
    track: Track,
    row: Row,
    key: str,
) -> Iterator[Item]:
    """The items of one track."""
    for (name, digest), noise in ready:
        for snr in ratios:
            for k in range(1, copies + 1):
                path = f"{track.prefix}.{noise.name}_{snr:g}dB_{k}.{settings.format}"
                of_copy = {
                    "path": path, "kind": "noisy", "noise": noise.name, "snr": snr, "copy": k,
                    "seed": settings.seed, "power": POWER, "settings": settings.digest,
                }  # fmt: skip
                yield Item(
                    f"{key}\t{name}\t{snr:g}\t{k}",
                    track.file,
                    {**row, **of_copy},
                    (noise, snr, k),
                    f"{track.prefix} {digest}",
                    track.problem,
                )


def copy(settings: AugmentSettings, item: Item, work: Work) -> list[Output]:
    """The job: one noisy copy."""
    from mgrkit.audio import Writer, open_sound
    from mgrkit.augment import mix

    noise, snr, k = item.args
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
