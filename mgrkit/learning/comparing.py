"""Which of several classifiers is better, judged on the same tracks, and how sure one can be.

What is compared is ``right``, float64 ``(seeds, tracks)`` of each classifier: 1 where a fit with
that seed was right on that track, else 0. A classifier's accuracy on a track is the mean over
its seeds, so that several seeds steady the numbers and do not count as more tracks. What holds
of these fits holds of the classifiers as far as the seeds are many: `Spread` is given beside it.

Where each track was judged by the fit of its fold, `Folds` says by which. Then accuracies are means
over the folds, and their variance is that of Nadeau and Bengio 2003, "Inference for the
generalization error": fits of two folds share most of what they learnt from, so they differ too
little from one another, and the plain variance of their mean is too small.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from string import ascii_lowercase
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.learning.metrics import RESAMPLES, by_artist
from mgrkit.seeds import generator

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Difference:
    """How much more often the first of two classifiers is right.

    Parameters
    ----------
    difference, low, high : of the accuracies, first minus second, with its 95 % interval.
    probability : that the difference is in truth zero or the other way round; at most 0.5.
    """

    first: str
    second: str
    difference: float
    low: float
    high: float
    probability: float

    @property
    def tied(self) -> bool:
        """Whether the interval holds zero: these tracks do not decide between the two."""
        return self.low <= 0 <= self.high


@dataclass(frozen=True)
class Folds:
    """Which fold judged each track, each by a fit on the others.

    Parameters
    ----------
    of : int64 ``(tracks,)``, the fold of each track.
    ratio : tracks that a fold holds back over those that its fit learns from, a mean over the
        folds: 1 / (k - 1) of k even ones.
    """

    of: NDArray[np.int64]
    ratio: float

    def means(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """The mean ``(folds,)`` of values ``(tracks,)`` in each fold that judged some."""
        _, fold = np.unique(self.of, return_inverse=True)
        totals = np.bincount(fold, np.asarray(values, np.float64))
        return np.asarray(totals / np.bincount(fold), np.float64)

    def error(self, means: NDArray[np.float64]) -> float:
        """The corrected standard error of the mean of ``means``; infinite of a single fold.

        sqrt((1 / k + ratio) s²), with s² the variance of k folds (Nadeau and Bengio 2003).
        """
        if len(means) < 2:
            return math.inf
        return math.sqrt((1 / len(means) + self.ratio) * float(means.var(ddof=1)))

    def interval(self, right: NDArray[Any], groups: Sequence[object]) -> tuple[float, float, float]:
        """The mean accuracy over the folds, and its corrected 95 % interval.

        Student's t with one less than the folds. The standard error is at least what one more
        artist, of which the verdicts were the other way round, would bring: folds that are
        all alike prove nothing about artists not heard.

        Parameters
        ----------
        right : booleans or numbers from 0 to 1, ``(tracks,)``.
        groups : the artist of each track.
        """
        means = self.means(right)
        mean = float(means.mean())
        half = self._half(means, max(mean, 1 - mean) / len(set(groups)))
        return mean, max(0.0, mean - half), min(1.0, mean + half)

    def _half(self, means: NDArray[np.float64], least: float) -> float:
        """Half of a 95 % interval whose standard error is at least so much."""
        from scipy.special import stdtrit

        error = max(self.error(means), least)
        return error if math.isinf(error) else float(stdtrit(len(means) - 1, 0.975)) * error

    def difference(
        self, first: str, second: str, gains: NDArray[np.float64], groups: Sequence[object]
    ) -> Difference:
        """The paired difference of two classifiers, see `mgrkit.learning.comparing.difference`.

        Parameters
        ----------
        gains : ``(tracks,)``, how much more often the first was right.
        """
        from scipy.special import stdtr

        means = self.means(gains)
        mean = float(means.mean())
        least = abs(mean) / len(set(groups))
        error = max(self.error(means), least)
        if math.isinf(error):
            return Difference(first, second, mean, -1.0, 1.0, 0.5)
        if not error:
            return Difference(first, second, mean, mean, mean, 0.5)
        half = self._half(means, least)
        probability = float(stdtr(len(means) - 1, -abs(mean) / error))
        low, high = max(-1.0, mean - half), min(1.0, mean + half)
        return Difference(first, second, mean, low, high, probability)


@dataclass(frozen=True)
class Spread:
    """The accuracies of seeds or of folds: their standard deviation (0 of one), least and most."""

    deviation: float
    low: float
    high: float

    @classmethod
    def of(cls, each: NDArray[Any]) -> Spread:
        """Of the accuracy of each, ``(n,)``."""
        deviation = float(each.std(ddof=1)) if len(each) > 1 else 0.0
        return cls(deviation, float(each.min()), float(each.max()))


def difference(
    first: str,
    second: str,
    right: Mapping[str, NDArray[Any]],
    groups: Sequence[object],
    seed: int = 0,
    folds: Folds | None = None,
) -> Difference:
    """Compare two classifiers on the same tracks, by a paired bootstrap by artist.

    Both are judged on the same tracks, so only where they differ counts, and what makes a track
    hard for both cancels. Tracks of one artist go together: artists are drawn, as for
    `mgrkit.learning.metrics.interval`, and the interval is that of Student's t with the
    bootstrap's variance, since percentiles cover too seldom when artists are few. The standard
    error is at least what one more artist without a difference would bring, so that two or
    three who agree prove nothing.

    Parameters
    ----------
    first, second : keys of ``right``.
    right : booleans or numbers from 0 to 1, ``(seeds, tracks)``; seeds may differ in number.
    groups : the artist of each track. A single one says nothing: from -1 to 1.
    folds : that judged the tracks: then the test is the t-test of the folds' differences, its
        variance corrected, and not a bootstrap.
    """
    from scipy.special import stdtr, stdtrit

    pooled = [np.asarray(right[name], np.float64).mean(0) for name in (first, second)]
    gains = pooled[0] - pooled[1]
    if folds:
        return folds.difference(first, second, gains, groups)
    mean = float(gains.mean())
    artists, variance = by_artist(gains, groups, seed)
    if math.isinf(variance):
        return Difference(first, second, mean, -1.0, 1.0, 0.5)
    error = max(math.sqrt(variance), abs(mean) / artists)
    if not error:
        return Difference(first, second, mean, mean, mean, 0.5)
    half = float(stdtrit(artists - 1, 0.975)) * error
    probability = float(stdtr(artists - 1, -abs(mean) / error))
    low, high = max(-1.0, mean - half), min(1.0, mean + half)
    return Difference(first, second, mean, low, high, probability)


def gap(
    first: NDArray[Any],
    groups: Sequence[object],
    second: NDArray[Any],
    of_second: Sequence[object],
    seed: int = 0,
) -> tuple[float, float, float]:
    """How much more often the first is right than the second, each on tracks of its own.

    The tracks of both may be the same in part, or be there several times; their artists are drawn
    together, as for `difference`, so that what they share is not counted as chance.

    Parameters
    ----------
    first, second : booleans or numbers from 0 to 1, ``(n,)`` and ``(m,)``.
    groups, of_second : the artist of each. A single one says nothing: from -1 to 1.

    Returns
    -------
    The difference of the means, and its 95 % interval.
    """
    from scipy.special import stdtrit

    number = {name: n for n, name in enumerate(dict.fromkeys([*groups, *of_second]))}
    count = len(number)
    sides = []
    for values, names in ((first, groups), (second, of_second)):
        of = np.array([number[name] for name in names])
        hits = np.bincount(of, np.asarray(values, np.float64), count)
        sides.append((hits, np.bincount(of, minlength=count).astype(np.float64)))
    means = [float(hits.sum() / sizes.sum()) for hits, sizes in sides]
    found = means[0] - means[1]
    sizes = sides[0][1] + sides[1][1]
    artists = float(sizes.sum() ** 2 / (sizes**2).sum())
    if count < 2:
        return found, -1.0, 1.0
    drawn = generator(seed, "gap").multinomial(count, np.full(count, 1 / count), RESAMPLES)
    totals = [(drawn @ hits, drawn @ sizes) for hits, sizes in sides]
    there = (totals[0][1] > 0) & (totals[1][1] > 0)
    means_of = [hits[there] / sizes[there] for hits, sizes in totals]
    variance = float((means_of[0] - means_of[1]).var()) * artists / (artists - 1)
    error = max(math.sqrt(variance), abs(found) / artists)
    half = float(stdtrit(artists - 1, 0.975)) * error
    return found, max(-1.0, found - half), min(1.0, found + half)


def differences(
    right: Mapping[str, NDArray[Any]],
    groups: Sequence[object],
    seed: int = 0,
    folds: Folds | None = None,
) -> list[Difference]:
    """Every pair, the more accurate one first; see `difference`.

    Each pair is tested alone: of twenty pairs of equals, one seems to differ by chance.
    """
    pairs = combinations(ranking(right, folds), 2)
    return [difference(*pair, right, groups, seed, folds) for pair in pairs]


def ranking(right: Mapping[str, NDArray[Any]], folds: Folds | None = None) -> list[str]:
    """The names, the most accurate first; equals stay in their order."""
    means = {}
    for name, one in right.items():
        of_tracks = np.asarray(one, np.float64).mean(0)
        means[name] = float((folds.means(of_tracks) if folds else of_tracks).mean())
    # Rounded, or equals of several seeds would be told apart by the last digit.
    return sorted(right, key=lambda name: -round(means[name], 12))


def letters(names: Sequence[str], pairs: Sequence[Difference]) -> dict[str, str]:
    """Letters by which ties are seen: two names share one exactly when they are tied.

    The compact letter display (Piepho 2004): each letter stands for a largest set of names of
    which all pairs are tied. Being tied does not carry over: with a = b and b = c, a and c may
    differ, and b has both letters. A name beyond the 26th letter gets numbers.

    Parameters
    ----------
    names : the best first; the letter a goes to the first.
    pairs : every pair of them, as `differences` gives it.
    """
    tied: dict[str, set[str]] = {name: set() for name in names}
    for pair in pairs:
        if pair.tied:
            tied[pair.first].add(pair.second)
            tied[pair.second].add(pair.first)
    place = {name: index for index, name in enumerate(names)}
    sets = sorted(sorted(place[name] for name in one) for one in _cliques(set(), set(names), tied))
    shown = dict.fromkeys(names, "")
    for number, one in enumerate(sets):
        letter = ascii_lowercase[number] if number < 26 else f"({number + 1})"
        for index in one:
            shown[names[index]] += letter
    return shown


def _cliques(
    chosen: set[str],
    left: set[str],
    tied: Mapping[str, set[str]],
    out: frozenset[str] = frozenset(),
) -> Iterator[set[str]]:
    """The largest sets of names that are all tied (Bron and Kerbosch 1973)."""
    if not left and not out:
        yield chosen
    done: set[str] = set()
    for name in sorted(left):
        near = tied[name]
        yield from _cliques(chosen | {name}, (left - done) & near, tied, (out | done) & near)
        done.add(name)
