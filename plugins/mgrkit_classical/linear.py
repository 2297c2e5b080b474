"""Linear models and layers of them: fit by scikit-learn, evaluated from plain arrays."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mgrkit.errors import UsageError
from mgrkit_classical.arrays import Place, stored
from mgrkit_classical.columns import ColumnClassifier, Evaluation, Lesson
from mgrkit_classical.links import LINKS, softmax, spread
from mgrkit_classical.parameters import layers
from mgrkit_classical.solvers.sklearn import unwarned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.classifiers.base import Run, State
    from mgrkit_classical.arrays import Numbers

_PATIENCE = 10
_STEEPEST = 1e6
"""The largest weight of a layer in a bundle, so that no product of five overflows."""

_ACTIVATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "relu": lambda xp, z: xp.where(z > 0, z, 0.0),
    "tanh": lambda xp, z: xp.tanh(z),
    "logistic": lambda xp, z: (1 + xp.tanh(z / 2)) / 2,
    "identity": lambda _, z: z,
}


class Layers:
    """Layers of units, the last of which gives a value for each label; see `Evaluation`.

    Parameters
    ----------
    parts : weights ``(units before, units)`` and bias ``(units,)`` of each layer.
    link : what makes probabilities of values: of `links`.
    activation : of all layers but the last.
    """

    def __init__(
        self, place: Place, parts: list[tuple[Any, Any]], link: Any, activation: str = "identity"
    ) -> None:
        self.width = max(max(weights.shape) for weights, _ in parts)
        self._parts = [(place.put(weights), place.put(bias)) for weights, bias in parts]
        self._place, self._link, self._activation = place, link, _ACTIVATIONS[activation]

    def probabilities(self, z: Any) -> Any:
        """See `Evaluation.probabilities`."""
        *hidden, (weights, bias) = self._parts
        for inner, own in hidden:
            z = self._activation(self._place.xp, z @ inner + own)
        return self._link(self._place, z @ weights + bias)


class OneAgainstRest(ColumnClassifier):
    """One linear machine of scikit-learn's for each genre against all others; one for two.

    The state: ``weights`` float64 ``(columns, k)`` and ``bias`` float64 ``(k,)`` of the values;
    see `columns.ColumnClassifier` for the rest. Most such machines know no probabilities: those
    of `links.margins` are made of their values.
    """

    names = ("labels", "weights", "bias")
    unit: ClassVar[bool] = True
    """Whether a value of 1 means the same whatever the data, as a margin's does."""

    @abstractmethod
    def machine(self, seed: int) -> Any:
        """A machine of scikit-learn for two classes."""

    @property
    def link(self) -> str:
        """The name in `links.LINKS` of what makes probabilities of values."""
        return "margins"

    def learn(self, lesson: Lesson, run: Run) -> dict[str, NDArray[Any]]:
        """See `ColumnClassifier.learn`; asks whether to stop before each genre."""
        k, rng = len(lesson.labels), run.generator("machines")
        chosen = list(range(k)) if k > 2 else [1]
        weights, bias = np.zeros((lesson.z.shape[1], len(chosen))), np.zeros(len(chosen))
        for done, label in enumerate(chosen):
            run.check()
            machine = self.machine(int(rng.integers(2**31)))
            with unwarned():
                machine.fit(lesson.z, lesson.y == label, sample_weight=lesson.weight)
            self.judge(machine)
            weights[:, done] = np.ravel(machine.coef_)  # one row, or none, by kind and release
            bias[done] = np.ravel(machine.intercept_)[0]
            run.progress(done + 1, len(chosen), {})
        if k == 2:  # each genre's value is the other's, turned; the odds are of their difference
            half = np.array([-0.5, 0.5]) if self.link == "margins" else np.array([-1.0, 1.0])
            weights, bias = weights * half, bias * half
        size = 1.0 if self.unit else spread(lesson.z @ weights + bias)
        return {"weights": weights / size, "bias": bias / size}

    def judge(self, machine: Any) -> None:
        """UsageError if the fit of this machine did not settle, where it has to."""

    def ready(self, state: State, columns: int, genres: int, place: Place) -> Evaluation:
        """See `ColumnClassifier.ready`."""
        weights = stored(state, "weights", np.float64, (columns, genres))
        bias = stored(state, "bias", np.float64, (genres,))
        return Layers(place, [(weights, bias)], LINKS[self.link])


class Ridge(OneAgainstRest):
    """Least squares of -1 and 1; see `OneAgainstRest`."""

    def machine(self, seed: int) -> Any:
        """See `OneAgainstRest.machine`."""
        from sklearn.linear_model import RidgeClassifier

        return RidgeClassifier(alpha=self.parameters.alpha, random_state=seed)


