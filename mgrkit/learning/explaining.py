"""What a table of numbers holds: maps, relations of columns, and which of them tell genres.

All is fitted on rows of train; other rows are only placed. Numbers are standardised (`Standard`).
scikit-learn does the work; with the same seed and one thread, results are the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit import seeds
from mgrkit.learning.folds import group_folds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Indices = NDArray[np.int64]

FOLDS, TREES, LEARNT = 5, 100, 2500
PERMUTED = 60
"""The most columns that are permuted: those that the forests use most."""

REPEATS = 3
_FAR = 10.0
"""Standard deviations beyond which a value counts as this far: one broken row bends no map."""
_LITTLE = 1e-3
_ROWS = 4096
_FIRST = 50
"""Principal components that t-SNE and UMAP see, as their authors advise for many columns."""


@dataclass(frozen=True)
class Standard:
    """Columns with mean 0 and deviation 1 in train, where missing values are train's medians.

    Parameters
    ----------
    kept : which columns vary in train; the others are left out.
    """

    kept: Indices
    medians: NDArray[np.float64]
    means: NDArray[np.float64]
    deviations: NDArray[np.float64]

    @classmethod
    def of(cls, train: Floats) -> Standard:
        """Of rows ``(n, columns)``, NaN where a value is missing."""
        kept, found = [], []
        for place in range(train.shape[1]):  # one by one: a copy of all takes much memory
            column = train[:, place]
            values = column[~np.isnan(column)].astype(np.float64)
            if len(values) and values.min() < values.max():
                median = float(np.median(values))
                filled = np.concatenate([values, np.full(len(column) - len(values), median)])
                if deviation := float(filled.std()):
                    kept.append(place)
                    found.append((median, float(filled.mean()), deviation))
        numbers = np.array(found, np.float64).reshape(-1, 3).T
        return cls(np.array(kept, np.int64), *numbers)

    def __call__(self, x: Floats) -> Floats:
        """Rows ``(n, kept)`` of such columns, within ±10."""
        z: Floats = np.empty((len(x), len(self.kept)), np.float32)
        for first in range(0, len(x), _ROWS):
            rows = x[first : first + _ROWS, self.kept]
            filled = np.where(np.isnan(rows), self.medians, rows)
            filled = (filled - self.means) / self.deviations
            z[first : first + _ROWS] = np.clip(filled, -_FAR, _FAR)
        return z


def sample(y: Indices, most: int, seed: int, what: str) -> Indices:
    """Rows, rising: all, or at most so many, of each genre its share and at least two.

    Parameters
    ----------
    what : they are drawn for; each purpose has its own.
    """
    if len(y) <= most:
        return np.arange(len(y))
    random = seeds.generator(seed, "explore", (what,))
    taken = []
    for genre in np.unique(y):
        rows = np.flatnonzero(y == genre)
        count = min(len(rows), max(2, int(most * len(rows) / len(y))))
        taken.append(random.choice(rows, count, replace=False))
    return np.sort(np.concatenate(taken))


def clusters(z: Floats) -> tuple[Indices, Floats]:
    """The order of columns in which those that correlate stand together, and the correlations.

    Average linkage on 1 - abs(r), leaves ordered as optimally as can be.

    Returns
    -------
    Places of columns ``(columns,)``; r as ``z`` has them ``(columns, columns)``.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    r = np.atleast_2d(np.corrcoef(z, rowvar=False)).astype(np.float32)
    r = np.nan_to_num(r)
    np.fill_diagonal(r, 1)
    if len(r) < 3:
        return np.arange(len(r)), r
    apart = np.clip(1 - np.abs((r + r.T) / 2), 0, 1).astype(np.float64)
    tree = linkage(squareform(apart, checks=False), "average", optimal_ordering=len(r) <= 600)
    return leaves_list(tree).astype(np.int64), r


@dataclass(frozen=True)
class Map:
    """Where tracks lie.

    Parameters
    ----------
    train, others : ``(n, axes)``; ``others`` has no rows where the method places no new ones.
    shares : of the variance (PCA) or of what tells genres apart (LDA) on each axis; else empty.
    loadings : ``(columns, axes)``, what each column adds to an axis; empty where nobody knows.
    """

    train: Floats
    others: Floats
    shares: Floats
    loadings: Floats


_NOTHING = np.empty(0, np.float32)


