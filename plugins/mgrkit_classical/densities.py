"""Clouds about the genres' means, and neighbours: evaluated from plain arrays by distances.

scikit-learn's estimators of these take no weights of examples, and there is nothing to search
for: the weighted moments are computed here, and are scikit-learn's where all count the same.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mgrkit.errors import BundleError
from mgrkit_classical.arrays import Place, stored
from mgrkit_classical.columns import ColumnClassifier, Evaluation, Lesson, positive
from mgrkit_classical.kernels import squares
from mgrkit_classical.links import margins, softmax, spread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.classifiers.base import Run, State
    from mgrkit_classical.arrays import Numbers

_NARROWEST = 1e-12
_FARTHEST, _STEEPEST = 1e9, 1e7
_SAME = 1e-10
"""The squared distance of what lies at one place, but for rounding."""


class Distances:
    """Values of labels by the distance from their centres; see `Evaluation`.

    Parameters
    ----------
    centres : ``(k, columns)``.
    maps : ``(k, columns, columns)``, or ``(k, columns, 1)`` of maps that are diagonal; or one for
        all labels. The value of a label is minus half the square of what lies between its centre
        and the example, mapped.
    offsets : ``(k,)``, added to the values.
    link : what makes probabilities of values.
    """

    def __init__(
        self, place: Place, centres: Numbers, maps: Numbers, offsets: Numbers, link: Any
    ) -> None:
        self.width = max(centres.shape)
        self._place, self._link = place, link
        self._shared = len(maps) == 1
        centres = _mapped(centres, maps[0]) if self._shared else centres
        self._centres, self._maps, self._offsets = map(place.put, (centres, maps, offsets))

    def probabilities(self, z: Any) -> Any:
        """See `Evaluation.probabilities`."""
        if self._shared:
            mapped = _mapped(z, self._maps[0])
            values = self._offsets - squares(self._place, mapped, self._centres) / 2
            return self._link(self._place, values)
        pairs = zip(self._centres, self._maps, strict=True)
        mapped = (_mapped(z - centre, matrix) for centre, matrix in pairs)
        halves = self._place.xp.stack([(one * one).sum(1) / 2 for one in mapped], 1)
        return self._link(self._place, self._offsets - halves)


def _mapped(z: Any, matrix: Any) -> Any:
    """Rows ``(n, columns)`` under a map ``(columns, columns)``, or ``(columns, 1)`` if diagonal."""
    return z * matrix[:, 0] if matrix.shape[1] == 1 else z @ matrix


class Clouds(ColumnClassifier):
    """A cloud of each genre; the state is what `Distances` takes, in float64."""

    names = ("labels", "centres", "maps", "offsets")
    link: ClassVar[Any] = staticmethod(softmax)

    @abstractmethod
    def clouds(self, lesson: Lesson, centres: Numbers, shares: Numbers) -> tuple[Numbers, Numbers]:
        """The maps and offsets, given the means ``(k, columns)`` and weights' shares ``(k,)``."""

    def learn(self, lesson: Lesson, run: Run) -> dict[str, NDArray[Any]]:
        """See `ColumnClassifier.learn`."""
        run.check()
        weights = np.bincount(lesson.y, lesson.weight)
        sums = np.zeros((len(weights), lesson.z.shape[1]))
        np.add.at(sums, lesson.y, lesson.weight[:, None] * lesson.z)
        centres = sums / weights[:, None]
        maps, offsets = self.clouds(lesson, centres, weights / weights.sum())
        run.progress(1, 1, {})
        return {"centres": centres, "maps": maps, "offsets": offsets}

    def ready(self, state: State, columns: int, genres: int, place: Place) -> Evaluation:
        """See `ColumnClassifier.ready`."""
        centres = stored(state, "centres", np.float64, (genres, columns), _FARTHEST)
        maps = stored(state, "maps", np.float64, (None, columns, None), _STEEPEST)
        if len(maps) not in (1, genres) or maps.shape[2] not in (1, columns):
            raise BundleError(f"the model's maps have the shape {maps.shape}")
        offsets = stored(state, "offsets", np.float64, (genres,))
        return Distances(place, centres, maps, offsets, type(self).link)


class NearestCentroid(Clouds):
    """The nearest mean; see `Clouds`. Values are in units of their spread in train."""

    link = staticmethod(margins)

    def clouds(self, lesson: Lesson, centres: Numbers, shares: Numbers) -> tuple[Numbers, Numbers]:
        """See `Clouds.clouds`."""
        size = spread(-squares(Place.of("cpu"), lesson.z, centres))
        return np.full((1, centres.shape[1], 1), np.sqrt(2 / size)), np.zeros(len(shares))


