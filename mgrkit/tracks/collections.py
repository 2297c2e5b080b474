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
from dataclasses import dataclass
from importlib import resources

_GTZAN = re.compile(
    r"(blues|classical|country|disco|hiphop|jazz|metal|pop|reggae|rock)\.?000(\d\d)"
    r"(?:\.(?!\d+$)\w+)?"
)
_FMA = re.compile(r"(\d{3})\d{3}\.mp3")


@dataclass(frozen=True, slots=True)
class Known:
    """A track of a known collection.

    Parameters
    ----------
    id : ``gtzan:blues.00000``, ``fma:000002``.
    artist : '' where it is not known.
    part : in the collection's published split: 'train', 'valid', 'test', or '' for none.
    """

    id: str
    artist: str = ""
    part: str = ""


def known(path: str) -> Known | None:
    """The track that a POSIX path names; None for any other name. Nothing is opened.

    GTZAN's names are ``<genre>.NNNNN`` and, as Kaggle has them, ``<genre>NNNNN``, with any
    suffix or none; FMA's are ``NNNNNN.mp3``, in a folder of the first three digits or in none.
    Pieces and noisy copies (``blues.00000.001.png``) are not known by name: give the root
    recording, their ``parent``.

    >>> known("genres/blues/blues.00000.au")
    Known(id='gtzan:blues.00000', artist='John Lee Hooker', part='valid')
    >>> known("fma_small/000/000002.mp3").id, known("song.mp3")
    ('fma:000002', None)
    """
    folder, _, name = path.rpartition("/")
    if match := _GTZAN.fullmatch(name):
        track = f"{match[1]}.000{match[2]}"
        artist, part = _gtzan()[track]
        return Known(f"gtzan:{track}", artist, part)
    match = _FMA.fullmatch(name)
    if match and folder.rpartition("/")[2] in ("", match[1]):
        return Known(f"fma:{name.removesuffix('.mp3')}")
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