def principal(train: Floats, others: Floats, axes: int = _FIRST) -> Map:
    """Principal components, each with its largest loading above 0; shares are of all of them."""
    from sklearn.decomposition import PCA

    wide = train.shape[1] > 4 * len(train)
    most = min(train.shape)
    found = PCA(most, svd_solver="full" if wide else "covariance_eigh").fit(train)
    axes = min(axes, most)
    loadings = found.components_[:axes].T.astype(np.float32)
    largest = np.abs(loadings).argmax(0)
    loadings *= np.sign(loadings[largest, np.arange(axes)])
    means = found.mean_.astype(np.float32)
    shares = np.nan_to_num(found.explained_variance_ratio_.astype(np.float32))
    at = means @ loadings
    return Map(train @ loadings - at, others @ loadings - at, shares, loadings)


class _Shrunken:
    """Ledoit and Wolf's covariance 2004, as scikit-learn takes one for each genre.

    A little is added to each column's variance, of which all are near 1: the covariance of a few
    tracks that are alike could not be inverted.
    """

    covariance_: Any

    def fit(self, z: Any) -> _Shrunken:
        from sklearn.covariance import ledoit_wolf

        found = ledoit_wolf(z)[0] if len(z) > 1 else np.zeros((z.shape[1], z.shape[1]))
        self.covariance_ = found + _LITTLE * np.eye(len(found))
        return self


def discriminant(train: Floats, y: Indices, others: Floats) -> Map:
    """Linear discriminants, of a covariance within genres shrunk as Ledoit and Wolf 2004 say.

    Shares are of the variance between the centres of genres, in deviations within them; those that
    scikit-learn states of shrunken covariances are of something else.
    """
    from scipy.linalg import eigh
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    found = LinearDiscriminantAnalysis(solver="lsqr", covariance_estimator=_Shrunken())
    found.fit(train.astype(np.float64), y)
    axes = min(len(np.unique(y)) - 1, train.shape[1])
    centres = found.means_ - found.priors_ @ found.means_
    between = (found.priors_[:, None] * centres).T @ centres
    values, vectors = eigh(between, found.covariance_)
    values, loadings = values[::-1][:axes], vectors[:, ::-1][:, :axes].astype(np.float32)
    largest = np.abs(loadings).argmax(0)
    loadings *= np.sign(loadings[largest, np.arange(axes)])
    means = (found.priors_ @ found.means_).astype(np.float32)
    shares = (values / values.sum()).astype(np.float32)
    at = means @ loadings
    return Map(train @ loadings - at, others @ loadings - at, shares, loadings)


def neighbours(train: Floats, axes: int, seed: int) -> Map:
    """t-SNE (van der Maaten and Hinton 2008) of principal components ``(n, components)``.

    It places no further tracks. Perplexity 30, less for few tracks.
    """
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(train) - 1) / 3)
    init = "pca" if axes <= min(train.shape) else "random"
    found = TSNE(axes, perplexity=perplexity, init=init, random_state=_int(seed, "tsne"))
    placed = found.fit_transform(train[:, :_FIRST]).astype(np.float32)
    return Map(placed, placed[:0], _NOTHING, _NOTHING)


def manifold(train: Floats, others: Floats, seed: int) -> Map:
    """UMAP (McInnes et al. 2018) of principal components, two axes; umap-learn does the work."""
    from umap import UMAP

    near = min(15, len(train) - 1)
    found = UMAP(n_neighbors=near, random_state=_int(seed, "umap"), n_jobs=1)
    placed = found.fit_transform(train[:, :_FIRST])
    rest = found.transform(others[:, :_FIRST]) if len(others) else placed[:0]
    return Map(placed.astype(np.float32), rest.astype(np.float32), _NOTHING, _NOTHING)


def information(z: Floats, y: Indices, seed: int) -> Floats:
    """Mutual information of each column with the genre, nats (Kraskov et al. 2004; Ross 2014)."""
    from sklearn.feature_selection import mutual_info_classif

    counts = np.bincount(y)
    several = counts[y] > 1  # of a single track nothing is near
    if not several.any():
        return np.zeros(z.shape[1], np.float32)
    found = mutual_info_classif(z[several], y[several], random_state=_int(seed, "information"))
    return np.asarray(found, np.float32)


