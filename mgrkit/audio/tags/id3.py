"""Artists and genres in ID3 tags: ID3v2 in front of the sound or in a chunk, ID3v1 behind it.

After id3.org: ID3v2.2, 2.3 and 2.4 with unsynchronisation, extended headers and data length
indicators, all of which tinytag takes for text.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

LONGEST = 1 << 24
"""So many bytes of a tag are read, whatever its header claims,"""
MOST = 1000
"""so many of its fields,"""
MOST_TEXTS = 16
"""and so many texts of one field: a tag may be all zeros."""

BY_NUMBER = "genre by number"
"""What the genre of ID3v1 is called here, which says less than those of other tags."""

_NAMES = {
    b"TP1": "artist",
    b"TPE1": "artist",
    b"TP2": "albumartist",
    b"TPE2": "albumartist",
    b"TCO": "genre",
    b"TCON": "genre",
    b"TXX": "",  # its text says its name
    b"TXXX": "",
}
_ENCODINGS = ("latin-1", "utf-16", "utf-16-be", "utf-8")


def id3v2(file: BinaryIO) -> list[tuple[str, str]]:
    """Names and values in the ID3v2 tag that begins here.

    A name is 'artist', 'albumartist', 'genre' or what a custom field is called.
    """
    head = file.read(10)
    if head[:3] != b"ID3" or len(head) < 10 or head[3] not in (2, 3, 4):
        return []
    body = file.read(min(_synchsafe(head[6:]), LONGEST))
    found = []
    for frame, content in islice(_frames(body, head[3], head[5]), MOST):
        if frame in _NAMES and content and content[0] < len(_ENCODINGS):
            texts = _texts(content)
            name = _NAMES[frame] or texts.pop(0)
            found += [(name, text) for text in texts]
    return found


def frame_names(file: BinaryIO) -> list[bytes]:
    """The names of all frames in the ID3v2 tag that begins here, those that nobody reads too."""
    head = file.read(10)
    if head[:3] != b"ID3" or len(head) < 10 or head[3] not in (2, 3, 4):
        return []
    body = file.read(_synchsafe(head[6:]))
    return [name for name, _, _ in _all_frames(body, head[3], head[5])]


def id3v1(file: BinaryIO) -> list[tuple[str, str]]:
    """The artist, and the genre's number, in the 128 bytes at the file's end."""
    if file.seek(0, os.SEEK_END) < 128:
        return []
    file.seek(-128, os.SEEK_END)
    tag = file.read(128)
    if tag[:3] != b"TAG":
        return []
    return [("artist", untold(tag[33:63])), (BY_NUMBER, str(tag[127]))]


def untold(content: bytes) -> str:
    """Text up to a zero, whose encoding is not stated: UTF-8 where it can be, else Latin-1."""
    content = content.partition(b"\0")[0]
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _frames(body: bytes, version: int, flags: int) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of each frame; compressed, encrypted and grouped ones are passed over."""
    for name, content, marks in _all_frames(body, version, flags):
        if not marks & (0xE0 if version == 3 else 0x4C):
            yield name, content


def _all_frames(body: bytes, version: int, flags: int) -> Iterator[tuple[bytes, bytes, int]]:
    """Name, content and marks of each frame."""
    everywhere = bool(flags & 0x80)
    if version < 4 and everywhere:  # 2.4 counts the sizes with what was put in
        body = body.replace(b"\xff\0", b"\xff")
    at = _extended(body, version) if flags & 0x40 else 0
    name_size, head_size = (3, 6) if version == 2 else (4, 10)
    while at + head_size < len(body) and body[at]:
        name = body[at : at + name_size].rstrip(b"\0")  # iTunes has put 2.2's into 2.3
        marks = 0 if version == 2 else body[at + 9]
        size = int.from_bytes(body[at + name_size : at + 2 * name_size])
        if version == 4:
            size = _size_of_four(body, at)
        at += head_size
        content = body[at : at + size]
        at += size
        if version == 4 and marks & 0x01:
            content = content[4:]  # its length once more
        if version == 4 and (everywhere or marks & 0x02):
            content = content.replace(b"\xff\0", b"\xff")
        yield name, content, marks


def _extended(body: bytes, version: int) -> int:
    """The size of the extended header; in 2.2 the same flag says that all is compressed."""
    if version == 2:
        return len(body)
    return 4 + int.from_bytes(body[:4]) if version == 3 else _synchsafe(body[:4])


def _size_of_four(body: bytes, at: int) -> int:
    """A frame's size in 2.4; iTunes wrote it as 2.3 does, which the next frame's place shows."""
    sizes = (_synchsafe(body[at + 4 : at + 8]), int.from_bytes(body[at + 4 : at + 8]))
    for size in sizes:
        follows = body[at + 10 + size : at + 14 + size]
        if not follows.strip(b"\0") or (follows.isalnum() and follows.isupper()):
            return size
    return sizes[0]


def _synchsafe(four: bytes) -> int:
    return sum((byte & 0x7F) << 7 * place for place, byte in enumerate(reversed(four)))


def _texts(content: bytes) -> list[str]:
    """What stands between the zeros, after the byte that names the encoding."""
    encoding = _ENCODINGS[content[0]]
    raw = content[1:]
    if encoding.startswith("utf-16"):
        raw = raw[: len(raw) // 2 * 2]
    texts = raw.decode(encoding, "replace").split("\0", MOST_TEXTS)
    return [text.lstrip("\ufeff") for text in texts[:MOST_TEXTS]]
