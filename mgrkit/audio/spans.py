"""A stretch of a file, read as a file, for decoders that read one stream only."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BLOCK = 2**20
"""Bytes that are read at once."""
_OVERLAP = 64  # longer than what is looked for


class Span(NamedTuple):
    """Bytes of a file, from ``start`` up to, not including, ``end``."""

    start: int
    end: int


class SpanFile(io.RawIOBase):
    """What lies in a span, read as if there were nothing around it."""

    def __init__(self, path: str | Path, span: Span) -> None:
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115
        self._span = span
        self.seek(0)

    def fileno(self) -> int:
        """Of the whole file."""
        return self._file.fileno()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._file.tell() - self._span.start

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        origin = {
            os.SEEK_SET: self._span.start,
            os.SEEK_CUR: self._file.tell(),
            os.SEEK_END: self._span.end,
        }[whence]
        return self._file.seek(max(self._span.start, origin + offset)) - self._span.start

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        left = max(0, self._span.end - self._file.tell())
        return self._file.readinto(view[:left]) or 0

    def close(self) -> None:
        self._file.close()
        super().close()


def opened(path: str | Path, span: Span | None) -> BinaryIO:
    """A file, or a stretch of it, to be read; its first byte is at 0."""
    return io.BufferedReader(SpanFile(path, span)) if span else open(path, "rb")


class Source(NamedTuple):
    """A file that is open, of ``size`` bytes."""

    path: str | Path
    file: BinaryIO
    size: int

    @contextmanager
    def opened(self, span: Span) -> Iterator[BinaryIO]:
        """A stretch of it; the file itself where that is all, as each opening takes time."""
        if span == (0, self.size):
            self.file.seek(0)
            yield self.file
        else:
            with opened(self.path, span) as file:
                yield file


class Mark(NamedTuple):
    """What a kind of file begins with: four bytes, and a pattern that begins with them.

    The pattern matches less than 64 bytes.
    """

    start: bytes
    pattern: re.Pattern[bytes]


def mark(start: bytes, rest: bytes) -> Mark:
    """Four bytes and a pattern of what follows them, in which a dot is any byte."""
    return Mark(start, re.compile(re.escape(start) + rest, re.DOTALL))


def places(file: BinaryIO, wanted: Mark, at: int, end: int) -> Iterator[int]:
    """Where a mark is between two places."""
    for start in range(at, end, BLOCK):
        file.seek(start)
        data = file.read(min(BLOCK + _OVERLAP, end - start))
        if _holds(data, wanted.start):
            for found in wanted.pattern.finditer(data):
                if found.start() < BLOCK:
                    yield start + found.start()


def _holds(data: bytes, start: bytes) -> bool:
    """Whether four bytes are anywhere, several times as fast as ``in``."""
    import numpy as np  # not at the top, so that importing the package stays light

    number = np.frombuffer(start, np.uint32)
    shifts = range(min(4, len(data)))
    views = (np.frombuffer(data, np.uint32, (len(data) - n) // 4, n) for n in shifts)
    return any(bool((view == number).any()) for view in views)
