"""Tracks to listen to again: labels that other tracks contradict, and numbers like no other's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mgrkit import seeds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Doubts:
    """Labels that are probably wrong.

    Parameters
    ----------
    likely : the genre that each track is likely of; its own where nothing is doubted, -1 where it
        was not judged ``(n,)``.
    margins : the probability of its own genre less the largest of another, -1 to 1.
    thresholds : of each genre the mean probability that its own tracks give it.
    joint : how many tracks of each genre (rows) are confidently of each ``(genres, genres)``.
    """

    likely: Indices
    margins: Floats
    thresholds: Floats
    joint: Indices


def doubted(probabilities: Floats, y: Indices, thresholds: Floats | None = None) -> Doubts:
    """Confident learning (Northcutt, Jiang and Chuang 2021, section 3.1).

    A track is confidently of the likeliest of the genres whose probability is at least their
    threshold; where that is another than its own, and likelier, its label is doubted. Genres need
    not be as frequent as one another, nor probabilities calibrated: thresholds are each genre's.

    Parameters
    ----------
    probabilities : ``(n, genres)`` of models that have not learnt from the track's artist; NaN for
        tracks that were not judged.
    y : the labels as they are; one of -1 is not judged.
    thresholds : of other tracks, such as those of train; by default of these.
    """
    genres = probabilities.shape[1]
    judged = ~np.isnan(probabilities).any(1) & (y >= 0)
    if thresholds is None:
        thresholds = np.full(genres, np.inf, np.float32)
        for genre in range(genres):
            if (of := judged & (y == genre)).any():
                thresholds[genre] = probabilities[of, genre].mean(dtype=np.float64)
    likely = np.where(judged, y, -1)
    margins = np.full(len(y), np.nan, np.float32)
    joint = np.zeros((genres, genres), np.int64)
    rows = np.flatnonzero(judged)
    if not len(rows):
        return Doubts(likely, margins, thresholds, joint)
    p, given = probabilities[rows], y[rows]
    sure = (p >= thresholds) & (p > 0)
    best = np.where(sure, p, -1).argmax(1)
    confident = sure.any(1)
    np.add.at(joint, (given[confident], best[confident]), 1)
    others = p.copy()
    own = others[np.arange(len(rows)), given].copy()
    others[np.arange(len(rows)), given] = -1
    margins[rows] = own - others.max(1)
    doubt = confident & (best != given) & (margins[rows] < 0)
    likely[rows[doubt]] = best[doubt]
    return Doubts(likely, margins, thresholds, joint)


def strangeness(train: Floats, others: Floats, seed: int) -> tuple[Floats, Floats]:
    """How alone rows stand among those of train: scores of an isolation forest, 0 to 1.

    Liu, Ting and Zhou 2008: the fewer random cuts part a row from the others, the higher; 0.5 is
    usual.

    Returns
    -------
    Of train ``(n,)`` and of the others ``(m,)``.
    """
    from sklearn.ensemble import IsolationForest

    random = seeds.entropy(seed, "explore", ("strangeness",)) % 2**32
    forest = IsolationForest(random_state=random).fit(train)
    scores = [
        -forest.score_samples(rows).astype(np.float32) if len(rows) else np.empty(0, np.float32)
        for rows in (train, others)
    ]
    return scores[0], scores[1]
