"""AVI (after Microsoft's RIFF and OpenDML 1.02): where it ends, and how long its sound is."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

_LISTS = (b"hdrl", b"strl")
_MOST_CHUNKS = 1_000
_HEADER = 36  # bytes of a stream's header up to its length


def end(file: BinaryIO, size: int) -> int:
    """Where its RIFF forms end, the later ones of which are called AVIX."""
    at = 0
    while at + 12 <= size:
        file.seek(at)
        head = file.read(12)
        if head[:4] != b"RIFF" or head[8:] != (b"AVIX" if at else b"AVI "):
            break
        length = int.from_bytes(head[4:8], "little")
        if not length:  # nobody went back to fill it in
            return size
        at += 8 + length + length % 2
    return at


def seconds(file: BinaryIO) -> float:
    """What the header of its only stream promises; 0 where it does not.

    Beside a picture, chunks of no sound may count, as where it begins late.
    """
    headers = list(_stream_headers(file))
    if len(headers) != 1 or len(headers[0]) < _HEADER or headers[0][:4] != b"auds":
        return 0.0
    scale, rate, _, length = struct.unpack("<4I", headers[0][20:])
    length_seconds: float = length * scale / rate if rate else 0.0
    return length_seconds


def _stream_headers(file: BinaryIO) -> Iterator[bytes]:
    at = 12
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        head = file.read(12)
        if len(head) < 12 or head[8:] == b"movi":
            return
        if head[:4] == b"LIST" and head[8:] in _LISTS:
            at += 12
            continue
        if head[:4] == b"strh":
            yield head[8:] + file.read(_HEADER - 4)
        length = int.from_bytes(head[4:8], "little")
        at += 8 + length + length % 2
