"""Datasets of sound as they are heard under conditions: noise, codecs, rooms, recipes.

Each sound is altered as a whole, in memory, before it is cut into pieces; no file is written but
what the cache keeps of the values, as it does for sounds that are plain.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mgrkit.audio import open_sound
from mgrkit.augment.altered import MOST_SAMPLES
from mgrkit.batch import Item, Options, Output, Report, Work
from mgrkit.datasets.building import OfPieces
from mgrkit.datasets.dataset import Dataset
from mgrkit.datasets.describing import (
    check_described,
    check_kept,
    described_pieces,
    kept_folder,
    key_of,
)
from mgrkit.datasets.jobs import all_rows
from mgrkit.datasets.prepared import Described, cached
from mgrkit.datasets.preparing import vanished
from mgrkit.errors import ItemError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.augment.altered import Altered
    from mgrkit.augment.conditions import Condition, Ready
    from mgrkit.batch.model import Row
    from mgrkit.inputs.kinds import Input

    Floats = NDArray[np.float32]

_BLOCK = 2**18

Under = dict[tuple[str, int], Dataset]
"""Datasets by the condition's name and the number of the copy, from 1."""


def altered(
    folder: Path,
    dataset: Dataset,
    conditions: Sequence[Condition],
    *,
    seed: int = 0,
    copies: int = 1,
    options: Options | None = None,
    report: Report | None = None,
) -> Under:
    """The dataset under each condition.

    Each holds the same tracks in the same order, as copies of them (`DataTrack.is_copy`) with their
    ids, artists and parts, but for those that failed, a file of which could not be altered or used:
    ``failed`` counts them, and notes do by reason, those of all copies of a condition at the first.

    Parameters
    ----------
    folder : what the paths of the dataset's files are relative to.
    dataset : of sound.
    conditions : of different names.
    seed : of the run.
    copies : how many of each condition; conditions that draw nothing give the same ones.

    Raises
    ------
    UsageError : the dataset is not of sound.
    RunError : what a condition needs cannot be had, or the cache not be written.
    Stopped : a person ended the run; what is finished is kept.
    """
    asked = [(folder, dataset)]
    [under] = altered_together(
        asked, conditions, seed=seed, copies=copies, options=options, report=report
    )
    return under


def altered_together(
    asked: Sequence[tuple[Path, Dataset]],
    conditions: Sequence[Condition],
    *,
    seed: int = 0,
    copies: int = 1,
    options: Options | None = None,
    report: Report | None = None,
) -> list[Under]:
    """As `altered`, of several datasets with their folders: what they share is altered once."""
    for folder, dataset in asked:
        if not dataset.files:
            message = f"{folder} holds no sound but {dataset.input.name}, which cannot be altered"
            raise UsageError(message, "give the sound that they were made of")
        check_kept(dataset.input)
    inputs = {dataset.input.kept_under: dataset.input for _, dataset in asked}
    items = list(_items(asked, list(inputs), conditions, copies))
    options = options or Options()
    if any(one.processes for one in conditions):
        options = replace(options, processes=True)
    with TemporaryDirectory(prefix="mgrkit-") as temp:
        ways = tuple(_ways(conditions, Path(temp)))
        job = partial(describe_altered, inputs, ways, seed)
        rows, _ = all_rows(items, job, lambda: len(items), options, report)
    found: _Found = {}
    for row in rows:
        of = found.setdefault((row["condition"], row["copy"]), {})
        of |= {(row["folder"], row["file"], kind): row for kind in row["kinds"]}
    return [_all_under(folder, dataset, ways, copies, found) for folder, dataset in asked]


_Rows = dict[tuple[Path, str, str], "Row"]
"""By the folder, the file's path and the kind of input: where its values are kept."""
_Found = dict[tuple[int, int], _Rows]
"""By the condition and the number of the copy."""


class _Way(NamedTuple):
    """A condition that is ready."""

    name: str
    digest: str
    ready: Ready


def _ways(conditions: Sequence[Condition], temp: Path) -> Iterator[_Way]:
    for number, one in enumerate(conditions):
        place = temp / str(number)
        place.mkdir()
        yield _Way(one.name, one.digest, one.ready(place))


