"""DATA split into what is learnt from and what is chosen by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mgrkit.classifiers import HeldOut, Task
from mgrkit.classifiers.bundlefields import printable_text
from mgrkit.datasets.dataset import Dataset, parts_with_copies
from mgrkit.errors import UsageError
from mgrkit.tracks.identity import FILE, NAME, SOUND, artist_id, track_id
from mgrkit.tracks.splits import PARTS, Split

if TYPE_CHECKING:
    from mgrkit.learning.fitting import CrossPredicted


@dataclass(frozen=True)
class Parts:
    """DATA split: what is learnt from, what is chosen by, and what is said of the rest."""

    train: Dataset
    valid: Dataset
    labels: tuple[str, ...]
    split: Split
    counts: Mapping[str, int]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, dataset: Dataset, split: Split) -> Parts:
        parts = parts_with_copies(dataset, split.parts)

        def of_part(name: str) -> list[int]:
            return [index for index, part in enumerate(parts) if part == name]

        train = dataset.take(of_part("train"))
        labels = tuple(sorted({entry.genre for entry in train.entries}))
        if len(labels) < 2:
            raise UsageError(
                f"the train part holds {f'one genre only, {labels[0]}' if labels else 'nothing'}",
                "at least two genres with two artists each, or another --split",
            )
        for label in labels:
            if printable_text(label) != label:
                what = f"no model can keep the genre {label!r:.80}"
                raise UsageError(what, "give it a short name of printable letters")
        known = [i for i in of_part("valid") if dataset.entries[i].genre in labels]
        notes = split.notes
        if lost := len(of_part("valid")) - len(known):
            notes = (*notes, f"left out of valid, of genres that train lacks: {lost} tracks")
        counts = {part or "none": parts.count(part) for part in (*PARTS, "")}
        return cls(train, dataset.take(known), labels, split, counts, notes)

    @property
    def task(self) -> Task:
        """What is to be recognised, and from what."""
        eaten = self.train.input
        return Task(self.labels, eaten.shape, eaten.columns, eaten.frontend)

    @property
    def seen(self) -> tuple[str, ...]:
        """The ids of the tracks, which ``evaluate`` will not count, and of their artists.

        A track that is known by its sound is there by its name too, for a noisy copy shows no
        more than that of its recording.
        """
        tracks = (*self.train.labelled, *self.valid.labelled)
        entries = (*self.train.entries, *self.valid.entries)
        by_sound = (e for e, t in zip(entries, tracks, strict=True) if t.id.startswith(SOUND))
        names = {track_id(entry.parent).replace(NAME, FILE, 1) for entry in by_sound}
        artists = {artist_id(one.group) for one in tracks if one.group}
        return tuple(sorted({one.id for one in tracks} | names | artists))

    def held_out(self, cross: CrossPredicted | None) -> HeldOut | None:
        """What fits on other artists said of the recordings of train; copies say no more."""
        if cross is None:
            return None
        entries, labelled = self.train.entries, self.train.labelled
        rows: dict[str, int] = {}
        for row, track in enumerate(cross.tracks):
            if not entries[track].is_copy:
                rows.setdefault(labelled[track].id, row)
        if not rows:
            return None
        kept = list(rows.values())
        tracks = [int(track) for track in cross.tracks[kept]]
        groups = [labelled[track].group for track in tracks]
        index = {label: i for i, label in enumerate(self.labels)}
        return HeldOut(
            cross.probabilities[kept].astype(np.float16),
            np.array([index[entries[track].genre] for track in tracks], np.int64),
            cross.folds[kept].astype(np.uint8),
            tuple(rows),
            tuple(artist_id(g) if g else one for g, one in zip(groups, rows, strict=True)),
        )
