"""How good the networks of a fit are: on valid, to choose the best epoch, and at its end."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch

from mgrkit.errors import RunError
from mgrkit_neural import predicting

if TYPE_CHECKING:
    from mgrkit_neural.learner import Learner
    from mgrkit_neural.predicting import Trained
    from mgrkit_neural.problem import Problem

_SOME = 500
"""Pieces of train that are enough to see whether one genre is predicted of all."""


def scores(problem: Problem, learner: Learner, done: int) -> dict[str, float]:
    """Accuracy and log-loss of the tracks of valid after so many epochs; {} if not their turn.

    Raises
    ------
    RunError : the loss is not finite.
    """
    valid, recipe, ranks, run = problem.data.valid, problem.recipe, problem.ranks, problem.run
    if valid is None or (done % recipe.judge_every and done < recipe.epochs):
        return {}
    probabilities = torch.zeros((len(valid.pictures), len(problem.seen)), device=run.device)
    part = ranks.part(len(probabilities))
    with learner.precision():
        probabilities[part] = predicting.predicted(
            learner.judged, valid.pictures[part], problem.seen, problem.width, recipe.views,
            run.device,
            # Together they ask in the same step; here one may have fewer pictures.
            ranks.check if ranks.size == 1 else lambda: None,
        )  # fmt: skip
    of_all = ranks.total(probabilities).cpu().numpy()
    accuracy, loss = valid.scores(of_all, problem.data.seen)
    if not math.isfinite(loss):
        raise RunError(
            f"the loss on valid is not finite after epoch {done}",
            "a lower --param learning_rate=, or --precision float32",
        )
    return {"valid_accuracy": accuracy, "valid_loss": loss}


def one_genre(problem: Problem, trained: Trained) -> str:
    """A note if the same genre is predicted of everything, else ''."""
    data, valid = problem.data, problem.data.valid
    if valid is not None:
        part, best = "valid", valid.averaged(trained.of_tensor(valid.pictures)).argmax(1)
    else:
        few = data.pictures[torch.from_numpy(data.variants[:: max(1, len(data) // _SOME), 0])]
        part, best = "train", trained.of_tensor(few).argmax(1)
    genres = np.unique(best)
    if len(best) < 2 or len(genres) > 1:
        return ""
    label = problem.task.labels[genres[0]]
    return f"it predicts one genre only: everything in {part} is {label}"
