"""Statistics of tracks that are no mean of them, with intervals by artist: macro F1, calibration.

Both follow from sums over tracks (of right, given and true verdicts by genre; of gaps by bin). So
a bootstrap by artist draws artists and adds up their sums, and a paired one draws the same artists
for both sides. Intervals are those of Student's t with the bootstrap's variance, as
`mgrkit.learning.comparing.difference` has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mgrkit import seeds
from mgrkit.learning.metrics import BINS, RESAMPLES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

STATISTICS = ("macro_f1", "ece")
_BLOCK = 2**22


class Span(NamedTuple):
    """A value and its 95 % interval."""

    value: float
    low: float
    high: float


def spans(
    probabilities: NDArray[Any],
    y: Sequence[int] | NDArray[Any],
    groups: Sequence[object],
    seed: int = 0,
) -> dict[str, Span]:
    """Each of `STATISTICS`, as `mgrkit.learning.metrics.scores` defines them.

    Parameters
    ----------
    probabilities : ``(n, labels)``, n at least 1.
    y : integers ``(n,)``, the true labels.
    groups : the artist of each track. A single one says nothing of others: from 0 to 1.
    """
    sums, artists = _by_artist(_sums(probabilities, y), groups)
    labels = probabilities.shape[1]
    drawn = _drawn([sums], labels, seed)
    found = {}
    for name, value in _statistics(sums.sum(0)[None], labels).items():
        found[name] = _span(float(value[0]), drawn[0][name], artists, 0.0)
    return found


def differences(
    first: NDArray[Any],
    second: NDArray[Any],
    y: Sequence[int] | NDArray[Any],
    groups: Sequence[object],
    seed: int = 0,
) -> dict[str, Span]:
    """By how much each of `STATISTICS` of the first is above that of the second.

    Parameters
    ----------
    first, second : probabilities of the same tracks, ``(n, labels)``.
    y, groups : as for `spans`. A single artist says nothing of others: from -1 to 1.
    """
    labels = first.shape[1]
    both = [_by_artist(_sums(one, y), groups) for one in (first, second)]
    sums, artists = [one for one, _ in both], both[0][1]
    drawn = _drawn(sums, labels, seed)
    of = [_statistics(one.sum(0)[None], labels) for one in sums]
    return {
        name: _span(
            float(of[0][name][0] - of[1][name][0]),
            drawn[0][name] - drawn[1][name],
            artists,
            -1.0,
        )
        for name in STATISTICS
    }


def _sums(probabilities: NDArray[Any], y: Sequence[int] | NDArray[Any]) -> Floats:
    """What each track adds: by label right, given and true verdicts, by bin its gap, and itself."""
    truth = np.asarray(y, np.int64)
    count, labels = probabilities.shape
    verdicts, top = probabilities.argmax(1), probabilities.max(1).astype(np.float64)
    right = verdicts == truth
    bins = np.clip(np.ceil(top * BINS).astype(int) - 1, 0, BINS - 1)
    each = np.arange(count)
    sums = np.zeros((count, 3 * labels + BINS + 1))
    sums[each[right], truth[right]] = 1
    sums[each, labels + verdicts] = 1
    sums[each, 2 * labels + truth] = 1
    sums[each, 3 * labels + bins] = right - top
    sums[:, -1] = 1
    return sums


def _by_artist(sums: Floats, groups: Sequence[object]) -> tuple[Floats, float]:
    """The sums of each artist, and how many artists of one size the tracks are worth."""
    number = {name: index for index, name in enumerate(dict.fromkeys(groups))}
    found = np.zeros((len(number), sums.shape[1]))
    np.add.at(found, np.array([number[name] for name in groups]), sums)
    sizes = found[:, -1]
    return found, float(sizes.sum() ** 2 / (sizes**2).sum())


def _statistics(sums: Floats, labels: int) -> dict[str, Floats]:
    """Of ``(resamples, columns)``, as `_sums` has these."""
    right, given, true = (sums[:, labels * n : labels * (n + 1)] for n in range(3))
    f1 = 2 * right / np.maximum(given + true, 1)
    there = true > 0
    gaps = np.abs(sums[:, 3 * labels : -1]).sum(1)
    return {
        "macro_f1": (f1 * there).sum(1) / np.maximum(there.sum(1), 1),
        "ece": gaps / np.maximum(sums[:, -1], 1),
    }


def _drawn(sides: Sequence[Floats], labels: int, seed: int) -> list[dict[str, Floats]]:
    """The statistics of resamples of artists, of which each side gets the same."""
    artists = len(sides[0])
    random = seeds.generator(seed, "shares")
    rows = max(1, _BLOCK // artists)
    parts: list[list[dict[str, Floats]]] = [[] for _ in sides]
    for first in range(0, RESAMPLES, rows):
        count = min(rows, RESAMPLES - first)
        weights = random.multinomial(artists, np.full(artists, 1 / artists), count)
        for part, sums in zip(parts, sides, strict=True):
            part.append(_statistics(weights @ sums, labels))
    return [{n: np.concatenate([one[n] for one in part]) for n in STATISTICS} for part in parts]


def _span(value: float, drawn: Floats, artists: float, least: float) -> Span:
    """At least as wide as what one more artist of the other kind would bring."""
    from scipy.special import stdtrit

    if artists <= 1:
        return Span(value, least, 1.0)
    error = float(np.sqrt(drawn.var() * artists / (artists - 1)))
    if least < 0:
        error = max(error, abs(value) / artists)
    half = float(stdtrit(artists - 1, 0.975)) * error
    return Span(value, max(least, value - half), min(1.0, value + half))
