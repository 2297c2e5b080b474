"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path


def is_half_written(name: str) -> bool:
    """Whether a file is called as `replacing` calls what is being written, or never was whole."""
    return re.fullmatch(r"\.[0-9a-f]{16}\.tmp", name) is not None


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a temporary name beside ``path``, under which the file is to be written.

    When the block ends well the file is put in the place of whatever lies at ``path``, else it
    is deleted.

    Raises
    ------
    OSError : it cannot be written; ``path`` is named, not the temporary file.
    """
    # Random: neither another thread, nor a process on another machine, has the same.
    temp = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        yield temp
        os.replace(temp, path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error
    finally:
        with contextlib.suppress(OSError):
            temp.unlink()
