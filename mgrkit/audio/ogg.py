"""Ogg files (RFC 3533): where a chained stream begins, and whether the last page is cut."""

from __future__ import annotations

from typing import BinaryIO

from mgrkit.audio import tagbytes
from mgrkit.audio.spans import mark, places

_PAGE_HEAD = 27
_LONGEST_PAGE = _PAGE_HEAD + 255 + 255 * 255  # header, segment table, payload
# A page that begins a stream (4: it ends there, too), the first of it: sound does not look so by
# chance.
_BEGINS = mark(b"OggS", rb"\0[\x02\x06].{12}\0{4}")
_BLOCK = 2**20


def end(file: BinaryIO, size: int) -> int:
    """Where streams begin that are chained behind the first ones; ``size`` where none do.

    Streams that begin side by side, such as sound and picture, are one sound.
    """
    after = 0  # where the last page ends that begins a stream
    for at in places(file, _BEGINS, 0, size):
        if at != after:
            return at
        after = _page_end(file, at)
    return size


def unexplained(file: BinaryIO, size: int) -> float:
    """Bytes behind the last page, tags and zeros aside, over those in front of them."""
    stop = size
    while stop > 0:
        start = max(0, stop - _BLOCK)
        file.seek(start)
        at = file.read(stop - start + 4).rfind(b"OggS\0")
        if at >= 0:
            return tagbytes.unexplained(file, _page_end(file, start + at), size)
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


def _page_end(file: BinaryIO, at: int) -> int:
    file.seek(at)
    head = file.read(_PAGE_HEAD)
    if len(head) < _PAGE_HEAD:
        return at + _LONGEST_PAGE
    table = file.read(head[26])
    missing = (head[26] - len(table)) * 256
    return at + _PAGE_HEAD + head[26] + sum(table) + missing
