"""A network that trains in a moment, and what the tests of training share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mgrkit_neural.classifier import NeuralClassifier
from mgrkit_neural.recipe import Recipe
from torch import Tensor, nn

from mgrkit.classifiers import Examples, Run
from mgrkit.errors import Stopped
from mgrkit.registry import parameter
from mgrkit.testing.toys import Toy, toy

TOY: Toy = toy("image")
SEED = 3


@dataclass(frozen=True)
class Quick(Recipe):
    epochs: int = parameter(4, "passes over train", low=1, high=100)
    batch: int = parameter(16, "pieces in one step", low=2, high=1000)
    learning_rate: float = parameter(0.02, "the highest rate", low=1e-7, high=1e9)
    crop_seconds: float = parameter(0.75, "length of a crop, 32 columns", low=0, high=1000)
    mixup: float = parameter(0.0, "alpha of mixup", low=0, high=100)
    average: float = parameter(0.0, "decay of the average", low=0, high=0.999)
    views: int = parameter(0, "crops averaged", low=0, high=100)
    judge_every: int = parameter(1, "epochs from one look at valid to the next", low=1, high=100)
    drop: float = parameter(0.1, "share of what is left out in training", low=0, high=0.9)


class Small(NeuralClassifier):
    """One convolution, batch norms over pictures and over vectors, something random in training."""

    parameters: Quick

    def network(self) -> nn.Module:
        return nn.Sequential(
            # A bias would have no gradient but rounding, of which AdamW makes whole steps.
            nn.Conv2d(1, 6, (8, 3), stride=(4, 2), bias=False),
            nn.BatchNorm2d(6),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d((8, 1)),
            nn.Flatten(),
            nn.BatchNorm1d(48),
            nn.Dropout(self.parameters.drop),
            nn.Linear(48, len(self.task.labels)),
        )


class Called(Small):
    """Calls a function with every batch that is learnt from."""

    call: Callable[[Tensor], object] = staticmethod(lambda x: None)

    def network(self) -> nn.Module:
        network, call = super().network(), self.call

        class Calling(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.inner = network

            def forward(self, x: Tensor) -> Any:
                told = self.inner(x)
                if self.training:
                    other = call(x)
                    told = told if other is None else told * other
                return told

        return Calling()


def small(call: Callable[[Tensor], object] | None = None, **recipe: Any) -> Small:
    """A new classifier for the toys."""
    model = (Called if call else Small)(TOY.task, Quick(**recipe))
    if call:
        model.call = call  # type: ignore[attr-defined]
    return model


def fit(model: Small, valid: Examples | None = TOY.valid, **run: Any) -> np.ndarray:
    """Fit to the toys, and what it then predicts."""
    model.fit(TOY.train, valid, Run(SEED, **run))
    return model.predict_proba(TOY.asked)


def stopped(model: Small, after: int, folder: Path, **run: Any) -> None:
    """Fit, and stop at a question."""
    asked = []

    def bell() -> bool:
        asked.append(0)
        return len(asked) > after

    try:
        fit(model, folder=folder, stop_requested=bell, **run)
    except Stopped:
        return
    raise AssertionError(f"it was asked {len(asked)} times only")


def some(examples: Examples, rows: Sequence[int] | np.ndarray) -> Examples:
    """Some of the examples."""
    return examples.take(np.asarray(rows))
