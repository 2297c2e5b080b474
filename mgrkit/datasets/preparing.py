"""A folder of sound or pictures by genre, or a track table, as a dataset."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.batch import Item, Options, Output, Report, Summary, Work
from mgrkit.batch.model import Row
from mgrkit.datasets.building import OfPieces
from mgrkit.datasets.dataset import Dataset
from mgrkit.datasets.describing import check_described, check_kept, kept_folder, kept_track
from mgrkit.datasets.entries import DataTrack
from mgrkit.datasets.genres import genre_key
from mgrkit.datasets.jobs import all_rows
from mgrkit.datasets.labels import AS_STATED, Labels, read_tagged
from mgrkit.datasets.prepared import Described, cached
from mgrkit.errors import RunError, UsageError
from mgrkit.files.cache import cache_folder
from mgrkit.frontend import FrontEnd
from mgrkit.inputs.kinds import PICTURES, Input, Pictures, is_picture
from mgrkit.inputs.windows import over_time
from mgrkit.inputs.wording import distinct_name, how_to_get, no_sound
from mgrkit.tracks.find import Finder, Search, check_readable, passed_over
from mgrkit.tracks.lineage import Lineage, said_twice
from mgrkit.tracks.schema import NOISE, RECORDING_OF, SNR, SPLIT_BY
from mgrkit.tracks.sources import Source

if TYPE_CHECKING:
    from numpy.typing import NDArray


def prepare(
    folder: Path,
    wanted: Input,
    table: Path | None,
    options: Options | None = None,
    report: Report | None = None,
    labels: Labels = AS_STATED,
) -> Dataset:
    """The examples of all tracks below ``folder``, or of the files that ``table`` lists.

    What is made of sound is kept in the user's cache by content, so that the next call reads
    it. Files that cannot be used are left out, counted by reason in the notes.

    Raises
    ------
    RunError : there is nothing, or nothing that can be used.
    UsageError : pictures where ``wanted`` is none, or pictures of two front ends; a table that
        gives a file two genres, or two parts; folders of artists that would be learnt as genres,
        or pictures, whose tags are asked for.
    Stopped : a person ended the run; what is finished is kept.
    """
    data = table or folder
    if not table:
        check_readable(folder)
    lineage = Source(folder, table).lineage()
    _check_torn(lineage)
    finder = _finder(folder, lineage, listed=table is not None)
    drawn = _is_of_pictures(finder, data)
    if drawn:
        finder = replace(finder, search=Search(PICTURES))
        _check_pictures(wanted, data)
    else:
        _check_sound(wanted)
    twin = replace(finder, ignored=Counter())
    lineage.paths = lambda: (track.path for track in twin)
    labels.check(data, folder, lineage, drawn=drawn)
    if labels.by_tag:
        finder = _by_tags(data, finder, lineage, labels, options, report)
    job = read_track if drawn else partial(describe_track, wanted)
    rows, summary = _rows(finder, lineage, job, options, report)
    what = "picture" if drawn else "sound"
    every = not table and not labels.by_tag
    found = lineage.messages(folder, every=every, what=what if drawn else "sound file")
    notes = (*found, *_left_out(summary, report), *_warned(rows), *_passed_over(finder, drawn))
    if not rows:
        raise RunError(f"no {what} in {data} can be used", "; ".join(notes) or "there is none")
    read = _of_pictures if drawn else _of_sound
    return replace(read(data, rows, wanted), notes=notes, failed=summary.failed)


def _finder(folder: Path, lineage: Lineage, *, listed: bool) -> Finder:
    """The files that the table lists, or all but those that it says are of no use."""

    def without(_: Path, path: str) -> bool:
        return lineage.is_without(path)

    return Finder([folder], None, list(lineage.rows) if listed else None, without=without)


def _by_tags(
    data: Path,
    finder: Finder,
    lineage: Lineage,
    labels: Labels,
    options: Options | None,
    report: Report | None,
) -> Finder:
    """Let the lineage have the genres that tags name; the files but those that name none."""
    readable = ((track.path, track.file) for track in finder if not track.problem)
    tagged = read_tagged(data, readable, finder.count, labels, lineage.is_copy, options, report)
    lineage.genres, lost = tagged.genres, tagged.lost
    lineage.notes += tagged.notes
    files, passed = finder.files, finder.without

    def without(root: Path, path: str) -> bool:
        return path in lost or (passed is not None and passed(root, path))

    kept = None if files is None else [path for path in files if path not in lost]
    return replace(finder, files=kept, without=without)


def _check_torn(lineage: Lineage) -> None:
    """Raise UsageError if a path has two genres, not two spellings of one, or two parts."""
    torn = [one for one in lineage.torn if genre_key(one[2]) != genre_key(one[3])]
    if torn:
        raise UsageError(said_twice(lineage.table, torn), "one row a file")


def _rows(
    finder: Finder,
    lineage: Lineage,
    job: Callable[[Item, Work], list[Output]],
    options: Options | None,
    report: Report | None,
) -> tuple[list[Row], Summary]:
    """What the job gave of each track that can be used, by path; Stopped if a person ends it."""
    rows, summary = all_rows(_items(finder, lineage), job, finder.count, options, report)
    good = (row for row in rows if row["status"] == "ok")
    return sorted(good, key=lambda row: str(row["path"])), summary


def _check_pictures(wanted: Input, data: Path) -> None:
    if not isinstance(wanted, Pictures):
        raise UsageError(
            f"{data} holds pictures, {wanted.name} is made of sound",
            "give the sound, or a feature table",
        )


def _is_of_pictures(finder: Finder, data: Path) -> bool:
    if finder.files is None:
        if next(iter(finder), None):
            return False
        return next(iter(replace(finder, search=Search(PICTURES))), None) is not None
    drawn = set(map(is_picture, finder.files))
    if len(drawn) > 1:
        raise UsageError(f"{data} lists sound and pictures", "one of them a table")
    return drawn == {True}


def _check_sound(wanted: Input) -> None:
    """What is known to fail for all tracks is said once."""
    if wanted.frontend is None:
        raise UsageError(no_sound("the model", wanted), how_to_get(wanted))
    check_kept(wanted)


def _items(finder: Finder, lineage: Lineage) -> Iterator[Item]:
    for track in finder:
        row: Row = {**lineage.of(track.path), "path": track.path, "source": track.path}
        row["noisy"] = lineage.is_noisy(track.path)
        yield Item(track.path, track.file, row, error=track.problem)


def describe_track(wanted: Input, item: Item, work: Work) -> list[Output]:
    """The job for sound: see that the track is in the cache; the row says under which key.

    Raises
    ------
    ItemError : ``unreadable``, or no piece has values: the first one's reason.
    """
    from mgrkit.audio.tags.artist import artist_tag

    key, described = kept_track(wanted, item.source, work)
    check_described(described)
    group = item.row["group"] or artist_tag(item.source)
    row: Row = {"content": key, "sound": described.sound, "group": group}
    row |= {"sizes": described.sizes.tolist(), "bytes": os.path.getsize(item.source)}
    return [Output(row, warning=described.warning)]


def read_track(item: Item, work: Work) -> list[Output]:
    """The job for pictures: the picture itself, which the dataset will hold anyway."""
    del work
    from mgrkit.spectrograms import read_picture

    picture = read_picture(item.source)
    row: Row = {
        "values": over_time(picture.values),
        "frontend": picture.frontend,
        # Ours say which sound they show; several pieces may show one.
        "source": picture.source or item.row["path"],
    }
    if item.row["parent"] == item.row["path"]:
        row["parent"] = row["source"]
    return [Output(row)]


def _left_out(summary: Summary, report: Report | None) -> Iterator[str]:
    """How many files failed and why; one of them, unless a report has named them all."""
    if summary.failed:
        reasons = Counter(summary.reasons).most_common()
        counts = ", ".join(f"{number} {reason}" for reason, number in reasons)
        path, text = summary.examples[0]
        first = "" if report else f" (the first: {path}: {text})"
        yield f"{summary.failed} files left out: {counts}{first}"


def _warned(rows: Sequence[Row]) -> Iterator[str]:
    odd = [row for row in rows if row["reason"]]
    if odd:
        yield f"{len(odd)} files with a warning (the first: {odd[0]['path']}: {odd[0]['reason']})"


def _passed_over(finder: Finder, pictures: bool) -> Iterator[str]:
    """Pictures beside sound may be covers, or what was meant."""
    drawn = sum(n for suffix, n in finder.ignored.items() if suffix in PICTURES)
    if drawn and not pictures:
        yield f"{drawn} pictures passed over: where there is sound, that is what counts"
    others = {why: n for why, n in finder.ignored.items() if why not in PICTURES}
    if others:
        yield passed_over(others)


def _of_sound(data: Path, rows: Sequence[Row], wanted: Input) -> Dataset:
    """The rows in the order of their paths; what the cache holds of them is read when wanted."""
    folder, breadth, gone = kept_folder(wanted), wanted.breadth, vanished(data)

    def values(number: int) -> list[NDArray[Any]]:
        one = cached(folder, rows[number]["content"], breadth, gone)
        return np.split(one.values, np.cumsum(one.sizes)[:-1])

    entries = [_entry(row, row["path"], row["sound"], row["bytes"]) for row in rows]
    files = tuple(row["path"] for row in rows)
    return replace(_dataset(entries, wanted, [row["sizes"] for row in rows], values), files=files)


def _of_pictures(data: Path, rows: Sequence[Row], wanted: Input) -> Dataset:
    """The pictures by the sound that they show, each sound's in the order of their paths."""
    of_source: dict[str, list[Row]] = {}
    drawn: dict[tuple[FrontEnd | None, int], str] = {}
    for row in rows:
        of_source.setdefault(row["source"], []).append(row)
        bands = row["values"].shape[1]
        drawn.setdefault((row["frontend"], 0 if row["frontend"] else bands), row["path"])
    assert isinstance(wanted, Pictures)
    kinds = [Pictures(front, wanted.frames, bands) for front, bands in drawn]
    if len(kinds) > 1:
        first, other = list(drawn.values())[:2]
        raise UsageError(
            f"{data} holds pictures of {len(kinds)} kinds: {first} ({kinds[0].name}) and {other} "
            f"({distinct_name(kinds[1], kinds[0])})",
            f"one kind a folder: {how_to_get(kinds[0])}",
        )
    # Out of the rows, which whoever ran the jobs may hold on to.
    values = {
        n: [row.pop("values") for row in members] for n, members in enumerate(of_source.values())
    }
    sizes = [[len(part) for part in parts] for parts in values.values()]
    entries = [
        _entry(members[0], source, _digest(parts), sum(map(len, parts)))
        for (source, members), parts in zip(of_source.items(), values.values(), strict=True)
    ]
    return _dataset(entries, kinds[0], sizes, values.pop)