@dataclass(frozen=True)
class Forests:
    """What forests on folds of artists say of train, and a forest of all folds of the others.

    Parameters
    ----------
    probabilities : of train, each track by the forest that knows no track of its artist,
        ``(n, genres)``; NaN for a track that no forest may judge.
    others : of other tracks, the mean of all forests ``(m, genres)``.
    accuracy : of the tracks that are judged.
    own : of each column how much purer it makes the leaves, mean of the forests ``(columns,)``.
    permuted : by how much accuracy falls where the column is shuffled among held-back tracks:
        mean of folds and repeats ``(columns,)``; NaN for columns that are not permuted.
    spread : its standard deviation over the folds.
    """

    probabilities: Floats
    others: Floats
    accuracy: float
    own: Floats
    permuted: Floats
    spread: Floats


def forests(
    z: Floats,
    y: Indices,
    artists: Indices,
    others: Floats,
    seed: int,
    most: int = LEARNT,
) -> Forests:
    """Random forests on folds whose artists are not those of the tracks that they judge.

    Parameters
    ----------
    most : each learns from, and is permuted on, at most so many tracks, of each genre its share.
    """
    genres = int(y.max()) + 1
    found = np.full((len(z), genres), np.nan, np.float32)
    rest = np.zeros((len(others), genres), np.float32)
    own, falls = [], []
    folds = group_folds(y, artists, FOLDS, seed)
    for number, (fit, held) in enumerate(folds):
        rows = fit[sample(y[fit], most, seed, f"forest {number}")]
        forest = _forest(z[rows], y[rows], seed, number)
        found[held] = 0
        columns = np.asarray(forest.classes_, np.int64)
        found[np.ix_(held, columns)] = forest.predict_proba(z[held])
        rest[:, columns] += forest.predict_proba(others) / len(folds) if len(others) else 0
        own.append(forest.feature_importances_)
        judged = held[sample(y[held], most // FOLDS, seed, f"permuted {number}")]
        falls.append(_falls(forest, z[judged], y[judged], own[0], seed, number))
    known = ~np.isnan(found[:, 0])
    right = found[known].argmax(1) == y[known]
    many = np.array(falls)
    return Forests(
        found, rest, float(right.mean()) if known.any() else float("nan"),
        np.mean(own, 0).astype(np.float32) if own else np.full(z.shape[1], np.nan, np.float32),
        many.mean(0) if len(many) else np.full(z.shape[1], np.nan, np.float32),
        many.std(0) if len(many) else np.full(z.shape[1], np.nan, np.float32),
    )  # fmt: skip


def _forest(z: Floats, y: Indices, seed: int, number: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    random = _int(seed, f"forest {number}")
    return RandomForestClassifier(TREES, random_state=random, min_samples_leaf=2).fit(z, y)


def _falls(forest: Any, z: Floats, y: Indices, own: Floats, seed: int, number: int) -> Floats:
    """By how much accuracy falls without each of the columns that count most."""
    random = seeds.generator(seed, "explore", (f"permute {number}",))
    falls = np.full(z.shape[1], np.nan, np.float32)
    whole = (forest.predict(z) == y).mean()
    for column in np.argsort(-own, kind="stable")[:PERMUTED]:
        kept = z[:, column].copy()
        scores = []
        for _ in range(REPEATS):
            z[:, column] = random.permutation(kept)
            scores.append((forest.predict(z) == y).mean())
        z[:, column] = kept
        falls[column] = whole - np.mean(scores)
    return falls


def distances(z: Floats, y: Indices) -> Floats:
    """How far the centres of genres lie apart, in deviations within genres ``(genres, genres)``.

    That is Mahalanobis's distance, by the covariance that `discriminant` shrinks.
    """
    placed = discriminant(z, y, z[:0]).train
    genres = np.unique(y)
    centres = np.array([placed[y == genre].mean(0) for genre in genres])
    squares = ((centres[:, None] - centres[None]) ** 2).sum(-1)
    found: Floats = np.sqrt(squares).astype(np.float32)
    return found


def order_of(apart: Floats) -> Indices:
    """The order of genres in which those that lie near each other stand together."""
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    if len(apart) < 3:
        return np.arange(len(apart))
    even = squareform(((apart + apart.T) / 2).astype(np.float64), checks=False)
    order: Indices = leaves_list(linkage(even, "average", optimal_ordering=True)).astype(np.int64)
    return order


def _int(seed: int, what: str) -> int:
    """The seed of one random choice as scikit-learn takes it."""
    return seeds.entropy(seed, "explore", (what,)) % 2**32


def spans(values: Floats, shares: Sequence[float]) -> NDArray[np.float64]:
    """Quantiles of the values that are there; NaN where there is none."""
    there = values[~np.isnan(values)].astype(np.float64)
    return np.quantile(there, shares) if len(there) else np.full(len(shares), np.nan)
