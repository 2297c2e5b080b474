"""Labelled examples: tracks to choose from, and arrays of the pieces of those chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.classifiers import Examples
from mgrkit.datasets.entries import DataTrack
from mgrkit.inputs.kinds import Input
from mgrkit.tracks.splits import Labelled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.datasets.building import Build


@dataclass(frozen=True)
class Dataset:
    """Tracks, of which some are chosen, and their pieces once they are asked for.

    Parameters
    ----------
    entries : one per track.
    input : what the examples are.
    build : makes the arrays.
    places : int64, one for each track that was read, as ``build`` takes them: the index into
        ``entries``, or -1 for what is left out.
    notes : what a person should know: what was left out and why.
    labelled : one per track.
    failed : files that could not be used, which the notes count by reason.
    files : of sound, the path of each track that was read, relative to the folder of DATA, as
        ``places`` has them; empty for pictures and tables of numbers.
    """

    entries: tuple[DataTrack, ...]
    input: Input
    build: Build
    places: NDArray[np.int64]
    notes: tuple[str, ...] = ()
    labelled: tuple[Labelled, ...] = ()
    failed: int = 0
    files: tuple[str, ...] = ()

    @cached_property
    def _arrays(self) -> tuple[NDArray[Any], NDArray[np.int64]]:
        return self.build(self.places)

    @property
    def x(self) -> NDArray[Any]:
        """Examples ``(n, *input.shape)``; numbers are finite."""
        return self._arrays[0]

    @property
    def tracks(self) -> NDArray[np.int64]:
        """The track of each example, int64 ``(n,)``, index into ``entries``."""
        return self._arrays[1]

    def take(self, keep: Sequence[int] | NDArray[np.int64]) -> Dataset:
        """Only these tracks, in this order, with their pieces; builds nothing."""
        order = np.full(len(self.entries), -1, np.int64)
        order[np.asarray(keep, np.int64)] = np.arange(len(keep))
        return replace(
            self,
            places=np.where(self.places < 0, -1, order[self.places]),
            entries=tuple(self.entries[i] for i in keep),
            labelled=tuple(self.labelled[i] for i in keep),
        )

    def taken_from(self, other: Dataset) -> list[int]:
        """Where the tracks of this one stand in another that they were taken from."""
        chosen = self.places >= 0
        order = np.empty(len(self.entries), np.int64)
        order[self.places[chosen]] = other.places[chosen]
        return [int(place) for place in order]

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
