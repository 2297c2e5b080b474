"""Streams of MPEG audio frames (ISO 11172-3, 13818-3): whether an MP3 states its true length.

Only a Xing or Info frame (of LAME and others) does. Without one libsndfile estimates the length
from the file's size, tags and pictures included, and stops there, so that frames must be counted.
With one it states the length of its stream, and others may be joined behind it.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from typing import BinaryIO, NamedTuple

from mgrkit.audio.spans import BLOCK, Span, opened
from mgrkit.audio.tagbytes import is_blank, sound_end, tags_end

_KBITS = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}  # by version (2 stands for 2.5 too) and layer; layers 2 and 3 of version 2 are alike
_RATES = (44100, 48000, 32000)
_SEARCHED = 2**16  # bytes in which the first frame must begin
_CHAIN = 4  # so many frames one behind the other are no accident


class Frame(NamedTuple):
    """The header of a frame: its bytes, its kind (version, layer, rate), what precedes Xing."""

    length: int
    kind: tuple[int, int, int]
    side: int


def frame(head: bytes) -> Frame | None:
    """The frame whose first four bytes these are; None for anything else."""
    if len(head) < 4 or head[0] != 0xFF or head[1] < 0xE0:
        return None
    version, layer = {0: 3, 2: 2, 3: 1}.get(head[1] >> 3 & 3), 4 - (head[1] >> 1 & 3)
    bits, rate = head[2] >> 4, head[2] >> 2 & 3
    if version is None or layer == 4 or bits in (0, 15) or rate == 3:
        return None
    old = min(version, 2)
    kbits = _KBITS[old, layer if old == 1 or layer == 1 else 2][bits - 1]
    hertz = _RATES[rate] >> (version - 1)
    padding = head[2] >> 1 & 1
    if layer == 1:
        length = (12_000 * kbits // hertz + padding) * 4
    else:
        length = (72_000 if layer == 3 and old == 2 else 144_000) * kbits // hertz + padding
    is_mono = head[3] >> 6 == 3
    side = (17 if is_mono else 32) if old == 1 else (9 if is_mono else 17)
    return Frame(length, (version, layer, hertz), side)


def begins(file: BinaryIO, at: int) -> bool:
    """Whether frames begin at a place or not far behind it."""
    file.seek(at)
    return _first(file.read(_SEARCHED), _CHAIN) >= 0


class Info(NamedTuple):
    """What a Xing or Info frame states: its place, frames and bytes; 0 for unknown."""

    start: int
    frames: int
    bytes: int


def info(file: BinaryIO) -> Info | None:
    """The Xing or Info frame at the start of an MP3; None without one."""
    begin = tags_end(file, 0)
    file.seek(begin)
    data = file.read(_SEARCHED)
    at = _first(data, 2)
    first = frame(data[at : at + 4]) if at >= 0 else None
    if not first:
        return None
    place = at + 4 + first.side
    if data[place : place + 4] not in (b"Xing", b"Info"):
        return None
    flags = int.from_bytes(data[place + 4 : place + 8], "big")
    numbers = []
    place += 8
    for flag in (1, 2):
        numbers.append(int.from_bytes(data[place : place + 4], "big") if flags & flag else 0)
        place += 4 if flags & flag else 0
    return Info(begin + at, *numbers)


def promised(file: BinaryIO, size: int) -> float:
    """Bytes that an Info frame without a number of frames promises, over those that are there."""
    found = info(file)
    if not found or found.frames:
        return 1.0
    return max(1.0, found.bytes / (size - found.start))


def unexplained(path: str | Path, span: Span | None) -> float | None:
    """Bytes behind the frames that an Info frame speaks for, over those of the frames.

    Tags and zeros do not count. None where it does not state the length of all: there is no such
    frame, or others follow its own.
    """
    with opened(path, span) as file:
        found = info(file)
        if not (found and found.frames and found.bytes):
            return None
        end = sound_end(file, file.seek(0, os.SEEK_END))
        rest = begin = tags_end(file, found.start + found.bytes)
        while rest < end:
            file.seek(rest)
            data = file.read(min(BLOCK, end - rest))
            if _first(data, _CHAIN) >= 0:
                return None
            rest += max(1, BLOCK - _SEARCHED)
        return 0.0 if is_blank(file, begin, end) else (end - begin) / found.bytes


def counted(path: str | Path, span: Span | None) -> int:
    """The samples of all frames of an MP3, tags aside.

    0 where they are not one behind the other from the first to the last, all of one kind.
    """
    front = span.start if span else 0
    with opened(path, span) as file:
        begin = tags_end(file, 0)
        file.seek(begin)
        at = _first(file.read(_SEARCHED), 2)
        if at < 0:
            return 0
        end = sound_end(file, file.seek(0, os.SEEK_END))
        # Of any length.
        with mmap.mmap(file.fileno(), front + end, access=mmap.ACCESS_READ) as data:
            return _walked(data, front + begin + at, front + end)


def _walked(data: mmap.mmap, at: int, end: int) -> int:
    first = frame(data[at : at + 4])
    assert first
    _, mark, _, mode = data[at : at + 4]
    lengths = [found.length if (found := frame(bytes((0xFF, mark, byte, mode))))
               and found.kind == first.kind else 0 for byte in range(256)]  # fmt: skip
    is_mono = mode >> 6 == 3
    count = 0
    while at + 4 <= end:
        length = lengths[data[at + 2]]
        if data[at] != 0xFF or data[at + 1] != mark or not length:
            return 0
        if (data[at + 3] >> 6 == 3) != is_mono:
            return 0
        at += length
        count += at <= end
    version, layer, _ = first.kind
    return count * (384 if layer == 1 else 576 if layer == 3 and version > 1 else 1152)


def _first(data: bytes, chain: int) -> int:
    """Where ``chain`` frames of one kind begin, one behind the other; -1 for nowhere."""
    at = data.find(b"\xff")
    while at >= 0:
        found = frame(data[at : at + 4])
        here, left = at, chain
        while found and (left := left - 1):
            here += found.length
            follower = frame(data[here : here + 4])
            found = follower if follower and follower.kind == found.kind else None
        if found:
            return at
        at = data.find(b"\xff", at + 1)
    return -1
