"""A model and the tracks to judge it by: those of DATA that it can answer for and has not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgrkit.datasets.dataset import Dataset
from mgrkit.datasets.genres import AS_SPELT, GenreMap, spelt_as
from mgrkit.datasets.labels import BY_TAG, TAG, Labels
from mgrkit.datasets.reading import read_dataset
from mgrkit.errors import RunError, UsageError, WeightsError
from mgrkit.experiments.matching import aligned, first
from mgrkit.experiments.noisy import by_noise, copies_seen, unknowable, unknown_snr
from mgrkit.inputs.columns import ALL, TableChoice
from mgrkit.inputs.wording import distinct_name, how_to_get
from mgrkit.learning.metrics import scores
from mgrkit.models.model import Model
from mgrkit.tracks.collections.lookup import has_published_split
from mgrkit.tracks.identity import artist_id
from mgrkit.tracks.leaks import ARTIST, find_leaks, leaky_words
from mgrkit.tracks.sources import Source, check_data
from mgrkit.tracks.splits import UNKNOWN, stated

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mgrkit.batch import Options, Report
    from mgrkit.models.member import Member

PUBLISHED = "published split"
"""The words of a split that needs no more words."""


@dataclass(frozen=True)
class Wanted:
    """Which tracks of DATA a model is judged by, and how they are read.

    Parameters
    ----------
    data : for a vote several of one collection: each member takes the first that it can.
    table : a track table of files of the only folder in ``data``: those are taken.
    part : 'test', 'valid' or 'all'; 'test' is everything where DATA has no published test part.
    seen : count tracks that the model was fit or chosen on, too.
    copies : judge noisy copies, seen and of a part as their recordings are, in place of these.
    genres : what other genres of DATA count as, whatever their case, spaces and hyphens.
    choice : which columns of a table are genre and artist, and which subset of FMA's it is.
    label_from : as the ``by`` of `mgrkit.datasets.labels.Labels`; of several genres in a file's
        tags the first counts that the model or ``genres`` names.
    """

    data: tuple[Path, ...]
    table: Path | None = None
    part: str = "test"
    seen: bool = False
    copies: bool = False
    genres: GenreMap = AS_SPELT
    choice: TableChoice = ALL
    options: Options | None = None
    report: Report | None = None
    label_from: str = ""


@dataclass(frozen=True)
class Evaluation:
    """A model and the tracks that it is judged by.

    Parameters
    ----------
    labels : the model's, as DATA spells them.
    datasets : by member, with the folder that paths are relative to: those tracks as it takes them.
    dataset : the same with all that is known of the tracks.
    words : what must be said with the numbers.
    dropped : how many were left out as seen.
    """

    model: Model
    labels: Sequence[str]
    datasets: Mapping[str, tuple[Path, Dataset]]
    dataset: Dataset
    words: str
    dropped: int
    notes: Sequence[str]

    @property
    def y(self) -> list[int]:
        """The true label of each track, index into ``labels``."""
        index = {label: i for i, label in enumerate(self.labels)}
        return [index[entry.genre] for entry in self.dataset.entries]

    @property
    def unsure_below(self) -> float:
        """The probability below which the verdict is unsure."""
        return self.model.unsure_below(list(self.datasets))

    def probabilities(self, datasets: Mapping[str, Dataset] | None = None) -> NDArray[np.float32]:
        """The model's of each track, ``(n, labels)``.

        Parameters
        ----------
        datasets : by member other datasets of the same tracks, or of the same few of them.
        """
        asked = datasets or {name: one for name, (_, one) in self.datasets.items()}
        members = self.model.members
        return self.model.combined(
            {name: members[name].of_tracks(one.x, one.tracks) for name, one in asked.items()}
        )

    def measured(self, probabilities: NDArray[np.float32], seed: int) -> dict[str, Any]:
        """What `mgrkit.learning.metrics.scores` gives, and what must be said with it.

        That is ``split`` (the words that go with every number), ``by_noise`` (of copies, see
        `mgrkit.experiments.noisy.by_noise`; else empty), ``dropped_as_seen``, ``notes`` and
        ``failed`` (files that could not be used). Genres are spelt as DATA spells them.
        """
        dataset, y = self.dataset, self.y
        noisy = dataset.entries[0].is_copy
        return {
            **scores(probabilities, y, dataset.groups(), self.labels, seed),
            "split": self.words,
            "by_noise": by_noise(dataset, probabilities, y, self.labels, seed) if noisy else [],
            "dropped_as_seen": self.dropped,
            "notes": [*self.notes, *(unknown_snr(dataset.entries) if noisy else [])],
            "failed": dataset.failed,
        }


def look_up(model: Model, wanted: Wanted) -> Evaluation:
    """Read DATA as a model takes it, and choose the tracks.

    Raises
    ------
    UsageError : DATA or the model has nothing as asked for, or nothing in DATA is unseen.
    RunError : DATA cannot be used.
    """
    notes: list[str] = []
    paths, datasets = _read(model, wanted, notes)
    every = _known_in_any(list(datasets.values()), model)
    labels = spelt_as(model.labels, {entry.genre for entry in every.entries})
    chosen = _chosen(every, model, labels, wanted, notes)
    which = chosen.dataset.taken_from(every)
    folders = {
        name: Source.of(path, wanted.table if path.is_dir() else None).folder
        for name, path in paths.items()
    }
    return Evaluation(
        model,
        labels,
        {name: (folders[name], one.take(which)) for name, one in datasets.items()},
        chosen.dataset,
        chosen.words,
        chosen.dropped,
        notes,
    )


@dataclass(frozen=True)
class _Chosen:
    """The tracks to judge by: the words that go with them, and how many were left out as seen."""

    dataset: Dataset
    words: str
    dropped: int


def _read(
    judge: Model, wanted: Wanted, notes: list[str]
) -> tuple[dict[str, Path], dict[str, Dataset]]:
    """By member DATA as it takes it, with the same tracks, and genres as those they count as."""
    wanted.genres.check_ours(judge.name, judge.labels)
    check_data(wanted.data, wanted.table)
    if len(judge.members) == 1 and len(wanted.data) > 1:
        what = f"{judge.name} is no vote and takes one DATA, not {len(wanted.data)}"
        raise UsageError(what, "one call for each")
    labels = Labels(wanted.label_from, (*judge.labels, *wanted.genres.names))
    read: dict[str, tuple[Path, Dataset]] = {}
    absent: list[WeightsError] = []
    for name, member in judge.members.items():
        try:
            read[name] = first(wanted.data, partial(_of_member, wanted, member, labels))
        except WeightsError as error:
            absent.append(error)
            notes.append(f"without {name}: {error}")
        except (UsageError, RunError) as error:
            if len(judge.members) == 1:
                raise
            what = f"DATA has nothing for the member {name}: {error.message}"
            raise type(error)(what, error.hint) from None
    if not read:
        raise absent[0]
    datasets = wanted.genres.applied(*(dataset for _, dataset in read.values()))
    notes += dict.fromkeys(note for one in datasets for note in one.notes)
    if len(datasets) > 1:
        paths = [path for path, _ in read.values()]
        datasets = aligned(list(zip(paths, datasets, strict=True)), notes)
    # Of one DATA all members lack the same files, as good as always.
    failed = {path: one.failed for path, one in read.values()}
    datasets[0] = replace(datasets[0], failed=sum(failed.values()))
    taken = {name: path for name, (path, _) in read.items()}
    for path in wanted.data:
        if path not in taken.values():
            notes.append(f"{path} is not used: each member takes the first DATA that it can")
    return taken, dict(zip(read, datasets, strict=True))


def _known_in_any(datasets: Sequence[Dataset], judge: Model) -> Dataset:
    """The first, its tracks under the ids by which some member has seen them, if one has."""
    labelled = tuple(
        next((one for one in same if one.id in judge.known_tracks), same[0])
        for same in zip(*(dataset.labelled for dataset in datasets), strict=True)
    )
    return replace(datasets[0], labelled=labelled)


def _of_member(wanted: Wanted, member: Member, labels: Labels, data: Path) -> Dataset:
    of_folder = wanted.table if data.is_dir() else None
    dataset = read_dataset(
        data, member.input, wanted.options, wanted.report, of_folder, wanted.choice, labels
    )
    if dataset.input.digest != member.input.digest:
        raise UsageError(
            f"{data} holds {distinct_name(dataset.input, member.input)}, {member.name} was "
            f"trained on {member.input.name}",
            how_to_get(member.input),
        )
    return dataset


def _chosen(
    dataset: Dataset, judge: Model, labels: Sequence[str], wanted: Wanted, notes: list[str]
) -> _Chosen:
    """The recordings or copies of the part that the model can answer for and has not seen."""
    seen = wanted.seen
    shown = " and ".join(map(str, wanted.data))
    every = _kind(dataset, wanted.copies, shown, notes)
    dataset, published = _part(every, wanted.part, shown, notes)
    dataset = _of_genres(dataset, labels, notes, wanted.label_from)
    where = _of_part(dataset, published) if published else shown
    known = _seen(dataset, judge)
    if known and not seen:
        if len(known) == len(dataset.entries):
            more = _of_genres(every, labels, [])
            raise _all_seen(judge, len(known), where, more, published)
        dataset = dataset.take(sorted({*range(len(dataset.entries))} - {*known}))
    words = [_words(dataset, published, judge, len(known) if seen else 0)]
    if published:
        words += filter(None, [_leaky(every, dataset)])
    return _Chosen(dataset, ", ".join(words), 0 if seen else len(known))


def _kind(dataset: Dataset, copies: bool, data: str, notes: list[str]) -> Dataset:
    """The recordings, or the noisy copies where they are asked for or nothing else is there."""
    noisy = [i for i, entry in enumerate(dataset.entries) if entry.is_copy]
    roots = [i for i, entry in enumerate(dataset.entries) if not entry.is_copy]
    if copies and not noisy:
        raise UsageError(f"{data} holds no noisy copies", "mgrkit augment makes some")
    if copies or not roots:
        return dataset.take(noisy)
    if noisy:
        notes.append(f"{len(noisy)} noisy copies left out (--copies judges them instead)")
    return dataset.take(roots)


def _part(dataset: Dataset, part: str, data: str, notes: list[str]) -> tuple[Dataset, str]:
    """The tracks of a part, and which part of the split that DATA states they are.

    Where DATA has no test part, 'test' is everything. But where it has others, tracks in none
    are no stand-in for it: published splits leave tracks out because they are faulty, or copies
    of others.
    """
    tracks = range(len(dataset.entries))
    of_part = [i for i in tracks if dataset.labelled[i].part == part]
    if of_part:
        return dataset.take(of_part), part
    if part == "valid":
        raise UsageError(
            f"{data} has no tracks of a part valid",
            "--part all takes every track that the model has not seen",
        )
    if part == "all":
        return dataset, ""
    listed = [i for i in tracks if dataset.labelled[i].part]
    kept = listed or [i for i in tracks if not has_published_split(dataset.labelled[i].id)]
    if not kept:
        raise UsageError(
            f"the published split leaves out all {len(tracks)} tracks of {data}",
            "--part all takes them nevertheless",
        )
    if len(kept) < len(tracks):
        lost = len(tracks) - len(kept)
        notes.append(f"left out, in no part of the split: {lost} tracks (--part all)")
    return dataset.take(kept), ""


def _of_genres(
    dataset: Dataset, labels: Sequence[str], notes: list[str], label_from: str = ""
) -> Dataset:
    """Without tracks of genres that the model cannot answer; said, not silent."""
    known = [i for i, entry in enumerate(dataset.entries) if entry.genre in labels]
    others = sorted({entry.genre for entry in dataset.entries} - set(labels))
    if others:
        count = len(dataset.entries) - len(known)
        note = f"{count} tracks of genres unknown to the model left out: {', '.join(others)}"
        notes.append(f"{note} (--map tells which of its genres they are)")
    if not known:
        tags = "" if label_from == TAG or not dataset.files else f"; {BY_TAG}"
        raise UsageError(
            f"DATA has none of the model's genres, but {', '.join(others)}",
            f"the model knows {', '.join(labels)}; --map tells which is which{tags}",
        )
    return dataset.take(known)


def _seen(dataset: Dataset, model: Model) -> list[int]:
    """The tracks that the model was fit or chosen on."""
    if dataset.entries[0].is_copy:
        return copies_seen(dataset, model)
    return [i for i, label in enumerate(dataset.labelled) if label.id in model.known_tracks]


def _all_seen(model: Model, known: int, where: str, every: Dataset, published: str) -> UsageError:
    """That nothing is left to judge by, and the options that have something."""
    more = len(every.entries) - len(_seen(every, model))
    other = f"--part all has {more} more" if more else "other DATA"
    has_valid = any(label.part == "valid" for label in every.labelled)
    seen = "--seen" if published or not has_valid else "--seen --part valid"
    return UsageError(
        f"{model.name} has seen all {known} tracks of {where}",
        f"{other}, or {seen} to count them nevertheless",
    )


def _of_part(dataset: Dataset, part: str) -> str:
    """What a part that DATA states is called: by how it was dealt."""
    name, words = stated(dataset.labelled, [part] * len(dataset.labelled))
    if name == "published":
        return f"the published part {part}"
    return f"the part {part} of a {words if name == 'random' else f'{name} split'}"


def _leaky(every: Dataset, judged: Dataset) -> str:
    """What is said where tracks of other parts of DATA are of the recordings that are judged.

    Artists are told from what the model itself has heard.
    """
    leaks = find_leaks(every.labelled, [one.part for one in every.labelled])
    which = set(judged.taken_from(every))
    return leaky_words([k for k in leaks if k.kind != ARTIST and not which.isdisjoint(k.tracks)])


def _words(dataset: Dataset, published: str, model: Model, seen: int) -> str:
    """What must be said with the number: which tracks, and how far they are from training."""
    trained = str(model.bundle.metrics.get("split", "unknown split"))
    every = "all tracks" if seen else "all unseen tracks"
    which = _of_part(dataset, published) if published else every
    words = [which]
    if dataset.entries[0].is_copy:
        recordings = len({label.id for label in dataset.labelled})
        words.insert(0, f"noisy copies of {recordings} recordings")
        if lost := unknowable(dataset, model):
            words.append(f"unknown whether {lost} of {len(dataset.entries)} tracks were seen")
    if (which, trained) != (f"the published part {published}", PUBLISHED):
        words.append(f"model trained on a {trained}")
    if seen:
        words.append(f"{seen} tracks included that it was fit or chosen on")
    groups = [label.group for label in dataset.labelled]
    known = sum(artist_id(group) in model.known_artists for group in groups if group)
    if known and not seen:
        words.append(f"{known} of {len(groups)} tracks by artists that it was fit or chosen on")
    if unknown := groups.count(""):
        words.append(f"{UNKNOWN} for {unknown} of {len(dataset.entries)} tracks")
    return ", ".join(words)
