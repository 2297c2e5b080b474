"""Archives taken apart, where nothing that they say is believed.

tarfile's own filters are not asked: they know no bounds, and the checks here are stricter and
hold for zip, too.
"""

from __future__ import annotations

import contextlib
import io
import lzma
import os
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple, Protocol, TypeVar

from mgrkit.errors import RunError
from mgrkit.files.downloads import Progress, check_space, how_to_go_on
from mgrkit.files.lock import lock

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz")
"""Of archives, in lower case."""

_MOST_FILES = 1_000_000
_MOST_GROWTH = 50
"""So many times its own size an archive may hold: sound hardly shrinks, tables to a tenth."""
_ALWAYS_ALLOWED = 1 << 30
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
_DRIVE = re.compile(r"[A-Za-z]:")
_CHUNK = 1 << 20
_LONGEST_HEADER = 1 << 22
_DAMAGE = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, struct.error,
    NotImplementedError, RuntimeError, ValueError, OverflowError,
)  # fmt: skip
"""What the libraries raise at archives that are damaged, or not what they are called."""


_T = TypeVar("_T")


class Member(NamedTuple):
    """A file of an archive.

    Attributes
    ----------
    path : POSIX and relative, below the folder that it is taken out to.
    size : in bytes, as the archive states it.
    """

    path: str
    size: int


class _Archive(Protocol):
    def entries(self) -> Iterator[tuple[str, int, str]]:
        """Name and size of each entry, and what it is if it is not allowed, else ''.

        Folders end in ``/``.
        """

    def contents(self) -> Iterator[tuple[str, Callable[[], IO[bytes]]]]:
        """Names as `entries` gives them, and what opens the files."""


def is_archive(path: Path) -> bool:
    """Whether a path is called like an archive."""
    return path.name.lower().endswith(SUFFIXES)


def without_suffix(name: str) -> str:
    """The name of an archive without what says that it is one."""
    found = max((one for one in SUFFIXES if name.lower().endswith(one)), key=len, default="")
    return name[: len(name) - len(found)]


def extract(
    archive: Path, folder: Path, progress: Progress = lambda *_: None
) -> tuple[Member, ...]:
    """Take an archive (zip, tar, tar.gz) apart; the files that it holds.

    Each file appears whole or not at all. What is there already under its name and of its size
    is taken for it, so that the same call goes on where one ended. Before anything is written
    all of the archive is checked, and the room on the disk.

    Parameters
    ----------
    folder : nothing is written outside of it; what lies in it is not overwritten.

    Raises
    ------
    RunError : the archive is damaged or encrypted; it holds a link, a device, a path that leads
        out of ``folder`` or one that is there twice, more than a million files, or more than 50
        times its own size and 1 GiB; a file is in the way; the disk is full; another process
        extracts it here.
    """
    with _opened(archive) as opened:
        members = _checked(archive, opened)
        missing = {
            name: member
            for name, member in members.items()
            if not _is_there(archive, folder / member.path, member.size)
        }
        total = sum(member.size for member in members.values())
        wanted = sum(member.size for member in missing.values())
        check_space(_nearest(folder), wanted, archive.name)
        if missing:
            done = total - wanted
            step = f"extracting {archive.name}"

            def written(size: int) -> None:
                nonlocal done
                done += size
                progress(step, done, total)

            _extract(archive, opened, folder, missing, written)
    return tuple(members.values())


def _extract(
    archive: Path,
    opened: _Archive,
    folder: Path,
    missing: dict[str, Member],
    written: Callable[[int], None],
) -> None:
    place = folder
    try:
        with _workplace(archive, folder) as temp:
            for name, content in _guarded(archive, opened.contents()):
                if member := missing.pop(name, None):
                    place = folder / member.path
                    place.parent.mkdir(parents=True, exist_ok=True)
                    _write(archive, member, content, temp, written)
                    os.replace(temp, place)
                if not missing:
                    break
    except OSError as error:
        raise RunError(
            f"cannot write {place}: {error.strerror or error}", how_to_go_on(error)
        ) from None
    if missing:
        raise RunError(f"{archive} has changed while it was read", "run the same command again")


