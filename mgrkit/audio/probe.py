"""What a file says about itself before any decoder sees it.

Decoders answer a missing file, a pointer of Git LFS and a picture with the same riddle, and
they believe a header that promises more sound than the file holds. This module tells them
apart by reading a few bytes; it needs nothing but the standard library.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

from mgrkit.errors import AudioError

SNDFILE_SUFFIXES = frozenset(
    {".wav", ".au", ".snd", ".aif", ".aiff", ".aifc", ".flac", ".ogg", ".oga", ".opus", ".mp3"}
)
FFMPEG_SUFFIXES = frozenset({".m4a", ".aac", ".wma", ".mp4", ".mkv", ".webm", ".mov"})
SUFFIXES = SNDFILE_SUFFIXES | FFMPEG_SUFFIXES
"""Suffixes, in lower case, of the files that are taken for sound."""

# Sizes that programs write which could not go back to fill in the real one: 0 and the largest
# numbers of 31, 32 and 64 bits (sox: 0x7FFFF000).
_UNKNOWN_SIZES = frozenset({0, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**64 - 1})
_LFS = b"version https://git-lfs"
_MOST_CHUNKS = 1_000
_OGG_PAGE = 27 + 255 + 255 * 255  # header, segment table, payload: the largest page


class Head(NamedTuple):
    """What the header of a file says.

    Attributes
    ----------
    promised : bytes of sound the header promises over bytes that are there; 1 or more, and
        1 where the format tells no such size.
    cut : True when the file ends in the middle of an Ogg page.
    """

    promised: float = 1.0
    cut: bool = False


def inspect(path: str | Path) -> Head:
    """Look at the first bytes of a file, and at the last ones where they tell something.

    Raises
    ------
    AudioError : ``missing``, ``unreadable``, ``not-audio`` (not a regular file), ``empty``
        or ``lfs-pointer``.
    """
    try:
        # A named pipe would block in open().
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise AudioError("not-audio", "this is not a regular file")
        with open(path, "rb") as file:
            return _inspect(file)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise AudioError("missing", "there is no such file", "check the name") from error
    except PermissionError as error:
        raise AudioError("unreadable", "no permission to read", "change its mode") from error
    except OSError as error:
        reason = (error.strerror or "input/output error").lower()
        raise AudioError("unreadable", f"the file cannot be read: {reason}") from error


def flac_sound_bytes(path: str | Path) -> int:
    """Bytes of a FLAC file behind its metadata (RFC 9639); 0 when it begins otherwise."""
    with open(path, "rb") as file:
        if file.read(4) != b"fLaC":
            return 0
        last = False
        while not last:
            head = file.read(4)
            if len(head) < 4:
                return 0
            last = bool(head[0] & 0x80)
            file.seek(int.from_bytes(head[1:], "big"), os.SEEK_CUR)
        start = file.tell()
        return max(0, file.seek(0, os.SEEK_END) - start)


def _inspect(file: BinaryIO) -> Head:
    magic = file.read(len(_LFS))
    if not magic:
        raise AudioError("empty", "the file has 0 bytes", "get it again")
    if magic == _LFS:
        message = "this is a text that stands for a file in Git LFS, not sound"
        raise AudioError("lfs-pointer", message, "run: git lfs pull")
    size = file.seek(0, os.SEEK_END)
    if magic[:4] == b"OggS":
        return Head(cut=_ends_in_page(file, size))
    promised, start = _data_size(file, magic, size)
    present = size - start
    if promised in _UNKNOWN_SIZES or promised <= present or present <= 0:
        return Head()
    return Head(promised / present)


def _data_size(file: BinaryIO, magic: bytes, size: int) -> tuple[int, int]:
    """Bytes of sound that a WAV, AIFF or AU header promises, and where they begin."""
    if magic[:4] in (b".snd", b"dns."):
        order: Literal["big", "little"] = "big" if magic[:4] == b".snd" else "little"
        return int.from_bytes(magic[8:12], order), int.from_bytes(magic[4:8], order)
    if magic[8:12] == b"WAVE" and magic[:4] in (b"RIFF", b"RF64", b"RIFX"):
        return _chunk(file, size, b"data", big=magic[:4] == b"RIFX")
    if magic[:4] == b"FORM" and magic[8:12] in (b"AIFF", b"AIFC"):
        return _chunk(file, size, b"SSND", big=True)
    return 0, 0


def _chunk(file: BinaryIO, size: int, wanted: bytes, big: bool) -> tuple[int, int]:
    """Size and start of a chunk of an IFF file; (0, 0) when there is none."""
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
    return 0, 0


def _ends_in_page(file: BinaryIO, size: int) -> bool:
    """Whether the last page of an Ogg file (RFC 3533) wants more bytes than there are."""
    file.seek(max(0, size - _OGG_PAGE))
    tail = file.read(_OGG_PAGE)
    at = tail.rfind(b"OggS\0")
    if at < 0:
        return False  # something else follows the last page, a tag for example
    if len(tail) < at + 27:
        return True
    table = tail[at + 27 : at + 27 + tail[at + 26]]
    return len(table) < tail[at + 26] or len(tail) < at + 27 + len(table) + sum(table)
