"""Musepack (trac.musepack.net): where a sound ends, and how long its header says that it is."""

from __future__ import annotations

from typing import BinaryIO

_RATES = (44100, 48000, 37800, 32000)
_HEAD_7 = 24  # bytes of SV7's header; its frames follow in words of 32 bits, little-endian
_FIRST_BIT = 8  # of the first frame
_LENGTH_BITS = 20  # of a frame's length in bits, in front of it
_LAST_BITS = 11  # behind the last frame: how many of its samples count
_FRAME, _DELAY = 1152, 481  # samples; where the decoder's delay goes beyond it, one more follows
_WORD = 32


def end_8(file: BinaryIO, size: int) -> int:
    """Where the packets of SV8 end."""
    at = 4
    while at + 3 <= size:
        file.seek(at)
        head = file.read(12)
        length, used = _number(head, 2)
        if not head[:2].isupper() or length < used:
            break
        at += length
        if head[:2] == b"SE":
            break
    return at


def seconds_8(file: BinaryIO) -> float:
    """What the header of SV8 promises; 0 where it does not know, or is not the first packet."""
    file.seek(0)
    head = file.read(64)
    if head[:6] != b"MPCKSH":
        return 0.0
    _, at = _number(head, 6)
    samples, at = _number(head, at + 5)  # behind a checksum and a version
    silence, at = _number(head, at)
    return max(0, samples - silence) / _RATES[head[at] >> 5 & 3] if at < len(head) else 0.0


def end_7(file: BinaryIO, size: int) -> int:
    """Where the frames of SV7 end that its header counts; an estimate where the file is cut."""
    file.seek(4)
    count = int.from_bytes(file.read(4), "little")
    bit = 8 * _HEAD_7 + _FIRST_BIT
    for number in range(count):
        length = _bits(file, bit, _LENGTH_BITS)
        if length is None:
            return size * count // max(1, number)
        bit += _LENGTH_BITS + length
    last = _bits(file, bit, _LAST_BITS) or 0
    bit += _LAST_BITS
    if last > _FRAME - _DELAY:
        bit += _LENGTH_BITS + (_bits(file, bit, _LENGTH_BITS) or 0)
    return -(-bit // _WORD) * 4


def _bits(file: BinaryIO, bit: int, count: int) -> int | None:
    """A number at a place in words of 32 bits, little-endian; None behind the end."""
    word, skipped = divmod(bit, _WORD)
    file.seek(4 * word)
    pair = file.read(8)
    if skipped + count > 8 * len(pair):
        return None
    high, low = int.from_bytes(pair[:4], "little"), int.from_bytes(pair[4:], "little")
    return (high << _WORD | low) >> (2 * _WORD - skipped - count) & (1 << count) - 1


def _number(head: bytes, at: int) -> tuple[int, int]:
    """A number in bytes of seven bits, the last of which is below 128, and where it ends."""
    number = 0
    while at < len(head):
        number = number << 7 | head[at] & 0x7F
        at += 1
        if head[at - 1] < 0x80:
            break
    return number, at
