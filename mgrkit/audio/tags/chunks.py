"""Artists and genres in the chunks of WAV and AIFF files: ``LIST``/INFO, ``AUTH`` and ``id3 ``.

tinytag reads them as UTF-8 only, and its ID3 is not ours.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO, Literal

from mgrkit.audio.tags.id3 import LONGEST, MOST, id3v2, untold

_INFO = {b"IART": "artist", b"IGNR": "genre"}


def chunk_tags(file: BinaryIO) -> list[tuple[str, str]]:
    """Names and values in the RIFF or IFF form that begins here, in their order.

    But a genre of ID3 comes before one of INFO, as `mgrkit tag` writes ID3 alone.
    """
    riff = file.read(12)[:4] == b"RIFF"
    found: list[tuple[str, str]] = []
    last = []
    for name, size in _chunks(file, "little" if riff else "big"):
        if name in (b"id3 ", b"ID3 "):
            found += id3v2(file)
        elif name == (b"LIST" if riff else b"AUTH"):
            content = file.read(min(size, LONGEST))
            told = _info(content) if riff else [("artist", untold(content))]
            found += [pair for pair in told if pair[0] != "genre"]
            last += [pair for pair in told if pair[0] == "genre"]
    return found + last


def seek_id3(file: BinaryIO) -> bool:
    """Whether the RIFF or IFF form that begins here has an ID3 chunk; the file stands there."""
    order: Literal["little", "big"] = "little" if file.read(12)[:4] == b"RIFF" else "big"
    return any(name in (b"id3 ", b"ID3 ") for name, _ in _chunks(file, order))


def info_genres(file: BinaryIO) -> list[str]:
    """The genres in the ``LIST``/INFO of the RIFF form that begins here."""
    if file.read(12)[:4] != b"RIFF":
        return []
    lists = (size for name, size in _chunks(file, "little") if name == b"LIST")
    told = [pair for size in lists for pair in _info(file.read(min(size, LONGEST)))]
    return [text for name, text in told if name == "genre"]


def mend_padding(file: BinaryIO) -> None:
    """Add the byte behind a last chunk of an odd size, which some writers leave out.

    What is appended would else begin one byte too early.
    """
    file.seek(0)
    riff = file.read(12)[:4] == b"RIFF"
    order: Literal["little", "big"] = "little" if riff else "big"
    end = max((file.tell() + size for _, size in _chunks(file, order)), default=0)
    if end % 2 and file.seek(0, os.SEEK_END) == end:
        file.write(b"\0")
        file.seek(4)
        file.write((end + 1 - 8).to_bytes(4, order))


def _chunks(file: BinaryIO, order: Literal["little", "big"]) -> Iterator[tuple[bytes, int]]:
    """Name and size of each chunk; the file stands at its content."""
    for _ in range(MOST):  # in a damaged file every few bytes look like a chunk
        head = file.read(8)
        if len(head) < 8:
            return
        start, size = file.tell(), int.from_bytes(head[4:], order)
        yield head[:4], size
        file.seek(start + size + size % 2)


def _info(content: bytes) -> list[tuple[str, str]]:
    if content[:4] != b"INFO":
        return []
    file = BytesIO(content[4:])
    chunks = _chunks(file, "little")
    return [(_INFO[name], untold(file.read(size))) for name, size in chunks if name in _INFO]
