"""The sounds that a file holds one behind the other, as ``cat a.m4a b.m4a`` joins them.

Decoders read the first one and say nothing of the others. Where a sound ends, its own structure
says: chunks (RIFF, AIFF, CAF, Wave64, DSDIFF), boxes (MP4: ISO 14496-12), objects (ASF), elements
(Matroska: RFC 9559), blocks (WavPack, Musepack, FLV), frames (ADTS: ISO 13818-7) or numbers in its
header (AU, DSF, TTA, Monkey's Audio, the Info frame of MP3). Other kinds end where the next begins.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from functools import partial
from typing import BinaryIO, NamedTuple

from mgrkit.audio import avi, mpeg, musepack, ogg, riff
from mgrkit.audio.spans import BLOCK, Mark, Source, Span, mark, places
from mgrkit.audio.tagbytes import metadata_end, tags_end, zeros_end

_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")  # its file properties object
_ASF_HEAD = 2**16
_ASF_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
_MATROSKA, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_FLV_HEAD, _FLV_AROUND = 13, 15  # bytes in front of its first tag, and around each
_FLV_TAGS = (8, 9, 18)  # sound, picture, data
_MAGIC = 32  # bytes in which the beginning of a kind can be known
_FRAMES = 3  # so many of ADTS one behind the other are no accident

_End = Callable[[BinaryIO, int], "int | None"]


class Member(NamedTuple):
    """A sound in a file: its bytes, and how many its structure says it has.

    The bytes begin behind tags in front, but for frames of MPEG audio, whose decoders look for
    the first one. ``stated`` is larger than the span where the file is cut, and None where the
    structure does not say.
    """

    span: Span
    stated: int | None


def members(source: Source) -> list[Member]:
    """The sounds of a file; of one that is of no known kind, all of it."""
    found: list[Member] = []
    begin = 0
    while True:
        start, stated, follower = _first(source, Span(begin, source.size))
        if follower is None:
            return [*found, Member(Span(start, source.size), stated)]
        assert stated is not None
        found.append(Member(Span(start, start + stated), stated))
        begin = follower


def _first(source: Source, span: Span) -> tuple[int, int | None, int | None]:
    """Where the first sound in a span begins, its stated bytes, and where another begins."""
    with source.opened(span) as file:
        front = tags_end(file, 0)
        file.seek(front)
        head = file.read(_MAGIC)
        is_mpeg = head.startswith(b"\xff") or (not _kind(head) and mpeg.begins(file, front))
    start = span.start
    if not is_mpeg:
        start, front = start + front, 0
    stated = _stated(source, Span(start + front, span.end))
    if stated is None:
        return start, None, None
    stated += front
    if start + stated >= span.end:
        return start, stated, None
    with source.opened(span) as file:
        behind = tags_end(file, start + stated - span.start)
        zeros = zeros_end(file, behind, span.end - span.start)
        after = tags_end(file, zeros)
    # The size at the front of an MP4 begins with zeros.
    places = (span.start + at for at in (after, zeros - 2, zeros - 3) if at >= behind)
    return start, stated, next((at for at in places if _stated(source, Span(at, span.end))), None)


def _stated(source: Source, span: Span) -> int | None:
    """Bytes of the sound that a span begins with; None for nothing that is known."""
    if span.start >= span.end:
        return None
    with source.opened(span) as file:
        size = span.end - span.start
        end = _kind(file.read(_MAGIC))
        file.seek(0)
        return (end(file, size) if end else None) or None  # nothing where it is of no length


def _kind(head: bytes) -> _End | None:
    return next((end for magic, end in _KINDS if magic.match(head)), None)


def _searched(alike: Mark, file: BinaryIO, size: int) -> int:
    """Of a kind without an end: where its like begins again."""
    return next(places(file, alike, max(1, metadata_end(file, 0)), size), size)


def _mp4(file: BinaryIO, size: int) -> int:
    at, seen = 0, set[bytes]()
    while at + 8 <= size:
        file.seek(at)
        head = file.read(16)
        length, name = int.from_bytes(head[:4], "big"), head[4:8]
        if length == 1:
            length = int.from_bytes(head[8:], "big")
        elif length == 0 and name.strip(b"\0"):
            length = size - at  # the last box, of unknown length
        if (at and name == b"ftyp") or length < 8:
            break
        if at + length > size:  # a cut box, or none where the sound and its tables have been
            return at if seen >= {b"moov", b"mdat"} else size
        seen.add(name)
        at += length
    return at


def _asf(file: BinaryIO, size: int) -> int:
    head = file.read(_ASF_HEAD)
    at = head.find(_ASF_FILE)
    if at < 0 or head[at + 88 : at + 89] != b"\2":  # seekable, and not a broadcast
        return size
    at = 0
    while at + 24 <= size:
        file.seek(at)
        head = file.read(24)
        length = int.from_bytes(head[16:], "little")
        is_cut = at + length > size and head[:16] != _ASF_DATA
        if (at and head[:16] == _ASF) or length < 24 or is_cut:
            break
        at += length
    return at


def _matroska(file: BinaryIO, size: int) -> int:
    at = 0
    while at < size:
        file.seek(at)
        head = file.read(12)
        if head[:4] not in (_MATROSKA, _SEGMENT) or (at and head[:4] == _MATROSKA):
            break
        width = 9 - head[4].bit_length() if len(head) == 12 else 0
        length = int.from_bytes(head[4 : 4 + width], "big") & ((1 << 7 * width) - 1)
        if length == (1 << 7 * width) - 1:
            return size  # unknown
        at += 4 + width + length
    return at


def _flv(file: BinaryIO, size: int) -> int:
    at = _FLV_HEAD
    while at + _FLV_AROUND <= size:
        file.seek(at)
        head = file.read(4)
        if head[0] not in _FLV_TAGS:
            break
        at += _FLV_AROUND + int.from_bytes(head[1:], "big")
    else:
        return at
    file.seek(tags_end(file, at))
    return at if _kind(file.read(_MAGIC)) else size  # a decoder finds its way over what is none


def _tta(file: BinaryIO, size: int) -> int:
    head = file.read(22)
    rate, samples = struct.unpack("<II", head[10:18]) if len(head) == 22 else (0, 0)
    if not rate:
        return size
    frames: int = -(-samples * 245 // (rate * 256))
    table = file.read(min(size, 4 * frames))
    sizes = (int.from_bytes(table[at : at + 4], "little") for at in range(0, len(table), 4))
    return 22 + 4 * frames + 4 + sum(sizes)


def _monkey(file: BinaryIO, size: int) -> int:
    head = file.read(36)
    if len(head) < 36 or int.from_bytes(head[4:6], "little") < 3980:
        return _searched(_MONKEY, file, size)
    descriptor, header, seeks, wave, low, high, behind = struct.unpack("<7I", head[8:])
    end: int = descriptor + header + seeks + wave + (high << 32 | low) + behind
    return end


def _wavpack(file: BinaryIO, size: int) -> int:
    at = latest = 0
    while at + 32 <= size:
        file.seek(at)
        head = file.read(32)
        index, samples = struct.unpack("<II", head[16:24])
        if head[:4] != b"wvpk" or (latest and not index and samples):
            break
        latest = index if samples else latest
        at += int.from_bytes(head[4:8], "little") + 8
    return at


def _dsf(file: BinaryIO, size: int) -> int:
    return int.from_bytes(file.read(20)[12:], "little") or size


def _dsdiff(file: BinaryIO, _: int) -> int:
    return int.from_bytes(file.read(12)[4:], "big") + 12


def _adts(file: BinaryIO, _: int) -> int | None:
    begin = at = frames = 0
    data = b""
    while True:
        if at + 6 > begin + len(data):
            begin = at
            file.seek(at)
            data = file.read(BLOCK)
        head = data[at - begin : at - begin + 6]
        if len(head) < 6 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
            break
        length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
        if length < 7:
            break
        at += length
        frames += 1
    return at if frames >= _FRAMES else None


def _mp3(file: BinaryIO, _: int) -> int | None:
    found = mpeg.info(file)
    return found.bytes if found and found.start == 0 and found.bytes else None


def _pattern(text: bytes) -> re.Pattern[bytes]:
    return re.compile(text, re.DOTALL)


_MONKEY = mark(b"MAC ", rb".[\x0e\x0f]")
_ALIKE = [
    mark(b"fLaC", rb"[\0\x80]\0\0\x22"),
    mark(b"#!AM", rb"R(-WB)?\n"),
    mark(b"tBaK", rb"\x01"),
]
_KINDS: list[tuple[re.Pattern[bytes], _End]] = [
    (_pattern(riff.MAGIC), riff.end),
    (_pattern(rb"RIFF....AVI "), avi.end),
    (_pattern(rb"....ftyp"), _mp4),
    (_pattern(re.escape(_ASF)), _asf),
    (_pattern(re.escape(_MATROSKA)), _matroska),
    (_pattern(rb"FLV\x01[\0-\x07]\0{3}\x09"), _flv),
    (_pattern(rb"TTA1[\x01-\x03]\0"), _tta),
    (_MONKEY.pattern, _monkey),
    (_pattern(rb"MPCK"), musepack.end_8),
    (_pattern(rb"MP[+][\x07\x17]..[\0-\x0f]\0"), musepack.end_7),
    (_pattern(rb"wvpk"), _wavpack),
    (_pattern(rb"DSD \x1c\0{7}"), _dsf),
    (_pattern(rb"FRM8.{8}DSD "), _dsdiff),
    (_pattern(rb"OggS\0"), ogg.end),
    (_pattern(rb"\xff[\xf0\xf1\xf8\xf9]"), _adts),
    (_pattern(rb"\xff[\xe2-\xff]"), _mp3),
    *((alike.pattern, partial(_searched, alike)) for alike in _ALIKE),
]
