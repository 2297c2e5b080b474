"""``mgrkit data audit``: every leak between the parts of a split, and what leaks are worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgrkit.classifiers.base import silent, unheard
from mgrkit.compute.collector import paused_collector
from mgrkit.datasets.catalogue import Progress, Tags, catalogued, read_rows, unseen
from mgrkit.datasets.entries import DataTrack, artist_folders, belonging, labelled
from mgrkit.datasets.labels import Labels
from mgrkit.datasets.reading import read_dataset
from mgrkit.datasets.tag_rows import labelled_rows, said_missing
from mgrkit.errors import UsageError
from mgrkit.experiments.inflation import Inflation, inflation
from mgrkit.experiments.training import Recipe
from mgrkit.inputs.kinds import input_of
from mgrkit.registry.loader import installed
from mgrkit.tracks.leaks import ARTIST, Leak, counted, find_leaks, in_order, leaky_words
from mgrkit.tracks.sources import Source
from mgrkit.tracks.splits import PARTS, UNKNOWN, Labelled, check_split, published_part, stated

if TYPE_CHECKING:
    from mgrkit.batch import Options, Report

_EXAMPLES = 3
_UNHEARD = "only what the table says of them is known"


@dataclass(frozen=True)
class Example:
    """A leak by its tracks, one of each part.

    Parameters
    ----------
    artist : whose, where it is an artist that is torn; else ''.
    tracks : the path and the part of each.
    """

    kind: str
    artist: str
    tracks: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class OfSplit:
    """What was found in one split.

    Parameters
    ----------
    column : 'split' or 'fold'.
    words : of the split, with its leaks.
    parts : how many tracks each has, '' being those in none.
    leaks : how many there are of each kind of `mgrkit.tracks.leaks.KINDS`.
    examples : the first three of each kind.
    """

    column: str
    words: str
    parts: dict[str, int]
    leaks: dict[str, int]
    examples: tuple[Example, ...]

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        examples = [
            {
                "kind": one.kind,
                "artist": one.artist,
                "tracks": [{"path": path, "part": part} for path, part in one.tracks],
            }
            for one in self.examples
        ]
        parts = {part or "none": count for part, count in self.parts.items()}
        return {"words": self.words, "parts": parts, "leaks": self.leaks, "examples": examples}


@dataclass(frozen=True)
class Audited:
    """What was found.

    Parameters
    ----------
    tracks : how many there are.
    splits : one for each column that splits them.
    notes : what a person should know, above all what could not be seen.
    """

    tracks: int
    splits: tuple[OfSplit, ...]
    notes: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """1 if there is a leak."""
        return int(any(sum(one.leaks.values()) for one in self.splits))

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        splits = {one.column: one.as_json() for one in self.splits}
        notes = list(self.notes)
        return {"tracks": self.tracks, **splits, "notes": notes, "exit_code": self.exit_code}


@paused_collector()
def audit(
    data: Path,
    progress: Progress = unseen,
    *,
    table: Path | None = None,
    label_from: str = "",
    options: Options | None = None,
    report: Report | None = None,
) -> Audited:
    """Find every leak between the parts of the splits that DATA has: parts, and folds.

    Parameters
    ----------
    data : a track table, a feature table, or a folder; in a folder the tags of files whose artist
        nothing else tells are read.
    table : of the files of the folder ``data``, instead of its own.
    label_from : as the ``by`` of `mgrkit.datasets.labels.Labels`; files whose tags name no genre
        are left out.
    options, report : of the run that reads genres from tags.

    Raises
    ------
    UsageError : DATA has no split, a part of another name, or all of it in one part.
    RunError : DATA cannot be read, or lists nothing.
    """
    notes: list[str] = []
    source, labels = Source.of(data, table), Labels(label_from)
    frame = read_rows(source.table or data, notes)
    frame, lost = labelled_rows(data, source.folder, frame, labels, notes, options, report)
    frame = frame.filter(~frame["path"].is_in(list(lost)))
    tags = Tags(data, len(frame), progress) if data.is_dir() else None
    both = catalogued(frame, notes, tags)
    entries, _ = belonging([entry for entry, _ in both], notes)
    tracks = labelled(entries)
    if folders := artist_folders(entries, tracks):
        tracks = tuple(replace(one, group=f) for one, f in zip(tracks, folders, strict=True))
        notes.append("artists are taken from the folders below the genres")
    names = [entry.name for entry in entries]
    parts = [_part(*pair) for pair in zip(entries, tracks, strict=True)]
    folds = [fold for _, fold in both]
    splits = [
        _of_split(column, names, tracks, its)
        for column, its in (("split", parts), ("fold", folds))
        if any(its)
    ]
    _check(data, splits)
    notes += [*said_missing(source.folder, names, _UNHEARD), *_notes(entries, tracks)]
    return Audited(len(tracks), tuple(splits), tuple(notes))


def measure(
    classifier: str,
    data: Path,
    seeds: int = 3,
    *,
    split: str | None = None,
    table: Path | None = None,
    feature_set: str | None = None,
    device: str = "auto",
    label_from: str = "",
    options: Options | None = None,
    report: Report | None = None,
    say: Callable[[str], None] = unheard,
    progress: Callable[[int, int, Mapping[str, float]], None] = silent,
) -> Inflation:
    """How much too good a classifier is on a random split; see `mgrkit.experiments.inflation`.

    Parameters
    ----------
    data : as for `mgrkit.commands.train.train`.
    seeds : fits on each kind of split.
    split : 'published', 'grouped', or None for the first of them that DATA allows.
    table : as for `audit`.
    label_from : as the ``by`` of `mgrkit.datasets.labels.Labels`.

    Raises
    ------
    UsageError, RunError : what `mgrkit.commands.train.train` raises; or a random ``split``.
    """
    check_split(split)
    Labels(label_from)
    if split == "random":
        raise UsageError("--split random is what it is compared with", "published or grouped")
    entry = installed().classifier(classifier)
    wanted = input_of(entry.spec.eats, classifier, None, feature_set, device)

    def recipe(seed: int) -> Recipe:
        return Recipe.of(entry, {}, seed, device=device)

    recipe(0)
    labels = Labels(label_from, learns=True)
    dataset = read_dataset(data, wanted, options, report, table, labels=labels)
    return inflation(dataset, recipe, seeds, source=data, how=split, say=say, progress=progress)


def _part(entry: DataTrack, label: Labelled) -> str:
    """A copy's own part, which its recording's does not replace here."""
    return published_part(entry.part) if entry.is_copy else label.part


def _of_split(
    column: str, names: Sequence[str], tracks: Sequence[Labelled], parts: Sequence[str]
) -> OfSplit:
    leaks = find_leaks(tracks, parts)
    words = stated(tracks, parts)[1] if column == "split" else f"{len({*parts} - {''})} folds"
    counts = Counter(parts)
    order = [*(part for part in PARTS if part in counts), *sorted({*counts} - {*PARTS, ""}), ""]
    return OfSplit(
        column,
        leaky_words(leaks, words),
        {part: counts[part] for part in order if counts[part]},
        counted(leaks),
        tuple(_examples(names, tracks, parts, leaks)),
    )


def _examples(
    names: Sequence[str], tracks: Sequence[Labelled], parts: Sequence[str], leaks: Sequence[Leak]
) -> Iterator[Example]:
    shown = Counter[str]()
    for leak in leaks:
        shown[leak.kind] += 1
        if shown[leak.kind] <= _EXAMPLES:
            originals_first = sorted(leak.tracks, key=lambda i: tracks[i].derived)
            of_part = {parts[i]: names[i] for i in reversed(originals_first)}
            order = sorted(of_part, key=in_order)
            artist = tracks[leak.tracks[0]].group if leak.kind == ARTIST else ""
            yield Example(leak.kind, artist, tuple((of_part[part], part) for part in order))


def _check(data: Path, splits: Sequence[OfSplit]) -> None:
    if not splits:
        raise UsageError(
            f"{data} has no split: no column split or fold, no folders train and test",
            "mgrkit data split makes one",
        )
    for one in splits:
        there = [part for part in one.parts if part]
        if len(there) == 1:
            what = f"all tracks of {data} are in {there[0]}: there is no other part"
            raise UsageError(what, f"see its column {one.column}, or the folders")


def _notes(entries: Sequence[DataTrack], tracks: Sequence[Labelled]) -> Iterator[str]:
    """Sounds under two genres, and what nothing tells."""
    genres: dict[str, dict[str, str]] = {}
    for entry, track in zip(entries, tracks, strict=True):
        for mark in track.same if entry.genre else ():
            genres.setdefault(mark, {}).setdefault(entry.genre, entry.name)
    torn = [held for held in genres.values() if len(held) > 1]
    if torn:
        shown = ", ".join(f"{path} {genre}" for genre, path in list(torn[0].items())[:2])
        yield f"sounds under two genres: {len(torn)} ({shown})"
    if not any(track.same for track in tracks):
        yield "exact duplicates are not seen: mgrkit data check fills a column duplicate_of"
    if not any(track.heard for track in tracks):
        yield "copies in other formats are not seen: mgrkit duplicates --out adds recording_of"
    if unknown := sum(not track.group for track in tracks):
        yield f"{UNKNOWN} for {unknown} of {len(tracks)} tracks"
