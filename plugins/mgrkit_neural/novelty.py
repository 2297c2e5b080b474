"""Which pictures are unlike all that a network learnt from: it is as sure of those as of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from mgrkit_classical import novelty, scaling, statistics
from mgrkit_classical.arrays import Place, only, stored

from mgrkit.errors import BundleError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.classifiers.base import Examples, Run, State, Task

PREFIX = "far."
"""Begins the names of these arrays in a network's state."""

_SHARE, _WHITEN = 0.05, 0.5
_MOST = 2000
"""Pictures of train that are described; more would hardly change a mean."""
_NAMES = ("whitening", *novelty.NAMES, *scaling.NAMES)
_WIDEST = 1e6


class Novelty:
    """Pictures by their statistics, and `mgrkit_classical.novelty` on those.

    Parameters
    ----------
    arrays : of `fit`.

    Raises
    ------
    BundleError : they cannot be.
    """

    def __init__(self, task: Task, arrays: State) -> None:
        only(arrays, _NAMES)
        self.arrays, self._task, self._place = dict(arrays), task, Place.of("cpu")
        if not _describable(task):
            raise BundleError("pictures of this size have no statistics")
        count = statistics.COUNT
        self._scaling = scaling.restore(arrays, count, self._place)
        self._whitening = stored(arrays, "whitening", np.float64, (count, count), _WIDEST)
        self._centres, self._limit = novelty.restore(arrays, None, count, self._place)

    @classmethod
    def fit(cls, task: Task, train: Examples, run: Run) -> Novelty | None:
        """Of the pictures of train; None for pictures too small to be described."""
        if not _describable(task):
            return None
        which = np.unique(np.linspace(0, len(train) - 1, min(_MOST, len(train))).astype(np.int64))
        described = _described(task, train.x[which])
        run.check()
        scaled, z = scaling.fitted(described, True, scaling.HERE, run)
        y, artists = np.asarray(train.y)[which], np.asarray(train.groups)[which]
        own = np.flatnonzero(np.isin(which, train.originals))
        matrix, far = novelty.fit(z, y, artists, _WHITEN, _SHARE, run, own)
        return cls(task, {"whitening": matrix, **far, **scaled})

    def far(self, x: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Which pictures are farther from all genres than nearly all of train, bool ``(n,)``."""
        z = scaling.apply(self._place, self._scaling, _described(self._task, x)) @ self._whitening
        beyond: NDArray[np.bool_] = novelty.beyond(self._place, z, self._centres, self._limit) > 1
        return beyond


def _describable(task: Task) -> bool:
    if len(task.shape) != 2:
        return False
    bands, frames = task.shape
    return bands >= statistics.LEAST_BANDS and frames >= statistics.LEAST_FRAMES


def _described(task: Task, x: NDArray[np.uint8]) -> NDArray[np.float32]:
    return statistics.statistics(x, statistics.column_seconds(task))
