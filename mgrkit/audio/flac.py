"""FLAC streams (RFC 9639): how many samples their frames hold, whatever the header says.

libsndfile believes a header that promises too few samples, and reads on at the first rate where
the rate changes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from mgrkit.audio.spans import BLOCK, Span, opened
from mgrkit.audio.tagbytes import is_blank, metadata_end, sound_end

_MARK = b"\xff\xf8"
_LONGEST_HEAD = 16
_LARGE = 3  # frames that are so many times as large as most are rare
_KEPT = 8  # the last places that may be a frame; by chance a few are none


class Frame(NamedTuple):
    """A frame's header: the code of its rate, its channels, number and samples."""

    rate: int
    channels: int
    number: int
    samples: int


class Counted(NamedTuple):
    """The samples of all frames, by the number of the last one, and what lies behind them.

    ``behind`` is an estimate in samples; tags and zeros do not count.
    """

    samples: int
    behind: int = 0


def counted(path: str | Path, span: Span | None) -> Counted | None:
    """What the frames of a file hold.

    No samples where they are not one stream (the rate or the number of channels changes, or
    another file follows), or one that cannot be counted. None for a file that does not begin as
    FLAC does.
    """
    with opened(path, span) as file:
        start = metadata_end(file, 0)
        if not start:
            return None
        file.seek(start)
        first = frame(file.read(_LONGEST_HEAD))
        return _count(file, start, first) if first else Counted(0)


def frame(head: bytes) -> Frame | None:
    """The frame whose first bytes these are, its checksum included; None for anything else.

    Frames of streams whose frames differ in length are none here: few encoders make them.
    """
    if len(head) < 6 or head[:2] != _MARK or head[3] & 1:
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
    return Frame(rate, 2 if channels > 7 else channels + 1, number, samples)


def _count(file: BinaryIO, start: int, first: Frame) -> Counted:
    at, count, last, latest = start, 0, start, first
    other: Frame | None = None
    while True:
        file.seek(at)
        data = file.read(BLOCK + _LONGEST_HEAD)
        like, unlike = _candidates(data, first)
        for place in unlike:
            if found := frame(data[place : place + _LONGEST_HEAD]):
                if other and found.number == other.number + 1:
                    return Counted(0)  # two in a row are no accident
                other = found
        for place in like[-_KEPT:]:
            if found := frame(data[place : place + _LONGEST_HEAD]):
                last, latest = at + place, found
        count += len(like)
        if len(data) <= BLOCK:
            break
        at += BLOCK
    if count > latest.number + 1 + _KEPT:  # their numbers began anew
        return Counted(0)
    samples = latest.number * first.samples + latest.samples
    if not latest.number:
        return Counted(samples)
    end = sound_end(file, file.seek(0, os.SEEK_END))
    size = (last - start) // latest.number  # of a frame
    rest = end - last - _LARGE * size
    if rest <= 0 or is_blank(file, last + _LARGE * size, end):
        return Counted(samples)
    return Counted(samples, rest * first.samples // size)


def _candidates(data: bytes, first: Frame) -> tuple[list[int], list[int]]:
    """Where frames of the same rate and channels may begin, and where others may."""
    values = np.frombuffer(data, np.uint8)
    mark = int.from_bytes(_MARK, "little")
    # As pairs of bytes, which is several times as fast as to look for one after the other.
    pairs = (np.frombuffer(data, "<u2", (len(data) - 2 - at) // 2, at) for at in (0, 1))
    even, odd = (np.flatnonzero(pair == mark) for pair in pairs)
    places = np.sort(np.concatenate([2 * even, 2 * odd + 1]))
    codes = values[places + 3] >> 4
    channels = np.where(codes > 7, 2, codes + 1)
    is_like = (values[places + 2] & 15 == first.rate) & (channels == first.channels)
    return places[is_like].tolist(), places[~is_like].tolist()


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
