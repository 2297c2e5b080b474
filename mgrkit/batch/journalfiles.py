"""Journals as files of lines, whoever writes them; `mgrkit.batch.journal` says what they mean."""

from __future__ import annotations

import errno
import json
import os
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mgrkit.batch.model import Fingerprint, Row
from mgrkit.files.lock import lock

_LONGEST_END = 64
encoded = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_decode = json.JSONDecoder().decode


def parsed(line: bytes) -> object:
    """A line's value; None when it is torn."""
    try:
        return _decode(line.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        return None


@dataclass(slots=True)
class Record:
    """A finished item: the fingerprint it was made from, its outputs and rows."""

    src: Fingerprint | None
    out: list[tuple[str, int, int | str]]
    rows: list[Row]
    again: bool = False

    @classmethod
    def of(cls, line: Any) -> Record:
        """That which a line of `done` notes."""
        out = [(path, size, mtime) for path, size, mtime in line["out"]]
        return cls(line["src"], out, line["rows"], line.get("again", False))

    def done(self, key: str) -> dict[str, Any]:
        """The line that notes it."""
        line: dict[str, Any] = {"done": key, "src": self.src, "out": self.out, "rows": self.rows}
        return {**line, "again": True} if self.again else line


class Appending:
    """A journal that is written to, from several threads; the file is made."""

    def __init__(self, path: Path) -> None:
        self.fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        self._lock = threading.Lock()
        self._size = 0

    def begin(self) -> None:
        """Find the end of the lines that are there, and end one that is torn."""
        self._size = os.fstat(self.fd).st_size
        if self._size and os.pread(self.fd, 1, self._size - 1) != b"\n":
            self.write(b"\n")

    def append(self, line: dict[str, Any]) -> int:
        """Add a line; the place where it begins."""
        return self.write(encoded(line).encode() + b"\n")

    def write(self, data: bytes) -> int:
        """Add bytes; the place where they begin."""
        with self._lock:
            place = self._size
            written = os.write(self.fd, data)
            self._size += written
            if written < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return place

    def close(self) -> None:
        """Let go of the file and its lock."""
        os.close(self.fd)


def is_written(file: Path) -> bool:
    """Whether a process holds this journal's lock."""
    with file.open("rb") as stream:
        return not lock(stream.fileno())


def last_written(file: Path) -> tuple[int, str]:
    """What journals are ordered by."""
    return file.stat().st_mtime_ns, file.name


def runs(folder: Path) -> list[dict[str, Any]]:
    """The settings of each call in the journals of a folder, in the order of the files' names."""
    found = []
    for file in sorted(folder.glob("*.jsonl")):
        with file.open("rb") as lines:
            for line in lines:
                if line.startswith(b'{"run":'):
                    match parsed(line):
                        case {"run": dict(settings)}:
                            found.append(settings)
    return found


def take_over(path: Path, others: list[Path]) -> None:
    """Add the lines of journals that nobody writes to another one.

    While both have them, they mean the same.
    """
    suspects = [key for file in [path, *others] if file.exists() for key in _begun(file)]
    with path.open("ab") as whole:
        for file in sorted(others, key=last_written):
            with file.open("rb") as lines:
                whole.write(b"\n")
                shutil.copyfileobj(lines, whole, 1 << 20)
        # The end of one does not clear what another began.
        again = [encoded({"began": key}) for key in suspects]
        whole.write("\n".join(["", *again, ""]).encode())


def _begun(file: Path) -> list[str]:
    """What a journal's last call began and neither finished nor left in order."""
    begun: dict[str, None] = {}
    with file.open("rb") as lines:
        lines.seek(max(0, file.stat().st_size - _LONGEST_END))
        if lines.read().rpartition(b"\n{")[2].startswith(b'"end":'):
            return []
        lines.seek(0)
        for line in lines:
            match parsed(line):
                case {"began": str(key)}:
                    begun[key] = None
                case {"done": str(key)}:
                    begun.pop(key, None)
                case {"end": int()}:
                    begun.clear()
    return list(begun)


def done_and_begun(file: Path) -> tuple[dict[str, Record], set[str]]:
    """What a journal says is finished, and what was begun and is not."""
    done: dict[str, Record] = {}
    begun: set[str] = set()
    with file.open("rb") as lines:
        for line in lines:
            match parsed(line):
                case {"done": str(key)} as found:
                    done[key] = Record.of(found)
                    begun.discard(key)
                case {"began": str(key)}:
                    begun.add(key)
    return done, begun