class Perceptron(OneAgainstRest):
    """Rosenblatt's rule; see `OneAgainstRest`. Values are in units of their spread in train."""

    unit = False

    def machine(self, seed: int) -> Any:
        """See `OneAgainstRest.machine`."""
        from sklearn.linear_model import SGDClassifier

        asked = self.parameters
        # scikit-learn's Perceptron, which is this, has no mean of its weights.
        return SGDClassifier(
            loss="perceptron", learning_rate="constant", eta0=1.0, average=asked.average,
            penalty=None if asked.penalty == "none" else asked.penalty, alpha=asked.alpha,
            max_iter=asked.max_iter, tol=asked.tol, random_state=seed,
        )  # fmt: skip


class SGD(OneAgainstRest):
    """Stochastic gradient descent; see `OneAgainstRest`."""

    @property
    def link(self) -> str:
        """See `OneAgainstRest.link`; scikit-learn's own where the loss has probabilities."""
        loss: str = self.parameters.loss
        return "margins" if loss == "hinge" else loss

    def machine(self, seed: int) -> Any:
        """See `OneAgainstRest.machine`."""
        from sklearn.linear_model import SGDClassifier

        asked = self.parameters
        return SGDClassifier(
            loss=asked.loss, penalty=asked.penalty, alpha=asked.alpha, average=asked.average,
            max_iter=asked.max_iter, tol=asked.tol, random_state=seed,
        )  # fmt: skip


class LinearSVM(OneAgainstRest):
    """Widest margins; see `OneAgainstRest`."""

    def machine(self, seed: int) -> Any:
        """See `OneAgainstRest.machine`."""
        from sklearn.svm import LinearSVC

        asked = self.parameters
        dual = asked.loss == "hinge"
        return LinearSVC(C=asked.C, loss=asked.loss, dual=dual, max_iter=10_000, random_state=seed)

    def judge(self, machine: Any) -> None:
        """See `OneAgainstRest.judge`."""
        if machine.n_iter_ >= machine.max_iter:
            raise UsageError("the linear_svm did not settle", "give a smaller C")


class MLP(ColumnClassifier):
    """Layers of units, fit by Adam. Of each epoch an example is as often as it counts.

    The state: ``weights0`` float64 ``(columns, units)`` and ``bias0`` float64 ``(units,)`` of the
    first layer, and so on; see `columns.ColumnClassifier` for the rest.
    """

    @property
    def names(self) -> tuple[str, ...]:  # type: ignore[override]
        """Of the arrays, as many as there are layers."""
        count = len(layers(self.parameters.hidden_layer_sizes)) + 1
        return ("labels", *(f"{part}{i}" for i in range(count) for part in ("weights", "bias")))

    def learn(self, lesson: Lesson, run: Run) -> dict[str, NDArray[Any]]:
        """See `ColumnClassifier.learn`; asks whether to stop before each epoch."""
        from sklearn.neural_network import MLPClassifier

        asked, rng = self.parameters, run.generator("epochs")
        net = MLPClassifier(
            layers(asked.hidden_layer_sizes), activation=asked.activation, alpha=asked.alpha,
            learning_rate_init=asked.learning_rate_init, random_state=int(rng.integers(2**31)),
        )  # fmt: skip
        lowest, since, classes = np.inf, 0, np.arange(len(lesson.labels))
        for epoch in range(asked.max_iter):
            run.check()
            counts = (lesson.weight + rng.random(len(lesson.y))).astype(np.int64)
            drawn = rng.permutation(np.repeat(np.arange(len(counts)), counts))
            net.set_params(batch_size=min(asked.batch_size, len(drawn)))
            net.partial_fit(lesson.z[drawn], lesson.y[drawn], classes=classes)
            since = since + 1 if net.loss_ > lowest - asked.tol else 0
            lowest = min(lowest, net.loss_)
            run.progress(epoch + 1, asked.max_iter, {})
            if since > _PATIENCE:
                break
        weights, bias = list(net.coefs_), list(net.intercepts_)
        if len(lesson.labels) == 2:  # the log odds of the second
            weights[-1], bias[-1] = weights[-1] * [[-0.5, 0.5]], bias[-1] * [-0.5, 0.5]
        parts = {
            f"weights{i}": np.ascontiguousarray(one, np.float64) for i, one in enumerate(weights)
        }
        return parts | {f"bias{i}": one.astype(np.float64) for i, one in enumerate(bias)}

    def ready(self, state: State, columns: int, genres: int, place: Place) -> Evaluation:
        """See `ColumnClassifier.ready`."""
        sizes = (columns, *layers(self.parameters.hidden_layer_sizes), genres)
        parts: list[tuple[Numbers, Numbers]] = [
            (
                stored(state, f"weights{i}", np.float64, sizes[i : i + 2], _STEEPEST),
                stored(state, f"bias{i}", np.float64, sizes[i + 1 : i + 2], _STEEPEST),
            )
            for i in range(len(sizes) - 1)
        ]
        return Layers(place, parts, softmax, self.parameters.activation)
