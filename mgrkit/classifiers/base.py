"""What a classifier is, and what it is given.

A classifier sees pieces and knows nothing of files, tracks or terminals: `mgrkit.learning`
chooses its examples, averages its pieces to tracks and calibrates its probabilities, and
`mgrkit.classifiers.bundle` keeps its arrays.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgrkit import seeds
from mgrkit.errors import Stopped

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mgrkit.frontend import FrontEnd

    Floats = NDArray[np.float32]
    State = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Task:
    """What is to be recognised, and from what.

    Parameters
    ----------
    labels : the genres, in the order of the columns of all probabilities; at least two.
    shape : of one example: ``(columns,)`` for features, ``(bands, frames)`` for images,
        ``(3, bands, frames)`` for those of three planes, ``(frames,)`` for samples.
    columns : the names of the features; empty for other examples.
    frontend : how sound became the examples; None where that is not known.
    """

    labels: tuple[str, ...]
    shape: tuple[int, ...]
    columns: tuple[str, ...] = ()
    frontend: FrontEnd | None = None


@dataclass(frozen=True)
class Examples:
    """Labelled pieces; the arrays may be read-only memory maps.

    Parameters
    ----------
    x : ``(n, *task.shape)``: float32 features or samples, uint8 images; finite.
    y : int64 ``(n,)``, index into ``task.labels``; a label may be missing from it.
    tracks : int64 ``(n,)``: pieces of one track have the same number.
    groups : int64 ``(n,)``: tracks of one group (artist) have the same number, and never lie
        on both sides of a split.
    copies : int64 ``(n,)``: which altered copy of its track a piece is of, 0 for the sound
        itself; None where all are of the sounds themselves. Only train has copies. Who does not
        ask learns from them as from further pieces of their tracks.
    """

    x: NDArray[Any]
    y: NDArray[np.int64]
    tracks: NDArray[np.int64]
    groups: NDArray[np.int64]
    copies: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.y)

    def take(self, rows: NDArray[Any]) -> Examples:
        """Some of them: indices, or a bool for each."""
        copies = None if self.copies is None else self.copies[rows]
        return Examples(self.x[rows], self.y[rows], self.tracks[rows], self.groups[rows], copies)

    @property
    def originals(self) -> NDArray[np.int64]:
        """Which pieces are of the sounds themselves, and of no altered copy; rising."""
        import numpy as np

        return np.arange(len(self)) if self.copies is None else np.flatnonzero(self.copies == 0)


def silent(step: int, total: int, metrics: Mapping[str, float]) -> None:
    """Progress that nobody follows."""
    del step, total, metrics


def unheard(text: str) -> None:
    """A note that nobody reads."""
    del text


@dataclass(frozen=True)
class Run:
    """The circumstances of one fit.

    Parameters
    ----------
    seed : decides every random choice, through `generator`.
    device : 'cpu', 'cuda', 'cuda:1', 'mps': resolved, never 'auto'.
    precision : 'float32' or 'mixed'; whoever knows one only ignores it.
    folder : where a classifier may keep checkpoints of this fit; None keeps nothing.
    progress : called with the step, the number of steps and named metrics; with metrics no
        oftener than after an epoch, for each such call is a line where there is no terminal.
    note : called with lines that say what a person should know of the fit and cannot see in the
        result, e.g. that it had to use smaller batches.
    stop_requested : True once a person wants the fit to end; see `check`.
    rank, world_size : this process among those that fit together; rank 0 alone writes.
    """

    seed: int
    device: str = "cpu"
    precision: str = "float32"
    folder: Path | None = None
    progress: Callable[[int, int, Mapping[str, float]], None] = silent
    note: Callable[[str], None] = unheard
    stop_requested: Callable[[], bool] = field(default=lambda: False)
    rank: int = 0
    world_size: int = 1

    def check(self) -> None:
        """To be called every fraction of a second of a fit: raises `Stopped` when asked to end."""
        if self.stop_requested():
            raise Stopped("stopped")

    def generator(self, *variant: seeds.Part) -> np.random.Generator:
        """The random generator for one purpose of this fit and no other."""
        return seeds.generator(self.seed, "classifier", variant)


class Classifier(ABC):
    """A model of one task, before or after fitting.

    Construction is cheap and imports nothing heavy at module level beyond NumPy. A second
    `fit` forgets the first. Nothing is printed, no global seed is touched, and no thread or
    process outlives a call.
    """

    def __init__(self, task: Task, parameters: Any) -> None:
        self.task = task
        self.parameters = parameters

    @abstractmethod
    def fit(self, train: Examples, valid: Examples | None, run: Run) -> None:
        """Learn from ``train``; ``valid`` is for choosing (when to stop), never for fitting.

        Raises
        ------
        Stopped : soon after ``run.stop_requested`` turned true.
        UsageError : data that cannot be learnt from, e.g. one genre only.
        """

    @abstractmethod
    def predict_proba(self, x: NDArray[Any]) -> Floats:
        """Probabilities, float32 ``(n, labels)``, rows sum to one, columns as ``task.labels``.

        Each row depends on its example alone. A label that was not in ``train`` gets
        probability zero or nearly so, in its column.

        Raises
        ------
        UsageError : nothing was fit or restored, or x is not ``(n, *task.shape)``.
        """

    def strange(self, x: NDArray[Any]) -> NDArray[np.bool_]:
        """Which examples are unlike all that was in train, bool ``(n,)``; here none is.

        Where more than half of a song's are, its verdict is unsure, and a warning says why. To be
        overridden by a classifier that can know.
        """
        import numpy as np

        return np.zeros(len(x), bool)

    @abstractmethod
    def state(self) -> State:
        """All that was learnt, as named NumPy arrays (no objects): what a bundle keeps."""

    @abstractmethod
    def restore(self, state: State, device: str = "cpu") -> None:
        """Take over what `state` gave, to predict on ``device``, with the same probabilities.

        Raises
        ------
        BundleError : an array is missing, or has another shape, type or values than can be.
        """