class NaiveBayes(Clouds):
    """Normal columns that know nothing of each other within a genre; see `Clouds`."""

    def clouds(self, lesson: Lesson, centres: Numbers, shares: Numbers) -> tuple[Numbers, Numbers]:
        """See `Clouds.clouds`."""
        variances = np.zeros_like(centres)
        np.add.at(variances, lesson.y, lesson.weight[:, None] * (lesson.z - centres[lesson.y]) ** 2)
        variances /= np.bincount(lesson.y, lesson.weight)[:, None]
        more = self.parameters.var_smoothing * lesson.z.var(axis=0).max()
        variances = np.maximum(variances + more, _NARROWEST)
        return variances[:, :, None] ** -0.5, np.log(shares) - np.log(variances).sum(1) / 2


class LDA(Clouds):
    """Normal clouds of one covariance, that of scikit-learn's solver 'lsqr'; see `Clouds`."""

    def clouds(self, lesson: Lesson, centres: Numbers, shares: Numbers) -> tuple[Numbers, Numbers]:
        """See `Clouds.clouds`."""
        apart = lesson.z - centres[lesson.y]
        covariance = (apart * lesson.weight[:, None]).T @ apart / lesson.weight.sum()
        share, columns = self.parameters.shrinkage, len(covariance)
        even = np.trace(covariance) / columns * np.eye(columns)
        values, directions = np.linalg.eigh((1 - share) * covariance + share * even)
        there = values > max(_NARROWEST, columns * 1e-15 * values[-1])
        # Directions in which nothing differs within a genre have no say.
        factors = np.where(there, np.where(there, values, 1.0) ** -0.5, 0.0)
        return (directions * factors)[None], np.log(shares)


class QDA(Clouds):
    """Normal clouds, each of its own covariance; see `Clouds`."""

    def clouds(self, lesson: Lesson, centres: Numbers, shares: Numbers) -> tuple[Numbers, Numbers]:
        """See `Clouds.clouds`."""
        maps, offsets, share = [], np.log(shares), self.parameters.reg_param
        for label, centre in enumerate(centres):
            mine = lesson.y == label
            apart, weight = lesson.z[mine] - centre, lesson.weight[mine]
            covariance = (apart * weight[:, None]).T @ apart / weight.sum()
            values, directions = np.linalg.eigh(covariance)
            values = (1 - share) * np.maximum(values, 0) + share
            maps.append(directions * values**-0.5)
            offsets[label] -= np.log(values).sum() / 2
        return np.stack(maps), offsets


class Neighbours:
    """Votes of the nearest rows; see `Evaluation`.

    Parameters
    ----------
    vectors : ``(m, columns)``.
    votes : ``(m, k)``, how much each counts for its label.
    count : how many of them vote.
    nearer : whether nearer ones count more, by 1 / distance.
    """

    def __init__(
        self, place: Place, vectors: Numbers, votes: Numbers, count: int, nearer: bool
    ) -> None:
        self._count, self._nearer, self._place = min(count, len(vectors)), nearer, place
        self.width = max(len(vectors), self._count * votes.shape[1])
        self._vectors, self._votes = place.put(vectors), place.put(votes)

    def probabilities(self, z: Any) -> Any:
        """See `Evaluation.probabilities`."""
        place, xp = self._place, self._place.xp
        distances = squares(place, z, self._vectors)
        if xp is np:
            nearest = np.argpartition(distances, self._count - 1, axis=1)[:, : self._count]
            distances = np.take_along_axis(distances, nearest, axis=1)
        else:
            distances, nearest = xp.topk(distances, self._count, largest=False)
        votes = self._votes[nearest]
        if self._nearer:
            same = xp.where(distances < _SAME, 1.0, 0.0)
            there = (same.sum(1) > 0)[:, None]
            apart = xp.where(distances < _SAME, 1.0, distances)
            votes = votes * xp.where(there, same, apart**-0.5)[:, :, None]
        counted = votes.sum(1)
        return counted / counted.sum(1)[:, None]


class KNN(ColumnClassifier):
    """The nearest rows of train vote, each with its weight.

    The state: ``vectors`` float64 ``(m, columns)``, ``genres`` int64 ``(m,)``, the place of each
    one's label among ``labels``, and ``counts`` float64 ``(m,)``, how much it counts; see
    `columns.ColumnClassifier` for the rest.
    """

    names = ("labels", "vectors", "genres", "counts")

    def learn(self, lesson: Lesson, run: Run) -> dict[str, NDArray[Any]]:
        """See `ColumnClassifier.learn`."""
        run.check()
        run.progress(1, 1, {})
        return {"vectors": lesson.z, "genres": lesson.y, "counts": lesson.weight}

    def ready(self, state: State, columns: int, genres: int, place: Place) -> Evaluation:
        """See `ColumnClassifier.ready`."""
        counts = positive(state, "counts", (None,))
        vectors = stored(state, "vectors", np.float64, (len(counts), columns), _FARTHEST)
        mine = stored(state, "genres", np.int64, (len(counts),), genres - 1)
        if mine.min() < 0:
            raise BundleError("the model's genres are not among its labels")
        votes = counts[:, None] * np.eye(genres)[mine]
        asked = self.parameters
        return Neighbours(place, vectors, votes, asked.n_neighbors, asked.weights == "distance")
