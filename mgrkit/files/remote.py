"""Paths in an object store: what names SRC and OUT there."""

from __future__ import annotations

import contextlib
import fnmatch
import io
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PosixPath
from typing import IO, Any

from mgrkit.errors import RunError, UsageError
from mgrkit.files import objects
from mgrkit.files.objects import SCHEME, Entry, Version

_FIRST = SCHEME.rstrip("/")
_FEW = 8


class RemotePath(PosixPath):
    """``s3://bucket/key`` as a path: names are put together as always, and the store is asked.

    What can be asked is what readers of folders and tables ask: `exists`, `is_dir`, `is_file`,
    `entries`, `glob` and `open` for reading; RunError where the store has no answer.
    """

    def __str__(self) -> str:
        return SCHEME + "/".join(self.parts[1:])

    def absolute(self) -> RemotePath:
        """As it is."""
        return self

    def resolve(self, strict: bool = False) -> RemotePath:
        """As it is: a store has no links."""
        del strict
        return self

    def exists(self, **_: Any) -> bool:
        """Whether there is an object, or a folder of objects."""
        return self.is_dir() or self.is_file()

    def is_dir(self, **_: Any) -> bool:
        """Whether objects lie below."""
        with _readable(self):
            return next(objects.entries(str(self)), None) is not None

    def is_file(self, **_: Any) -> bool:
        """Whether there is an object."""
        if len(self.parts) < 3:
            return False
        return self.version() is not None

    def version(self) -> Version | None:
        """Of the object; None where there is none."""
        with _readable(self):
            return objects.version(str(self))

    def entries(self) -> Iterator[Entry]:
        """What lies in the folder; OSError where the store has no answer."""
        return objects.entries(str(self))

    def versions(self, folder: str, names: Sequence[str]) -> dict[str, Version]:
        """The version of each of these names in a folder below that is an object there.

        A few are asked for one by one; of more the folder is listed once. OSError as `entries`.
        """
        below = self / folder
        if len(names) <= _FEW:
            found = {name: objects.version(str(below / name)) for name in names}
            return {name: version for name, version in found.items() if version}
        wanted = {*names}
        return {e.name: e.version for e in below.entries() if e.version and e.name in wanted}

    def glob(self, pattern: str, **_: Any) -> Iterator[RemotePath]:  # type: ignore[override,unused-ignore]
        """What lies in the folder and is called so, by a pattern without ``/``."""
        with _readable(self):
            for entry in self.entries():
                if fnmatch.fnmatchcase(entry.name, pattern):
                    yield self / entry.name

    def open(self, mode: str = "r", *_: Any, **how: Any) -> IO[Any]:  # type: ignore[override]
        """The object as it is now, as a file of its own that goes when it is closed."""
        with _readable(self):
            version = objects.version(str(self))
            if version is None:
                raise FileNotFoundError(2, "there is no such object", str(self))
            file = tempfile.TemporaryFile()  # noqa: SIM115
            objects.fetch(str(self), version, file)
        file.seek(0)
        return file if "b" in mode else io.TextIOWrapper(file, **how)


def placed(path: Path) -> Path:
    """A path, of a URL as a `RemotePath`; UsageError for a URL that names no place.

    ``Path("s3://bucket")`` is ``s3:/bucket``, so that it is known again by its first part.
    """
    if path.parts[:1] != (_FIRST,) or isinstance(path, RemotePath):
        return path
    if len(path.parts) < 2 or ".." in path.parts:
        raise UsageError(f"{SCHEME}{'/'.join(path.parts[1:])} names no place", "s3://BUCKET/PREFIX")
    return RemotePath(path)


def lies(path: Path) -> bool:
    """Whether anything lies there, a link that leads nowhere, too."""
    return path.exists() if isinstance(path, RemotePath) else os.path.lexists(path)


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror or error}") from None
