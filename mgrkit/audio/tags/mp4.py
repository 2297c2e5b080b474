"""Genres in the boxes of MP4 files, after Apple's "QuickTime File Format".

tinytag (2.3.2) takes the numbers above 138 for their neighbours, and 0 for the last one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from mgrkit.audio.tags.id3 import LONGEST, MOST, MOST_TEXTS, untold

_WAY = (b"moov", b"udta", b"meta", b"ilst")
_TEXT, _NUMBER = b"\xa9gen", b"gnre"


def mp4_genres(file: BinaryIO) -> list[tuple[str, str]]:
    """The texts of ``\\xa9gen``, else the number of ``gnre`` as ID3v1 has it, in brackets."""
    found: dict[bytes, list[str]] = {_TEXT: [], _NUMBER: []}
    end = file.seek(0, 2)
    for item, start, stop in _below(file, _WAY, 0, end):
        if item in found:
            for name, at, to in _boxes(file, start, min(stop, start + LONGEST)):
                if name == b"data" and to - at >= 8:
                    file.seek(at + 8)
                    content = file.read(min(to - at - 8, LONGEST))
                    found[item] += [_numbered(content) if item == _NUMBER else untold(content)]
    return [("genre", text) for text in (found[_TEXT] or found[_NUMBER])[:MOST_TEXTS]]


def _numbered(content: bytes) -> str:
    """ID3v1's number is one less; 0 is none."""
    number = int.from_bytes(content[:2])
    return f"({number - 1})" if number else ""


def _below(
    file: BinaryIO, way: Sequence[bytes], start: int, end: int
) -> Iterator[tuple[bytes, int, int]]:
    """The boxes in those that lie one in another along a way."""
    if not way:
        yield from _boxes(file, start, end)
        return
    for name, at, to in _boxes(file, start, end):
        if name == way[0]:
            yield from _below(file, way[1:], at + 4 * (name == b"meta"), to)


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name of each box, and where its content begins and ends."""
    for _ in range(MOST):
        file.seek(start)
        head = file.read(16)
        size, at = int.from_bytes(head[:4]), start + 8
        if size == 1:
            size, at = int.from_bytes(head[8:16]), start + 16
        stop = end if size == 0 else start + size
        if len(head) < 8 or stop < at or start >= end:
            return
        yield head[4:8], at, min(stop, end)
        start = stop
