"""What a track is called, wherever it lies: by its collection, else by its sound."""

from __future__ import annotations

from mgrkit.tracks.collections.lookup import known
from mgrkit.tracks.splits import group_key

ARTIST, FILE = "artist:", "file:"
"""Begin the artists, and the names of the files of tracks that are known by their sound, among
the ids that a bundle has seen."""

SOUND, NAME = "sha256:", "name:"
"""Begin the ids of tracks of no known collection: by their sound, or by their file's name."""


def track_id(path: str, digest: str = "") -> str:
    """A track's id: of its collection, else of its sound, else its file name.

    Parameters
    ----------
    path : POSIX, of the root recording (never of a piece or a noisy copy).
    digest : what `SoundDigest` gave; '' for tables, where there is no sound.

    >>> track_id("blues/blues.00000.wav"), track_id("a/song.mp3")
    ('gtzan:blues.00000', 'name:song.mp3')
    """
    if found := known(path):
        return found.id
    if digest:
        return f"{SOUND}{digest[:32]}"
    return name_id(path.rpartition("/")[2])


def name_id(name: str) -> str:
    """The id of a track of which nothing but a name or a path is known."""
    # A bundle keeps ids one a line, in UTF-8: neither a line break nor a stray byte fits in.
    name = name.encode("utf-8", "backslashreplace").decode()
    return f"{NAME}{name.encode('unicode_escape').decode() if not name.isprintable() else name}"


def artist_id(group: str) -> str:
    """An artist among the ids that a bundle has seen."""
    return ARTIST + group_key(group)
