"""A dataset of sound as it is heard under conditions: noise, codecs, rooms, recipes.

Each sound is altered as a whole, in memory, before it is cut into pieces; no file is written but
what the cache keeps of the values, as it does for sounds that are plain.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.audio import open_sound
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
from mgrkit.datasets.prepared import Described, cached
from mgrkit.datasets.preparing import all_rows, vanished
from mgrkit.errors import ItemError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.augment.conditions import Condition, Ready
    from mgrkit.batch.model import Row
    from mgrkit.inputs.kinds import Input

    Floats = NDArray[np.float32]

MOST_SAMPLES = 2**28
"""Of all channels of a sound that is altered in memory: 1 GiB, 100 minutes in stereo at 22 kHz."""
_BLOCK = 2**18


def altered(
    folder: Path,
    dataset: Dataset,
    conditions: Sequence[Condition],
    *,
    seed: int = 0,
    copies: int = 1,
    options: Options | None = None,
    report: Report | None = None,
) -> dict[tuple[str, int], Dataset]:
    """The dataset under each condition, by its name and the copy's number from 1.

    Each holds the same tracks in the same order, as copies of them (`DataTrack.is_copy`) with their
    ids, artists and parts, but for those that failed, a file of which could not be altered or used:
    its notes count them by reason, and so does ``failed``.

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
    if not dataset.files:
        message = f"{folder} holds no sound but {dataset.input.name}, which cannot be altered"
        raise UsageError(message, "give the sound that they were made of")
    check_kept(dataset.input)
    options = options or Options()
    if any(one.processes for one in conditions):
        options = replace(options, processes=True)
    which = [(n, k) for n in range(len(conditions)) for k in range(1, copies + 1)]
    rows = _rows(folder, dataset, conditions, which, seed, options, report)
    return {
        (conditions[n].name, k): _under(folder, dataset, conditions[n].name, k, rows[n, k])
        for n, k in which
    }


def _rows(
    folder: Path,
    dataset: Dataset,
    conditions: Sequence[Condition],
    which: Sequence[tuple[int, int]],
    seed: int,
    options: Options,
    report: Report | None,
) -> dict[tuple[int, int], dict[int, Row]]:
    """By condition and copy the row of each file, by its number among those that were read."""
    items = list(_items(folder, dataset, conditions, which))
    with TemporaryDirectory(prefix="mgrkit-") as temp:
        job = partial(
            describe_altered,
            dataset.input,
            [one.name for one in conditions],
            [one.digest for one in conditions],
            list(_readied(conditions, Path(temp))),
            seed,
        )
        rows, _ = all_rows(items, job, lambda: len(items), options, report)
    found: dict[tuple[int, int], dict[int, Row]] = {pair: {} for pair in which}
    for row in rows:
        found[row["condition"], row["copy"]][row["number"]] = row
    return found


def _readied(conditions: Sequence[Condition], temp: Path) -> Iterator[Ready]:
    for number, one in enumerate(conditions):
        place = temp / str(number)
        place.mkdir()
        yield one.ready(place)


def _items(
    folder: Path,
    dataset: Dataset,
    conditions: Sequence[Condition],
    which: Sequence[tuple[int, int]],
) -> Iterator[Item]:
    """One for each file and copy, those of a file together: it is in the system's memory then."""
    for number in np.flatnonzero(dataset.places >= 0).tolist():
        path = dataset.files[number]
        for condition, k in which:
            name = _called(path, conditions[condition].name, k)
            row: Row = {"path": name, "source": name}
            row |= {"condition": condition, "copy": k, "number": number}
            yield Item(name, os.path.join(folder, path), row, args=(path, condition, k))


def _called(path: str, condition: str, k: int) -> str:
    """What an altered track is called, for people."""
    return f"{path} ({condition})" if k == 1 else f"{path} ({condition}, {k})"


