"""What a fit is about: the same from its first step to its last, and in each of its processes."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import TYPE_CHECKING, Any

import torch

from mgrkit_neural.distributed import Peers

if TYPE_CHECKING:
    from torch import nn

    from mgrkit.classifiers.base import Run, Task
    from mgrkit_neural.material import Material
    from mgrkit_neural.recipe import Recipe


class Problem:
    """A task, what it is learnt from, and how.

    Attributes
    ----------
    ranks : this process among those that fit together.
    seen : int64 ``(k,)`` on the device: the genres in train, in order.
    width : columns of the pieces of pictures that are learnt from.
    """

    def __init__(self, task: Task, recipe: Recipe, data: Material, run: Run) -> None:
        self.task, self.recipe, self.data, self.run = task, recipe, data, run
        self.ranks = Peers(run)
        self.seen = torch.from_numpy(data.seen).to(run.device)
        self.width = recipe.columns(task)

    def settings(self, network: nn.Module) -> dict[str, Any]:
        """What decides the numbers, of a fit of such networks; JSON values."""
        shapes = [[name, list(t.shape)] for name, t in network.state_dict().items()]
        valid = self.data.valid
        return {
            "parameters": dataclasses.asdict(self.recipe),
            "seed": self.run.seed,
            "precision": self.run.precision,
            "genres": self.task.labels,
            "bands and columns": self.task.shape,
            "pieces in train": len(self.data),
            "pieces in valid": 0 if valid is None else len(valid.pictures),
            "network": hashlib.sha256(json.dumps(shapes).encode()).hexdigest()[:16],
            "examples": self.data.digest,
        }
