"""An ``fma_metadata`` folder as FMA publishes it, of made tracks and of any size.

The layout is that of mdeff/fma's ``creation.ipynb`` and ``features.py``, written by pandas: header
rows, the row of the index, empty fields for what is missing, lists as Python writes them.
"""

from __future__ import annotations

import csv
import itertools
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

FULL = 106_574
"""Tracks of FMA."""

TRACK_COLUMNS = {
    "album": "comments date_created date_released engineer favorites id information listens "
    "producer tags title tracks type",
    "artist": "active_year_begin active_year_end associated_labels bio comments date_created "
    "favorites id latitude location longitude members name related_projects tags website "
    "wikipedia_page",
    "set": "split subset",
    "track": "bit_rate comments composer date_created date_recorded duration favorites genre_top "
    "genres genres_all information interest language_code license listens lyricist number "
    "publisher tags title",
}
FEATURES = {
    "chroma_cens": 12, "chroma_cqt": 12, "chroma_stft": 12, "mfcc": 20, "rmse": 1,
    "spectral_bandwidth": 1, "spectral_centroid": 1, "spectral_contrast": 7,
    "spectral_rolloff": 1, "tonnetz": 6, "zcr": 1,
}  # fmt: skip
STATISTICS = ("kurtosis", "max", "mean", "median", "min", "skew", "std")
ECHONEST = {
    "audio_features": "acousticness danceability energy instrumentalness liveness speechiness "
    "tempo valence",
    "metadata": "album_date album_name artist_latitude artist_location artist_longitude "
    "artist_name release",
    "ranks": "artist_discovery_rank artist_familiarity_rank artist_hotttnesss_rank "
    "song_currency_rank song_hotttnesss_rank",
    "social_features": "artist_discovery artist_familiarity artist_hotttnesss song_currency "
    "song_hotttnesss",
    "temporal_features": " ".join(f"{n:03d}" for n in range(224)),
}
ROOTS = {
    21: "Hip-Hop", 10: "Pop", 17: "Folk", 38: "Experimental", 12: "Rock", 2: "International",
    15: "Electronic", 1235: "Instrumental", 5: "Classical", 8: "Old-Time / Historic", 4: "Jazz",
    9: "Country", 14: "Soul-RnB", 20: "Spoken", 3: "Blues", 13: "Easy Listening",
}  # fmt: skip
"""The first eight are those of fma-small."""
BELOW = {
    1: (38, "Avant-Garde"), 25: (12, "Punk"), 89: (25, "Post-Punk"), 76: (10, "Experimental Pop"),
    103: (17, "Singer-Songwriter"), 100: (21, "Alternative Hip-Hop"), 18: (1235, "Soundtrack"),
    181: (15, "Techno"), 41: (38, "Electroacoustic"), 86: (2, "Indian"), 810: (13, "Nu-Jazz"),
}  # fmt: skip
TITLES = (
    "Food", 'The "Best" Song', "Déjà vu, encore", "夜の歌", "Two\nlines", "a, b; c", "O'Brien",
    "Ünïcode ♥", "untitled", "",
)  # fmt: skip
NAMES = {
    0: "Nobody",
    11: "NOBODY",
    22: "Nobody 0",
    33: "Motörhead",
    34: "Sun, Moon & Stars",
    35: "",
}
"""Of some artists by number: two share a name, and one is called as the first is written then."""
LICENCES = (
    "Attribution-Noncommercial-Share Alike 3.0 United States", "Attribution",
    "Attribution-NonCommercial-NoDerivatives (aka Music Sharing) 3.0 International", "",
)  # fmt: skip
BIO = '<p>"A" collective,\nof <a href="http://example.org/">somewhere</a></p>\n'


@dataclass
class Made:
    """What is in the folder.

    Parameters
    ----------
    rows : of ``tracks.csv``, each column as ``artist.id`` and so on, ``track_id`` among them.
    """

    folder: Path
    rows: list[dict[str, str]] = field(default_factory=list)


