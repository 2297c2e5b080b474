"""A folder of sound by genre, or a track table, as a dataset of features."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from mgrkit.audio import pieces
from mgrkit.batch import Item, Options, Output, Report, StreamSink, Summary, Work, run, run_now
from mgrkit.batch.model import Row
from mgrkit.classifiers import Stopped
from mgrkit.commands.cache import Described, cache_folder, cached_features, content_key
from mgrkit.commands.dataset import Dataset, Entry
from mgrkit.commands.extracting import extractor
from mgrkit.commands.hashing import HashedSound
from mgrkit.errors import ItemError, RunError
from mgrkit.registry import FeatureSetSpec
from mgrkit.tracks.find import Finder
from mgrkit.tracks.lineage import Lineage


def prepare(
    folder: Path,
    feature_set: FeatureSetSpec,
    table: Path | None,
    options: Options | None = None,
    report: Report | None = None,
) -> Dataset:
    """The features of all sound below ``folder``, or of the files that ``table`` lists.

    They are kept in the user's cache by content, so that the next call reads them. Files
    that cannot be used are left out, counted by reason in the notes.

    Raises
    ------
    RunError : there is no sound, or none that can be used.
    Stopped : a person ended the run; what is finished is kept.
    """
    lineage = Lineage.read(folder, table=table)
    if table and not lineage.rows:
        raise RunError(f"{table} lists no tracks", "one row a track, with the columns path, genre")
    extractor(feature_set)  # code that cannot be loaded is told once, not for each track
    try:
        _folder(feature_set).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(
            f"cannot keep features in {cache_folder()}: {error.strerror}",
            "MGRKIT_CACHE names another folder",
        ) from None
    finder = Finder([folder], None, list(lineage.rows) if table else None)
    rows: list[Row] = []
    job = partial(describe_track, feature_set)
    going = run(
        _items(finder, lineage), job, StreamSink(rows.append, {}), ["path"], options, report,
        finder.count,
    )  # fmt: skip
    summary = run_now(going)
    if summary.stopped_by:
        stopped = Stopped("stopped while preparing features; the same command goes on from there")
        stopped.exit_code = summary.exit_code
        raise stopped
    return _dataset(table or folder, rows, feature_set, summary, lineage.notes)


def _items(finder: Finder, lineage: Lineage) -> Iterator[Item]:
    for track in finder:
        row = {**lineage.of(track.path), "path": track.path, "source": track.path}
        yield Item(track.path, track.file, row, error=track.problem)


def describe_track(feature_set: FeatureSetSpec, item: Item, work: Work) -> list[Output]:
    """The job: see that the track's features are in the cache; the row says under which key."""
    from mgrkit.tracks.tags import artist_tag

    try:
        key = content_key(item.source)
    except OSError:
        key = ""  # opening it as sound says what is wrong with it

    def make() -> Described:
        return describe(item.source, feature_set, work)

    described = cached_features(_folder(feature_set), key, len(feature_set.columns), make)
    group = item.row["group"] or artist_tag(item.source)
    return [Output({"content": key, "sound": described.sound, "group": group})]


def describe(path: str, feature_set: FeatureSetSpec, work: Work) -> Described:
    """The features of all pieces of a track; a piece without any, such as silence, is left out.

    Raises
    ------
    ItemError : no piece has any; the first piece's reason.
    """
    extract = extractor(feature_set)
    values, starts = [], []
    first: ItemError | None = None
    with HashedSound(path, work.allow) as sound:
        for piece in pieces(sound, feature_set.frontend.sample_rate):
            try:
                rows = extract(piece.samples)
            except ItemError as error:
                first = first or error
                continue
            values.append(rows)
            starts.append(piece.start + (feature_set.hop or 0.0) * np.arange(len(rows)))
        if not values:
            raise first or ItemError("too-short", "the track holds no piece")
        return Described(np.concatenate(values), np.concatenate(starts), sound.digest.hexdigest())


def _folder(feature_set: FeatureSetSpec) -> Path:
    return cache_folder() / "features" / f"{feature_set.name}-{feature_set.digest}"


def _dataset(
    data: Path, rows: list[Row], feature_set: FeatureSetSpec, summary: Summary, notes: list[str]
) -> Dataset:
    """The rows in the order of their paths, with their features from the cache."""
    good = sorted((row for row in rows if row["status"] == "ok"), key=lambda row: row["path"])
    told = list(notes)
    if summary.failed:
        reasons = Counter(summary.reasons).most_common()
        counts = ", ".join(f"{number} {reason}" for reason, number in reasons)
        path, text = summary.examples[0]
        told.append(f"{summary.failed} files left out: {counts} (the first: {path}: {text})")
    if not good:
        raise RunError(f"no sound in {data} can be used", "; ".join(told) or "there is none")
    columns = len(feature_set.columns)
    kept = [
        cached_features(_folder(feature_set), row["content"], columns, _vanished(data))
        for row in good
    ]
    sizes = [len(described.starts) for described in kept]
    return Dataset(
        x=np.concatenate([described.values for described in kept]).astype(np.float32),
        tracks=np.repeat(np.arange(len(kept)), sizes),
        entries=tuple(
            Entry(
                row["path"], row["parent"], row["genre"], row["group"], row["split"], row["sound"]
            )
            for row in good
        ),
        feature_set=feature_set,
        notes=tuple(told),
        failed=summary.failed,
    )


def _vanished(data: Path) -> Callable[[], Described]:
    def fail() -> Described:
        raise RunError(
            f"features of {data} have vanished from the cache {cache_folder()}",
            "the same command makes them again",
        )

    return fail