def _entry(row: Row, name: str, digest: str, length: float) -> DataTrack:
    parent, genre, group, part = (row[c] for c in ("parent", "genre", "group", "split"))
    noise, snr, by, of = (row.get(c, "") for c in (NOISE, SNR, SPLIT_BY, RECORDING_OF))
    return DataTrack(
        name, parent, genre, group, part, digest, row["noisy"], length,
        noise=noise, snr=snr, split_by=by, recording_of=of,
    )  # fmt: skip


def _digest(values: Sequence[NDArray[Any]]) -> str:
    """Of the pixels of a track: the same picture under two names is one."""
    digest = hashlib.sha256()
    for part in values:
        digest.update(repr(part.shape).encode())
        digest.update(part.data)
    return digest.hexdigest()


def _dataset(
    entries: Sequence[DataTrack],
    wanted: Input,
    sizes: Sequence[Sequence[int]],
    values: Callable[[int], Sequence[NDArray[Any]]],
) -> Dataset:
    fitted = wanted.fitted([size for track in sizes for size in track])
    build = OfPieces(fitted, sizes, values)
    return Dataset(tuple(entries), fitted, build, np.arange(len(entries)))


def vanished(data: Path) -> Callable[[], Described]:
    """For `cached`, where all has just been made; raises RunError."""

    def fail() -> Described:
        raise RunError(
            f"what was made of {data} has vanished from the cache {cache_folder()}",
            "the same command makes it again",
        )

    return fail
