"""Files with their sound in one chunk: how much of it the header tells of.

WAV, RF64 and AIFF are made of chunks after IFF, CAF and W64 in their own ways; AU has one only.
"""

from __future__ import annotations

import struct
from typing import BinaryIO, Literal, NamedTuple

from mgrkit.audio.spans import Span
from mgrkit.audio.tagbytes import is_blank, sound_end, tags_end

_MOST_CHUNKS = 1_000
_BLOCK = 2**20
_LARGEST_PAD = 4_096  # headers of streaming writers differ from the largest number by less
_SIGNS = bytes(128) + b"\xff" * 128  # what goes before a byte that begins a number with a sign
_WAV_MAGICS = (b"RIFF", b"RF64", b"RIFX")
_WAV_PCM, _WAV_EXTENSIBLE = 1, 0xFFFE


class Sizes(NamedTuple):
    """Bytes of sound as the header promises them, as they are there, and what lies behind.

    ``rest`` counts bytes behind the sound that are neither chunks, nor tags, nor zeros.
    """

    promised: int
    present: int
    rest: int = 0


class Padded(NamedTuple):
    """PCM of 24 bits in blocks of 4 bytes, little-endian.

    ``low`` is True where the 24 bits are the lower ones, against the rule.
    """

    rate: int
    channels: int
    span: Span
    low: bool


def sizes(file: BinaryIO, size: int) -> Sizes | None:
    """What such a file promises and holds; None for others, and where it is unknown."""
    found = _data(file, size)
    if not found:
        return None
    promised, start, is_big = found
    present = size - start
    if _is_unknown(promised) or present <= 0:
        return None
    if promised >= present or is_big is None:
        return Sizes(promised, min(promised, present))
    return Sizes(promised, promised, _rest(file, start + promised + promised % 2, size, is_big))


def padded_pcm(file: BinaryIO, size: int) -> Padded | None:
    """Where a WAV holds 24 bits in 4 bytes, which libsndfile reads as something else."""
    found, form = _data(file, size), _chunk(file, size, b"fmt ", big=False)
    file.seek(0)
    if not found or not form or file.read(4) not in _WAV_MAGICS[:2]:
        return None
    file.seek(form[1])
    head = file.read(20)
    if len(head) < 16:
        return None
    tag, channels, rate, _, align, bits = struct.unpack("<HHIIHH", head[:16])
    if tag == _WAV_EXTENSIBLE and bits == 32:
        bits = int.from_bytes(head[18:20], "little")  # those that are valid
    if tag not in (_WAV_PCM, _WAV_EXTENSIBLE) or bits != 24 or not 0 < align == 4 * channels:
        return None
    promised, start, _ = found
    end = size if _is_unknown(promised) else min(size, start + promised)
    return Padded(rate, channels, Span(start, end), _is_low(file, start, end))


def _is_low(file: BinaryIO, start: int, end: int) -> bool:
    """Whether the upper byte of all samples tells no more than their sign.

    By the rule that would be a sound that never reaches -48 dBFS.
    """
    file.seek(start)
    for at in range(start, end - 3, _BLOCK):
        data = file.read(min(_BLOCK, end - at) // 4 * 4)
        if data[3::4].strip(b"\0") and data[3::4] != data[2::4].translate(_SIGNS):
            return False
    return True


def _is_unknown(size: int) -> bool:
    """Whether a size is what programs write that could not go back to fill in the real one.

    That is 0, or a number near the largest of 31, 32 or 64 bits: some take the size of their
    header off it, or round it down.
    """
    return size == 0 or any(0 <= top - size <= _LARGEST_PAD for top in (2**31, 2**32, 2**64))


def _data(file: BinaryIO, size: int) -> tuple[int, int, bool | None] | None:
    """Bytes of sound that a header promises, where they begin, whether it is big-endian.

    None in the place of the last where other chunks are not those of IFF.
    """
    file.seek(0)
    magic = file.read(12)
    if magic[:4] in (b".snd", b"dns."):
        order: Literal["big", "little"] = "big" if magic[:4] == b".snd" else "little"
        start, promised = (int.from_bytes(magic[a : a + 4], order) for a in (4, 8))
        return promised, start, order == "big"
    if magic[:4] in (b"caff", b"riff"):
        found = _caf_data(file, size) if magic[:4] == b"caff" else _w64_data(file, size)
        return (*found, None) if found else None
    if magic[8:12] == b"WAVE" and magic[:4] in _WAV_MAGICS:
        is_big, name = magic[:4] == b"RIFX", b"data"
    elif magic[:4] == b"FORM" and magic[8:12] in (b"AIFF", b"AIFC"):
        is_big, name = True, b"SSND"
    else:
        return None
    found = _chunk(file, size, name, is_big)
    return (*found, is_big) if found else None


def _chunk(file: BinaryIO, size: int, wanted: bytes, big: bool) -> tuple[int, int] | None:
    """Size and start of a chunk of an IFF file; None when there is none."""
    at, long_size = 12, 0
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        head = file.read(24)
        if at >= size or len(head) < 8:
            break
        length = int.from_bytes(head[4:8], "big" if big else "little")
        if head[:4] == b"ds64" and len(head) == 24:  # RF64: riff size, then data size
            long_size = int.from_bytes(head[16:24], "little")
        if head[:4] == wanted:
            return (long_size if long_size and length == 0xFFFFFFFF else length), at + 8
        at += 8 + length + length % 2
    return None


def _caf_data(file: BinaryIO, size: int) -> tuple[int, int] | None:
    """Size and start of the chunk ``data`` of Apple's Core Audio Format."""
    at = 8
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        head = file.read(12)
        length = int.from_bytes(head[4:], "big", signed=True)
        if len(head) < 12 or head[:4] == b"data" or length < 0 or at > size:
            return (max(0, length), at + 12) if head[:4] == b"data" else None
        at += 12 + length
    return None


def _w64_data(file: BinaryIO, size: int) -> tuple[int, int] | None:
    """Size and start of the chunk ``data`` of Sony's Wave64, whose names are GUIDs."""
    at = 40
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        head = file.read(24)
        length = int.from_bytes(head[16:], "little")
        if len(head) < 24 or head[:4] == b"data" or length < 24 or at > size:
            return (max(0, length - 24), at + 24) if head[:4] == b"data" else None
        at += (length + 7) // 8 * 8
    return None


def _rest(file: BinaryIO, at: int, size: int, big: bool) -> int:
    """Bytes behind the sound that no chunk and no tag explains; zeros are none."""
    end = sound_end(file, size)
    for _ in range(_MOST_CHUNKS):
        at = tags_end(file, at)
        file.seek(at)
        head = file.read(8)
        length = int.from_bytes(head[4:8], "big" if big else "little")
        is_chunk = len(head) == 8 and all(32 <= byte < 127 for byte in head[:4])
        if not is_chunk or head[:4] in (*_WAV_MAGICS, b"FORM", b"data") or at + 8 + length > size:
            break
        at += 8 + length + length % 2
    return 0 if is_blank(file, at, end) else max(0, end - at)
