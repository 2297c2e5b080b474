"""FLAC streams (RFC 9639): how many samples their frames hold, whatever the header says.

libsndfile believes a header that promises too few samples, and reads on at the first rate where
the rate changes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO, NamedTuple

_STREAM = b"fLaC\0\0\0\x22"
_STREAM_LAST = b"fLaC\x80\0\0\x22"
_LONGEST_HEAD = 16
_BLOCK = 2**20
_KEPT = 8  # the last places that may be a frame; by chance a few are none


class Frame(NamedTuple):
    """A frame's header: the code of its rate, its channels, number and samples.

    ``number`` counts frames, or samples where frames differ in length (``variable``).
    """

    rate: int
    channels: int
    number: int
    samples: int
    variable: bool


def counted(path: str | Path) -> int | None:
    """The samples of all frames of a file, by the number of the last one.

    0 where they are not one stream: the rate or the number of channels changes, or another
    file follows. None for a file that does not begin as FLAC does, or whose first frame is none.
    """
    with open(path, "rb") as file:
        start = metadata_end(file, 0)
        file.seek(start)
        first = frame(file.read(_LONGEST_HEAD)) if start else None
        return _count(file, start, first) if first else None


def frame(head: bytes) -> Frame | None:
    """The frame whose first bytes these are, its checksum included; None for anything else."""
    if len(head) < 6 or head[0] != 0xFF or head[1] & 0xFE != 0xF8 or head[3] & 1:
        return None
    size, rate, channels = head[2] >> 4, head[2] & 15, head[3] >> 4
    if size == 0 or rate == 15 or channels > 10:
        return None
    number, at = _coded_number(head, 4)
    if number < 0:
        return None
    samples = 192 if size == 1 else 144 << size if size < 6 else 1 << size
    if size in (6, 7):
        samples = int.from_bytes(head[at : at + size - 5], "big") + 1
        at += size - 5
    at += {12: 1, 13: 2, 14: 2}.get(rate, 0)
    if at >= len(head) or _crc8(head[:at]) != head[at]:
        return None
    return Frame(rate, 2 if channels > 7 else channels + 1, number, samples, bool(head[1] & 1))


def metadata_end(file: BinaryIO, at: int) -> int:
    """Where the metadata ends that a stream begins with at ``at``; ``at`` where none begins."""
    file.seek(at)
    if file.read(4) != b"fLaC":
        return at
    last = False
    while not last:
        head = file.read(4)
        if len(head) < 4:
            return at
        last = bool(head[0] & 0x80)
        file.seek(int.from_bytes(head[1:], "big"), os.SEEK_CUR)
    return file.tell()


def _count(file: BinaryIO, start: int, first: Frame) -> int:
    file.seek(start)
    mark = file.read(2)
    at, latest = start, first
    other: Frame | None = None
    while True:
        file.seek(at)
        data = file.read(_BLOCK + _LONGEST_HEAD)
        if _STREAM in data or _STREAM_LAST in data:
            return 0
        same: list[bytes] = []
        place = data.find(mark)
        while 0 <= place < _BLOCK:
            head = data[place : place + _LONGEST_HEAD]
            if len(head) > 3 and head[2] & 15 == first.rate and _channels(head) == first.channels:
                same = [*same[1 - _KEPT :], head]  # cheap: nearly all frames come here
            elif found := frame(head):
                if other and found.number == other.number + _step(other):
                    return 0  # two in a row are no accident
                other = found
            place = data.find(mark, place + 1)
        latest = next(filter(None, map(frame, reversed(same))), latest)
        if len(data) <= _BLOCK:
            break
        at += _BLOCK
    begun = latest.number if latest.variable else latest.number * first.samples
    return begun + latest.samples


def _channels(head: bytes) -> int:
    code = head[3] >> 4
    return 2 if code > 7 else code + 1


def _step(found: Frame) -> int:
    return found.samples if found.variable else 1


def _coded_number(head: bytes, at: int) -> tuple[int, int]:
    """A number coded as UTF-8 codes characters, up to 36 bits, and where it ends; -1 for none."""
    first = head[at]
    ones = 8 - (first ^ 0xFF).bit_length()
    if ones == 0:
        return first, at + 1
    if ones in (1, 8) or len(head) < at + ones:
        return -1, at
    number = first & (0x7F >> ones)
    for byte in head[at + 1 : at + ones]:
        if byte >> 6 != 2:
            return -1, at
        number = number << 6 | byte & 0x3F
    return number, at + ones


def _crc8(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ (0x07 if crc & 0x80 else 0)) & 0xFF
    return crc
