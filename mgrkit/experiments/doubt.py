"""Which verdicts on tracks of a dataset are unsure, by the rule of `mgrkit.models.model.Model`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mgrkit.datasets.dataset import Dataset
from mgrkit.frontend import front_end
from mgrkit.inputs.kinds import Features
from mgrkit.models.bandwidth import RATE
from mgrkit.registry import FeatureSetSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.experiments.evaluating import Evaluation

_HEIGHT = Features(
    FeatureSetSpec(
        name="bandwidth",
        summary="how high a piece reaches",
        factory="mgrkit.models.bandwidth:heights",
        frontend=front_end(sample_rate=RATE),
        columns=("hertz",),
    )
)


def least_height(one: Evaluation) -> float:
    """What sound must reach for this model to be sure of it, in Hz; 0 for any."""
    return max(one.model.members[name].bundle.bandwidth for name in one.datasets)


def heights(one: Evaluation) -> tuple[Path, Dataset]:
    """The model's tracks, of sound, by how high they reach, and the folder of their paths."""
    folder, dataset = next(iter(one.datasets.values()))
    return folder, replace(dataset, input=_HEIGHT)


def unsure(
    one: Evaluation,
    probabilities: NDArray[np.float32],
    datasets: Mapping[str, Dataset],
    reaching: Dataset | None,
) -> NDArray[np.bool_]:
    """Of each track whether ``predict`` would call the verdict unsure, ``(n,)``.

    Parameters
    ----------
    probabilities : ``(n, labels)``.
    datasets : by member, the same tracks as it takes them.
    reaching : the same tracks as of `heights`; None for a model that takes any.
    """
    found: NDArray[np.bool_] = probabilities.max(1) < one.unsure_below
    for name, dataset in datasets.items():
        found |= one.model.members[name].strange_tracks(dataset.x, dataset.tracks)
    if reaching is not None:
        hertz = np.zeros(len(found))
        np.maximum.at(hertz, reaching.tracks, reaching.x[:, 0])
        found |= hertz < least_height(one)
    return found
