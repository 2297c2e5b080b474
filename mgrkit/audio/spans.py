"""A stretch of a file as a file of its own, for decoders that read one stream only."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


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
