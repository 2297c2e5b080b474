"""FMA (Defferrard, Benzi, Vandergheynst and Bresson 2017): music of the Free Music Archive.

Names are ``NNNNNN.mp3``, in a folder of the first three digits (there with any suffix) or in
none. Slices are known by the usual spellings (``000002_003.mp3``).
"""

from __future__ import annotations

import re

from mgrkit.tracks.collections.base import About, Collection, Known
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


_ABOUT = About(
    title="FMA: 106,574 tracks of the Free Music Archive; small and medium are clips of 30 seconds",
    homepage="https://github.com/mdeff/fma",
    citation="""@inproceedings{fma_dataset,
  title = {{FMA}: A Dataset for Music Analysis},
  author = {Defferrard, Micha{\\"e}l and Benzi, Kirell
            and Vandergheynst, Pierre and Bresson, Xavier},
  booktitle = {18th International Society for Music Information Retrieval Conference (ISMIR)},
  year = {2017},
  archiveprefix = {arXiv},
  eprint = {1612.01840}
}""",
    licence="metadata CC BY 4.0; each track's licence is its artist's choice and in the metadata",
    faults=(
        "three tracks of small hold no audio: 099134, 108925, 133297",
        "some clips are shorter than stated, of small 098565, 098567 and 098569",
        "2,231 tracks without a genre label are in train",
    ),
)

COLLECTION = Collection("fma", _track, _ABOUT, "fma_small/000/000002.mp3")