def _items(
    asked: Sequence[tuple[Path, Dataset]],
    kinds: Sequence[str],
    conditions: Sequence[Condition],
    copies: int,
) -> Iterator[Item]:
    """One for each file and copy, those of a file together: it is in the system's memory then."""
    files: dict[tuple[Path, str], set[str]] = {}
    for folder, dataset in asked:
        for number in np.flatnonzero(dataset.places >= 0).tolist():
            place = folder, dataset.files[number]
            files.setdefault(place, set()).add(dataset.input.kept_under)
    for (folder, path), wanted in files.items():
        for number, one in enumerate(conditions):
            for k in range(1, copies + 1):
                name = _called(path, one.name, k)
                row: Row = {"path": name, "source": name, "folder": folder, "file": path}
                row |= {"condition": number, "copy": k}
                row["kinds"] = tuple(kind for kind in kinds if kind in wanted)
                yield Item(f"{folder} {name}", os.path.join(folder, path), row)


def _called(path: str, condition: str, k: int) -> str:
    """What an altered track is called, for people."""
    return f"{path} ({condition})" if k == 1 else f"{path} ({condition}, {k})"


def describe_altered(
    inputs: Mapping[str, Input], ways: Sequence[_Way], seed: int, item: Item, work: Work
) -> list[Output]:
    """The job: see that the altered track is in the cache, and of each kind say under which key.

    Raises
    ------
    ItemError : the file cannot be read, or not be altered.
    """
    way, path, k = ways[item.row["condition"]], item.row["file"], item.row["copy"]
    whole = json.dumps([key_of(item.source), way.digest, seed, path, k])
    key = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()
    made = _Made(way, seed, path, k, item.source, work)
    outputs = [_described(inputs[kind], kind, key, made) for kind in item.row["kinds"]]
    for again in outputs[1:]:  # what is odd about the sound is said once
        again.warning = ""
    return outputs


def _described(wanted: Input, kind: str, key: str, made: _Made) -> Output:
    """One kind of values of a sound, or why there are none."""
    row: Row = {"kinds": (kind,), "content": key}
    make = partial(made.described, wanted)
    try:
        described = cached(kept_folder(wanted), key, wanted.breadth, make)
        check_described(described)
    except ItemError as error:
        if made.failed:
            raise
        return Output(row, error=error)
    row |= {"sizes": described.sizes.tolist(), "odd": described.warning}
    return Output(row, warning=described.warning)


class _Made:
    """A sound under a condition, altered once it is asked for, and once."""

    def __init__(self, way: _Way, seed: int, path: str, k: int, source: str, work: Work) -> None:
        self._way, self._seed, self._path, self._k = way, seed, path, k
        self._source, self._work = source, work
        self._altered: Altered | None = None
        self.failed = False

    def described(self, wanted: Input) -> Described:
        """As `mgrkit.datasets.describing.describe`, with what is to be warned of."""
        assert wanted.frontend is not None
        if self._altered is None:
            self.failed = True
            self._altered = self._apply()
            self.failed = False
        sound = _Held(self._altered.samples, self._altered.rate)
        rate = wanted.frontend.sample_rate or sound.rate
        told = described_pieces(sound, rate, wanted.piece, wanted.breadth)
        return replace(told, warning="; ".join(self._altered.warnings))

    def _apply(self) -> Altered:
        name = self._way.name
        samples, rate = _whole(self._source, self._work)
        try:
            made = self._way.ready.apply(samples, rate, self._seed, self._path, self._k)
        except ItemError as error:
            what = f"under {name}: {error.message}"
            raise ItemError(error.reason, what, error.hint, error.again) from error
        if not made.samples.size:
            raise ItemError("too-short", f"{name} leaves nothing of the sound")
        if not np.isfinite(made.samples).all():
            raise ItemError("non-finite", f"{name} makes NaN or infinity of it")
        return made


