"""Support vector machine: fit by one of the solvers, evaluated from plain arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.classifiers.base import Classifier
from mgrkit.errors import BundleError, UsageError
from mgrkit_classical import arrays, groups, kernels, reducing, scaling, solvers
from mgrkit_classical.arrays import Place, stored

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.classifiers.base import Examples, Floats, Run, State
    from mgrkit_classical.hooks import SVMParameters

_CELLS = 1 << 22
_NAMES = ("labels", "whitening", "counts", "vectors", "weights", "bias")
_WIDEST = 1e6


class SVM(Classifier):
    """One machine for each pair of genres; see `mgrkit_classical.kernels` for what they vote.

    The state, beside that of the scaling: ``labels`` int64 ``(k,)``, the genres in train;
    ``whitening`` float64 ``(columns, fewer)``, see `reducing.whitening`; ``counts`` int64
    ``(k,)``, the genres' numbers of support vectors; ``vectors`` float64 ``(m, fewer)``,
    scaled, whitened and in the order of their genres; ``weights`` float64 ``(m, k)`` and
    ``bias`` float64 ``(k, k)`` as for `kernels.decisions`.
    """

    parameters: SVMParameters
    _state: State | None = None

    def fit(self, train: Examples, valid: Examples | None, run: Run) -> None:
        """See `Classifier.fit`; asks whether to stop before each column and each pair."""
        del valid
        run.check()
        x, y = arrays.checked(train, self.task)
        order = np.argsort(y, kind="stable")
        x, y = x[order], y[order]
        artists, asked = np.asarray(train.groups)[order], self.parameters
        weight = groups.weights(y, artists, asked.even_groups, asked.class_weight == "balanced")
        place = solvers.place(asked.solver, run.device)
        state, z = scaling.fitted(x, asked.power, place, run)
        here = place.take(z)
        matrix = reducing.whitening(here, y, artists, asked.reduce, asked.whiten, self.task, run)
        state["whitening"] = matrix
        labels, index = np.unique(y, return_inverse=True)
        mapped = z @ place.put(matrix)
        weights, bias = solvers.module("svc", place).machines(
            mapped, index, weight, asked, _gamma(asked, state), place, run
        )
        run.check()
        kept = weights.any(axis=1)
        state |= {
            "labels": labels,
            "counts": np.bincount(index[kept], minlength=len(labels)),
            "vectors": place.take(mapped)[kept],
            "weights": weights[kept],
            "bias": bias,
        }
        self.restore(state, run.device)

    def predict_proba(self, x: NDArray[Any]) -> Floats:
        """See `Classifier.predict_proba`; a genre that was not in train gets 0."""
        rows = arrays.rows(x, self.task)
        if self._state is None:
            raise UsageError("the svm was neither fit nor restored")
        probabilities = np.zeros((len(rows), len(self.task.labels)), np.float32)
        k = len(self._labels)
        step = max(1, _CELLS // max(len(self._vectors), k * k))
        for start in range(0, len(rows), step):
            decided = self.decide(rows[start : start + step])
            probabilities[start : start + step, self._labels] = self._place.take(
                kernels.coupled(self._place, decided)
            )
        return probabilities

    def decide(self, x: NDArray[np.float32]) -> Any:
        """Decision values of all pairs of `labels`, ``(n, k, k)``: `kernels.decisions`."""
        place = self._place
        z = scaling.apply(place, self._scaling, place.put(x)) @ self._whitening
        likeness = kernels.kernel(place, z, self._vectors, self.parameters, self._gamma)
        return kernels.decisions(place, likeness, self._weights, self._bias, self._counts)

    def state(self) -> State:
        """See `Classifier.state`; the names are in the class's description."""
        if self._state is None:
            raise UsageError("the svm was neither fit nor restored")
        return self._state

    def restore(self, state: State, device: str = "cpu") -> None:
        """See `Classifier.restore`."""
        arrays.only(state, (*_NAMES, *scaling.NAMES))
        columns = self.task.shape[0]
        labels = arrays.labels(state, len(self.task.labels))
        k = len(labels)
        whitening = stored(state, "whitening", np.float64, (columns, None), _WIDEST)
        fewer = whitening.shape[1]
        vectors = stored(state, "vectors", np.float64, (None, fewer), _WIDEST**2)
        counts = stored(state, "counts", np.int64, (k,), len(vectors))
        if counts.min() < 0 or counts.sum() != len(vectors):
            raise BundleError(
                f"the model's counts are of {counts.sum()} vectors, there are {len(vectors)}"
            )
        weights = stored(state, "weights", np.float64, (len(vectors), k))
        bias = stored(state, "bias", np.float64, (k, k))
        if not np.array_equal(bias, -bias.T):
            raise BundleError("the model's bias is not antisymmetric")
        place = Place.of(device)
        self._scaling = scaling.restore(state, columns, place)
        self._gamma = _gamma(self.parameters, state)
        self._labels, self._counts, self._place = labels, counts.tolist(), place
        self._vectors, self._weights, self._bias = map(place.put, (vectors, weights, bias))
        self._whitening = place.put(whitening)
        self._state = dict(state)


def _gamma(parameters: SVMParameters, state: State) -> float:
    """Of the columns that the kernel sees: those that vary, or fewer that they became."""
    varying = int(np.count_nonzero(state["factor"]))
    columns: int = min(varying, state["whitening"].shape[1])
    return parameters.gamma / max(1, columns)
