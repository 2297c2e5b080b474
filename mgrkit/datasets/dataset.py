"""Labelled examples: the pieces as arrays, and the tracks that they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.classifiers import Examples
from mgrkit.datasets.entries import Entry
from mgrkit.inputs.kinds import Input
from mgrkit.tracks.splits import Labelled

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
        return [label.unit for label in self.labelled]

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