def _whole(path: str, work: Work) -> tuple[Floats, int]:
    """All samples of a file, ``(channels, frames)``, and their rate."""
    blocks, count = [], 0
    with open_sound(path, work.allow) as sound:
        for block in sound.blocks():
            blocks.append(block)
            count += block.size
            if count > MOST_SAMPLES:
                minutes = MOST_SAMPLES / sound.channels / sound.rate / 60
                raise ItemError("too-long", f"more than {minutes:.0f} min cannot be altered")
        return np.concatenate(blocks, axis=1), sound.rate


@dataclass(frozen=True)
class _Held:
    """A sound in memory, as `mgrkit.audio.pieces` takes it."""

    samples: Floats
    rate: int

    def blocks(self) -> Iterable[Floats]:
        frames = self.samples.shape[1]
        return (self.samples[:, at : at + _BLOCK] for at in range(0, frames, _BLOCK))


def _all_under(
    folder: Path, dataset: Dataset, ways: Sequence[_Way], copies: int, found: _Found
) -> Under:
    """The dataset under all conditions; the first copy has the notes of all of its condition."""
    under: Under = {}
    files = [dataset.files[number] for number in np.flatnonzero(dataset.places >= 0)]
    for n, way in enumerate(ways):
        of = [
            [found[n, k][folder, file, dataset.input.kept_under] for file in files]
            for k in range(1, copies + 1)
        ]
        notes = (*way.ready.warnings, *_notes(way.name, [row for rows in of for row in rows]))
        for k, rows in enumerate(of, 1):
            under[way.name, k] = _under(folder, dataset, way.name, k, rows, notes)
            notes = ()
    return under


def _under(
    folder: Path, dataset: Dataset, name: str, k: int, of: Sequence[Row], notes: tuple[str, ...]
) -> Dataset:
    """The tracks all of whose files have values, as copies of those of the dataset."""
    wanted = dataset.input
    chosen = np.flatnonzero(dataset.places >= 0)
    is_good = np.array([row["status"] == "ok" for row in of])
    lost = set(dataset.places[chosen[~is_good]].tolist())
    kept = [track for track in range(len(dataset.entries)) if track not in lost]
    place = np.full(len(dataset.entries), -1, np.int64)
    place[kept] = np.arange(len(kept))
    read = place[dataset.places[chosen]] >= 0
    used = [row for row, is_read in zip(of, read, strict=True) if is_read]
    cache, gone = kept_folder(wanted), vanished(folder)

    def values(number: int) -> list[NDArray[Any]]:
        one = cached(cache, used[number]["content"], wanted.breadth, gone)
        return np.split(one.values, np.cumsum(one.sizes)[:-1])

    entries = [dataset.entries[track] for track in kept]
    return Dataset(
        tuple(
            replace(one, name=_called(one.name, name, k), digest="", noisy=True, noise=name, snr="")
            for one in entries
        ),
        wanted,
        OfPieces(wanted, [row["sizes"] for row in used], values),
        place[dataset.places[chosen[read]]],
        notes,
        tuple(
            replace(dataset.labelled[track], same=(), copied=one.parent, derived=True)
            for track, one in zip(kept, entries, strict=True)
        ),
        failed=int((~is_good).sum()),
        files=tuple(row["file"] for row in used),
    )


def tracks_kept(dataset: Dataset, under: Dataset, name: str, k: int = 1) -> list[int]:
    """Where the tracks of an altered dataset stand in the one that it was made of."""
    place = {_called(one.name, name, k): track for track, one in enumerate(dataset.entries)}
    return [place[one.name] for one in under.entries]


def _notes(name: str, rows: Sequence[Row]) -> Iterator[str]:
    """What was left out, and what is odd, by reason, each with the first file."""
    failed = [row for row in rows if row["status"] != "ok"]
    warned = [row for row in rows if row["status"] == "ok" and row["odd"]]
    for what, column, some in (
        ("left out", "reason", failed), ("with a warning", "odd", warned),
    ):  # fmt: skip
        if some:
            reasons = Counter(str(row[column]).partition(":")[0] for row in some).most_common()
            counts = ", ".join(f"{number} {reason}" for reason, number in reasons)
            yield (
                f"under {name}, {len(some)} of {len(rows)} files {what}: {counts} (the first: "
                f"{some[0]['path']}: {some[0][column]})"
            )
