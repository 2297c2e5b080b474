"""Random forest: grown by scikit-learn tree by tree, evaluated from plain arrays."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.classifiers.base import Classifier
from mgrkit.errors import BundleError, UsageError
from mgrkit_classical import arrays, groups, trees

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.classifiers.base import Examples, Floats, Run, State
    from mgrkit_classical.hooks import RandomForestParameters


class RandomForest(Classifier):
    """The mean of trees; the state is that of `trees.gathered`."""

    parameters: RandomForestParameters
    _state: State | None = None

    def fit(self, train: Examples, valid: Examples | None, run: Run) -> None:
        """See `Classifier.fit`; asks whether to stop before each tree."""
        del valid
        from sklearn.tree import DecisionTreeClassifier

        run.check()
        x, y = arrays.checked(train, self.task)
        asked, n = self.parameters, len(y)
        artists = np.asarray(train.groups)
        weight = groups.weights(y, artists, asked.even_groups, asked.class_weight == "balanced")
        rng = run.generator("trees")
        grown = []
        for done in range(asked.trees):
            run.check()
            drawn = np.bincount(rng.integers(n, size=n), minlength=n)
            tree = DecisionTreeClassifier(
                max_depth=asked.max_depth or trees.DEEPEST,
                min_samples_leaf=asked.min_samples_leaf,
                max_features=asked.max_features or "sqrt",
                random_state=int(rng.integers(2**31)),
            )
            with warnings.catch_warnings():
                # Said of any table of few tracks, and once for each tree.
                warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
                grown.append(tree.fit(x, y, sample_weight=drawn * weight))
            run.progress(done + 1, asked.trees, {})
        run.check()
        state = trees.gathered(grown, grown[0].classes_, len(self.task.labels))
        self.restore(state, run.device)

    def predict_proba(self, x: NDArray[Any]) -> Floats:
        """See `Classifier.predict_proba`; a genre that was not in train gets 0."""
        rows = arrays.rows(x, self.task)
        if self._state is None:
            raise UsageError("the random forest was neither fit nor restored")
        return self._trees.mean(rows).astype(np.float32)

    def state(self) -> State:
        """See `Classifier.state`."""
        if self._state is None:
            raise UsageError("the random forest was neither fit nor restored")
        return self._state

    def restore(self, state: State, device: str = "cpu") -> None:
        """See `Classifier.restore`."""
        checked = dict(trees.checked(state, self.task.shape[0], len(self.task.labels)))
        count = len(checked["roots"])
        if count != self.parameters.trees:
            raise BundleError(
                f"the model has {count} trees, its parameters say {self.parameters.trees}"
            )
        self._trees = trees.Trees(checked, arrays.Place.of(device))
        self._state = checked