def _write(
    archive: Path,
    member: Member,
    content: Callable[[], IO[bytes]],
    temp: Path,
    written: Callable[[int], None],
) -> None:
    """One file under a temporary name, with as many bytes as were stated."""
    size = 0
    with temp.open("wb") as file:
        for data in _guarded(archive, _chunks(content)):
            size += len(data)
            if size > member.size:
                break
            file.write(data)
            written(len(data))
    if size != member.size:
        raise RunError(
            f"{archive} is damaged: {member.path} has not the {member.size:,} bytes it states",
            "get it again",
        )


def _chunks(content: Callable[[], IO[bytes]]) -> Iterator[bytes]:
    with content() as source:
        while data := source.read(_CHUNK):
            yield data


def _guarded(archive: Path, found: Iterator[_T]) -> Iterator[_T]:
    """The same; RunError for what reading a damaged archive raises."""
    try:
        yield from found
    except (*_DAMAGE, OSError) as error:
        raise _damaged(archive, error) from None


def _damaged(archive: Path, error: BaseException) -> RunError:
    reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
    return RunError(f"{archive} cannot be read: {reason or type(error).__name__}", "get it again")


@contextlib.contextmanager
def _workplace(archive: Path, folder: Path) -> Iterator[Path]:
    """The name of a temporary file in ``folder``; one process at a time has it."""
    place = folder / f".{archive.name}.part"
    place.mkdir(parents=True, exist_ok=True)
    temp, name = place / "member", place / "lock"
    with name.open("ab") as file:
        if not lock(file.fileno()):
            raise RunError(f"another process extracts {archive.name} in {folder}", "wait for it")
        try:
            yield temp
        finally:
            for left in (temp, name):
                left.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # another process begins
                place.rmdir()


def _checked(archive: Path, opened: _Archive) -> dict[str, Member]:
    """The files of an archive by the names that it has for them, once nothing speaks against it."""
    most = max(_ALWAYS_ALLOWED, _MOST_GROWTH * archive.stat().st_size)
    members: dict[str, Member] = {}
    paths: set[str] = set()
    size = 0
    for number, (name, length, odd) in enumerate(_guarded(archive, opened.entries())):
        size += length
        if number >= _MOST_FILES or size > most:
            held = f"{size:,} bytes" if size > most else f"{number:,} files"
            raise _refused(archive, f"it holds {held} or more, and has itself {most:,} at most")
        path = _safe(archive, name)
        if odd:
            raise _refused(archive, f"{name!r} is {odd}")
        if name.endswith("/") or not path:
            continue
        if path in paths:
            raise _refused(archive, f"{path!r} is there twice")
        paths.add(path)
        members[name] = Member(path, length)
    for path in paths:
        if above := next((one for one in _above(path) if one in paths), ""):
            raise _refused(archive, f"{above!r} is a file and a folder")
    return members


def _safe(archive: Path, name: str) -> str:
    """A path below a folder, whatever system reads it."""
    path = name.replace("\\", "/")
    if path.startswith("/") or _DRIVE.match(path) or "\0" in path:
        raise _refused(archive, f"{name!r} is no relative path")
    steps = [step for step in path.split("/") if step not in ("", ".")]
    if ".." in steps:
        raise _refused(archive, f"{name!r} leads out of its folder")
    return "/".join(steps)


