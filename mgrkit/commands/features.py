"""``mgrkit features``: one table of named numbers, a row per track or piece."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from mgrkit.batch import (
    Fetched,
    Item,
    Options,
    Output,
    Report,
    Summary,
    TableSink,
    Work,
    run,
    run_now,
)
from mgrkit.batch.model import Row
from mgrkit.commands.plan import Plan, audio_and_noisy
from mgrkit.datasets.describing import check_kept, kept_track
from mgrkit.datasets.describing import describe as describe_sound
from mgrkit.datasets.prepared import Described
from mgrkit.errors import UsageError
from mgrkit.files.remote import RemotePath, placed
from mgrkit.inputs.extracting import extractor, summed
from mgrkit.inputs.kinds import Features
from mgrkit.registry import FeatureSetSpec, installed
from mgrkit.tracks.find import SOUND, Search, Track
from mgrkit.tracks.schema import PIECE_START, TABLE

DEFAULT_OUT = Path("features.csv")
COLUMNS = ("sound", "frontend")
"""The digest of the decoded sound, by which a track is known again; how it was heard."""
SUFFIXES = (".csv", ".parquet")
_LONGEST = 120
_SLOWEST = 8000
"""In Hz: of files at less a window is longer than --piece-seconds asks at least."""


@dataclass(frozen=True)
class FeaturesSettings:
    """What decides the numbers of the table, and where they are computed.

    ``piece_seconds`` None: a track of at most 45 s is one piece, a longer one is cut every
    30 s; a number cuts exactly so many seconds.
    """

    feature_set: FeatureSetSpec
    piece_seconds: float | None = None
    device: str = "auto"

    def __post_init__(self) -> None:
        windows = self.feature_set.windows
        front = windows.frontend
        least = windows.window or front.transform.n_fft / (front.sample_rate or _SLOWEST)
        if self.piece_seconds is not None and not least <= self.piece_seconds <= _LONGEST:
            raise UsageError(
                f"--piece-seconds must be from {least:.4g} (one window) to {_LONGEST}, "
                f"not {self.piece_seconds:g}"
            )

    @property
    def input(self) -> Features:
        """What the set is to a classifier."""
        return Features(self.feature_set, self.device)

    @property
    def is_kept(self) -> bool:
        """Whether windows are read from the cache that ``train`` and ``evaluate`` use, and kept.

        Those of networks are: they are dear, and float32 as the cache is. Functions have
        more digits than that.
        """
        return self.feature_set.windows.batch_size is not None and self.piece_seconds is None

    @classmethod
    def of(
        cls, name: str, piece_seconds: float | None = None, device: str = "auto"
    ) -> FeaturesSettings:
        """The settings for an installed feature set; UsageError where there is no such set."""
        return cls(installed().feature_set(name), piece_seconds, device)

    def as_json(self) -> dict[str, object]:
        """For the journal: names and values as a person would compare them."""
        return {
            "command": "features",
            "set": self.feature_set.name,
            "revision": self.feature_set.revision,
            "piece-seconds": self.piece_seconds,
            "settings": self.feature_set.digest,
        }


def features(
    settings: FeaturesSettings,
    sources: Sequence[Path] = (),
    out: Path = DEFAULT_OUT,
    *,
    files: Sequence[str] | None = None,
    search: Search = SOUND,
    table: Path | None = None,
    options: Options | None = None,
    replace: bool = False,
    report: Report | None = None,
) -> Summary:
    """Make the table ``out`` of the features of all tracks below ``sources``.

    Parameters
    ----------
    sources : folders, one sound file or track table; empty for ``audio`` and ``noisy``.
    out : ends in ``.csv`` or ``.parquet``.
    files : relative paths below the first source, instead of all that is there.
    search : which files of a folder are taken; by default those with a suffix of sound.
    table : whose rows name the files of the only source.

    Raises
    ------
    UsageError : OUT is no table, or holds features of other settings.
    RunError : there is no sound, OUT cannot be written, or the set's code not be loaded.
    """
    _check_name(out, sources)
    check_input(settings)  # before there are threads
    sources = sources or audio_and_noisy()
    feature_set = settings.feature_set
    names = feature_set.columns
    leading = (*COLUMNS, PIECE_START) if feature_set.window else COLUMNS
    plan = Plan(sources, out, (*leading, *names), files, to_table=True, search=search, table=table)
    common = _common(feature_set)

    def make(track: Track, row: Row, key: str) -> Iterator[Item]:
        row = {**row, **common, "path": track.path}
        yield Item(f"{key}\t{feature_set.name}", track.file, row, error=track.problem)

    items = plan.items(make)
    sink = TableSink(out, names, settings.as_json(), replace, search.shard)
    sink.journal.asked = plan.asked
    job = Fetched(partial(describe, settings))
    columns = [name for name in plan.columns if name not in names]
    count = plan.finder.count
    ready = partial(check_input, settings)
    return plan.complete(run_now(run(items, job, sink, columns, options, report, count, ready)))


def check_input(settings: FeaturesSettings) -> None:
    """Raise RunError if the set's code or weights cannot be loaded here."""
    if settings.is_kept:
        check_kept(settings.input)
    else:
        settings.input.check()


