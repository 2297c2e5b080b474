"""Tracks of sound described piece by piece, and kept so by the content of their files."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.audio import pieces
from mgrkit.audio.hashing import HashedSound
from mgrkit.datasets.prepared import Described, Place, cached
from mgrkit.errors import ItemError, RunError
from mgrkit.files.cache import cache_folder, content_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from mgrkit.audio import Blocks
    from mgrkit.batch import Work
    from mgrkit.inputs.kinds import Input

    Values = NDArray[Any]


def check_kept(wanted: Input) -> None:
    """Once, before there are tracks: that values can be made and kept.

    Raises
    ------
    RunError : they cannot; and what ``wanted.check`` raises.
    """
    wanted.check()
    try:
        kept_folder(wanted).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(
            f"cannot keep {wanted.name} in {cache_folder()}: {error.strerror}",
            "MGRKIT_CACHE names another folder",
        ) from None


def kept_folder(wanted: Input) -> Path:
    """Where values of this kind are kept; it may not exist yet."""
    return cache_folder() / wanted.kept_under


def kept_track(
    wanted: Input, path: str, work: Work, *, with_places: bool = False
) -> tuple[str, Described]:
    """The key of a file's content, and the values of its pieces from the cache; made and kept
    where they are not there.

    Parameters
    ----------
    with_places : where the pieces lie is wanted too.

    Raises
    ------
    ItemError : ``unreadable``, and what `describe` raises.
    """
    assert wanted.frontend is not None
    key = key_of(path)
    make = partial(describe, path, wanted.frontend.sample_rate, wanted.piece, wanted.breadth, work)
    folder = kept_folder(wanted)
    return key, cached(folder, key, wanted.breadth, make, with_places=with_places)


def key_of(path: str) -> str:
    """The key of a file's content; ItemError ``unreadable``."""
    try:
        return content_key(path)
    except OSError as error:
        reason = (error.strerror or "input/output error").lower()
        message = f"the file cannot be read: {reason}"
        raise ItemError("unreadable", message, again=True) from error


def describe(
    path: str,
    rate: int | None,
    values_of: Callable[[NDArray[np.float32], int], Values],
    breadth: tuple[int, ...],
    work: Work,
    piece_seconds: float | None = None,
) -> Described:
    """The values of all pieces of a track; a piece without any, such as silence, has an error.

    Parameters
    ----------
    rate : samples per second of the pieces; None for those of the file.
    values_of : the values ``(n, *breadth)`` of a piece's samples and their rate; raises ItemError.
    piece_seconds : as for `mgrkit.audio.pieces`.

    Raises
    ------
    AudioError : the sound cannot be used.
    """
    with HashedSound(path, work.allow) as sound:
        rate = rate or sound.rate
        told = described_pieces(sound, rate, values_of, breadth, piece_seconds)
        return replace(told, sound=sound.digest.hexdigest(), warning=sound.warning)


def described_pieces(
    sound: Blocks,
    rate: int,
    values_of: Callable[[NDArray[np.float32], int], Values],
    breadth: tuple[int, ...],
    piece_seconds: float | None = None,
) -> Described:
    """As `describe`, of a sound that is open or in memory; without its digest and warning."""
    values: list[Values] = []
    places = []
    for piece in pieces(sound, rate, piece_seconds):
        error = None
        try:
            values.append(values_of(piece.samples, rate))
        except ItemError as refused:
            error = refused
        places.append(Place(piece.start, len(piece.samples) / rate, error))
    sizes = np.array([len(part) for part in values], np.int64)
    joined = np.concatenate(values) if values else np.empty((0, *breadth))
    return Described(joined, sizes, "", "", tuple(places), rate)


def check_described(described: Described) -> None:
    """Raise ItemError where no piece has values: the first one's reason."""
    if not len(described.sizes):
        errors = (place.error for place in described.places if place.error)
        raise next(errors, ItemError("too-short", "the track holds no piece"))
