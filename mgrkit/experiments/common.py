"""One collection as several classifiers eat it: the tracks that are in every DATA, one split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mgrkit.datasets.dataset import Dataset
from mgrkit.datasets.genres import AS_SPELT, GenreMap, with_genres
from mgrkit.datasets.labels import AS_STATED, Labels
from mgrkit.datasets.reading import read_dataset
from mgrkit.errors import RunError, UsageError
from mgrkit.experiments.matching import first, merged
from mgrkit.inputs.columns import ALL, TableChoice
from mgrkit.inputs.kinds import Features, Input, input_of
from mgrkit.tracks.leaks import checked
from mgrkit.tracks.sources import check_data
from mgrkit.tracks.splits import Labelled, Split, make_split

if TYPE_CHECKING:
    from mgrkit.batch import Options, Report


@dataclass(frozen=True)
class Eaten:
    """The common tracks as one kind of example, with their noisy copies.

    Parameters
    ----------
    source : the DATA that they are from.
    dataset : its entries are the tracks of `Common`, in that order, then the copies.
    split : of those.
    """

    source: Path
    dataset: Dataset
    split: Split

    def with_split(self, split: Split) -> Eaten:
        """The same, split otherwise; copies are of the part of their track.

        Parameters
        ----------
        split : of the common tracks.
        """
        known = self.dataset.labelled
        place = {one.id: number for number, one in enumerate(known[: len(split.parts)])}
        parts = tuple(split.parts[place[one.id]] for one in known)
        return replace(self, split=replace(split, parts=parts))


@dataclass(frozen=True)
class Common:
    """What several classifiers are compared on.

    Parameters
    ----------
    tracks : id, genre, artist and published part of each, as the first DATA that says so.
    split : of the tracks.
    eaten : by what classifiers eat, as in their specs.
    lacking : why no DATA gives what some classifiers eat.
    notes : what a person should know but for the split's, above all what was left out.
    failed : files that could not be used, counted for each kind of example.
    """

    tracks: tuple[Labelled, ...]
    split: Split
    eaten: Mapping[str, Eaten]
    lacking: Mapping[str, str]
    notes: tuple[str, ...]
    failed: int

    def judged(self, part: str) -> list[int]:
        """The tracks of a part, of genres that train has.

        Raises
        ------
        UsageError : there is none.
        """
        both = list(zip(self.tracks, self.split.parts, strict=True))
        known = {track.genre for track, part in both if part == "train"}
        of_part = [i for i, (t, its) in enumerate(both) if its == part and t.genre in known]
        if not of_part:
            raise UsageError(f"there is no track to judge by in {part}", "another --part or DATA")
        return of_part

    def groups(self, which: Sequence[int]) -> list[str]:
        """The artists of these tracks; a track of unknown artist is a group by itself."""
        return [self.tracks[i].unit for i in which]


def read_common(
    data: Sequence[Path],
    wanted: Mapping[str, str],
    how: str | None = None,
    device: str = "auto",
    options: Options | None = None,
    report: Report | None = None,
    genres: GenreMap = AS_SPELT,
    feature_set: str | None = None,
    table: Path | None = None,
    choice: TableChoice = ALL,
    labels: Labels = AS_STATED,
) -> Common:
    """Read DATA, each kind of example from the first that holds it or can be made into it.

    A track is the same in two DATA if its id, its path or its name is. Tracks that one of those
    used lacks are left out, and so are noisy copies unless all hold as many of each track.

    Parameters
    ----------
    wanted : what is eaten, as in the spec of a classifier, with the name of one that eats it.
    how, device : the split, as for `mgrkit.tracks.splits.make_split`; where a network runs.
    genres, labels : what genres of DATA count as, and where they are from.
    feature_set, choice : that was asked for, so that other tables will not do; of columns.
    table : a track table whose rows name the files of the only folder in ``data`` that are taken.

    Raises
    ------
    UsageError : the common tracks cannot be split so, no DATA has a genre that is mapped, or the
        only DATA is of another kind.
    RunError : a DATA is not there, none can be used, or they have no track in common.
    """
    check_data(data, table)
    read, lacking = _read(data, table, wanted, device, feature_set, options, report, choice, labels)
    mapped = genres.applied(*(dataset for _, dataset in read.values()))
    read = {e: (path, one) for (e, (path, _)), one in zip(read.items(), mapped, strict=True)}
    notes = [note for dataset in mapped for note in dataset.notes]
    notes += [f"{p} is not used" for p in data if p not in {path for path, _ in read.values()}]
    places, tracks = merged(mapped, notes)
    notes += _lost(list(read.values()), len(places))
    split = checked(tracks, make_split(tracks, how, 0))
    eaten = {
        eats: _eaten(path, dataset, [place[number] for place in places], tracks, split)
        for number, (eats, (path, dataset)) in enumerate(read.items())
    }
    if len({_copies(one) for one in eaten.values()}) > 1:
        notes.append("noisy copies left out: not all DATA hold the same")
        eaten = {eats: _recordings(one, len(tracks)) for eats, one in eaten.items()}
    failed = sum(dataset.failed for dataset in mapped)
    return Common(tracks, split, eaten, lacking, (*dict.fromkeys(notes),), failed)


def _read(
    data: Sequence[Path],
    table: Path | None,
    wanted: Mapping[str, str],
    device: str,
    feature_set: str | None,
    options: Options | None,
    report: Report | None,
    choice: TableChoice,
    labels: Labels,
) -> tuple[dict[str, tuple[Path, Dataset]], dict[str, str]]:
    """What is eaten, each with the DATA that it is from; and why there is none for the others."""
    read: dict[str, tuple[Path, Dataset]] = {}
    refused: dict[str, UsageError | RunError] = {}

    def as_eaten(wanted: Input, path: Path) -> Dataset:
        which = choice if isinstance(wanted, Features) else ALL
        of_folder = table if path.is_dir() else None
        return read_dataset(path, wanted, options, report, of_folder, which, labels)

    for eats, name in wanted.items():
        try:
            asked = feature_set if eats.startswith("features:") else None
            read[eats] = first(data, partial(as_eaten, input_of(eats, name, None, asked, device)))
        except (UsageError, RunError) as error:
            refused[eats] = error
    if not read:
        raise next(iter(refused.values()))
    return read, {eats: str(error) for eats, error in refused.items()}


def _lost(read: Sequence[tuple[Path, Dataset]], common: int) -> Iterator[str]:
    """How many tracks of each DATA are not common to all; RunError if no track is."""
    if not common:
        shown = ", ".join(dict.fromkeys(str(path) for path, _ in read))
        raise RunError(f"{shown} have no track in common", "DATA are of one collection")
    for path, dataset in read:
        recordings = sum(not entry.is_copy for entry in dataset.entries)
        if recordings > common:
            yield f"{path}: {recordings - common} of {recordings} tracks left out, not in all DATA"


def _eaten(
    path: Path, dataset: Dataset, kept: list[int], tracks: Sequence[Labelled], split: Split
) -> Eaten:
    """The tracks at ``kept`` and their copies, with what all DATA together know of them."""
    number = {dataset.labelled[index].id: n for n, index in enumerate(kept)}
    copies = [
        index
        for index, (entry, one) in enumerate(zip(dataset.entries, dataset.labelled, strict=True))
        if entry.is_copy and one.id in number
    ]
    of_track = [*range(len(kept)), *(number[dataset.labelled[index].id] for index in copies)]
    chosen = with_genres(dataset.take([*kept, *copies]), [tracks[n].genre for n in of_track])
    labelled = tuple(
        replace(one, group=tracks[n].group, part=tracks[n].part, by=tracks[n].by)
        for one, n in zip(chosen.labelled, of_track, strict=True)
    )
    parts = tuple(split.parts[n] for n in of_track)
    return Eaten(
        path,
        replace(chosen, labelled=labelled, notes=(), failed=0),
        Split(split.name, parts, (), split.words),
    )


def _copies(eaten: Eaten) -> tuple[tuple[int, int], ...]:
    """How many copies there are of each track that has some."""
    place = {one.id: n for n, one in reversed(list(enumerate(eaten.dataset.labelled)))}
    both = zip(eaten.dataset.entries, eaten.dataset.labelled, strict=True)
    return tuple(sorted(Counter(place[one.id] for entry, one in both if entry.is_copy).items()))


def _recordings(eaten: Eaten, tracks: int) -> Eaten:
    """Without the copies, which come last."""
    parts = eaten.split.parts[:tracks]
    return replace(
        eaten,
        dataset=eaten.dataset.take(range(tracks)),
        split=replace(eaten.split, parts=parts),
    )
