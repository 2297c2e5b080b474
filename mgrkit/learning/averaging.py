"""From pieces to tracks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def to_tracks(probabilities: NDArray[Any], tracks: NDArray[Any]) -> NDArray[np.float32]:
    """Probabilities of tracks: the mean over the pieces of each.

    Parameters
    ----------
    probabilities : ``(pieces, labels)``.
    tracks : integers ``(pieces,)``: the track of each piece; tracks are numbered 0..n-1 and
        each has a piece.

    Returns
    -------
    float32 ``(n, labels)``, rows summing to one.

    Raises
    ------
    UsageError : a track has no piece, or the lengths differ.
    """
    if len(probabilities) != len(tracks):
        raise UsageError(f"{len(probabilities)} predictions for {len(tracks)} pieces")
    pieces = np.bincount(tracks)
    if not pieces.all():
        raise UsageError(f"track {int(np.argmin(pieces))} has no piece")
    sums = np.zeros((len(pieces), probabilities.shape[1]))
    np.add.at(sums, tracks, probabilities.astype(np.float64))
    means: NDArray[np.float32] = (sums / sums.sum(1, keepdims=True)).astype(np.float32)
    return means
