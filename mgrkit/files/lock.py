"""An exclusive lock on an open file that ends with the process that holds it."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
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


_AGAIN = 0.005
"""Seconds until a lock is tried again."""


@contextlib.contextmanager
def locked(path: Path, waits: Callable[[], None] = lambda: None) -> Iterator[None]:
    """A context that one process at a time is in; the file is made, and stays.

    Parameters
    ----------
    waits : called each time that another holds it; what it raises ends the waiting.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        while not lock(fd):
            waits()
            time.sleep(_AGAIN)
        yield
    finally:
        os.close(fd)
