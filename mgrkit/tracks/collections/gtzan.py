"""GTZAN (Tzanetakis and Cook 2002): 1,000 clips of 30 seconds, 100 of each of ten genres.

``gtzan.csv`` holds each track's artist and title, from Sturm's index of its content (Sturm 2013,
"The GTZAN dataset: its contents, its faults, their effects on evaluation, and its future use"; 81
of the 1,000 have no artist there), and its part in the fault-filtered split (Kereliuk, Sturm and
Larsen 2015, "Deep learning and music adversaries"): 443 in train, 197 in valid, 290 in test, no
named artist in two parts, and 70 replicas, faulty or unsure ones in none.

Names are ``<genre>.NNNNN`` and, as Kaggle has them, ``<genre>NNNNN``, with any suffix or none.
Whatever else begins with such a name is a slice of the track, or something made of it.
"""

from __future__ import annotations

import csv
import functools
import re
from importlib import resources

from mgrkit.files.published import Published
from mgrkit.tracks.collections.base import About, Bad, Collection, Form, Known

_NAME = re.compile(
    r"(blues|classical|country|disco|hiphop|jazz|metal|pop|reggae|rock)\.?000(\d\d)"
    r"((?:[^A-Za-z\d]|[A-Za-z]+[ ._-]*\d).*)?"
)


def _track(folder: str, name: str, stem: str) -> Known | None:
    del folder, name
    if match := _NAME.fullmatch(stem):
        track = f"{match[1]}.000{match[2]}"
        artist, title, part = _index()[track]
        return Known(f"gtzan:{track}", artist, part, match[3] or "", match[1], title)
    return None


@functools.cache
def _index() -> dict[str, tuple[str, str, str]]:
    """Artist, title and part by track."""
    text = resources.files("mgrkit.tracks.collections").joinpath("gtzan.csv").read_text("utf-8")
    rows = csv.DictReader(text.splitlines())
    return {row["track"]: (row["artist"], row["title"], row["part"]) for row in rows}


_ABOUT = About(
    title="GTZAN: 1,000 clips of 30 seconds, 100 of each of ten genres",
    homepage="http://marsyas.info/downloads/datasets.html",
    citation="""@article{tzanetakis2002musical,
  title = {Musical genre classification of audio signals},
  author = {Tzanetakis, George and Cook, Perry},
  journal = {IEEE Transactions on Speech and Audio Processing},
  volume = {10},
  number = {5},
  pages = {293--302},
  year = {2002}
}""",
    licence="none is stated anywhere: excerpts of commercial recordings, for research only",
    faults=(
        "50 exact replicas, 22 clips of a recording that is there twice, 13 versions (Sturm 2013)",
        "over 100 clips with a doubtful genre (Sturm 2013)",
        "35 clips are of Bob Marley, 24 of Britney Spears: a random split hears them on both sides",
        "Kaggle's jazz.00054.wav is damaged and has no picture; the original .au is whole",
        "the authors' server has not answered since 2022: give a local copy, or a mirror of it",
        "many copies are Git LFS pointers: files of 132 bytes of text that are named .au",
    ),
)

_FORMS = (
    Form(
        "original",
        "genres/{genre}/{genre}.{number}.au",
        1_000,
        (
            Published(
                "genres.tar.gz",
                "http://opihi.cs.uvic.ca/sound/genres.tar.gz",
                1_225_571_541,
                "md5:5b3d6dddb579ab49814ab86dba69e7c7",
            ),
        ),
        30,
    ),
    Form("kaggle", "genres_original/{genre}/{genre}.{number}.wav", 1_000, seconds=30),
    Form("pictures", "images_original/{genre}/{genre}{number}.png", 999),
)
"""The authors publish no sum: the MD5 is that by which mirdata and torchaudio check the archive.
Kaggle asks for an account."""

_BAD = (
    Bad("gtzan:jazz.00054", "undecodable: Kaggle's WAV is damaged", ("kaggle",)),
    Bad("gtzan:jazz.00054", "missing: Kaggle's WAV is damaged and has no picture", ("pictures",)),
)

COLLECTION = Collection(
    "gtzan",
    _track,
    _ABOUT,
    "genres/blues/blues.00006.au",
    _FORMS,
    _BAD,
    has_published_split=True,
)
