"""The journal of a worker of a cluster: lines of its own beside those of the run that it serves."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from mgrkit.batch.journal import Journal
from mgrkit.batch.journalfiles import Appending, Record
from mgrkit.errors import RunError
from mgrkit.files.lock import lock, locked
from mgrkit.files.places import Status
from mgrkit.files.shards import WHOLE


class WorkerJournal(Journal):
    """Lines of a worker, in a file of its own, which the run takes over at its end.

    What an item's earlier files are comes along with the item, in ``known``. The lines of all
    others are read only when a file is in the way, which is seldom.

    Parameters
    ----------
    path : of its own lines, beside those of the run.
    settings, replace : of the run.
    """

    def __init__(self, path: Path, settings: dict[str, Any], replace: bool) -> None:
        super().__init__(path)
        self.known: dict[str, Record] = {}
        self._settings, self._replace = settings, replace

    def enter(self, temporary: Path) -> None:
        """Begin to write.

        Raises
        ------
        RunError : the run is over, and another may have begun: its ``temporary`` folder is gone.
        """
        assert self.path
        with locked(self.path.parent / "gate"):
            if not temporary.is_dir():
                raise RunError("the run that this was for is over")
            self._file = Appending(self.path)
            lock(self._file.fd)
            self._file.begin()

    def __contains__(self, key: str) -> bool:
        """See `Journal`."""
        return key in self.known

    def entry(self, key: str) -> Record:
        """See `Journal`."""
        return self.known[key]

    def entries(self) -> Iterator[Record]:
        """All finished items, of all writers, as they are now."""
        return self._all().entries()

    def replaced(self, path: str) -> Status | None:
        """See `Journal`."""
        return self._superseded.get(path) if self._replace else None

    @cached_property
    def _superseded(self) -> dict[str, Status]:
        return self._all().superseded

    def _all(self) -> Journal:
        assert self.path
        journal = Journal(self.path.parent / f"{WHOLE}.jsonl")
        journal.look(self._settings, self._replace)
        return journal

    def done(self, key: str, entry: Record) -> None:
        """See `Journal`."""
        assert self._file
        self._file.append(entry.done(key))
