"""An exclusive lock on an open file that ends with the process that holds it."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    import msvcrt

    def lock(fd: int) -> bool:
        """Take the lock; False when another process holds it."""
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return False
        return True
else:

    def lock(fd: int) -> bool:
        """Take the lock; False when another process holds it."""
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """A context that one process at a time is in; the file is made, and stays."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        while not lock(fd):
            time.sleep(_AGAIN)
        yield
    finally:
        os.close(fd)


_AGAIN = 0.02
