"""A file that is changed by a copy beside it, which then takes its place.

Whoever reads the file meanwhile has the old one or the new one, whole. No fsync is promised.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import stat
import time
from pathlib import Path

from mgrkit.errors import ItemError
from mgrkit.files.lock import lock

_BLOCK = 1 << 20
_NOBODY = 0o222
_COPY = re.compile(r"\.[0-9a-f]{16}\.mgrkit\.tmp")
_OWN = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""No link to a file of somebody's, and no pipe that would be waited for."""


def check_replaceable(path: Path) -> None:
    """Refuse what a copy must not take the place of.

    Raises
    ------
    ItemError : ``read-only``, nobody may write to the file or its folder, or we may not;
        ``hard-link``, it has other names, which would keep the old content.
    OSError : it is not there.
    """
    status = os.stat(path)
    folder = path.parent
    if not status.st_mode & _NOBODY or not os.access(path, os.W_OK):
        raise ItemError("read-only", "it may not be written", f"chmod u+w {path.name}", again=True)
    if not os.stat(folder).st_mode & _NOBODY or not os.access(folder, os.W_OK | os.X_OK):
        message = f"its folder {folder} may not be written, and a copy must lie beside it"
        raise ItemError("read-only", message, again=True)
    if status.st_nlink > 1:
        message = f"it has {status.st_nlink} names, and the others would keep the old tags"
        raise ItemError("hard-link", message, "make it a copy first", again=True)


def copy_name(path: Path) -> Path:
    """The hidden name of a copy: always the same, so that what a killed run left is used again."""
    return path.with_name(f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]}.mgrkit.tmp")


def delete_left(folder: Path) -> None:
    """Delete the copies that killed runs have left in a folder.

    They are files of such a name that no process holds; what is in doubt stays.
    """
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for name in [entry.name for entry in entries if _COPY.fullmatch(entry.name)]:
            with contextlib.suppress(OSError):
                _delete_if_left(folder / name)


def _delete_if_left(copy: Path) -> None:
    fd = os.open(copy, os.O_RDWR | _OWN)
    try:
        status = os.fstat(fd)
        is_file = stat.S_ISREG(status.st_mode) and status.st_nlink == 1
        # Once it is locked it may be what another run has put meanwhile, under another name.
        if is_file and lock(fd) and os.path.samestat(status, os.lstat(copy)):
            copy.unlink()
    finally:
        os.close(fd)


class Beside:
    """A copy beside a file, in place of what a killed run has left there.

    Parameters
    ----------
    path : of the file, no link.
    whole : copy the content; else the copy is empty.

    Attributes
    ----------
    copy : its path.

    Raises
    ------
    ItemError : ``busy``, another run has made the same copy; ``read-only``, the folder takes none.
    OSError : it cannot be written.
    """

    def __init__(self, path: Path, *, whole: bool = True) -> None:
        self.path, self.copy = path, copy_name(path)
        try:
            fd = os.open(self.copy, os.O_RDWR | os.O_CREAT | _OWN, 0o600)
        except PermissionError:
            message = f"its folder {path.parent} takes no copy of it"
            raise ItemError("read-only", message, again=True) from None
        self._held = open(fd, "r+b")  # noqa: SIM115
        if not lock(fd) or not self._is_named():
            self._held.close()
            raise ItemError("busy", "another run changes it at this moment", again=True)
        try:
            self._held.truncate()
            if whole:
                with path.open("rb") as source:
                    shutil.copyfileobj(source, self._held, _BLOCK)
            self._held.flush()
        except BaseException:
            self.discard()
            raise

    def _is_named(self) -> bool:
        """Whether what is locked is still the copy, and not, once another run put it, the file."""
        try:
            return os.path.samestat(os.fstat(self._held.fileno()), os.lstat(self.copy))
        except OSError:
            return False

    def take_over(self, mtime_ns: int | None = None) -> None:
        """Give the copy the owner, mode, times and extended attributes of the file.

        Parameters
        ----------
        mtime_ns : its time of change; None is now.

        Raises
        ------
        ItemError : ``owner``, the file belongs to somebody whom we cannot give one.
        """
        status, made = os.stat(self.path), os.stat(self.copy)
        if (made.st_uid, made.st_gid) != (status.st_uid, status.st_gid):
            try:
                os.chown(self.copy, status.st_uid, status.st_gid)
            except PermissionError:
                message = "it belongs to another user or group, which a copy of it would not"
                raise ItemError("owner", message, "run mgrkit as its owner", again=True) from None
        shutil.copystat(self.path, self.copy)
        os.chmod(self.copy, stat.S_IMODE(status.st_mode))
        changed = time.time_ns() if mtime_ns is None else mtime_ns
        os.utime(self.copy, ns=(status.st_atime_ns, changed))

    def check_same(self, size: int, mtime_ns: int) -> None:
        """Raise ItemError ``changed`` if the file is no longer the one that was copied."""
        status = os.stat(self.path)
        if (status.st_size, status.st_mtime_ns) != (size, mtime_ns):
            raise ItemError("changed", "the file changed meanwhile", "run again", again=True)

    def put(self) -> None:
        """Move the copy into the place of the file; OSError if that cannot be."""
        os.replace(self.copy, self.path)
        self._held.close()

    def __del__(self) -> None:
        """What nobody puts any more is not left behind, as after a failure of the run itself."""
        if hasattr(self, "_held"):
            self.discard()

    def discard(self) -> None:
        """Delete the copy if it was not put."""
        if not self._held.closed:
            self.copy.unlink(missing_ok=True)
            self._held.close()