def describe_altered(
    wanted: Input,
    names: Sequence[str],
    digests: Sequence[str],
    readies: Sequence[Ready],
    seed: int,
    item: Item,
    work: Work,
) -> list[Output]:
    """The job: see that the altered track is in the cache; the row says under which key.

    Raises
    ------
    ItemError : the file cannot be read, not be altered, or no piece of what it becomes has values.
    """
    path, condition, k = item.args
    whole = json.dumps([key_of(item.source), digests[condition], seed, path, k])
    key = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()
    make = partial(_made, wanted, names[condition], readies[condition], seed, item, work)
    described = cached(kept_folder(wanted), key, wanted.breadth, make)
    check_described(described)
    row: Row = {"content": key, "sizes": described.sizes.tolist()}
    return [Output(row, warning=described.warning)]


def _made(wanted: Input, name: str, ready: Ready, seed: int, item: Item, work: Work) -> Described:
    assert wanted.frontend is not None
    path, _, k = item.args
    samples, rate = _whole(item.source, work)
    try:
        made = ready.apply(samples, rate, seed, path, k)
    except ItemError as error:
        what = f"under {name}: {error.message}"
        raise ItemError(error.reason, what, error.hint, error.again) from error
    if not made.samples.size:
        raise ItemError("too-short", f"{name} leaves nothing of the sound")
    if not np.isfinite(made.samples).all():
        raise ItemError("non-finite", f"{name} makes NaN or infinity of it")
    sound = _Held(made.samples, made.rate)
    rate = wanted.frontend.sample_rate or made.rate
    told = described_pieces(sound, rate, wanted.piece, wanted.breadth)
    return replace(told, warning="; ".join(made.warnings))


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


def _under(folder: Path, dataset: Dataset, name: str, k: int, rows: dict[int, Row]) -> Dataset:
    """The tracks all of whose files have values, as copies of those of the dataset."""
    chosen = np.flatnonzero(dataset.places >= 0).tolist()
    good = {number for number in chosen if rows[number]["status"] == "ok"}
    lost = {int(dataset.places[number]) for number in chosen if number not in good}
    kept = [track for track in range(len(dataset.entries)) if track not in lost]
    read = [number for number in chosen if int(dataset.places[number]) not in lost]
    place = np.full(len(dataset.entries), -1, np.int64)
    place[kept] = np.arange(len(kept))
    cache, breadth, gone = kept_folder(dataset.input), dataset.input.breadth, vanished(folder)

    def values(index: int) -> list[NDArray[Any]]:
        one = cached(cache, rows[read[index]]["content"], breadth, gone)
        return np.split(one.values, np.cumsum(one.sizes)[:-1])

    entries = [dataset.entries[track] for track in kept]
    return Dataset(
        tuple(
            replace(one, name=_called(one.name, name, k), digest="", noisy=True, noise=name, snr="")
            for one in entries
        ),
        dataset.input,
        OfPieces(dataset.input, [rows[number]["sizes"] for number in read], values),
        place[dataset.places[read]],
        tuple(_notes(name, [rows[number] for number in chosen])),
        tuple(
            replace(dataset.labelled[track], same=(), copied=one.parent, derived=True)
            for track, one in zip(kept, entries, strict=True)
        ),
        failed=len(chosen) - len(good),
        files=tuple(dataset.files[number] for number in read),
    )


def _notes(name: str, rows: Sequence[Row]) -> Iterator[str]:
    """What was left out, and what is odd, by reason, each with the first file."""
    failed = [row for row in rows if row["status"] != "ok"]
    warned = [row for row in rows if row["status"] == "ok" and row["reason"]]
    for what, some in (("left out", failed), ("with a warning", warned)):
        if some:
            reasons = Counter(str(row["reason"]).partition(":")[0] for row in some).most_common()
            counts = ", ".join(f"{number} {reason}" for reason, number in reasons)
            yield (
                f"under {name}, {len(some)} of {len(rows)} files {what}: {counts} (the first: "
                f"{some[0]['path']}: {some[0]['reason']})"
            )
