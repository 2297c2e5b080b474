"""Texts in APEv2 tags, which Monkey's Audio, Musepack, WavPack and some MP3s have.

After wiki.hydrogenaud.io, "APEv2 specification"; a tag in front of the sound is not read.
"""

from __future__ import annotations

import os
from typing import BinaryIO

from mgrkit.audio.tags.id3 import LONGEST, MOST, MOST_TEXTS, untold

_MARK = b"APETAGEX"
_FOOTER = 32
_BEHIND = 4096  # room for ID3v1, its extension and Lyrics3


def apev2(file: BinaryIO) -> list[tuple[str, str]]:
    """Names and values of the text items in the tag near the file's end."""
    end = file.seek(0, os.SEEK_END)
    first = file.seek(max(0, end - _BEHIND))
    tail = file.read(_BEHIND)
    at = tail.rfind(_MARK)
    footer = tail[at : at + _FOOTER]
    if at < 0 or len(footer) < _FOOTER:
        return []
    size = int.from_bytes(footer[12:16], "little") - _FOOTER
    start = first + at - size
    if not 0 < size <= LONGEST or start < 0:
        return []
    file.seek(start)
    return _items(file.read(size), int.from_bytes(footer[16:20], "little"))


def _items(body: bytes, count: int) -> list[tuple[str, str]]:
    found = []
    at = 0
    for _ in range(min(count, MOST)):
        end = body.find(b"\0", at + 8)
        if end < 0:
            break
        size = int.from_bytes(body[at : at + 4], "little")
        if not body[at + 4] & 0x06:  # else it is no text
            name = body[at + 8 : end].decode("latin-1")
            texts = body[end + 1 : end + 1 + size].split(b"\0", MOST_TEXTS)
            found += [(name, untold(text)) for text in texts[:MOST_TEXTS]]
        at = end + 1 + size
    return found
