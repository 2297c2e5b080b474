"""How far examples lie from all that was in train."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.errors import BundleError
from mgrkit_classical import arrays, groups
from mgrkit_classical.arrays import Place, stored

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.classifiers.base import Run, State
    from mgrkit_classical.arrays import Numbers

NAMES = ("centres", "limit")
_FOLDS = 5
_NARROWEST = 1e-9
_FARTHEST = 1e12


def fit(
    z: Numbers,
    y: NDArray[np.int64],
    artists: NDArray[np.int64],
    whiten: float,
    share: float,
    run: Run,
    own: NDArray[np.int64],
) -> tuple[Numbers, dict[str, NDArray[Any]]]:
    """The whitening, and the arrays `NAMES` of whitened examples.

    Far is an example that is farther from the nearest genre's centre than nearly all tracks of
    train are from the centres of other artists' tracks, by Mahalanobis's distance (Lee et al.
    2018, "A simple unified framework for detecting out-of-distribution samples and adversarial
    attacks"), with the covariance of `groups.whitening`.

    Parameters
    ----------
    z : ``(n, columns)``, scaled.
    share : of train that is far, were its artist not there; 0 for none.
    own : int64: the examples that are of the sounds themselves. Centres and limit are of those
        alone, and copies that are farther off do not widen it; but what an artist's tracks and
        their copies differ in counts for less, so that a song is not far for having been altered
        as train was.

    Returns
    -------
    the whitening float64 ``(columns, columns)``; ``centres`` float64 ``(k, columns)``, the
    genres' means; ``limit`` float64 ``(1,)``, the distance from which on an example is far.
    """
    is_own = np.isin(np.arange(len(z)), own)
    limit = _limit(z, y, artists, whiten, share, run, is_own)
    matrix = groups.whitening(z, artists, whiten)
    centres = _centres(z[is_own] @ matrix, y[is_own])
    return matrix, {"centres": centres, "limit": np.array([limit])}


def restore(state: State, genres: int | None, columns: int, place: Place) -> tuple[Any, Any]:
    """Centres and limit among a state's arrays, on a device; BundleError if they cannot be.

    Parameters
    ----------
    genres : how many there are; None for any number.
    """
    centres = stored(state, "centres", np.float64, (genres, columns), _FARTHEST)
    limit = stored(state, "limit", np.float64, (1,))
    if limit[0] < _NARROWEST:
        raise BundleError(f"the model's limit {limit[0]:g} is no distance")
    return place.put(centres), place.put(limit)


def beyond(place: Place, z: Any, centres: Any, limit: Any) -> Any:
    """The distance of whitened examples from the nearest centre over the limit, ``(n,)``."""
    return _distances(place, z, centres) / limit


def _limit(
    z: Numbers,
    y: NDArray[np.int64],
    artists: NDArray[np.int64],
    whiten: float,
    share: float,
    run: Run,
    is_own: NDArray[np.bool_],
) -> float:
    """The distance beyond which this share of the examples lies, each held out with its artist."""
    fold = np.unique(artists, return_inverse=True)[1] % _FOLDS
    if share == 0 or not fold.any():
        return arrays.LARGEST
    distances = np.zeros(len(z))
    for number in range(fold.max() + 1):
        run.check()
        held, others = (fold == number) & is_own, fold != number
        matrix = groups.whitening(z[others], artists[others], whiten)
        known = others & is_own
        centres = _centres(z[known] @ matrix, y[known])
        distances[held] = _distances(Place.of("cpu"), z[held] @ matrix, centres)
    return max(float(np.quantile(distances[is_own], 1 - share)), _NARROWEST)


def _centres(z: Numbers, y: NDArray[np.int64]) -> Numbers:
    """The mean of each label that is there ``(k, columns)``."""
    return np.stack([z[y == label].mean(axis=0) for label in np.unique(y)])


def _distances(place: Place, z: Any, centres: Any) -> Any:
    """From each example to the nearest centre, ``(n,)``."""
    xp = place.xp
    squares = (z * z).sum(1)[:, None] + (centres * centres).sum(1)[None] - 2 * z @ centres.T
    return xp.sqrt(xp.clip(xp.amin(squares, 1), 0, None))
