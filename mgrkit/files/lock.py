"""An exclusive lock on an open file that ends with the process that holds it."""

from __future__ import annotations

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
