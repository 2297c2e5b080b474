"""What `tests.experiments.toy_tuned` says there is."""

from __future__ import annotations

import errno
import os

import numpy as np

from mgrkit.classifiers import Examples, Run
from mgrkit.errors import UsageError
from tests.experiments.toy_tuned import log, wait
from tests.testing.toy_classifiers import Centroid


class Quick(Centroid):
    """Learns from the first columns only, so that scores differ."""

    def flat(self, x) -> np.ndarray:
        return super().flat(x)[:, : self.parameters.columns]


class Slow(Quick):
    """A twentieth of a second."""

    def fit(self, train: Examples, valid: Examples | None, run: Run) -> None:
        for _ in range(10):
            run.check()
            wait(0.005)
        super().fit(train, valid, run)


class Picky(Quick):
    def fit(self, train: Examples, valid: Examples | None, run: Run) -> None:
        if self.parameters.kind == "b":
            raise UsageError("no kind b today")
        super().fit(train, valid, run)


class Never(Quick):
    def fit(self, train: Examples, valid: Examples | None, run: Run) -> None:
        raise ValueError("oh")


class Greedy(Quick):
    """Finds no room once the file TOY_FULL is there."""

    def fit(self, train: Examples, valid: Examples | None, run: Run) -> None:
        if os.path.exists(os.environ["TOY_FULL"]):
            raise OSError(errno.ENOSPC, "No space left on device")
        super().fit(train, valid, run)


class Net(Quick):
    """Ten epochs, after each a measure that is as good as there are columns."""

    def fit(self, train: Examples, valid: Examples | None, run: Run) -> None:
        super().fit(train, valid, Run(run.seed))
        for epoch in range(1, 11):
            run.check()
            measure = {"valid_accuracy": self.parameters.columns / 57} if valid else {}
            log(f"{self.parameters.columns} {epoch} {valid is not None}")
            run.progress(epoch, 10, measure)
