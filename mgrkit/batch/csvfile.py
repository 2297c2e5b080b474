"""CSV written whole: in large buffers, under a temporary name, then moved into place."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import aiofiles

_BUFFER = 1 << 16


async def write_csv(
    path: Path, temp: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    r"""Write rows of values below a header; UTF-8, "\\n" line ends, None as an empty field.

    A byte of a file name that is not UTF-8 is written as ``\udcxx``, so that the table is.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    async with aiofiles.open(
        temp, "w", encoding="utf-8", errors="backslashreplace", newline=""
    ) as f:
        for row in rows:
            writer.writerow(row)
            if text.tell() > _BUFFER:
                await f.write(text.getvalue())
                text.seek(0)
                text.truncate()
        await f.write(text.getvalue())
    os.replace(temp, path)
