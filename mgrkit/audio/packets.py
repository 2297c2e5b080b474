"""The coded sound of a file, as it is stored: what must not change when tags do."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mgrkit.audio.spans import Span
from mgrkit.audio.tagbytes import sound_end, tags_end
from mgrkit.errors import AudioError

if TYPE_CHECKING:
    from av.packet import Packet
    from av.stream import Stream


def packets_digest(path: str | Path) -> str:
    """The SHA-256 of all bytes of coded sound, as FFmpeg takes them out of the file.

    Nothing is decoded; pictures do not count.

    Raises
    ------
    AudioError : ``not-audio``, FFmpeg knows no sound in it.
    """
    digest = hashlib.sha256()
    for packet in _packets(path, every=True):
        digest.update(packet)
    return digest.hexdigest()


def packets_size(path: str | Path) -> int:
    """How many bytes of coded sound a file has: without tags, pictures and a video's frames.

    Nothing is decoded.

    Raises
    ------
    AudioError : as of `packets_digest`.
    """
    return sum(packet.size for packet in _packets(path, every=False))


def _packets(path: str | Path, *, every: bool) -> Iterator[Packet[Stream]]:
    """The packets of the first sound in a file, or of every one."""
    import av

    from mgrkit.audio.pyav import open_container

    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        span = Span(tags_end(file, 0), sound_end(file, size))  # FFmpeg takes some tags for sound
    try:
        with open_container(path, None if span == (0, size) else span) as container:
            streams = container.streams.audio
            if not streams:
                raise AudioError("not-audio", "FFmpeg finds no sound in it")
            for packet in container.demux(*(streams if every else streams[:1])):
                if packet.size:
                    yield packet
    except av.error.FFmpegError as error:
        raise AudioError("not-audio", f"FFmpeg cannot read it: {error.strerror}") from None
