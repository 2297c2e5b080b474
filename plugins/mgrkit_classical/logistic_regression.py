"""Logistic regression: fit by one of the solvers, evaluated from plain arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.classifiers.base import Classifier
from mgrkit.errors import UsageError
from mgrkit_classical import arrays, groups, novelty, reducing, scaling, solvers
from mgrkit_classical.arrays import Place, stored

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.classifiers.base import Examples, Floats, Run, State
    from mgrkit_classical.arrays import Numbers
    from mgrkit_classical.hooks import LogisticRegressionParameters

_STEEP, _LEAST = 32, 1e-3
"""How fast the odds give way beyond the limit, and what is always left of them, so that the
likeliest genre stays the likeliest: 3 % beyond it is 0.4 left, 10 % 0.05."""

_NAMES = ("labels", "whitening", "weights", "bias", *novelty.NAMES)
_WIDEST = 1e6


class LogisticRegression(Classifier):
    """Linear odds of the genres, which give way to even ones far from everything in train.

    Far is what `mgrkit_classical.novelty` finds so: linear odds alone are the surer the farther
    out an example lies, also of what is no music.

    The state, beside that of the scaling: ``labels`` int64 ``(k,)``, the genres in train;
    ``whitening`` float64 ``(columns, fewer)``, see `reducing.whitening`; ``weights`` float64
    ``(fewer, k)`` and ``bias`` float64 ``(k,)``, of the log odds; ``centres`` and ``limit``, see
    `novelty.fit`. All are of examples scaled and whitened.
    """

    parameters: LogisticRegressionParameters
    _state: State | None = None

    def fit(self, train: Examples, valid: Examples | None, run: Run) -> None:
        """See `Classifier.fit`; asks whether to stop before each column and some dozen steps."""
        del valid
        run.check()
        x, y = arrays.checked(train, self.task)
        artists, asked = np.asarray(train.groups), self.parameters
        weight = groups.weights(y, artists, asked.even_groups, asked.class_weight == "balanced")
        place = solvers.place(asked.solver, run.device)
        state, there = scaling.fitted(x, asked.power, place, run)
        z = place.take(there)
        reduction = reducing.fit(z, y, asked.reduce, self.task, run)
        fewer = z if reduction is None else z @ reduction
        matrix, far = novelty.fit(
            fewer, y, artists, asked.whiten, asked.novelty, run, train.originals
        )
        matrix = matrix if reduction is None else reduction @ matrix
        state |= {"labels": np.unique(y), "whitening": matrix, **far}
        mapped = there @ place.put(matrix)
        state["weights"], state["bias"] = solvers.module("logistic", place).odds(
            mapped, y, weight, asked.C, place, run
        )
        run.progress(1, 1, {})
        self.restore(state, run.device)

    def predict_proba(self, x: NDArray[Any]) -> Floats:
        """See `Classifier.predict_proba`; a genre that was not in train gets 0."""
        odds, beyond = self.odds(x)
        kept = np.clip(np.maximum(beyond, 1) ** -_STEEP, _LEAST, None)[:, None]
        odds[:, self._labels] = kept * odds[:, self._labels] + (1 - kept) / len(self._labels)
        return odds

    def strange(self, x: NDArray[Any]) -> NDArray[np.bool_]:
        """See `Classifier.strange`: beyond the limit from all genres."""
        far: NDArray[np.bool_] = self.odds(x)[1] > 1
        return far

    def odds(self, x: NDArray[Any]) -> tuple[Floats, Numbers]:
        """The genres' probabilities wherever an example lies, and its distance over the limit.

        Returns
        -------
        float32 ``(n, labels)``, rows summing to one, and float64 ``(n,)``.
        """
        examples = arrays.rows(x, self.task)
        if self._state is None:
            raise UsageError("the logistic regression was neither fit nor restored")
        place, xp = self._place, self._place.xp
        z = scaling.apply(place, self._scaling, place.put(examples)) @ self._whitening
        odds = z @ self._weights + self._bias
        powers = xp.exp(odds - xp.amax(odds, 1)[:, None])
        found = np.zeros((len(examples), len(self.task.labels)), np.float32)
        found[:, self._labels] = place.take(powers / powers.sum(1)[:, None])
        beyond: Numbers = place.take(novelty.beyond(place, z, self._centres, self._limit))
        return found, beyond

    def state(self) -> State:
        """See `Classifier.state`; the names are in the class's description."""
        if self._state is None:
            raise UsageError("the logistic regression was neither fit nor restored")
        return self._state

    def restore(self, state: State, device: str = "cpu") -> None:
        """See `Classifier.restore`."""
        arrays.only(state, (*_NAMES, *scaling.NAMES))
        columns = self.task.shape[0]
        labels = arrays.labels(state, len(self.task.labels))
        k = len(labels)
        whitening = stored(state, "whitening", np.float64, (columns, None), _WIDEST)
        fewer = whitening.shape[1]
        weights = stored(state, "weights", np.float64, (fewer, k))
        bias = stored(state, "bias", np.float64, (k,))
        place = Place.of(device)
        self._scaling = scaling.restore(state, columns, place)
        self._labels, self._place = labels, place
        self._centres, self._limit = novelty.restore(state, k, fewer, place)
        self._whitening, self._weights, self._bias = map(place.put, (whitening, weights, bias))
        self._state = dict(state)
