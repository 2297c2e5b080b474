"""DATA of ``train`` and ``evaluate``: a table, or a folder of sound or pictures, as arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.classifiers import Examples
from mgrkit.commands.inputs import Features, Input
from mgrkit.errors import RunError, UsageError
from mgrkit.features.layout import GTZAN57_COLUMNS
from mgrkit.tracks.audit import audit
from mgrkit.tracks.collections import known
from mgrkit.tracks.splits import Labelled, group_key, published_part

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.batch import Options, Report

TABLES = (".csv", ".csv.gz", ".parquet")
ARTIST = "artist:"
"""Begins the ids of artists among the ids that a bundle has seen."""


def artist_id(group: str) -> str:
    """An artist among the ids that a bundle has seen."""
    return ARTIST + group_key(group)


@dataclass(frozen=True)
class Entry:
    """One track, or one noisy copy of a track, as DATA tells it.

    Parameters
    ----------
    name : the path as DATA writes it, for people.
    parent : path of the root recording; a copy's differs from its name.
    digest : of the decoded sound; empty where only numbers are known.
    group, part : artist and part as DATA says them, or empty.
    """

    name: str
    parent: str
    genre: str
    group: str = ""
    part: str = ""
    digest: str = ""

    @property
    def is_copy(self) -> bool:
        """Whether this is a noisy copy and not a recording of its own."""
        return self.parent != self.name

    def labelled(self) -> Labelled:
        """With what is known of it by its name: id, artist and published part."""
        from mgrkit.tracks.identity import track_id

        fact = known(self.parent)
        return Labelled(
            id=track_id(self.parent, "" if self.is_copy else self.digest),
            genre=self.genre,
            group=self.group or (fact.artist if fact else ""),
            part=published_part(self.part) or (fact.part if fact else ""),
        )


@dataclass(frozen=True)
class Dataset:
    """Pieces, and the tracks that they belong to.

    Parameters
    ----------
    x : examples ``(n, *input.shape)``; numbers are finite.
    tracks : int64 ``(n,)``, index into ``entries``.
    entries, labelled : one per track.
    input : what the examples are.
    notes : what a person should know: what was left out and why.
    failed : files that could not be used, which the notes count by reason.
    """

    x: NDArray[Any]
    tracks: NDArray[np.int64]
    entries: tuple[Entry, ...]
    input: Input
    notes: tuple[str, ...] = ()
    labelled: tuple[Labelled, ...] = field(default=())
    failed: int = 0

    def take(self, keep: Sequence[int] | NDArray[np.int64]) -> Dataset:
        """Only these tracks, in this order, with their pieces."""
        order = np.full(len(self.entries), -1, np.int64)
        order[np.asarray(keep, np.int64)] = np.arange(len(keep))
        rows = np.flatnonzero(order[self.tracks] >= 0)
        return replace(
            self,
            x=self.x[rows],
            tracks=order[self.tracks[rows]],
            entries=tuple(self.entries[i] for i in keep),
            labelled=tuple(self.labelled[i] for i in keep),
        )

    def groups(self) -> list[str]:
        """What must not be split, one per track: the artist, else the recording itself."""
        return [group_key(label.group) if label.group else label.id for label in self.labelled]

    def examples(self, labels: Sequence[str]) -> Examples:
        """The pieces with indices of their genres in ``labels``; each genre must be there."""
        index = {label: i for i, label in enumerate(labels)}
        y = np.array([index[entry.genre] for entry in self.entries], np.int64)
        groups = np.unique(self.groups(), return_inverse=True)[1].astype(np.int64)
        return Examples(self.x, y[self.tracks], self.tracks, groups[self.tracks])


def parts_with_copies(dataset: Dataset, parts: Sequence[str]) -> list[str]:
    """Each track's part, where a noisy copy stays only if its recording is in train."""
    return [
        part if part == "train" or not entry.is_copy else ""
        for part, entry in zip(parts, dataset.entries, strict=True)
    ]


