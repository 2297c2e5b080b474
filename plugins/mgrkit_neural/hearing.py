"""Which altered copy of each piece an epoch hears: another one than the epoch before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.classifiers.base import Examples

    Indices = NDArray[np.int64]


def variants(examples: Examples) -> Indices:
    """The examples by which each piece of a sound may be heard.

    A copy may be longer or shorter than its sound, and so of more or fewer pieces: a piece is
    heard by the one whose middle lies at the same share of the track.

    Returns
    -------
    int64 ``(n, most)``: of each piece of the sounds themselves, in their order, the index of the
    piece itself, then that of each copy of its track; -1 where a track has fewer.
    """
    originals = examples.originals
    if examples.copies is None:
        return originals[:, None]
    row = np.full(len(examples), -1)
    row[originals] = np.arange(len(originals))
    found: list[list[int]] = [[] for _ in originals]
    # By track, then by copy, the sound itself first; the pieces of each in their order.
    order = np.lexsort((np.arange(len(examples)), examples.copies, examples.tracks))
    both = np.stack([examples.tracks[order], examples.copies[order]])
    borders = np.flatnonzero(np.diff(both).any(axis=0)) + 1
    sound, of_track = order[:0], None
    for pieces in np.split(order, borders):
        if examples.copies[pieces[0]] == 0:
            sound, of_track = pieces, examples.tracks[pieces[0]]
        if examples.tracks[pieces[0]] != of_track:  # a copy of what is not here
            continue
        nearest = (2 * np.arange(len(sound)) + 1) * len(pieces) // (2 * len(sound))
        for piece, one in zip(sound, pieces[nearest], strict=True):
            found[row[piece]].append(int(one))
    padded = np.full((len(found), max(map(len, found), default=0)), -1)
    for number, members in enumerate(found):
        padded[number, : len(members)] = members
    return padded


def heard(variants: Indices, epoch: int, rng: np.random.Generator) -> Indices:
    """The example by which each piece is heard in an epoch, int64 ``(n,)``.

    Every piece goes through its variants in a random order of its own, again and again: so two
    epochs in a row hear two variants, wherever there are two.

    Parameters
    ----------
    rng : the same in each epoch.
    """
    lots = rng.random(variants.shape)
    lots[variants < 0] = np.inf  # last, and so beyond the count
    place = epoch % (variants >= 0).sum(1)
    every = np.arange(len(variants))
    one: Indices = variants[every, lots.argsort(1)[every, place]]
    return one