def make_fma(
    folder: Path, tracks: int = 200, features: int = 0, echonest: int = 0, bio: int = 1
) -> Made:
    """Write ``tracks.csv``, ``genres.csv`` and, of the first so many, the two other tables.

    Of 40 tracks three are in small, six in medium; each artist is in one part; some artists share
    a name; some tracks have genres of two roots, or none.

    Parameters
    ----------
    bio : how often the artists' text is repeated; 12 makes the file as big as the real one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = Made(folder, list(_rows(tracks, bio)))
    write_tracks_csv(folder, made.rows)
    write_genres(folder)
    ids = [row["track_id"] for row in made.rows]
    if features:
        write_features(folder / "features.csv", ids[:features])
    if echonest:
        write_echonest(folder / "echonest.csv", ids[:echonest])
    return made


def write_tracks_csv(folder: Path, rows: Iterable[Mapping[str, str]]) -> None:
    names = [f"{top}.{name}" for top, below in TRACK_COLUMNS.items() for name in below.split()]
    header = [["", *(name.partition(".")[n] for name in names)] for n in (0, 2)]
    cells = ([row["track_id"], *(row.get(name, "") for name in names)] for row in rows)
    write(folder / "tracks.csv", header, cells)


def write(path: Path, header: list[list[str]], rows: Iterable[list[str]]) -> None:
    """A table with several header rows, then the row of the index, as pandas writes it."""
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerows(header)
        out.writerow(["track_id", *[""] * (len(header[0]) - 1)])
        out.writerows(rows)


def write_genres(folder: Path) -> None:
    tree = {**{n: (0, title) for n, title in ROOTS.items()}, **BELOW}
    with (folder / "genres.csv").open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["genre_id", "#tracks", "parent", "title", "top_level"])
        out.writerows([n, 1, tree[n][0], tree[n][1], root(n)] for n in sorted(tree))


def root(genre: int) -> int:
    return genre if genre in ROOTS else root(BELOW[genre][0])


def feature_columns() -> list[tuple[str, str, str]]:
    """The columns of ``features.csv`` as pandas sorts them."""
    return [
        (name, statistic, f"{n + 1:02d}")
        for name, size in FEATURES.items()
        for statistic in STATISTICS
        for n in range(size)
    ]


def write_features(path: Path, ids: list[str]) -> None:
    columns = feature_columns()
    header = [
        [level, *(column[n] for column in columns)]
        for n, level in enumerate(("feature", "statistics", "number"))
    ]
    draw = random.Random(1)
    # Drawing every number would take minutes at full size: each row turns the first one.
    drawn = [f"{draw.gauss(0, 3):.10e}" for _ in columns]
    turned = (drawn[n % 518 :] + drawn[: n % 518] for n in itertools.count())
    write(path, header, ([number, *row] for number, row in zip(ids, turned, strict=False)))


def write_echonest(path: Path, ids: list[str]) -> None:
    columns = [(top, name) for top, below in ECHONEST.items() for name in below.split()]
    header = [
        ["", *["echonest"] * len(columns)],
        ["", *(top for top, _ in columns)],
        ["", *(name for _, name in columns)],
    ]
    draw = random.Random(2)
    texts = {
        "album_date": "", "album_name": 'Night, "live"', "artist_location": "Köln, DE",
        "artist_name": "Nobody", "release": "Two\nlines",
    }  # fmt: skip

    def value(top: str, name: str) -> str:
        if name in texts:
            return texts[name]
        return "" if top == "ranks" and draw.random() < 0.5 else f"{draw.random():.10f}"

    write(path, header, ([number, *(value(*column) for column in columns)] for number in ids))


def _rows(tracks: int, bio: int) -> Iterator[dict[str, str]]:
    draw = random.Random(0)
    ids = sorted(draw.sample(range(2, 155_321), tracks)) if tracks < FULL else range(2, tracks + 2)
    small, below = tuple(ROOTS)[:8], tuple(BELOW)
    for n, number in enumerate(ids):
        subset = ("small", "medium", "medium")[n % 3] if n % 40 < 9 else "large"
        if subset == "small":
            genres = [small[n // 3 % 8]]
        elif subset == "medium":
            genres = [tuple(ROOTS)[n % 16]]
        else:
            genres = draw.sample(below, n % 4) if n % 50 else [76, 25, 89]
        roots = {root(genre) for genre in genres}
        artist = n // 5
        yield {
            "track_id": str(number),
            "album.id": str(n // 7), "album.title": TITLES[n // 7 % 9], "album.tags": "[]",
            "album.comments": "0", "album.information": "<p></p>",
            "artist.bio": BIO * bio, "artist.id": str(artist), "artist.tags": "['awol', 'x, y']",
            "artist.name": NAMES.get(artist % 1000, f"Artist {artist % 1000}"),
            "set.split": ("training", "training", "validation", "test")[artist % 4],
            "set.subset": subset,
            "track.bit_rate": "256000", "track.duration": str(20 + n % 400 if n % 30 else 0),
            "track.genre_top": ROOTS[roots.pop()] if len(roots) == 1 else "",
            "track.genres": str(genres), "track.genres_all": str(genres), "track.tags": "[]",
            "track.license": LICENCES[n % 4], "track.listens": "1293", "track.number": "3",
            "track.title": TITLES[n % 10],
        }  # fmt: skip
