"""How much too good an accuracy is where artists are on both sides of a split.

One classifier is fit on a split that keeps artists apart and on a random one of the same tracks,
with as many tracks of each genre in each part, and each fit is judged by the part that it has not
learnt from.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.classifiers.base import silent, unheard
from mgrkit.classifiers.bundle import SUFFIX
from mgrkit.errors import UsageError
from mgrkit.experiments.common import Eaten
from mgrkit.experiments.training import Recipe, fit_model
from mgrkit.experiments.trials import Judged, judge
from mgrkit.learning.comparing import gap
from mgrkit.learning.metrics import interval
from mgrkit.seeds import generator
from mgrkit.tracks.leaks import checked
from mgrkit.tracks.linked import linked
from mgrkit.tracks.splits import RANDOM, Labelled, Split, make_split

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.datasets.dataset import Dataset

Progress = Callable[[int, int, Mapping[str, float]], None]
_Fitted = tuple[Judged, "NDArray[np.bool_]"]
"""The tracks that a fit was judged by, and whether it was right on each."""


@dataclass(frozen=True)
class Side:
    """The accuracy on one kind of split.

    Parameters
    ----------
    split : the words that go with the numbers.
    accuracy, low, high : of all seeds together, with the 95 % interval, by artist.
    seeds : the accuracy of each.
    """

    split: str
    accuracy: float
    low: float
    high: float
    seeds: tuple[float, ...]


@dataclass(frozen=True)
class Inflation:
    """How much too good the random split is.

    Parameters
    ----------
    part : the part judged by; ``train`` and ``judged`` are the tracks of the first fit.
    gap, low, high : accuracy on the random split less that on the other, with its 95 % interval.
    """

    classifier: str
    part: str
    train: int
    judged: int
    random: Side
    apart: Side
    gap: float
    low: float
    high: float

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return asdict(self)


def inflation(
    dataset: Dataset,
    recipe_of: Callable[[int], Recipe],
    seeds: int,
    *,
    source: Path,
    how: str | None = None,
    say: Callable[[str], None] = unheard,
    progress: Progress = silent,
) -> Inflation:
    """Fit a classifier with each seed on both kinds of split, and compare the accuracies.

    Parameters
    ----------
    recipe_of : what is fit with a seed.
    how : the split that keeps artists apart: 'published', 'grouped', or None for the first of
        them that DATA allows. A published one is the same for all seeds.
    say : gets a line for each fit that is done.

    Raises
    ------
    UsageError : DATA allows no such split, or it has no part to judge by.
    MgrkitError : whatever `fit_model` raises.
    """
    dataset = dataset.take([i for i, entry in enumerate(dataset.entries) if not entry.is_copy])
    splits = [_apart(dataset.labelled, how, seed) for seed in range(seeds)]
    part = "test" if "test" in splits[0].parts else "valid"
    random: list[_Fitted] = []
    apart: list[_Fitted] = []
    for seed, split in enumerate(splits):
        like = random_like(dataset.labelled, split, seed)
        for fits, its in ((random, like), (apart, split)):
            fits.append(_fit(dataset, its, part, recipe_of(seed), source, progress))
            done = f"{len(random) + len(apart)} of {2 * seeds}"
            say(f"{done}: {its.words}, seed {seed}: accuracy {fits[-1][1].mean():.3f}")
    difference, low, high = gap(*_pooled(random), *_pooled(apart))
    return Inflation(
        classifier=recipe_of(0).spec.name,
        part=part,
        train=splits[0].parts.count("train"),
        judged=len(apart[0][1]),
        random=_side(RANDOM, random),
        apart=_side(splits[0].words, apart),
        gap=difference,
        low=low,
        high=high,
    )


def random_like(tracks: Sequence[Labelled], split: Split, seed: int) -> Split:
    """The tracks of a split dealt at random, with as many of each genre in each part.

    Tracks of one recording go to one part, so that nothing but artists is on both sides.
    """
    draw = generator(seed, "inflation")
    used = [index for index, part in enumerate(split.parts) if part]
    left: dict[str, Counter[str]] = {}
    for index in used:
        left.setdefault(tracks[index].genre, Counter())[split.parts[index]] += 1
    units = linked(tracks[index].dealt_with for index in used)
    order = sorted(draw.permutation(len(units)).tolist(), key=lambda number: -len(units[number]))
    parts = [""] * len(tracks)
    for number in order:
        members = [used[member] for member in units[number]]
        quota = left[tracks[members[0]].genre]
        room = {part: n for part, n in sorted(quota.items()) if n >= len(members)}
        room = room or {max(sorted(quota), key=lambda part: quota[part]): 1}
        shares = np.array([*room.values()], np.float64)
        part = str(draw.choice([*room], p=shares / shares.sum()))
        for index in members:
            parts[index] = part
            left[tracks[index].genre][part] -= 1
    return Split("random", tuple(parts), (), RANDOM)


def _apart(tracks: Sequence[Labelled], how: str | None, seed: int) -> Split:
    split = checked(tracks, make_split(tracks, how, seed))
    if split.name == "random":
        raise UsageError(
            "DATA has no split that keeps artists apart, and names few artists",
            "a column artist, or --split grouped",
        )
    if not {"valid", "test"} & {*split.parts}:
        raise UsageError("there is no track to judge by", "another --split or DATA")
    return split


def _fit(
    dataset: Dataset, split: Split, part: str, recipe: Recipe, source: Path, progress: Progress
) -> _Fitted:
    """The tracks that a fit was judged by, and whether it was right on each."""
    tracks = dataset.labelled
    with tempfile.TemporaryDirectory(prefix="mgrkit-") as folder:
        out = Path(folder) / f"model{SUFFIX}"
        trained = fit_model(dataset, split, recipe, out, source=source, progress=progress)
        labels = trained.bundle.task.labels
        both = enumerate(zip(tracks, split.parts, strict=True))
        which = [i for i, (one, its) in both if its == part and one.genre in labels]
        judged = Judged(
            which,
            [tracks[i].id for i in which],
            [tracks[i].genre for i in which],
            [tracks[i].unit for i in which],
            labels,
        )
        eaten = Eaten(source, dataset, split)
        probabilities, _ = judge(trained.bundle, eaten, judged, recipe.device)
    return judged, probabilities.argmax(1) == judged.y


def _pooled(
    fits: Sequence[_Fitted],
) -> tuple[NDArray[np.float64], list[str]]:
    """Of all seeds: right or not, and the artist."""
    right = np.concatenate([one for _, one in fits]).astype(np.float64)
    return right, [group for judged, _ in fits for group in judged.groups]


def _side(words: str, fits: Sequence[_Fitted]) -> Side:
    right, groups = _pooled(fits)
    low, high = interval(right, groups)
    return Side(words, float(right.mean()), low, high, tuple(float(one.mean()) for _, one in fits))
