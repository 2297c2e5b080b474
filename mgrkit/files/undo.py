"""A file that says how files that were changed become again what they were, one a line.

Each line is written before its file is changed, and holds what `mgrkit.files.delta` needs to make
the former file of the present one, with the SHA-256 of both.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mgrkit.errors import RunError, UsageError
from mgrkit.files.delta import Edits
from mgrkit.files.lock import lock

_HEAD = {"mgrkit": "undo", "format": 1}
_ANOTHER = "give another --undo-file"


@dataclass(frozen=True)
class Step:
    """How a file was before one change, and how to make that again.

    Parameters
    ----------
    path : relative to the folder of the undo file if it is below that, else absolute.
    before, after : SHA-256 of the file.
    mtime_ns : of the file before.
    edits : see `mgrkit.files.delta.edits`.
    said : what was changed, for people.
    """

    path: str
    before: str
    after: str
    mtime_ns: int
    edits: Edits
    said: dict[str, Any]


class UndoFile:
    """An undo file that steps are added to; it is never written anew.

    Raises
    ------
    UsageError : something else is there, or there is no folder for it.
    RunError : another run adds to it, or it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._folder = Path(os.path.realpath(path.parent))
        self._lock = threading.Lock()
        if not path.parent.is_dir():
            raise UsageError(f"there is no folder {path.parent}", "make it, or " + _ANOTHER)
        if os.path.lexists(path) and not path.is_file():
            raise UsageError(f"{path} is no file that an undo file can be", _ANOTHER)
        self._made = not path.exists()
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        except OSError as error:
            raise RunError(f"cannot write {path}: {error.strerror}", _ANOTHER) from None
        try:
            self._begin()
        except BaseException:
            os.close(self._fd)
            raise

    def _begin(self) -> None:
        if not lock(self._fd):
            raise RunError(f"another run writes {self.path}", "wait for it, or " + _ANOTHER)
        size = os.fstat(self._fd).st_size
        if not size:
            return
        with self.path.open("rb") as file:
            _check_head(self.path, file.readline(1 << 10), _ANOTHER)
        if os.pread(self._fd, 1, size - 1) != b"\n":  # of a line that a kill cut off
            self._write(b"\n")

    def name_of(self, path: Path) -> str:
        """What a file is called in it."""
        real = Path(os.path.realpath(path))
        if real.is_relative_to(self._folder):
            return real.relative_to(self._folder).as_posix()
        return real.as_posix()

    def add(self, step: Step) -> None:
        """Note a change that is about to be made."""
        line = json.dumps(vars(step)).encode() + b"\n"
        with self._lock:
            if not os.fstat(self._fd).st_size:
                line = json.dumps(_HEAD).encode() + b"\n" + line
            self._write(line)

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._fd, data) :]

    def close(self) -> None:
        """Let others write; nothing is left where nothing was, and nothing was noted."""
        if self._made and not os.fstat(self._fd).st_size:
            self.path.unlink(missing_ok=True)
        os.close(self._fd)


@contextlib.contextmanager
def unwritten(path: Path) -> Iterator[None]:
    """A context in which no run adds to an undo file; RunError while one does."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror}") from None
    with file:
        if not lock(file.fileno()):
            raise RunError(f"another run writes {path}", "wait for it, or stop it")
        yield


def read_undo(path: Path) -> tuple[dict[Path, list[Step]], int]:
    """The steps of each file in the order in which they were made, and how many lines are none.

    Raises
    ------
    UsageError : it is no undo file.
    RunError : it cannot be read, or belongs to another folder: none of its files is there.
    """
    folder = Path(os.path.realpath(path.parent))
    found: dict[Path, list[Step]] = {}
    torn = 0
    try:
        with path.open("rb") as file:
            _check_head(path, file.readline(1 << 10), "give the --undo-file of mgrkit tag")
            for line in file:
                step = _step(line)
                if step:
                    found.setdefault(folder / step.path, []).append(step)
                torn += step is None
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror}") from None
    if torn and not found:
        raise RunError(f"{path} is damaged: none of its {torn} lines can be read")
    if found and not any(map(os.path.lexists, found)):
        raise RunError(
            f"{path} is of another folder: none of its {len(found)} files is there, as "
            f"{next(iter(found))}",
            "put it back where it was written",
        )
    return found, torn


def steps_back(steps: Sequence[Step], now: str) -> list[Step] | None:
    """Those that lead from a file back as far as they go, the last one first.

    A step that was noted, but whose change a kill prevented, is passed over. Where somebody changed
    the file between two steps they end at what it was after that, not at the first ``before``.

    Parameters
    ----------
    now : the file's SHA-256.

    Returns
    -------
    None if the file has changed since.
    """
    way: list[Step] = []
    known = False
    for step in reversed(steps):
        if now == step.after:
            way.append(step)
            now, known = step.before, True
        known = known or now == step.before
    return way if known else None


def _check_head(path: Path, line: bytes, hint: str) -> None:
    try:
        head = json.loads(line)
    except ValueError:
        head = None
    if head != _HEAD:
        newer = isinstance(head, dict) and head.get("mgrkit") == "undo"
        what = "is of another release of mgrkit" if newer else "is no undo file of mgrkit"
        raise UsageError(f"{path} {what}", hint)


def _step(line: bytes) -> Step | None:
    try:
        step = Step(**json.loads(line))
    except (ValueError, TypeError):
        return None
    good = isinstance(step.path, str) and isinstance(step.edits, list)
    return step if good and isinstance(step.mtime_ns, int) else None