def read_dataset(
    data: Path,
    wanted: Input,
    options: Options | None = None,
    report: Report | None = None,
) -> Dataset:
    """Everything in DATA that has a genre and can be used.

    Parameters
    ----------
    data : a feature table or track table (CSV, Parquet), or a folder of sound or pictures by
        genre.
    wanted : what is made of sound. A feature table and pictures are what they are: the
        ``input`` of the dataset says what.

    Raises
    ------
    RunError : DATA is not there, or nothing in it can be used.
    UsageError : a table without the columns that are needed, or DATA of another kind than is
        wanted.
    """
    from mgrkit.commands.preparing import prepare
    from mgrkit.commands.tables import is_feature_table, read_feature_table

    if not data.exists():
        raise RunError(f"there is no {data}", "DATA is a table, or a folder by genre")
    if data.is_dir():
        dataset = prepare(data, wanted, None, options, report)
    elif not data.name.lower().endswith(TABLES):
        raise UsageError(f"DATA is neither a folder nor a table: {data}", "CSV or Parquet")
    elif is_feature_table(data, _named(wanted)):
        if not isinstance(wanted, Features):
            raise UsageError(
                f"{data} holds numbers, not {wanted.name}",
                "give sound, pictures, or a list of them",
            )
        dataset = read_feature_table(data, wanted.feature_set)
    else:
        dataset = prepare(data.parent, wanted, data, options, report)
    return _checked(data, dataset)


def _named(wanted: Input) -> tuple[str, ...]:
    """Columns by which a table is known to hold what is wanted, or what that is made of."""
    if isinstance(wanted, Features):
        return (*wanted.columns, *wanted.made.columns)
    return GTZAN57_COLUMNS


def _checked(data: Path, dataset: Dataset) -> Dataset:
    """Without tracks that have no genre, and without exact duplicates."""
    notes = list(dataset.notes)
    entries = dataset.entries
    labels = _labelled(entries)
    if folders := _artist_folders(entries, labels):
        notes.append("artists are taken from the folders below the genres")
        labels = tuple(replace(one, group=f) for one, f in zip(labels, folders, strict=True))
    # A copy is what its recording is, whatever its own folder's table still says.
    entries = tuple(
        replace(entry, genre=label.genre) for entry, label in zip(entries, labels, strict=True)
    )
    dataset = replace(dataset, entries=entries, labelled=labels)
    named = [i for i, entry in enumerate(entries) if entry.genre]
    if not named:
        raise RunError(
            f"no track in {data} has a genre",
            "folders by genre, or a tracks.csv with the columns path and genre",
        )
    if len(named) < len(entries):
        notes.append(f"{len(entries) - len(named)} tracks without a genre left out")
    dataset = dataset.take(named)
    roots = [i for i, entry in enumerate(dataset.entries) if not entry.is_copy]
    checked = audit(
        [dataset.entries[i].name for i in roots],
        [_proof(dataset.labelled[i].id, dataset.entries[i].name) for i in roots],
        [dataset.entries[i].genre for i in roots],
        [dataset.entries[i].digest for i in roots],
        [dataset.labelled[i].part for i in roots],
    )
    if len(checked.keep) < len(roots):
        dropped = set(roots) - {roots[k] for k in checked.keep}
        dataset = dataset.take([i for i in range(len(dataset.entries)) if i not in dropped])
    return replace(dataset, notes=(*notes, *checked.notes))


def _labelled(entries: Sequence[Entry]) -> tuple[Labelled, ...]:
    """What is known of each track; a copy is labelled as its recording, where that is there.

    A copy's ``parent`` is relative to where the recording was found, which may be a folder
    further up in DATA than here: any end of a recording's path names it, if only one has it.
    """
    labels = [entry.labelled() for entry in entries]
    roots: dict[str, int | None] = {}
    for index, entry in enumerate(entries):
        if not entry.is_copy:
            steps = entry.name.split("/")
            for first in range(len(steps)):
                end = "/".join(steps[first:])
                roots[end] = None if end in roots else index
            roots[entry.name] = index
    for index, entry in enumerate(entries):
        root = roots.get(entry.parent) if entry.is_copy else None
        if root is not None:
            labels[index] = labels[root]
    return tuple(labels)


def _artist_folders(entries: Sequence[Entry], labels: Sequence[Labelled]) -> list[str]:
    """Each track's artist by ``<genre>/<artist>/...``, where no artist is known otherwise.

    Empty unless every track lies so and each genre has several of these folders.
    """
    if any(one.group for one in labels):
        return []
    paths = [entry.parent.split("/") for entry in entries]
    if any(
        len(path) < 3 or path[0] != entry.genre for path, entry in zip(paths, entries, strict=True)
    ):
        return []
    folders = {(path[0], path[1]) for path in paths}
    several = Counter(genre for genre, _ in folders)
    return [path[1] for path in paths] if min(several.values(), default=0) > 1 else []


def _proof(track_id: str, name: str) -> str:
    """An id that two tracks share only if they are one: a file's name alone proves nothing."""
    return name if track_id.startswith("name:") else track_id
