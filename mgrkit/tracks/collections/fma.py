"""FMA (Defferrard, Benzi, Vandergheynst and Bresson 2017): music of the Free Music Archive.

Names are ``NNNNNN.mp3``, in a folder of the first three digits (there with any suffix) or in
none. Slices are known by the usual spellings (``000002_003.mp3``).
"""

from __future__ import annotations

import re

from mgrkit.tracks.collections.base import Collection, Known
from mgrkit.tracks.slices import uncut

_NUMBER = re.compile(r"(\d{3})\d{3}")
_LAST = 155_320


def _track(folder: str, name: str, stem: str) -> Known | None:
    for number in uncut(stem):
        match = _NUMBER.fullmatch(number)
        if match and int(number) <= _LAST:
            above = folder.rpartition("/")[2]
            if above == match[1] or (not above and name.endswith(".mp3")):
                return Known(f"fma:{number}", piece=stem[len(number) :])
    return None


COLLECTION = Collection("fma", _track, "fma_small/000/000002.mp3")
