"""Tags in front of, between and behind streams of MPEG frames, as bytes that are no sound.

ID3v1 and ID3v2 (id3.org), APEv2 (wiki.hydrogenaud.io), Lyrics3 (id3.org/Lyrics3) and the
enhanced tag ``TAG+``; the metadata of FLAC (RFC 9639). Only their size is read here.
"""

from __future__ import annotations

import os
import re
from typing import BinaryIO

from mgrkit.audio.spans import BLOCK

_APE, _APE_HEAD = b"APETAGEX", 32
_ID3V1, _ID3V1_PLUS = 128, 227
_LYRICS = b"LYRICSBEGIN"
_LYRICS_END = {b"LYRICS200", b"LYRICSEND"}
_LYRICS_LONGEST = 5_100  # of version 1, which states no size
_LYRICS_SEARCHED = 2**20  # the longest of version 2, 999,999 bytes
_MOST_TAGS = 64
_MARKS = re.compile(rb"ID3|TAG|APETAGEX|LYRICSBEGIN")
_REACH = 8_192


def tags_end(file: BinaryIO, at: int) -> int:
    """Where the tags end that begin at ``at``; ``at`` itself where there is none."""
    for _ in range(_MOST_TAGS):
        file.seek(at)
        head = file.read(_APE_HEAD)
        size = _size_of_lyrics(file, at) if head[:11] == _LYRICS else _size_of_tag(head)
        if not size:
            break
        at += size
    return at


def tags_around(file: BinaryIO, at: int) -> int:
    """Where the tags end in which ``at`` lies; ``at`` itself where it lies in none.

    Decoders take some bytes of a tag for a frame, so that they fail only behind its beginning.
    """
    begin = max(0, at - _REACH)
    near = _read(file, begin, at + _APE_HEAD)
    places = {begin + found.start() for found in _MARKS.finditer(near)}
    return max([at, *(tags_end(file, place) for place in places)])


def sound_end(file: BinaryIO, size: int) -> int:
    """Where the tags at the end of a file begin; its ``size`` where there is none."""
    end = size
    for _ in range(_MOST_TAGS):
        found = _size_before(file, end)
        if not found or found > end:
            break
        end -= found
    return end


def ape_end(file: BinaryIO) -> int:
    """Where the APEv2 tag behind the sound ends; where there is none, the end of the sound.

    Behind it only other tags stand, such as ID3v1.
    """
    end = file.seek(0, os.SEEK_END)
    for _ in range(_MOST_TAGS):
        if _read(file, end - _APE_HEAD, end)[: len(_APE)] == _APE:
            break
        found = _size_before(file, end)
        if not found or found > end:
            break
        end -= found
    return end


def unexplained(file: BinaryIO, at: int, size: int) -> float:
    """Bytes behind the sound that ends at ``at``, tags and zeros aside, over those of the sound."""
    at, end = tags_end(file, at), sound_end(file, size)
    return 0.0 if is_blank(file, at, end) else max(0, end - at) / at


def metadata_end(file: BinaryIO, at: int) -> int:
    """Where the metadata ends that a FLAC begins with at ``at``; ``at`` where none does."""
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


def is_blank(file: BinaryIO, at: int, end: int) -> bool:
    """Whether nothing but zeros lies between two places."""
    return zeros_end(file, at, end) >= end


def zeros_end(file: BinaryIO, at: int, end: int) -> int:
    """Where the zeros end that begin at ``at``; ``at`` itself where there are none."""
    file.seek(at)
    while at < end and (data := file.read(min(BLOCK, end - at))):
        left = len(data.lstrip(b"\0"))
        at += len(data) - left
        if left:
            return at
    return end


def zeros_begin(file: BinaryIO, end: int) -> int:
    """Where the zeros begin that end at ``end``; ``end`` itself where there are none."""
    while end > 0:
        data = _read(file, end - BLOCK, end)
        left = len(data.rstrip(b"\0"))
        end -= len(data) - left
        if left:
            break
    return end


def _size_of_tag(head: bytes) -> int:
    is_id3 = head[:3] == b"ID3" and len(head) >= 10 and head[3] < 0x10  # else a chunk "ID3 "
    if is_id3 and not any(byte & 0x80 for byte in head[6:10]):
        size = 0
        for byte in head[6:10]:
            size = size << 7 | byte
        return 10 + size + (10 if head[5] & 0x10 else 0)  # with its footer
    if head[:8] == _APE and len(head) == _APE_HEAD:
        has_head = head[23] & 0x80
        return int.from_bytes(head[12:16], "little") + (_APE_HEAD if has_head else 0)
    if head[:4] == b"TAG+":
        return _ID3V1_PLUS
    return _ID3V1 if head[:3] == b"TAG" else 0


def _size_of_lyrics(file: BinaryIO, at: int) -> int:
    text = _read(file, at, at + _LYRICS_SEARCHED)
    ends = [text.find(mark) + len(mark) for mark in _LYRICS_END if mark in text]
    return min(ends, default=0)


def _size_before(file: BinaryIO, end: int) -> int:
    """Bytes of the tag that ends at ``end``; 0 where none does."""
    tail = _read(file, end - _ID3V1, end)
    if tail[:3] == b"TAG":
        plus = _read(file, end - _ID3V1 - _ID3V1_PLUS, end - _ID3V1)[:4] == b"TAG+"
        return _ID3V1 + (_ID3V1_PLUS if plus else 0)
    foot = tail[-_APE_HEAD:]
    if foot[:8] == _APE:
        size = int.from_bytes(foot[12:16], "little")
        head = end - size - _APE_HEAD  # not all have one that say so
        return size + (_APE_HEAD if _read(file, head, head + len(_APE)) == _APE else 0)
    if tail[-10:-7] == b"3DI":
        return 10 + _size_of_tag(b"ID3" + tail[-7:])
    if tail[-9:] in _LYRICS_END:
        if tail[-9:] == b"LYRICS200" and tail[-15:-9].isdigit():
            return int(tail[-15:-9]) + 15
        text = _read(file, end - _LYRICS_LONGEST, end)
        begin = text.rfind(_LYRICS)
        return len(text) - begin if begin >= 0 else 0
    return 0


def _read(file: BinaryIO, start: int, end: int) -> bytes:
    start = max(0, start)
    file.seek(start)
    return file.read(max(0, end - start))
