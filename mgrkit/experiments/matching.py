"""The same tracks in several DATA of one collection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from mgrkit.datasets.dataset import Dataset
from mgrkit.datasets.genres import genre_key, with_genres
from mgrkit.errors import RunError, UsageError, WeightsError
from mgrkit.tracks.linked import linked
from mgrkit.tracks.splits import Labelled


def first(data: Sequence[Path], read: Callable[[Path], Dataset]) -> tuple[Path, Dataset]:
    """The first DATA that can be read, and what it holds.

    Raises
    ------
    UsageError, RunError : what ``read`` raises of the only DATA, or all reasons in one.
    WeightsError : DATA that could be read if weights were here.
    """
    reasons: list[UsageError | RunError] = []
    for path in data:
        try:
            return path, read(path)
        except (UsageError, RunError) as error:
            reasons.append(error)
    lacking = [error for error in reasons if isinstance(error, WeightsError)]
    if lacking or len(reasons) == 1:
        raise [*lacking, *reasons][0]
    raise RunError("; ".join(error.message for error in reasons))


def aligned(read: Sequence[tuple[Path, Dataset]], notes: list[str]) -> list[Dataset]:
    """The tracks that all hold, in one order; adds to the notes what is left out.

    Of one DATA, tracks and noisy copies are the same by their names; of several, recordings are
    the same as `merged` finds them, and copies are left out.

    Raises
    ------
    RunError : they have no track in common.
    """
    datasets = [dataset for _, dataset in read]
    if len({path for path, _ in read}) == 1:
        names = [{e.name: i for i, e in enumerate(one.entries)} for one in datasets]
        common = [name for name in names[0] if all(name in other for other in names)]
        found = [one.take([of[n] for n in common]) for one, of in zip(datasets, names, strict=True)]
    else:
        places, tracks = merged(datasets, notes)
        common = [track.id for track in tracks]
        found = [
            _known(one.take([place[number] for place in places]), tracks)
            for number, one in enumerate(datasets)
        ]
        if copies := sum(entry.is_copy for entry in datasets[0].entries):
            notes.append(f"{copies} noisy copies left out: of one DATA alone they are judged")
    if not common:
        shown = ", ".join(dict.fromkeys(str(path) for path, _ in read))
        raise RunError(f"{shown} have no track in common", "DATA are of one collection")
    left = _recordings(found[0])
    for path, lost in dict.fromkeys((path, _recordings(one) - left) for path, one in read):
        if lost:
            notes.append(f"{path}: {lost} tracks left out, which a member of the vote lacks")
    return found


def _recordings(dataset: Dataset) -> int:
    return sum(not entry.is_copy for entry in dataset.entries)


def _known(dataset: Dataset, tracks: Sequence[Labelled]) -> Dataset:
    """With what all DATA together know of its tracks."""
    named = with_genres(dataset, [track.genre for track in tracks])
    labelled = tuple(
        replace(one, group=track.group, part=track.part, by=track.by)
        for one, track in zip(named.labelled, tracks, strict=True)
    )
    return replace(named, labelled=labelled)


def merged(
    datasets: Sequence[Dataset], notes: list[str]
) -> tuple[list[tuple[int, ...]], tuple[Labelled, ...]]:
    """Where each common track stands in each dataset, and what is known of it in any."""
    found = [
        ((number, index), marks)
        for number, dataset in enumerate(datasets)
        for index, marks in _marks(dataset).items()
    ]
    owners = [owner for owner, _ in found]
    places, tracks = [], []
    torn = 0
    for members in linked(marks for _, marks in found):
        where = [owners[member] for member in members]
        if [number for number, _ in where] != list(range(len(datasets))):
            continue  # not in all, or not once in each
        labels = [datasets[number].labelled[index] for number, index in where]
        if len({genre_key(label.genre) for label in labels}) > 1:
            torn += 1
            continue
        group = next((label.group for label in labels if label.group), "")
        part, by = next(((one.part, one.by) for one in labels if one.part), ("", ""))
        places.append(tuple(index for _, index in where))
        tracks.append(replace(labels[0], group=group, part=part, by=by))
    if torn:
        notes.append(f"{torn} tracks left out, of another genre in each DATA")
    return places, tuple(tracks)


def _marks(dataset: Dataset) -> dict[int, list[str]]:
    """By what each recording is known in other DATA: all that no other one here has.

    A feature table has the names of sound and a folder of pictures those of pictures, so names
    count without their suffix.
    """
    marks = {}
    for index, (entry, one) in enumerate(zip(dataset.entries, dataset.labelled, strict=True)):
        if not entry.is_copy:
            path = entry.parent.rpartition(".")[0] or entry.parent
            known = "" if one.id.startswith("name:") else one.id
            marks[index] = [known, f"path:{path}", f"stem:{path.rpartition('/')[2]}"]
    often = Counter(mark for several in marks.values() for mark in several)
    return {
        index: [mark for mark in several if mark and often[mark] == 1]
        for index, several in marks.items()
    }
