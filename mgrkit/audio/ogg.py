"""Ogg files (RFC 3533): the streams that are chained in them, and whether the last page is cut."""

from __future__ import annotations

from typing import BinaryIO

from mgrkit.audio.spans import Span
from mgrkit.audio.tagbytes import is_blank, sound_end

_PAGE_HEAD = 27
_LONGEST_PAGE = _PAGE_HEAD + 255 + 255 * 255  # header, segment table, payload
_BEGINS = (b"OggS\0\x02", b"OggS\0\x06")  # pages that begin a stream; 4: it ends there, too
_BLOCK = 2**20


def links(file: BinaryIO, size: int) -> list[Span]:
    """The stretches of an Ogg file that are files of their own, one behind the other.

    Streams that begin side by side, such as sound and picture, are one stretch.
    """
    starts: list[int] = []
    after = -1  # where the last page ends that begins a stream
    for at in _beginnings(file, size):
        if at != after:
            starts.append(at)
        after = _page_end(file, at)
    ends = [*starts[1:], size]
    return [Span(start, end) for start, end in zip(starts, ends, strict=False)]


def unexplained(file: BinaryIO, size: int) -> float:
    """Bytes behind the last page, tags and zeros aside, over those in front of them."""
    end = sound_end(file, size)
    stop = size
    while stop > 0:
        start = max(0, stop - _BLOCK)
        file.seek(start)
        at = file.read(stop - start + 4).rfind(b"OggS\0")
        if at >= 0:
            last = _page_end(file, start + at)
            return 0.0 if is_blank(file, last, end) else max(0, end - last) / last
        stop = start
    return 0.0


def is_cut(file: BinaryIO, size: int) -> bool:
    """Whether the last page wants more bytes than there are."""
    start = max(0, size - _LONGEST_PAGE)
    file.seek(start)
    tail = file.read(_LONGEST_PAGE)
    at = tail.rfind(b"OggS\0")
    # Without one, something else follows the last page, a tag for example.
    return at >= 0 and _page_end(file, start + at) > size


def _beginnings(file: BinaryIO, size: int) -> list[int]:
    found = []
    for start in range(0, size, _BLOCK):
        file.seek(start)
        data = file.read(_BLOCK + _PAGE_HEAD - 1)
        for mark in _BEGINS:
            at = data.find(mark)
            while at >= 0:
                head = data[at : at + _PAGE_HEAD]
                # Such a page is the first of its stream, and sound does not look so by chance.
                if len(head) == _PAGE_HEAD and not any(head[18:22]):
                    found.append(start + at)
                at = data.find(mark, at + 1)
    return sorted(found)


def _page_end(file: BinaryIO, at: int) -> int:
    file.seek(at)
    head = file.read(_PAGE_HEAD)
    if len(head) < _PAGE_HEAD:
        return at + _LONGEST_PAGE
    table = file.read(head[26])
    missing = (head[26] - len(table)) * 256
    return at + _PAGE_HEAD + head[26] + sum(table) + missing
