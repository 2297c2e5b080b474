"""Ogg files (RFC 3533): which streams begin where, and what the last page says."""

from __future__ import annotations

import zlib
from typing import BinaryIO, NamedTuple

from mgrkit.audio.spans import BLOCK, mark, places

_PAGE_HEAD = 27
_LONGEST_PAGE = _PAGE_HEAD + 255 + 255 * 255  # header, segment table, payload
# A page that begins a stream (4: it ends there, too), the first of it: sound does not look so by
# chance.
_BEGINS = mark(b"OggS", rb"\0[\x02\x06].{12}\0{4}")
_FIRST, _LAST = 2, 4  # flags of a page
_VORBIS = b"\x01vorbis"
_LONGEST_FIRST = 512  # of a sound's first page, and more than is looked at
_CRC = 22  # where it is in a page
_OVERLAP = 16


_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def checksum(page: bytes) -> int:
    """The checksum of a page in which the field for it holds zeros.

    It is that of zlib with all bits in the other order and nothing inverted.
    """
    crc = zlib.crc32(page.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{crc:032b}"[::-1], 2)


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


class Last(NamedTuple):
    """The last page: where it ends as it says, whether it says that it is the last, whether it is
    cut, even if zeros or something else follow, and its granule position: samples up to its end,
    0 for headers, and -1 where no packet ends in it.
    """

    end: int
    is_last: bool
    is_cut: bool
    samples: int


def last(file: BinaryIO, size: int) -> Last | None:
    """The last page of the streams; None without any."""
    stop = size
    while stop > 0:
        start = max(0, stop - BLOCK)
        file.seek(start)
        data = file.read(stop - start + _OVERLAP)
        at = data.rfind(b"OggS\0")
        if at >= 0:
            is_last = bool(data[at + 5 : at + 6] and data[at + 5] & _LAST)
            end = _page_end(file, start + at)
            is_cut = end > size or (end < size and not _is_intact(file, start + at, end))
            samples = int.from_bytes(data[at + 6 : at + 14], "little", signed=True)
            return Last(end, is_last, is_cut, samples)
        stop = start
    return None


def sounds(file: BinaryIO) -> int:
    """How many streams of Vorbis begin side by side."""
    at = count = 0
    while True:
        file.seek(at)
        head = file.read(_LONGEST_FIRST)
        if len(head) < _PAGE_HEAD or head[:5] != b"OggS\0" or not head[5] & _FIRST:
            return count
        count += head.startswith(_VORBIS, _PAGE_HEAD + head[26])
        at = _page_end(file, at)


def _is_intact(file: BinaryIO, at: int, end: int) -> bool:
    """Whether a page is as its checksum says."""
    file.seek(at)
    page = bytearray(file.read(end - at))
    stated = int.from_bytes(page[_CRC : _CRC + 4], "little")
    page[_CRC : _CRC + 4] = bytes(4)
    return checksum(bytes(page)) == stated


def _page_end(file: BinaryIO, at: int) -> int:
    file.seek(at)
    head = file.read(_PAGE_HEAD)
    if len(head) < _PAGE_HEAD:
        return at + _LONGEST_PAGE
    table = file.read(head[26])
    missing = (head[26] - len(table)) * 256
    return at + _PAGE_HEAD + head[26] + sum(table) + missing
