"""Tags of FLAC and Ogg Vorbis files: Vorbis comments (Xiph.Org; RFC 9639 and RFC 3533).

The sound is copied as it is; the serial number of an Ogg, which is a random one, becomes 0, so
that the same sound and tags are the same bytes.
"""

from __future__ import annotations

import shutil
import struct
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import BinaryIO

from mgrkit.audio.ogg import checksum

_NAMES = {"album_artist": "ALBUMARTIST", "track": "TRACKNUMBER", "disc": "DISCNUMBER"}
_VENDOR = b"mgrkit"
_COMMENT = 4  # the type of such a block in a FLAC
_LONGEST_BLOCK = 2**24 - 1
_CONTINUED, _FIRST = 1, 2  # flags of a page
_PAGE = struct.Struct("<4sBBqIIIB")
_SEGMENTS = 255
_HEADERS = 3  # packets of a Vorbis stream in front of its sound


def tagged(raw: str | Path, path: str | Path, tags: Mapping[str, str]) -> None:
    """Write the FLAC or Ogg Vorbis file ``raw`` to ``path`` with these tags and no others."""
    with open(raw, "rb") as source, open(path, "wb") as target:
        if source.read(4) == b"fLaC":
            _flac(source, target, _comments(tags))
        else:
            source.seek(0)
            _ogg(source, target, b"\x03vorbis" + _comments(tags) + b"\x01")


def _comments(tags: Mapping[str, str]) -> bytes:
    lines = [
        f"{_NAMES.get(name, name.upper())}={text}".encode("utf-8", "replace")
        for name, text in tags.items()
    ]
    parts = [_sized(_VENDOR), struct.pack("<I", len(lines)), *map(_sized, lines)]
    return b"".join(parts)


def _sized(text: bytes) -> bytes:
    return struct.pack("<I", len(text)) + text


def _flac(source: BinaryIO, target: BinaryIO, comments: bytes) -> None:
    blocks: list[tuple[int, bytes]] = []
    last = False
    while not last:
        head = source.read(4)
        last = bool(head[0] & 0x80)
        blocks.append((head[0] & 0x7F, source.read(int.from_bytes(head[1:], "big"))))
    blocks = [block for block in blocks if block[0] != _COMMENT]
    blocks.insert(1, (_COMMENT, comments[:_LONGEST_BLOCK]))
    target.write(b"fLaC")
    for number, (kind, body) in enumerate(blocks):
        end = 0x80 if number == len(blocks) - 1 else 0
        target.write(bytes([kind | end]) + len(body).to_bytes(3, "big") + body)
    shutil.copyfileobj(source, target)


def _ogg(source: BinaryIO, target: BinaryIO, comments: bytes) -> None:
    numbers = count()
    pages = _pages(source)
    headers: list[bytes] = [b""]
    for _, _, table, body in pages:
        at = 0
        for size in table:
            headers[-1] += body[at : at + size]
            at += size
            if size < _SEGMENTS:
                headers.append(b"")
        if len(headers) > _HEADERS:  # the sound begins with a page of its own
            break
    first, _, setup, _ = headers
    _put(target, _FIRST, 0, bytes([len(first)]), first, next(numbers))
    table = _lacing(comments) + _lacing(setup)
    body = comments + setup
    for at in range(0, len(table), _SEGMENTS):
        part = table[at : at + _SEGMENTS]
        size = sum(part)
        continued = _CONTINUED if at and table[at - 1] == _SEGMENTS else 0
        ends = any(segment < _SEGMENTS for segment in part)
        _put(target, continued, 0 if ends else -1, part, body[:size], next(numbers))
        body = body[size:]
    for flags, granule, table, sound in pages:
        _put(target, flags, granule, table, sound, next(numbers))


def _pages(source: BinaryIO) -> Iterator[tuple[int, int, bytes, bytes]]:
    """Flags, granule position, segment table and body of each page."""
    while head := source.read(_PAGE.size):
        _, _, flags, granule, _, _, _, segments = _PAGE.unpack(head)
        table = source.read(segments)
        yield flags, granule, table, source.read(sum(table))


def _lacing(packet: bytes) -> bytes:
    return b"\xff" * (len(packet) // _SEGMENTS) + bytes([len(packet) % _SEGMENTS])


def _put(
    target: BinaryIO, flags: int, granule: int, table: bytes, body: bytes, number: int
) -> None:
    rest = table + body
    page = _PAGE.pack(b"OggS", 0, flags, granule, 0, number, 0, len(table)) + rest
    sum_of_it = checksum(page)
    target.write(_PAGE.pack(b"OggS", 0, flags, granule, 0, number, sum_of_it, len(table)) + rest)
