"""FMA (Defferrard, Benzi, Vandergheynst and Bresson 2017): music of the Free Music Archive.

Names are ``NNNNNN.mp3``, in a folder of the first three digits (there with any suffix) or in
none. Slices are known by the usual spellings (``000002_003.mp3``).
"""

from __future__ import annotations

import re

from mgrkit.files.published import Published
from mgrkit.tracks.collections.base import About, Bad, Collection, Form, Known
from mgrkit.tracks.slices import uncut

_NUMBER = re.compile(r"(\d{3})\d{3}")
_LAST = 155_320


def _track(folder: str, name: str, stem: str) -> Known | None:
    for number in uncut(stem) if _NUMBER.match(stem) else ():
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
        "three clips of small hold no audio: 099134, 108925, 133297 (mdeff/fma, issues 4 and 44)",
        "the stated length of 21 tracks is wrong, their clips are short or empty (issue 8 there)",
        "of the 106,574 files of full 937 are byte for byte another one (issue 23 there)",
        "2,231 tracks without a genre label are in train",
    ),
)


def _published(name: str, size: int, sha1: str) -> Published:
    url = f"https://os.unil.cloud.switch.ch/fma/{name}"
    return Published(name, url, size, f"sha1:{sha1}")


_METADATA = _published("fma_metadata.zip", 358_412_441, "f0df49ffe5f2a6008d7dc83c6915b31835dfe733")
_SOUND = {
    "small": (8_000, 7_679_594_875, "ade154f733639d52e35e32f5593efe5be76c6d70"),
    "medium": (25_000, 23_600_000_000, "c67b69ea232021025fca9231fc1c7c1a063ab50b"),
    "large": (106_574, 100_306_112_191, "497109f4dd721066b5ce5e5f250ec604dc78939e"),
    "full": (106_574, 943_800_000_000, "0f0ace23fbe9ba30ecb7e95f763e435ea802b8ab"),
}
"""Tracks, bytes (of medium and full from the 22 and 879 GiB that are stated) and sha1 of each
zip, as the README of mdeff/fma has them."""

_FORMS = tuple(
    Form(
        name,
        f"fma_{name}/{{folder}}/{{number}}.mp3",
        files,
        (_METADATA, _published(f"fma_{name}.zip", size, sha1)),
    )
    for name, (files, size, sha1) in _SOUND.items()
)

_CLIPS = ("small", "medium", "large")
_LENGTHS = {
    1486: (90, 14.39), 5574: (563, 30.46), 65753: (242, 9.74), 80391: (600, 67.84),
    98558: (216, 87.67), 98559: (193, 58.80), 98560: (341, 86.13), 98565: (158, 65.31),
    98566: (148, 63.63), 98567: (191, 79.39), 98568: (249, 114.55), 98569: (184, 77.37),
    98571: (139, 50.81), 99134: (308, 33.25), 105247: (123, 18.91), 108924: (187, 105.38),
    108925: (151, 7.44), 126981: (216, 17.45), 127336: (275, 13.27), 133297: (600, 113.58),
    143992: (211, 26.23),
}  # fmt: skip
"""Seconds of tracks as stated and as they are (mdeff, issue 8). A clip was cut from the middle of
the stated length, which here lies at the end of the track, or beyond it."""

_SILENT = (99_134, 108_925, 133_297)
"""Those of small whose clips hold no audio at all (issue 44)."""

_BAD = tuple(
    Bad(
        f"fma:{number:06d}",
        f"{'empty' if number in _SILENT else 'short'}: "
        f"cut from the middle of {stated} s, but the track has {real:g} s",
        _CLIPS,
    )
    for number, (stated, real) in _LENGTHS.items()
)

COLLECTION = Collection("fma", _track, _ABOUT, "fma_small/000/000002.mp3", _FORMS, _BAD)
