"""What is known of artists, used so that a genre is learnt rather than its artists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit_classical.arrays import Numbers


def weights(
    y: NDArray[np.int64], groups: NDArray[np.int64], even: float, balanced: bool
) -> Numbers:
    """How much each example counts, 1 on average.

    Parameters
    ----------
    even : 0 if an artist counts as often as it has examples, 1 if all count the same; between
        the two, as examples to the power of ``1 - even``.
    balanced : whether all genres count the same.
    """
    _, place, counts = np.unique(groups, return_inverse=True, return_counts=True)
    weight = counts[place].astype(np.float64) ** -even
    if balanced:
        totals = np.bincount(y, weight)
        weight /= totals[y]
    normal: Numbers = weight * (len(y) / weight.sum())
    return normal


def whitening(z: Numbers, groups: NDArray[np.int64], share: float) -> Numbers:
    """A map under which directions matter less the more the tracks of one artist differ in them.

    Within-class covariance normalisation (Hatch, Kajarekar, Stolcke 2006, "Within-class
    covariance normalization for SVM-based speaker recognition"), with an artist for a speaker.
    Mapped examples have the same mean square as before it, the number of columns that vary.

    Parameters
    ----------
    z : ``(n, columns)``, standardised; columns without a say are 0.
    share : of that covariance, the rest is a multiple of the identity; 0 to below 1.

    Returns
    -------
    ``(columns, columns)``; examples are multiplied with it from the left.
    """
    columns = z.shape[1]
    _, place, counts = np.unique(groups, return_inverse=True, return_counts=True)
    means = np.zeros((len(counts), columns))
    np.add.at(means, place, z)
    apart = z - (means / counts[:, None])[place]
    covariance = apart.T @ apart
    varying = max(1, int(np.count_nonzero(z.any(axis=0))))
    mean = np.trace(covariance) / varying
    if share == 0 or mean < 1e-9 * len(z):
        return np.eye(columns)
    mixed = share * covariance / mean + (1 - share) * np.eye(columns)
    values, directions = np.linalg.eigh(mixed)
    matrix = directions / np.sqrt(np.maximum(values, 1 - share))
    size = np.square(z @ matrix).sum() / (len(z) * varying)
    normal: Numbers = matrix / np.sqrt(size)
    return normal
