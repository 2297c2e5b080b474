"""How good probabilities of tracks are, and how sure one can be of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit import seeds

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS = 15
RESAMPLES = 1_000
_BLOCK = 2**20


def scores(
    probabilities: NDArray[Any],
    y: Sequence[int] | NDArray[Any],
    groups: Sequence[object],
    labels: Sequence[str],
    seed: int = 0,
) -> dict[str, Any]:
    """All scores of a model, from its probabilities of n tracks.

    Parameters
    ----------
    probabilities : ``(n, labels)``, n at least 1.
    y : integers ``(n,)``, the true labels.
    groups : the artist of each track, for the interval.
    labels : the names of the columns.
    seed : of the interval's bootstrap.

    Returns
    -------
    Plain JSON: ``accuracy`` with its 95 % interval ``accuracy_low`` and ``accuracy_high`` (see
    `interval`); ``macro_f1``, the mean over the labels that occur in y, and
    ``macro_f1_genres``, how many those are; ``top3``, the share of tracks whose label is among
    the three likeliest; ``ece`` (see `expected_calibration_error`) and ``reliability``, the bins
    that it is the mean of (see `reliability`); ``per_genre`` with ``precision``, ``recall``,
    ``f1`` (0 where undefined; None for a label that does not occur in y) and ``tracks`` of each
    label; ``confusion``, counts with a row for each true and a column for each predicted label;
    ``labels``; ``tracks``, their number.
    """
    y = np.asarray(y, np.int64)
    count = len(labels)
    predicted = probabilities.argmax(1)
    right = predicted == y
    confusion = np.zeros((count, count), np.int64)
    np.add.at(confusion, (y, predicted), 1)
    per_genre = {label: _one(confusion, index) for index, label in enumerate(labels)}
    f1 = [one["f1"] for one in per_genre.values() if one["f1"] is not None]
    low, high = interval(right, groups, seed)
    # Among equals the earlier column counts as the likelier, as in argmax.
    ranked = np.argsort(-probabilities, axis=1, kind="stable")[:, :3]
    return {
        "accuracy": float(right.mean()),
        "accuracy_low": low,
        "accuracy_high": high,
        "macro_f1": float(np.mean(f1)),
        "macro_f1_genres": len(f1),
        "top3": float((ranked == y[:, None]).any(1).mean()),
        "ece": expected_calibration_error(probabilities, y),
        "reliability": reliability(probabilities, y),
        "per_genre": per_genre,
        "confusion": confusion.tolist(),
        "labels": list(labels),
        "tracks": len(y),
    }


def expected_calibration_error(probabilities: NDArray[Any], y: NDArray[Any]) -> float:
    """How far the largest probabilities are from the share of right verdicts, 0 to 1.

    The mean distance over 15 bins of equal width, weighted by their tracks (Naeini et al.
    2015; Guo et al. 2017). Of few tracks it is above zero for the best model too.
    """
    top, right, bins = _binned(probabilities, y)
    gaps = np.bincount(bins, right - top, BINS)
    return float(np.abs(gaps).sum() / len(top))


def reliability(probabilities: NDArray[Any], y: NDArray[Any]) -> list[dict[str, float]]:
    """How often verdicts are right, by their probability: the calibration curve.

    Of each of the 15 bins that hold any track ``probability``, the mean of the largest
    probabilities, ``right``, the share of right verdicts, and ``tracks``.
    """
    top, right, bins = _binned(probabilities, y)
    return [
        {
            "probability": float(top[bins == place].mean()),
            "right": float(right[bins == place].mean()),
            "tracks": int((bins == place).sum()),
        }
        for place in np.unique(bins)
    ]


def _binned(
    probabilities: NDArray[Any], y: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64]]:
    """The largest probabilities, whether each is that of the true label, and their bins."""
    top = probabilities.max(1).astype(np.float64)
    right = probabilities.argmax(1) == y
    return top, right, np.clip(np.ceil(top * BINS).astype(np.int64) - 1, 0, BINS - 1)


def interval(right: NDArray[Any], groups: Sequence[object], seed: int = 0) -> tuple[float, float]:
    """The 95 % interval of an accuracy, from a bootstrap by artist.

    Tracks of one artist are right or wrong together, so artists are drawn, not tracks: 1,000
    times as many as there are, with replacement. The variance of those accuracies says how
    many independent tracks the table is worth; of that many, Wilson's score interval is taken
    with Student's quantile for the number of artists (Dean and Pagano 2015, "Evaluating
    confidence interval methods for binomial proportions in clustered surveys"). The simple
    percentiles of the bootstrap cover too seldom when artists are few or accuracy is high.

    Parameters
    ----------
    right : booleans ``(n,)``, n at least 1.
    groups : the artist of each track. A single one says nothing of others: (0, 1).
    """
    right = np.asarray(right, np.float64)
    artists, variance = by_artist(right, groups, seed)
    if math.isinf(variance):
        return 0.0, 1.0
    accuracy = float(right.mean())
    spread = accuracy * (1 - accuracy)
    worth = min(spread / variance, len(right)) if variance > 0 and spread > 0 else artists
    return _wilson(accuracy, worth, _student(artists - 1))


def by_artist(
    values: NDArray[np.float64], groups: Sequence[object], seed: int
) -> tuple[float, float]:
    """How many artists of one size the tracks are worth, and the variance of their mean.

    The variance is that of a bootstrap by artist; of a single artist there is none (1, inf).

    Parameters
    ----------
    values : ``(n,)``, one per track, n at least 1.
    groups : the artist of each track.
    """
    number = {name: index for index, name in enumerate(dict.fromkeys(groups))}
    group = np.array([number[name] for name in groups])
    sizes = np.bincount(group).astype(np.float64)
    if len(sizes) < 2:
        return 1.0, math.inf
    artists = float(sizes.sum() ** 2 / (sizes**2).sum())
    drawn = _bootstrap(np.bincount(group, values).astype(np.float64), sizes, seed)
    return artists, float(drawn.var() * artists / (artists - 1))


def _bootstrap(
    hits: NDArray[np.float64], sizes: NDArray[np.float64], seed: int
) -> NDArray[np.float64]:
    """The mean of each resample of artists, in blocks that do not fill the memory."""
    random = seeds.generator(seed, "interval")
    rows = max(1, _BLOCK // len(sizes))
    accuracies = []
    for first in range(0, RESAMPLES, rows):
        drawn = random.integers(len(sizes), size=(min(rows, RESAMPLES - first), len(sizes)))
        accuracies.append(hits[drawn].sum(1) / sizes[drawn].sum(1))
    return np.concatenate(accuracies)


def _wilson(share: float, count: float, quantile: float) -> tuple[float, float]:
    """Wilson's score interval (1927)."""
    square = quantile**2 / count
    middle = (share + square / 2) / (1 + square)
    half = math.sqrt(square * (share * (1 - share) + square / 4)) / (1 + square)
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))


def _student(freedom: float) -> float:
    """The 97.5 % quantile of Student's t distribution."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.975))


def _one(confusion: NDArray[np.int64], index: int) -> dict[str, float | int | None]:
    """Precision, recall and F1 of one label."""
    hits = int(confusion[index, index])
    predicted, there = int(confusion[:, index].sum()), int(confusion[index].sum())
    if not there:
        return {"precision": None, "recall": None, "f1": None, "tracks": 0}
    return {
        "precision": hits / predicted if predicted else 0.0,
        "recall": hits / there,
        "f1": 2 * hits / (predicted + there),
        "tracks": there,
    }
