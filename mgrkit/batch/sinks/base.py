"""What every sink does: remember finished items, publish new ones, end with a result."""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mgrkit.batch.journal import Journal
from mgrkit.batch.journalfiles import Record
from mgrkit.batch.model import Fingerprint, Item, Output, Row
from mgrkit.batch.workerjournal import WorkerJournal
from mgrkit.errors import ItemError, RunError, UsageError
from mgrkit.files.shards import Shard, Worker


def failed(row: Row, error: ItemError) -> Row:
    """The row of a failure."""
    return {**row, "status": "failed", "reason": str(error)}


def good(row: Row, output: Output) -> Row:
    """The row of an output that is as it should be."""
    return {**row, "status": "ok", "reason": output.warning}


def missing() -> ItemError:
    """The error of an item whose source is not there."""
    return ItemError("missing", "the file is not there", again=True)


class Sink:
    """Base of the sinks.

    Parameters
    ----------
    state : folder for the journal and temporary files; None for a sink without files.
    journal : the journal's path; None for a run that cannot be resumed. Without ``state``
        it is a single file that a person named; see `Journal`.
    settings : what decides the bytes of the outputs; JSON values only.
    worker : of a cluster, that publishes for the run of another process.
    """

    def __init__(
        self,
        state: Path | None,
        journal: Path | None,
        settings: dict[str, Any],
        replace: bool,
        worker: Worker | None = None,
    ) -> None:
        self.state = state
        self.worker = worker
        self.journal = Journal(journal, single=state is None)
        if worker and journal:
            self.journal = WorkerJournal(journal, settings, replace)
        self._temp = os.path.join(self.temporary, "") if state else ""
        if worker:
            self._temp += f"{worker.number}-"
        self.settings = settings
        self.replace = replace
        self.deleted = 0
        self._new: list[Path] = []

    def check(self) -> None:
        """Raise RunError where the results would take the place of somebody else's.

        UsageError for a share of what is to be made again: it cannot know what goes.
        """
        if self.shard and self.replace:
            raise UsageError("--shard takes no --replace", "give another OUT")

    def look(self, folder: Path) -> None:
        """Read the journal only; from then on ``folder`` is for temporary files."""
        self.check()
        try:
            self.journal.look(self.settings, self.replace)
        except OSError as error:
            raise RunError(
                f"cannot read {error.filename}: {error.strerror}", self.journal.hint
            ) from None
        self.state = folder
        self.temporary.mkdir(parents=True)

    def open(self, columns: Sequence[str]) -> None:
        """Take the lock, read the journal, empty the folder of temporary files."""
        self.check()
        if self.state:
            self._new = [f for f in (self.state, *self.state.parents) if not f.exists()]
        try:
            self.journal.open(self.settings, list(columns), self.replace)
            if self.state:
                if self.temporary.exists():
                    shutil.rmtree(self.temporary)
                self.temporary.mkdir(parents=True)
        except OSError as error:
            where = error.filename or self.state
            raise RunError(
                f"cannot write to {where}: {error.strerror}", self.journal.hint
            ) from None

    def forget(self) -> bool:
        """After a run that failed before it began anything: leave nothing of what `open` made.

        Returns
        -------
        Whether nothing is left: the folders were new, and nobody has noted anything there.
        """
        if self.shard or not self._new or not self.journal.is_unused():
            return False
        shutil.rmtree(self._new[0])
        with contextlib.suppress(OSError):  # something else has come there meanwhile
            for folder in self._new[1:]:
                folder.rmdir()
        return True

    def enter(self) -> None:
        """Of a worker: begin to write; `close` makes what was written seen on a shared disk.

        Raises
        ------
        RunError : the run that it works for is over.
        """
        assert isinstance(self.journal, WorkerJournal)
        self.journal.enter(self.temporary)

    @property
    def known(self) -> dict[str, Record]:
        """Of a worker: what earlier runs noted of the items that it works on."""
        assert isinstance(self.journal, WorkerJournal)
        return self.journal.known

    @property
    def shard(self) -> Shard | None:
        """The share of the run that is done here; None for the whole."""
        return self.journal.shard

    @property
    def temporary(self) -> Path:
        """The folder of this writer's temporary files, on the disk of OUT."""
        assert self.state is not None
        whole = self.state / "tmp"
        if self.worker:
            return whole / self.worker.call
        return whole / self.shard.writer if self.shard else whole

    def prefix(self, serial: int) -> str:
        """Where the item with this number puts its temporary files."""
        return f"{self._temp}{serial}" if self.state else ""

    def at_worker(self) -> Callable[..., Sink] | None:
        """What makes this sink anew for the ``worker`` that it is given; picklable.

        None where the results come back to this process, which alone can hand them on.
        """
        return None

    def gather(self, call: str) -> None:
        """Take over what the workers of this call have finished, once none of them writes."""
        self.journal.gather(call)

    def discard(self, prefix: str) -> None:
        """Delete what a failed item left under its prefix."""
        if prefix:
            for path in glob.glob(glob.escape(prefix) + ".*"):
                Path(path).unlink(missing_ok=True)

    def finished(self, item: Item) -> list[Row] | None:
        """`kept`, in a run."""
        return self.kept(item)

    def kept(self, item: Item) -> list[Row] | None:
        """The rows of an item that an earlier run finished and that still stands, else None."""
        if item.key not in self.journal:
            return None
        entry = self.journal.entry(item.key)
        if entry.again or entry.src != item.fingerprint() or not self.stands(entry):
            return None
        return entry.rows

    def stands(self, entry: Record) -> bool:
        """Whether all that the entry lists is still there as it was left."""
        del entry
        return True

    def restored(self, entry: Record) -> Record | None:
        """An entry that does not stand, as it would if nothing but times had changed, or None."""
        del entry
        return None

    def fail(self, item: Item, src: Fingerprint | None, error: ItemError) -> list[Row]:
        """Remember a failed item."""
        rows = [failed(item.row, error)]
        self.journal.done(item.key, Record(src, [], rows, error.again))
        return rows

    def publish(self, item: Item, src: Fingerprint, outputs: Sequence[Output]) -> list[Row]:
        """Make an item's outputs visible and remember it."""
        raise NotImplementedError

    async def finish(self, complete: bool) -> None:
        """Write the whole result; ``complete`` unless the run was stopped or failed."""

    def end(self, code: int) -> None:
        """The run ended by itself, with this exit code."""
        self.journal.end(code)
        self.close()

    def close(self) -> None:
        """Let go of the journal."""
        self.journal.close()
