"""Logistic regression on statistics of a spectrogram: a second, cheap look at what networks see."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.classifiers.base import Classifier, Task
from mgrkit.errors import UsageError
from mgrkit_classical import statistics
from mgrkit_classical.logistic_regression import LogisticRegression

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.classifiers.base import Examples, Floats, Run, State
    from mgrkit_classical.hooks import PictureStatisticsParameters


class PictureStatistics(Classifier):
    """`LogisticRegression` of `statistics.statistics`; the state is that of the regression.

    Odds do not give way far from train, as they do there; `strange` says what is far.
    """

    parameters: PictureStatisticsParameters

    def __init__(self, task: Task, parameters: PictureStatisticsParameters) -> None:
        super().__init__(task, parameters)
        self._odds = LogisticRegression(Task(task.labels, (statistics.COUNT,)), parameters)

    def fit(self, train: Examples, valid: Examples | None, run: Run) -> None:
        """See `Classifier.fit`.

        Raises
        ------
        UsageError : pictures of fewer than 64 bands or 8 frames; see `LogisticRegression.fit` too.
        """
        del valid
        run.check()
        self._odds.fit(replace(train, x=self._described(train.x)), None, run)

    def predict_proba(self, x: NDArray[Any]) -> Floats:
        """See `Classifier.predict_proba`; a genre that was not in train gets 0."""
        return self._odds.odds(self._described(x))[0]

    def strange(self, x: NDArray[Any]) -> NDArray[np.bool_]:
        """See `Classifier.strange`: farther from all genres than nearly all of train."""
        return self._odds.strange(self._described(x))

    def state(self) -> State:
        """See `Classifier.state`."""
        return self._odds.state()

    def restore(self, state: State, device: str = "cpu") -> None:
        """See `Classifier.restore`."""
        self._odds.restore(state, device)

    def _described(self, x: NDArray[Any]) -> Floats:
        x = np.asarray(x)
        if len(self.task.shape) != 2:
            raise UsageError("picture_statistics takes pictures of one channel, not of planes")
        bands, frames = self.task.shape
        if x.dtype != np.uint8 or x.shape[1:] != self.task.shape:
            raise UsageError(
                f"examples are {x.dtype} of shape {x.shape}, not pictures: "
                f"uint8 of shape (n, {bands}, {frames})"
            )
        if bands < statistics.LEAST_BANDS or frames < statistics.LEAST_FRAMES:
            raise UsageError(
                f"pictures of {bands} bands and {frames} frames are too small to be described",
                f"{statistics.LEAST_BANDS} bands and {statistics.LEAST_FRAMES} frames at least",
            )
        return statistics.statistics(x, statistics.column_seconds(self.task))
