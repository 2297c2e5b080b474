"""What the classifiers of columns share: weights, scaling, fewer columns, labels, arrays."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from mgrkit.classifiers.base import Classifier
from mgrkit.errors import BundleError, UsageError
from mgrkit_classical import arrays, groups, reducing, scaling
from mgrkit_classical.arrays import LARGEST, Place, stored

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.classifiers.base import Examples, Floats, Run, State
    from mgrkit_classical.arrays import Numbers

_CELLS = 1 << 17
_WIDEST = 1e6


class Evaluation(Protocol):
    """What was learnt, on a device, ready to be asked.

    Parameters
    ----------
    width : how many numbers it makes of a row at a time.
    """

    width: int

    def probabilities(self, z: Any) -> Any:
        """Of prepared rows ``(n, columns)``: ``(n, k)``, rows summing to one."""


@dataclass(frozen=True)
class Lesson:
    """What is learnt from.

    Parameters
    ----------
    z : ``(n, columns)``, prepared.
    y : ``(n,)``, index into labels.
    labels : ``(k,)``, the labels that are there, rising.
    weight : ``(n,)``, how much each row counts, 1 on average.
    """

    z: Numbers
    y: NDArray[np.int64]
    labels: NDArray[np.int64]
    weight: Numbers


class ColumnClassifier(Classifier):
    """A classifier of columns, which says in `learn` how, and in `ready` how it is asked.

    The state: its own arrays `names`, among them mostly ``labels`` int64 ``(k,)``, the genres in
    train; beside them those of the scaling and ``whitening`` float64 ``(columns, fewer)``, see
    `reducing.whitening`, where it is `scaled` or has fewer columns.
    """

    names: ClassVar[tuple[str, ...]]
    scaled: ClassVar[bool] = True
    _state: State | None = None

    @abstractmethod
    def learn(self, lesson: Lesson, run: Run) -> dict[str, NDArray[Any]]:
        """The arrays `names`, but for ``labels``; asks whether to stop again and again."""

    @abstractmethod
    def ready(self, state: State, columns: int, genres: int, place: Place) -> Evaluation:
        """What to ask; BundleError if the arrays cannot be of so many columns and genres."""

    def fit(self, train: Examples, valid: Examples | None, run: Run) -> None:
        """See `Classifier.fit`."""
        del valid
        run.check()
        x, y = arrays.checked(train, self.task)
        asked, artists = self.parameters, np.asarray(train.groups)
        weight = groups.weights(y, artists, asked.even_groups, asked.class_weight == "balanced")
        state, z = self._preparation(x, y, artists, run)
        labels, y = np.unique(y, return_inverse=True)
        state |= self.learn(Lesson(z, y, labels, weight), run)
        run.check()
        if "labels" in self.names:
            state["labels"] = labels
        self.restore(state, run.device)

    def predict_proba(self, x: NDArray[Any]) -> Floats:
        """See `Classifier.predict_proba`; a genre that was not in train gets 0."""
        rows = arrays.rows(x, self.task)
        self.state()
        found = np.zeros((len(rows), len(self.task.labels)), np.float32)
        step = max(1, _CELLS // self._ready.width)
        for start in range(0, len(rows), step):
            asked = self._ready.probabilities(self.prepared(rows[start : start + step]))
            found[start : start + step, self._labels] = self._place.take(asked)
        return found

    def prepared(self, x: NDArray[np.float32]) -> Any:
        """Rows as they are asked of, on the device: scaled, and fewer columns of them."""
        if self._scaling is None:
            return x
        z = scaling.apply(self._place, self._scaling, self._place.put(x)) @ self._whitening
        return z if self.scaled else self._place.take(z).astype(np.float32)

    def state(self) -> State:
        """See `Classifier.state`; the names are in the class's description."""
        if self._state is None:
            name = type(self).__name__
            raise UsageError(f"the {name} was neither fit nor restored")
        return self._state

    def restore(self, state: State, device: str = "cpu") -> None:
        """See `Classifier.restore`."""
        prepared = ("whitening", *scaling.NAMES) if self._prepares else ()
        arrays.only(state, (*self.names, *prepared))
        columns, known = self.task.shape[0], len(self.task.labels)
        labels = arrays.labels(state, known) if "labels" in self.names else np.arange(known)
        place, scales, whitening = Place.of(device), None, None
        if prepared:
            matrix = stored(state, "whitening", np.float64, (columns, None), _WIDEST)
            scales, whitening = scaling.restore(state, columns, place), place.put(matrix)
            columns = matrix.shape[1]
        ready = self.ready(state, columns, len(labels), place)
        self._scaling, self._whitening = scales, whitening
        self._labels, self._place, self._ready = labels, place, ready
        self._state = dict(state)

    @property
    def _prepares(self) -> bool:
        return self.scaled or self.parameters.reduce != "none"

    def _preparation(
        self, x: NDArray[np.float32], y: NDArray[np.int64], artists: NDArray[np.int64], run: Run
    ) -> tuple[dict[str, NDArray[Any]], Any]:
        """The arrays of the preparation, and these rows prepared."""
        if not self._prepares:
            return {}, x
        asked = self.parameters
        power, whiten = (asked.power, asked.whiten) if self.scaled else (False, 0.0)
        scales, z = scaling.fitted(x, power, scaling.HERE, run)
        matrix = reducing.whitening(z, y, artists, asked.reduce, whiten, self.task, run)
        mapped = z @ matrix
        return {**scales, "whitening": matrix}, mapped if self.scaled else np.float32(mapped)


def positive(state: State, name: str, shape: tuple[int | None, ...]) -> NDArray[Any]:
    """A float64 array of the state with numbers above 0 only; else BundleError."""
    there = stored(state, name, np.float64, shape)
    if not there.size or there.min() < 1 / LARGEST:
        raise BundleError(f"the model's {name} are not all above 0")
    return there