def _above(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


def _refused(archive: Path, why: str) -> RunError:
    return RunError(
        f"{archive} is not extracted: {why}", "no published collection is like that: get another"
    )


def _is_there(archive: Path, path: Path, size: int) -> bool:
    """Whether a file is there already; RunError if something else is."""
    if not os.path.lexists(path):
        return False
    if path.is_file() and path.stat().st_size == size:
        return True
    raise RunError(
        f"{path} is there, and not as {archive.name} holds it ({size:,} bytes)",
        "move or delete it, or give another OUT",
    )


def _nearest(folder: Path) -> Path:
    """The folder, or the first above it that is there."""
    return next(one for one in (folder.absolute(), *folder.absolute().parents) if one.is_dir())


@contextlib.contextmanager
def _opened(archive: Path) -> Iterator[_Archive]:
    kind = _Zip if archive.name.lower().endswith(".zip") else _Tar
    try:
        opened = kind(archive)
    except (*_DAMAGE, OSError) as error:
        raise _damaged(archive, error) from None
    with contextlib.closing(opened):
        yield opened


class _Zip:
    def __init__(self, archive: Path) -> None:
        self._file = zipfile.ZipFile(archive)
        self.close = self._file.close

    def entries(self) -> Iterator[tuple[str, int, str]]:
        """See `_Archive`."""
        for info in self._file.infolist():
            kind = (info.external_attr >> 16) & 0o170000
            odd = "" if kind in (0, 0o100000, 0o040000) else "a link or a device"
            if info.flag_bits & 1:
                odd = "encrypted"
            elif info.compress_type not in _METHODS:
                odd = f"compressed by method {info.compress_type}, which is not known here"
            yield info.filename, info.file_size, odd

    def contents(self) -> Iterator[tuple[str, Callable[[], IO[bytes]]]]:
        """See `_Archive`."""
        for info in self._file.infolist():
            yield info.filename, partial(self._file.open, info)


class _Tar:
    def __init__(self, archive: Path) -> None:
        self._raw = archive.open("rb")
        self.close = self._raw.close
        self._file: Any = self._raw
        if self._raw.read(2) == b"\x1f\x8b":
            from isal import igzip  # as zlib, but faster

            self._file = igzip.IGzipFile(fileobj=self._raw)  # type: ignore[no-untyped-call]
        self._raw.seek(0)

    def _members(self) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
        self._file.seek(0)
        source = _ShortReads(self._file)
        with tarfile.open(fileobj=source, mode="r:") as tar:
            while info := tar.next():
                yield tar, info
                # Nobody asks for them again, and a million would take a gigabyte.
                tar.members.clear()  # type: ignore[attr-defined]
        if source.last != bytes(tarfile.BLOCKSIZE):  # tarfile ends quietly at what is no header
            raise tarfile.ReadError("it is cut off, or damaged in the middle")
        while data := self._file.read(_CHUNK):  # to the sum at the end of a gzip
            if any(data):
                raise tarfile.ReadError("something else lies behind its end")

    def entries(self) -> Iterator[tuple[str, int, str]]:
        """See `_Archive`."""
        for _, info in self._members():
            if info.isdir():
                yield f"{info.name}/", 0, ""
            elif info.isreg() and not info.issparse() and info.size >= 0:
                yield info.name, info.size, ""
            else:
                yield info.name, 0, "no plain file, but a link or a device"

    def contents(self) -> Iterator[tuple[str, Callable[[], IO[bytes]]]]:
        """See `_Archive`."""
        for tar, info in self._members():
            if info.isreg():
                yield info.name, partial(self._content, tar, info)

    def _content(self, tar: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
        content = tar.extractfile(info)
        assert content
        return content


class _ShortReads(io.RawIOBase):
    """A file of which tarfile cannot ask for as much as a header says; it keeps the last read."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.last = b""

    def read(self, size: int = -1) -> bytes:
        """Bytes, a few megabytes at most."""
        if not 0 <= size <= _LONGEST_HEADER:
            raise tarfile.ReadError(f"it has a header of {size:,} bytes")
        self.last = self._file.read(size)
        return self.last

    def seek(self, place: int, whence: int = 0) -> int:
        """As of the file."""
        return int(self._file.seek(place, whence))

    def tell(self) -> int:
        """As of the file."""
        return int(self._file.tell())