def _common(feature_set: FeatureSetSpec) -> Row:
    """What is the same in every row."""
    return {
        "kind": feature_set.name,
        "channels": 1,
        "settings": feature_set.digest,
        "frontend": feature_set.frontend.to_json(),
    }


def _check_name(out: Path, sources: Sequence[Path]) -> None:
    local = [source for source in sources if not isinstance(placed(source), RemotePath)]
    if any(source.exists() and out.exists() and source.samefile(out) for source in local):
        raise UsageError(f"OUT is SRC: {out}", "give another file as OUT")
    if out.suffix.lower() not in SUFFIXES:
        raise UsageError(f"OUT is no table: {out}", f"a file ending in {' or '.join(SUFFIXES)}")
    if out.name == TABLE:
        raise UsageError(f"{TABLE} is the table of a folder of sound", "give another OUT")


def describe(settings: FeaturesSettings, item: Item, work: Work) -> list[Output]:
    """The job: the rows of each piece; a piece without any, such as silence, fails alone."""
    from mgrkit.audio.tags.artist import artist_tag

    feature_set = settings.feature_set
    described = _described(settings, item.source, work)
    parts = iter(np.split(described.values, np.cumsum(described.sizes)[:-1]))
    outputs = []
    for place in described.places:
        seconds = round(place.seconds, 6)
        if place.error:
            row: Row = {"start": round(place.start, 6), "seconds": seconds}
            outputs.append(Output(row, error=place.error))
            continue
        for number, numbers in enumerate(summed(feature_set, next(parts))):
            start = place.start + number * (feature_set.hop or 0.0)
            row = {"start": round(start, 6), "seconds": min(feature_set.window or seconds, seconds)}
            if feature_set.window:
                row[PIECE_START] = round(place.start, 6)
            outputs.append(Output(row, values=numbers.astype(np.float64)))
    group = item.row["group"] or artist_tag(item.source)
    rate = feature_set.frontend.sample_rate or described.rate
    for output in outputs:
        output.warning = described.warning
        output.row |= {"sound": described.sound, "group": group, "rate": rate}
    return outputs


def _described(settings: FeaturesSettings, path: str, work: Work) -> Described:
    """The windows of the pieces, from the cache if they are kept there."""
    windows = settings.feature_set.windows
    if settings.is_kept:
        return kept_track(settings.input, path, work, with_places=True)[1]
    extract, rate = extractor(windows, settings.device), windows.frontend.sample_rate
    return describe_sound(
        path, rate, extract, (len(windows.columns),), work, settings.piece_seconds
    )
