"""Texts in the header of ASF, the container of WMA, after Microsoft's "ASF Specification" 1.20.

Writers put the first value of several into one object of the header and the others into another,
which may stand before it; readers that take them as they stand, such as tinytag (2.3.2), have them
in another order.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from mgrkit.audio.tags.id3 import LONGEST, MOST

HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
"""How an ASF file begins."""
_DESCRIPTION = bytes.fromhex("3326b2758e66cf11a6d900aa0062ce6c")
_EXTENDED = bytes.fromhex("40a4d0d207e3d21197f000a0c95ea850")
_EXTENSION = bytes.fromhex("b503bf5f2ea9cf118ee300c00c205365")
_METADATA = bytes.fromhex("eacbf8c5af5b77488467aa8c44fa4cca")
_LIBRARY = bytes.fromhex("941c23449894d149a1411d134e457054")
_ORDER = (_DESCRIPTION, _EXTENDED, _METADATA, _LIBRARY)
_TEXT = 0
_NAMES = {"Author": "artist", "WM/AlbumArtist": "albumartist", "WM/Genre": "genre"}


def asf_tags(file: BinaryIO) -> list[tuple[str, str]]:
    """Names and texts in the header that begins here; of one name in the order of their writing.

    A name is 'artist', 'albumartist', 'genre' or what the file calls it.
    """
    size = struct.unpack("<Q", file.read(30)[16:24].ljust(8, b"\0"))[0]
    held: dict[bytes, list[tuple[str, str]]] = {kind: [] for kind in _ORDER}
    for kind, content in _texts(file, _objects(file, 30, size)):
        try:
            held[kind] += _READERS[kind](content)
        except struct.error:  # it ends too early
            continue
    return [pair for kind in _ORDER for pair in held[kind][:MOST]]


def _texts(
    file: BinaryIO, objects: Iterator[tuple[bytes, int, int]]
) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each whole object that holds texts, also in the header's extension."""
    for kind, start, end in objects:
        inside = (
            _objects(file, start + 22, end) if kind == _EXTENSION else iter([(kind, start, end)])
        )
        for name, at, to in inside:
            if name in _READERS:
                file.seek(at)
                content = file.read(min(to - at, LONGEST))
                if len(content) == min(to - at, LONGEST):
                    yield name, content


def _objects(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind of each object, and where its content begins and ends."""
    for _ in range(MOST):
        file.seek(start)
        head = file.read(24)
        size = int.from_bytes(head[16:24], "little")
        if len(head) < 24 or size < 24 or start + size > end:
            return
        yield head[:16], start + 24, start + size
        start += size


def _description(content: bytes) -> Iterator[tuple[str, str]]:
    """Of five texts, whose sizes come first, the second is the author."""
    title, author = struct.unpack_from("<HH", content)
    yield "artist", _text(content[10 + title : 10 + title + author])


def _extended(content: bytes) -> Iterator[tuple[str, str]]:
    at = 2
    for _ in range(struct.unpack_from("<H", content)[0]):
        (long,) = struct.unpack_from("<H", content, at)
        name, at = content[at + 2 : at + 2 + long], at + 2 + long
        kind, size = struct.unpack_from("<HH", content, at)
        value, at = content[at + 4 : at + 4 + size], at + 4 + size
        if kind == _TEXT:
            yield _called(name), _text(value)


def _metadata(content: bytes) -> Iterator[tuple[str, str]]:
    at = 2
    for _ in range(struct.unpack_from("<H", content)[0]):
        _, _, long, kind, size = struct.unpack_from("<HHHHI", content, at)
        name, at = content[at + 12 : at + 12 + long], at + 12 + long
        value, at = content[at : at + size], at + size
        if kind == _TEXT:
            yield _called(name), _text(value)


def _called(name: bytes) -> str:
    text = _text(name)
    return _NAMES.get(text, text)


def _text(content: bytes) -> str:
    return content[: len(content) // 2 * 2].decode("utf-16-le", "replace").rstrip("\0")


_READERS = {
    _DESCRIPTION: _description,
    _EXTENDED: _extended,
    _METADATA: _metadata,
    _LIBRARY: _metadata,
}
