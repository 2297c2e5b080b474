"""Known collections: what a file's name tells of the tracks of GTZAN and FMA.

For GTZAN (Tzanetakis and Cook 2002) ``data/gtzan.csv`` holds each track's artist, from Sturm's
index of its content (Sturm 2013, "The GTZAN dataset: its contents, its faults, their effects on
evaluation, and its future use"; 81 of the 1,000 are unnamed there), and its part in the
fault-filtered split (Kereliuk, Sturm and Larsen 2015, "Deep learning and music adversaries"):
443 in train, 197 in valid, 290 in test, no named artist in two parts, and 70 replicas, faulty
or unsure ones in none.
"""

from __future__ import annotations

import csv
import functools
import re
from dataclasses import dataclass, replace
from importlib import resources

from mgrkit.tracks.slices import is_number, uncut, without_suffix

_GTZAN = re.compile(
    r"(blues|classical|country|disco|hiphop|jazz|metal|pop|reggae|rock)\.?000(\d\d)"
    r"((?:[^A-Za-z\d]|[A-Za-z]+[ ._-]*\d).*)?"
)
_FMA = re.compile(r"(\d{3})\d{3}")
_LAST_FMA = 155_320


@dataclass(frozen=True, slots=True)
class Known:
    """A track of a known collection.

    Parameters
    ----------
    id : ``gtzan:blues.00000``, ``fma:000002``.
    artist : '' where it is not known.
    part : in the collection's published split: 'train', 'valid', 'test', or '' for none.
    piece : what tells a slice of it, or something else made of it, from others; '' for the whole.
    """

    id: str
    artist: str = ""
    part: str = ""
    piece: str = ""


def known(path: str) -> Known | None:
    """The track that a POSIX path names; None for any other name. Nothing is opened.

    GTZAN's names are ``<genre>.NNNNN`` and, as Kaggle has them, ``<genre>NNNNN``, with any
    suffix or none; FMA's are ``NNNNNN.mp3``, in a folder of the first three digits (there with
    any suffix) or in none. Slices are known by the usual spellings (``blues.00000.7.wav``,
    ``blues.00000_part2.wav``, ``000002_003.mp3``, ``blues.00000/chunk3.wav``), and so is
    whatever else begins with the name of a track of GTZAN.

    >>> known("genres/blues/blues.00000.au")
    Known(id='gtzan:blues.00000', artist='John Lee Hooker', part='valid', piece='')
    >>> known("fma_small/000/000002.mp3").id, known("blues00000_3.png").piece, known("song.mp3")
    ('fma:000002', '_3', None)
    """
    folder, _, name = path.rpartition("/")
    stem = without_suffix(name)
    if found := _gtzan_track(stem) or _fma_track(folder, name, stem):
        return found
    if is_number(stem) and (of := known(folder)) and not of.piece:
        return replace(of, piece=f"/{stem}")
    return None


def _gtzan_track(stem: str) -> Known | None:
    if match := _GTZAN.fullmatch(stem):
        track = f"{match[1]}.000{match[2]}"
        artist, part = _gtzan()[track]
        return Known(f"gtzan:{track}", artist, part, match[3] or "")
    return None


def _fma_track(folder: str, name: str, stem: str) -> Known | None:
    for number in uncut(stem):
        match = _FMA.fullmatch(number)
        if match and int(number) <= _LAST_FMA:
            above = folder.rpartition("/")[2]
            if above == match[1] or (not above and name.endswith(".mp3")):
                return Known(f"fma:{number}", piece=stem[len(number) :])
    return None


@functools.cache
def _gtzan() -> dict[str, tuple[str, str]]:
    """Artist and part by track."""
    text = resources.files("mgrkit.tracks").joinpath("data/gtzan.csv").read_text("utf-8")
    rows = csv.DictReader(text.splitlines())
    return {row["track"]: (row["artist"], row["part"]) for row in rows}


def has_published_split(track_id: str) -> bool:
    """Whether a track's collection has a published split, so that to be in no part is telling."""
    return track_id.startswith("gtzan:")
