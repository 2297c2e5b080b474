"""Files with their sound in one chunk: how much of it the header states.

WAV, RF64 and AIFF are made of chunks after IFF, CAF and W64 in their own ways; AU has one only.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO, Literal, NamedTuple

from mgrkit.audio.spans import BLOCK, Span
from mgrkit.audio.tagbytes import is_blank, sound_end, tags_end

_MOST_CHUNKS = 1_000
_LARGEST_PAD = 4_096  # headers of streaming writers differ from the largest number by less
_SIGNS = bytes(128) + b"\xff" * 128  # what goes before a byte that begins a number with a sign
MAGIC = rb"(RIFF|RIFX|RF64)....WAVE|FORM....AIF[FC]|caff\0|riff\x2e\x91\xcf\x11|[.]snd|dns[.]"
"""A pattern of how such files begin."""
_WAV_MAGICS = (b"RIFF", b"RF64", b"RIFX")
_BEGINS = (*_WAV_MAGICS, b"FORM", b"data", b"riff", b"caff", b".snd")
_WAV_PCM, _WAV_EXTENSIBLE = 1, 0xFFFE


class _Layout(NamedTuple):
    """How chunks are written: bytes of their head, in it those of the name in front of the size,
    and of what the size counts beside the chunk; what their length is rounded up to.
    """

    order: Literal["big", "little"]
    head: int = 8
    name: int = 4
    counted: int = 0
    pad: int = 2


_LITTLE, _BIG = _Layout("little"), _Layout("big")
_CAF = _Layout("big", 12, pad=1)  # Apple's Core Audio Format
_W64 = _Layout("little", 24, 16, 24, 8)  # Sony's Wave64, whose names are GUIDs


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
    promised, start, layout = found
    present = size - start
    if _is_unknown(promised) or present <= 0:
        return None
    if promised >= present:
        return Sizes(promised, present)
    end = _end(file, _padded(start + promised, layout), size, layout)
    last = sound_end(file, size)
    return Sizes(promised, promised, 0 if is_blank(file, end, last) else max(0, last - end))


def end(file: BinaryIO, size: int) -> int:
    """Where such a file ends, by its chunks; ``size`` where it states no size."""
    found = _data(file, size)
    if not found or _is_unknown(found[0]):
        return size
    promised, start, layout = found
    if layout is _W64:  # not all round up the size of its last chunk
        file.seek(16)
        at = max(start + promised, int.from_bytes(file.read(8), "little"))
    else:
        at = _padded(start + promised, layout)
    return at if at >= size else _end(file, at, size, layout)


def padded_pcm(file: BinaryIO, size: int) -> Padded | None:
    """Where a WAV holds 24 bits in 4 bytes, which libsndfile reads as something else."""
    found, form = _data(file, size), _chunk(file, 12, size, b"fmt ", _LITTLE)
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
    """Whether the upper byte of all samples is no more than their sign.

    By the rule that would be a sound that never reaches -48 dBFS.
    """
    file.seek(start)
    for at in range(start, end - 3, BLOCK):
        data = file.read(min(BLOCK, end - at) // 4 * 4)
        if data[3::4].strip(b"\0") and data[3::4] != data[2::4].translate(_SIGNS):
            return False
    return True


def _is_unknown(size: int) -> bool:
    """Whether a size is what programs write that could not go back to fill in the real one.

    That is 0, or a number near the largest of 31, 32 or 64 bits: some take the size of their
    header off it, or round it down.
    """
    return size == 0 or any(0 <= top - size <= _LARGEST_PAD for top in (2**31, 2**32, 2**64))


def _padded(at: int, layout: _Layout) -> int:
    return at + -at % layout.pad


def _data(file: BinaryIO, size: int) -> tuple[int, int, _Layout] | None:
    """Bytes of sound that a header promises, where they begin, how its chunks are written."""
    file.seek(0)
    magic = file.read(12)
    if magic[:4] in (b".snd", b"dns."):
        layout = (_BIG if magic[:4] == b".snd" else _LITTLE)._replace(pad=1)
        start, promised = (int.from_bytes(magic[a : a + 4], layout.order) for a in (4, 8))
        return promised, start, layout
    if magic[:4] == b"caff":
        name, at, layout = b"data", 8, _CAF
    elif magic[:4] == b"riff":
        name, at, layout = b"data", 40, _W64
    elif magic[8:12] == b"WAVE" and magic[:4] in _WAV_MAGICS:
        name, at, layout = b"data", 12, _BIG if magic[:4] == b"RIFX" else _LITTLE
    elif magic[:4] == b"FORM" and magic[8:12] in (b"AIFF", b"AIFC"):
        name, at, layout = b"SSND", 12, _BIG
    else:
        return None
    found = _chunk(file, at, size, name, layout)
    return (*found, layout) if found else None


def _chunk(
    file: BinaryIO, at: int, size: int, wanted: bytes, layout: _Layout
) -> tuple[int, int] | None:
    """Size and start of a chunk; None when there is none."""
    long_size = 0
    for name, length, start in _chunks(file, at, size, layout):
        if name == b"ds64":  # RF64: riff size, then data size
            file.seek(start)
            long_size = int.from_bytes(file.read(16)[8:], "little")
        if name == wanted:
            return (long_size if long_size and length == 0xFFFFFFFF else length), start
    return None


def _chunks(
    file: BinaryIO, at: int, size: int, layout: _Layout
) -> Iterator[tuple[bytes, int, int]]:
    """The first four bytes of the name of each chunk, its size, and where it begins."""
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        head = file.read(layout.head)
        if at >= size or len(head) < layout.head:
            return
        length = int.from_bytes(head[layout.name :], layout.order) - layout.counted
        if length < 0:
            return
        yield head[:4], length, at + layout.head
        total = layout.head + length
        at += total + -total % layout.pad


def _end(file: BinaryIO, at: int, size: int, layout: _Layout) -> int:
    """Where the chunks and tags end that follow the sound."""
    for _ in range(_MOST_CHUNKS):
        at = tags_end(file, at)
        name, length, start = next(_chunks(file, at, size, layout), (b"", 0, 0))
        is_chunk = name and all(32 <= byte < 127 for byte in name) and name not in _BEGINS
        if not is_chunk or start + length > size:
            break
        at = start + length + -(start - at + length) % layout.pad
    return at
