"""The folder of a study that several processes share, and that any of them may die in.

``settings.json`` says what is searched, ``study.jsonl`` is Optuna's journal. A process at work
holds the lock of a file of its own in ``.workers``: whoever finds a trial whose process holds its
lock no more knows that it is lost. ``.lock`` is held while a trial is taken, ``.end`` while the
results are made.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from mgrkit.errors import RunError, UsageError
from mgrkit.experiments.records import (
    LOCK,
    SETTINGS,
    damaged,
    folder_record,
    refuse_other,
    write_record,
)
from mgrkit.files.lock import lock, locked

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import JournalStorage

MAKER = "mgrkit tune"
JOURNAL = "study.jsonl"
_END, _JOURNAL_LOCK, _WORKERS = ".end", ".journal", ".workers"
_AGAIN = 0.005
"""Seconds until a lock is tried again."""


@dataclass
class StudyFolder:
    """OUT while this process is at work in it.

    Parameters
    ----------
    check : called while it waits for another process; raises Stopped when asked to end.
    """

    path: Path
    check: Callable[[], None]
    worker: str = ""
    _lease: BinaryIO | None = field(default=None, repr=False)
    _storage: JournalStorage | None = field(default=None, repr=False)

    def begin(self, settings: Mapping[str, Any]) -> None:
        """Make the folder, or go on in it.

        Raises
        ------
        UsageError : it is another's, or a study of other settings, which are named.
        RunError : it cannot be read or written.
        """
        settings = {"made by": MAKER, **settings}
        with telling(self.path):
            if self.path.exists() and not self.path.is_dir():
                raise UsageError(f"{self.path} is no folder", "give another --out")
            self.path.mkdir(exist_ok=True)
            with self.gate():
                kept = folder_record(self.path)
                if kept is None:
                    self.tidy()  # one was killed before it had written anything
                    write_record(self.path / SETTINGS, settings)
                elif kept.get("made by") != MAKER:
                    raise UsageError(f"{self.path} holds something else", "give another --out")
                else:
                    refuse_other(self.path, kept, settings)
                self._hire()

    def _hire(self) -> None:
        """Take a lease that ends with this process."""
        self.worker = secrets.token_hex(8)
        workers = self.path / _WORKERS
        workers.mkdir(exist_ok=True)
        for other in workers.iterdir():
            self.at_work(other.name)  # of the dead nothing is left
        self._lease = (workers / self.worker).open("ab")
        lock(self._lease.fileno())

    def close(self) -> None:
        """Give the lease back."""
        if self._lease:
            self._lease.close()
            with contextlib.suppress(OSError):
                (self.path / _WORKERS / self.worker).unlink()
        self._lease = None

    def at_work(self, worker: object) -> bool:
        """Whether the process of this lease lives; to be asked within `gate`."""
        if worker == self.worker:
            return True
        path = self.path / _WORKERS / str(worker)
        try:
            with path.open("rb+") as file:
                if not lock(file.fileno()):
                    return True
        except FileNotFoundError:
            return False
        with contextlib.suppress(OSError):
            path.unlink()
        return False

    @contextlib.contextmanager
    def gate(self) -> Iterator[None]:
        """A block that one process at a time is in."""
        with locked(self.path / LOCK, self.check):
            yield

    @contextlib.contextmanager
    def ending(self) -> Iterator[None]:
        """A block in which this process alone makes the results; others wait before it."""
        with locked(self.path / _END, self.check):
            self.tidy()
            yield

    def tidy(self) -> None:
        """Delete what was half written by a process that was killed."""
        for half_written in self.path.glob(".*.tmp"):
            half_written.unlink()

    def study(self, name: str) -> Study:
        """A study of the journal, begun if it is not there; to be called within `gate`."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        storage = self._opened()
        if name in optuna.get_all_study_names(storage):
            return optuna.load_study(study_name=name, storage=storage)
        return optuna.create_study(study_name=name, storage=storage, direction="maximize")

    def _opened(self) -> JournalStorage:
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        if self._storage is None:
            path = self.path / JOURNAL
            alone: Any = _JournalLock(path, self.path / _JOURNAL_LOCK)
            try:
                self._storage = JournalStorage(JournalFileBackend(os.fspath(path), alone))
            except (ValueError, KeyError, AssertionError, TypeError):
                raise damaged(path) from None
        return self._storage


class _JournalLock:
    """Optuna's lock of its journal, which ends with the process that holds it.

    Its own locks are files that a killed process leaves behind, for half a minute. What a process
    that was killed, or had no room, has written of a line is cut off before the next one.
    """

    def __init__(self, journal: Path, path: Path) -> None:
        self._journal, self._path = journal, path
        self._file: BinaryIO | None = None

    def acquire(self) -> bool:
        self._file = self._path.open("ab")
        while not lock(self._file.fileno()):
            time.sleep(_AGAIN)
        _cut_torn_line(self._journal)
        return True

    def release(self) -> None:
        if self._file:
            self._file.close()
        self._file = None


def _cut_torn_line(path: Path) -> None:
    with path.open("rb+") as file:
        size = file.seek(0, os.SEEK_END)
        if not size:
            return
        file.seek(size - 1)
        if file.read(1) != b"\n":
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)


@contextlib.contextmanager
def telling(path: Path) -> Iterator[None]:
    """Raise RunError for what the system refuses in a folder: a full disk, no permission."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            hint = "make room, then run the same command again"
            raise RunError(f"the disk is full: {path}", hint) from error
        raise RunError(f"cannot write to {path}: {error.strerror}", "give another --out") from error
