"""The artist that a file's own tags name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_ANYBODY = {"various", "various artists", "va", "unknown", "unknown artist"}


def artist_tag(path: str | Path) -> str:
    """The album artist, else the artist, that a sound file's tags name; '' when none does.

    Nothing is decoded. What stands for nobody ('Various Artists') does not count. Never
    raises: a file that cannot be read has no artist.
    """
    try:
        if not Path(path).is_file():
            return ""
        from mgrkit.audio.pyav import open_container

        with open_container(path) as container:
            tags = [container.metadata, *(stream.metadata for stream in container.streams)]
    except Exception:  # whatever a damaged header makes of the demuxer
        return ""
    for name in ("albumartist", "artist"):
        for told in tags:
            if artist := _named(told, name):
                return artist
    return ""


def _named(tags: Mapping[str, str], name: str) -> str:
    """The tag of this name, however its format spells it (``album_artist``, ``ALBUMARTIST``)."""
    for key, value in tags.items():
        if key.lower().replace("_", "").replace(" ", "") == name:
            artist = " ".join(value.replace("\0", " ").split())
            return "" if artist.casefold() in _ANYBODY else artist
    return ""
