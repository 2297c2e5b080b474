"""All that a sound file's tags say, in the words that FFmpeg has for it in every format."""

from __future__ import annotations

import contextlib
from pathlib import Path

from tinytag import TinyTag, TinyTagException

from mgrkit.audio.tags.artist import Sparing, container_tags
from mgrkit.audio.tags.genre import genre_tags

NAMES = (
    "title", "artist", "album", "album_artist", "composer", "genre", "date", "track", "disc",
    "comment", "copyright",
)  # fmt: skip
"""The tags that are read."""


def every_tag(path: str | Path) -> dict[str, str]:
    """The tags of a file by `NAMES`; of several values of one the first. No pictures.

    Genres are those of `mgrkit.audio.tags.genre.genre_tags`, with semicolons between: tinytag
    (2.3.2) leaves out three of ID3v1's, and takes all behind them for others. What else formats
    say that tinytag does not know is FFmpeg's. A file that cannot be read has no tags.
    """
    try:
        with Sparing(path) as file:
            tag = TinyTag.get(file_obj=file, duration=False)
        genre = "; ".join(genre_tags(path))
    except OSError:
        return {}
    except TinyTagException:
        return _of_container(path)
    found = {
        "title": tag.title, "artist": tag.artist, "album": tag.album,
        "album_artist": tag.albumartist, "composer": tag.composer, "genre": genre,
        "date": tag.year, "track": _of(tag.track, tag.track_total),
        "disc": _of(tag.disc, tag.disc_total),
        "comment": tag.comment or _first(tag, "_comment"),  # FFmpeg's own in ID3v2
        "copyright": _first(tag, "copyright"),
    }  # fmt: skip
    return _clean(found)


def _first(tag: TinyTag, name: str) -> str:
    return next(iter(tag.other.get(name, ())), "")


def _of(number: int | None, total: int | None) -> str:
    return f"{number or ''}{f'/{total}' if number and total else ''}"


def _of_container(path: str | Path) -> dict[str, str]:
    found: dict[str, str | None] = {}
    for name, value in container_tags(path):
        found.setdefault(name.lower(), value)
    with contextlib.suppress(OSError):
        found["genre"] = "; ".join(genre_tags(path))
    return _clean({name: found.get(name) for name in NAMES})


def _clean(tags: dict[str, str | None]) -> dict[str, str]:
    texts = {name: (value or "").partition("\0")[0].strip() for name, value in tags.items()}
    return {name: text for name, text in texts.items() if text}
