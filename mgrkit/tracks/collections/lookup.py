"""Which track of which known collection a path names."""

from __future__ import annotations

import functools
import importlib
from dataclasses import replace

from mgrkit.errors import UsageError, nearest
from mgrkit.tracks.collections.base import Collection, Known
from mgrkit.tracks.slices import is_number, without_suffix

COLLECTIONS = (
    "gtzan",
    "fma",
)
"""The files beside this one. A new collection is a line here and a file there."""


@functools.lru_cache(1 << 17)  # asked again and again, of as many paths as FMA has
def known(path: str) -> Known | None:
    """The track that a POSIX path names; None for any other name. Nothing is opened.

    Slices are known by the usual spellings (``blues.00000.7.wav``, ``blues.00000_part2.wav``,
    ``000002_003.mp3``), and as numbers in a folder of the track's name
    (``blues.00000/chunk3.wav``).

    >>> known("genres/blues/blues.00000.au").artist, known("song.mp3")
    ('John Lee Hooker', None)
    >>> known("fma_small/000/000002.mp3").id, known("blues00000_3.png").piece
    ('fma:000002', '_3')
    """
    folder, _, name = path.rpartition("/")
    stem = without_suffix(name)
    for file in COLLECTIONS:
        if found := collection(file).track(folder, name, stem):
            return found
    if is_number(stem) and (of := known(folder)) and not of.piece:
        return replace(of, piece=f"/{stem}")
    return None


def has_published_split(track_id: str) -> bool:
    """Whether a track's collection has a published split, so that to be in no part is telling."""
    of, _, _ = track_id.partition(":")
    return any(one.name == of and one.has_published_split for one in map(collection, COLLECTIONS))


def find_collection(name: str) -> Collection:
    """The collection of this name; UsageError, which names the nearest, if there is none."""
    if name not in COLLECTIONS:
        raise UsageError(
            f"there is no collection {name!r}", nearest(name, COLLECTIONS, "there are")
        )
    return collection(name)


@functools.cache
def collection(file: str) -> Collection:
    """The collection in a file of this folder."""
    found: Collection = importlib.import_module(f"{__package__}.{file}").COLLECTION
    return found
