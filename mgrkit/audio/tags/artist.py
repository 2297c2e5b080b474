"""The tags that a file has around its sound, and the artist that they name."""

from __future__ import annotations

import io
import os
from pathlib import Path

from tinytag import TinyTag, TinyTagException

from mgrkit.audio.tagbytes import tags_end
from mgrkit.audio.tags.ape import apev2
from mgrkit.audio.tags.asf import HEADER, asf_tags
from mgrkit.audio.tags.chunks import chunk_tags
from mgrkit.audio.tags.id3 import id3v1, id3v2
from mgrkit.audio.tags.mp4 import mp4_genres
from mgrkit.audio.tags.nobody import somebody

_ENOUGH = 1 << 26

Tags = list[tuple[str, str]]
"""Names and values, those that count before others first."""


def artist_tag(path: str | Path) -> str:
    """The album artist, else the artist, that a sound file's tags name; '' when none does.

    Of several artists in a tag the first counts. Of several tags that disagree the format's own
    counts first (Vorbis comments, those of MP4 and ASF; INFO, AUTH and ID3 chunks as they
    come), then ID3v2 in front, APEv2 and ID3v1 behind the sound; but an album artist in any of
    them before an artist in any. What stands for nobody ('Various Artists') does not count.
    One text is one artist ('AC/DC', 'Art A; Art B'). Nothing is decoded. A file that cannot be
    read has no artist.
    """
    try:
        tags, complete = found_tags(path)
    except OSError:
        return ""
    artist = _artist(tags)
    return artist if artist or complete else _artist(container_tags(path))


def found_tags(path: str | Path) -> tuple[Tags, bool]:
    """Artists, genres and custom fields in a file's tags, and whether it can have no others.

    Raises
    ------
    OSError : the file is none, cannot be read, or its tags take too long.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"no file: {path}")
    with Sparing(path) as file:
        return _tags(file)


def _artist(tags: Tags) -> str:
    for wanted in ("albumartist", "artist"):
        for name, value in tags:
            # Some write ALBUM ARTIST or album_artist.
            if name.lower().replace("_", "").replace(" ", "") == wanted:
                artist = somebody(" ".join(value.replace("\0", " ").split()))
                if artist:
                    return artist
    return ""


def _tags(file: Sparing) -> tuple[Tags, bool]:
    """All tags that are read here, and whether the file can have no others."""
    front = id3v2(file)
    file.start = tags_end(file, 0)
    around = [*front, *apev2(file), *id3v1(file)]
    file.seek(0)
    head = file.read(16)
    file.seek(0)
    if head.startswith((b"RIFF", b"FORM")):
        return [*chunk_tags(file), *around], True
    if head == HEADER:
        return [*asf_tags(file), *around], True
    mp4 = head[4:8] == b"ftyp"
    if mp4 or head.startswith((b"fLaC", b"OggS")):
        try:
            tag = TinyTag.get(file_obj=file, duration=False)
        except TinyTagException:  # made of whatever a damaged file raises in its parser
            return around, False
        more = [(name, value) for name, values in tag.other.items() for value in values]
        named = [("albumartist", tag.albumartist or ""), ("artist", tag.artist or "")]
        if mp4:
            more = [*mp4_genres(file), *((name, text) for name, text in more if name != "genre")]
        else:
            named.append(("genre", tag.genre or ""))
        return [*named, *more, *around], not mp4  # some boxes it does not know
    mpeg = head[:1] == b"\xff" and head[1:2] >= b"\xe0"  # has no tags but those around it
    return around, mpeg


def container_tags(path: str | Path) -> Tags:
    """What FFmpeg finds, for formats that nothing else here reads."""
    import av

    from mgrkit.audio.pyav import open_container

    try:
        with open_container(path) as container:
            every = [container.metadata, *(stream.metadata for stream in container.streams)]
    except av.error.FFmpegError:
        return []
    return [tag for tags in every for tag in tags.items()]


class Sparing(io.BufferedReader):
    """A file, from ``start`` on, that a damaged header makes nobody read for long.

    What lies behind its end is at its end, and reads of more than 64 MiB together, each counted
    as 1 KiB at least, raise OSError.
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__(io.FileIO(path))
        self.start = 0
        self._end = super().seek(0, os.SEEK_END)
        self._left = _ENOUGH
        super().seek(0)

    def tell(self) -> int:
        """The position, counted from ``start``."""
        return super().tell() - self.start

    def seek(self, target: int, whence: int = os.SEEK_SET, /) -> int:
        """To a place counted from ``start``, from here or from the end."""
        if whence == os.SEEK_CUR:
            target += super().tell()
        else:
            target += self.start if whence == os.SEEK_SET else self._end
        return super().seek(min(target, self._end)) - self.start

    def read(self, size: int | None = -1, /) -> bytes:
        """So many bytes, or as many as there are."""
        rest = self._end - super().tell()
        size = rest if size is None or size < 0 else min(size, rest)
        self._left -= max(size, 1024)
        if self._left < 0:
            raise OSError("this is too much for a tag")
        return super().read(size)
