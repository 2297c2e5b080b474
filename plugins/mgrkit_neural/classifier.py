"""The classifier around any torch network: a subclass gives the network, nothing else."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from mgrkit.classifiers.base import Classifier
from mgrkit.errors import UsageError
from mgrkit_neural.novelty import PREFIX, Novelty
from mgrkit_neural.pictures import checked

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from mgrkit.classifiers.base import Examples, Floats, Run, State
    from mgrkit_neural.arrays import Arrays
    from mgrkit_neural.frozen import Frozen, Network
    from mgrkit_neural.recipe import Recipe
    from mgrkit_neural.training import Trained


class NeuralClassifier(Classifier):
    """Fits, predicts with, saves and restores what `network` gives.

    The state: ``labels`` int64 ``(k,)``, the genres in train, in order; and for each member
    ``i`` of the ensemble the network's own ``i.<name>``; and what `mgrkit_neural.novelty` knows of
    train, which bundles of before do not have.
    """

    parameters: Recipe
    _trained: Trained | Frozen | None = None
    _novelty: Novelty | None = None

    @abstractmethod
    def network(self) -> torch.nn.Module:
        """A new network, its weights drawn from torch's generator (which the caller seeds).

        It maps float32 ``(n, 1, bands, frames)``, mean about 0 and deviation about 1, row 0 the
        lowest band, or samples ``(n, 1, frames)``, to logits ``(n, len(self.task.labels))``. In
        training the frames are those of a crop, ``self.parameters.columns(self.task)``. When it
        predicts they are all of the task's, or those of a crop again where the recipe has
        ``views``: what a network that takes one number of frames only must have.
        """

    def numpy_network(self, arrays: Arrays) -> Network:
        """The same network of the arrays of one member, in NumPy. Who gives none uses torch.

        A class that has it predicts with it on a CPU, and so without the seconds that the import
        of torch takes. It stands in the class that has `network`: a subclass with another
        `network` has another of these too, or none.

        Parameters
        ----------
        arrays : by the names of the network's tensors; each is taken once, which checks it.

        Returns
        -------
        what maps float32 ``(n, 1, bands, frames)`` to new logits ``(n, len(self.task.labels))``,
        in several threads at once.
        """
        raise NotImplementedError

    def fit(self, train: Examples, valid: Examples | None, run: Run) -> None:
        """See `Classifier.fit` and `mgrkit_neural.training.train`."""
        from mgrkit_neural import training

        self._trained = None
        self._trained = training.train(self.network, self.task, self.parameters, train, valid, run)
        self._novelty = Novelty.fit(self.task, train, run)
        if run.device == "cpu" and self._in_numpy():
            # Calibrated are the numbers that the bundle gives, to the last bit.
            self.restore(self.state())

    def predict_proba(self, x: NDArray[Any]) -> Floats:
        """See `Classifier.predict_proba`; a genre that was not in train gets 0."""
        if self._trained is None:
            raise UsageError("the network was neither fit nor restored")
        return self._trained.probabilities(x)

    def strange(self, x: NDArray[Any]) -> NDArray[np.bool_]:
        """See `Classifier.strange`; none is of pictures too small to be described."""
        if self._novelty is None:
            return super().strange(x)
        return self._novelty.far(checked(x, self.task))

    def state(self) -> State:
        """See `Classifier.state`; the names are in the class's description."""
        if self._trained is None:
            raise UsageError("the network was neither fit nor restored")
        known = self._novelty.arrays if self._novelty else {}
        return {**self._trained.state(), **{PREFIX + name: a for name, a in known.items()}}

    def restore(self, state: State, device: str = "cpu") -> None:
        """See `Classifier.restore`."""
        far = {n.removeprefix(PREFIX): a for n, a in state.items() if n.startswith(PREFIX)}
        state = {name: array for name, array in state.items() if not name.startswith(PREFIX)}
        self._novelty = Novelty(self.task, far) if far else None
        if device == "cpu" and self._in_numpy():
            from mgrkit_neural import frozen

            made = frozen.restored(self.numpy_network, self.task, self.parameters, state)
            self._trained = made
            return
        from mgrkit_neural import predicting

        self._trained = predicting.restored(self.network, self.task, self.parameters, state, device)

    def _in_numpy(self) -> bool:
        """Whether the class that has `network` has `numpy_network` too."""
        owner = next(one for one in type(self).__mro__ if "network" in vars(one))
        return "numpy_network" in vars(owner)
