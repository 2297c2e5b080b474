"""Train any torch network on pictures, as mgrkit's own are trained.

For plugins: the shortest way is a subclass of `mgrkit_neural.classifier.NeuralClassifier`, which
calls `train` and does all else that a classifier must::

    from mgrkit_neural.classifier import NeuralClassifier

    class Small(NeuralClassifier):          # its parameters: a dataclass derived from Recipe
        def network(self):
            from torch import nn
            return nn.Sequential(
                nn.Conv2d(1, 32, 5, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                nn.Linear(32, len(self.task.labels)),
            )

`train` itself takes a function that makes the network, and `Examples` (uint8 pictures)::

    trained = train(make, task, Recipe(epochs=20), examples, None, Run(seed=0))
    trained.probabilities(pictures)

What it does, in this order: pictures lie whole on the device, where random crops are cut and
augmented (`mgrkit_neural.augmentation`); AdamW with one cycle of the learning rate; every
few epochs the tracks of ``valid`` are judged, the best epoch is kept. Checkpoints in ``run.folder``
let a stopped fit go on, on a CPU to the same numbers. Under torchrun every process takes its
share of each batch (`mgrkit_neural.distributed`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mgrkit.errors import UsageError
from mgrkit_neural import threads
from mgrkit_neural.course import Course
from mgrkit_neural.material import material
from mgrkit_neural.predicting import Trained

if TYPE_CHECKING:
    from torch import nn

    from mgrkit.classifiers.base import Examples, Run, Task
    from mgrkit_neural.recipe import Recipe

__all__ = ["Trained", "train"]


def train(
    network: Callable[[], nn.Module],
    task: Task,
    recipe: Recipe,
    train: Examples,
    valid: Examples | None,
    run: Run,
) -> Trained:
    """Train a network, or several that are averaged.

    Parameters
    ----------
    network : makes one, with weights from torch's generator, which is seeded for it. It maps
        float32 ``(n, 1, bands, frames)`` to logits ``(n, len(task.labels))``.
    train, valid : pictures uint8 ``(n, *task.shape)``; without ``valid`` the last epoch is kept.
    run : its folder gets checkpoints, ``metrics.csv`` and ``curves.png``; its notes say when
        batches had to be halved, and when only one genre is predicted.

    Raises
    ------
    UsageError : examples that cannot be learnt from; a folder with a fit of other settings; a
        batch that the processes cannot share evenly.
    RunError : the loss is not finite; too little memory for half the batch; a file of the folder
        cannot be written; another process of the fit has ended; torch cannot compute in this
        process, see `mgrkit_neural.threads.check`.
    Stopped : the run was asked to end; the same call goes on.
    """
    threads.check()
    if recipe.batch % run.world_size:
        raise UsageError(
            f"a batch of {recipe.batch} cannot be shared evenly by {run.world_size} processes",
            f"--param batch={-(-recipe.batch // run.world_size) * run.world_size}",
        )
    return Course(network, task, recipe, material(task, train, valid, run), run).done()
