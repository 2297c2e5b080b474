"""Where a tree of outputs lies: in a folder of a disk, or of an object store.

Both publish a file that is written elsewhere first: whole, and never over anybody else's.
"""

from __future__ import annotations

import contextlib
import filecmp
import os
import tempfile
from pathlib import Path
from typing import Protocol

from mgrkit.errors import ItemError
from mgrkit.files import objects
from mgrkit.files.objects import RefusedError, Version
from mgrkit.files.remote import RemotePath

Status = tuple[int, int | str]
"""The size of a file and its mtime_ns, or the ETag of an object."""


class Place(Protocol):
    """A folder by the relative POSIX paths of its files."""

    def status(self, path: str) -> Status | None:
        """Of what lies there now; None where nothing does."""

    def listed(self, path: str) -> Status | None:
        """The same as of a moment ago, at less cost where many of a folder are asked for."""

    def holds(self, path: str, file: str) -> bool:
        """Whether a file of the same bytes as this one lies there."""

    def put(self, file: str, path: str, over: Status | None = None) -> Status:
        """Move a file there where nothing lies but, at most, one of the status ``over``.

        Raises
        ------
        FileExistsError : something else is there.
        ItemError : it could not be uploaded this time.
        """

    def replace(self, file: str, path: str) -> None:
        """Move a file there, whatever is there."""

    def delete(self, path: str) -> None:
        """Delete what lies there."""


def place_of(folder: Path) -> Place:
    """The place that a path names."""
    return StorePlace(folder) if isinstance(folder, RemotePath) else FolderPlace(folder)


class FolderPlace:
    """See `Place`; the files that are moved lie on the same disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = os.fspath(folder)
        self._made: set[str] = set()

    def status(self, path: str) -> Status | None:
        """See `Place`."""
        return status_of(f"{self._folder}/{path}")

    listed = status

    def holds(self, path: str, file: str) -> bool:
        """See `Place`."""
        there = f"{self._folder}/{path}"
        return os.path.isfile(there) and filecmp.cmp(file, there, shallow=False)

    def put(self, file: str, path: str, over: Status | None = None) -> Status:
        """See `Place`."""
        folder = os.path.dirname(f"{self._folder}/{path}")
        if folder not in self._made:
            os.makedirs(folder, exist_ok=True)
            self._made.add(folder)
        if self.status(path) not in (None, over):
            raise FileExistsError(path)
        status = status_of(file)
        assert status is not None
        self.replace(file, path)
        return status

    def replace(self, file: str, path: str) -> None:
        """See `Place`."""
        os.replace(file, f"{self._folder}/{path}")

    def delete(self, path: str) -> None:
        """See `Place`."""
        os.unlink(f"{self._folder}/{path}")


class StorePlace:
    """See `Place`; that nothing else is there is a condition of the upload itself."""

    def __init__(self, folder: RemotePath) -> None:
        self._url = str(folder)
        self._listed: tuple[str, dict[str, Version]] | None = None

    def status(self, path: str) -> Status | None:
        """See `Place`."""
        return objects.version(f"{self._url}/{path}")

    def listed(self, path: str) -> Status | None:
        """See `Place`; what is asked for goes folder by folder."""
        folder, _, name = f"{self._url}/{path}".rpartition("/")
        if self._listed is None or self._listed[0] != folder:
            there = {one.name: one.version for one in objects.entries(folder) if one.version}
            self._listed = folder, there
        return self._listed[1].get(name)

    def holds(self, path: str, file: str) -> bool:
        """See `Place`."""
        url = f"{self._url}/{path}"
        version = objects.version(url)
        if version is None or version[0] != os.path.getsize(file):
            return False
        with tempfile.NamedTemporaryFile(dir=os.path.dirname(file)) as there:
            objects.fetch(url, version, there)  # type: ignore[arg-type]
            there.flush()
            return filecmp.cmp(file, there.name, shallow=False)

    def put(self, file: str, path: str, over: Status | None = None) -> Status:
        """See `Place`."""
        url = f"{self._url}/{path}"
        try:
            version = self._put(file, url, str(over[1]) if over else "")
        except (FileExistsError, RefusedError):
            raise
        except UnicodeEncodeError:
            raise ItemError(
                "name-encoding", "its name is not UTF-8, as a store's must be", "rename the source"
            ) from None
        except OSError as error:
            raise ItemError(
                "upload", f"{path} could not be uploaded: {error.strerror}", "run again", again=True
            ) from None
        os.unlink(file)
        return version

    def _put(self, file: str, url: str, over: str) -> Version:
        if over:
            with contextlib.suppress(FileNotFoundError):  # what it replaces is gone
                return objects.put(file, url, over=over)
        return objects.put(file, url)

    def replace(self, file: str, path: str) -> None:
        """See `Place`."""
        objects.put(file, f"{self._url}/{path}", always=True)
        os.unlink(file)

    def delete(self, path: str) -> None:
        """See `Place`."""
        objects.delete(f"{self._url}/{path}")


def status_of(path: str | Path) -> Status | None:
    """The size and mtime_ns of a file; None where there is none."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_size, status.st_mtime_ns
