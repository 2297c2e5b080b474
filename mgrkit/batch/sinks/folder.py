"""The sink for files: a tree of outputs and one table of them, ``OUT/tracks.csv``."""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from mgrkit.batch.journal import Journal
from mgrkit.batch.journalfiles import Record
from mgrkit.batch.model import Fingerprint, Item, Output, Row
from mgrkit.batch.sinks.base import Sink, failed, good
from mgrkit.batch.sinks.csv_parquet import write_csv
from mgrkit.errors import ItemError, RunError, UsageError
from mgrkit.files.replacing import replacing
from mgrkit.files.shards import Shard, Worker, writer_of

TABLE = "tracks.csv"
STATE = ".mgrkit"
_LONGEST_NAME = 255


class FolderSink(Sink):
    """Files under ``out``, published one by one, and their table.

    Parameters
    ----------
    out : the folder; made when missing.
    settings : what decides the bytes of the files; must agree with what is there.
    replace : make everything again; afterwards delete what the journal lists and this run
        did not make.
    shard : the share of the items that come; then there is no table: what comes after all shards
        writes it.

    Files that the journal does not know are never overwritten or deleted: one with the
    same bytes is adopted, another makes the output fail with the reason ``exists``.
    """

    def __init__(
        self,
        out: Path,
        settings: dict[str, Any],
        replace: bool = False,
        shard: Shard | None = None,
        worker: Worker | None = None,
    ) -> None:
        state = out / STATE
        journal = self.journals(out) / f"{writer_of(worker or shard)}.jsonl"
        super().__init__(state, journal, settings, replace, worker)
        self.out = out
        self._folders: set[str] = set()
        self._owned: set[tuple[str, tuple[int, int]]] | None = None

    def at_worker(self) -> Callable[..., Sink]:
        """See ``Sink.at_worker``."""
        return partial(FolderSink, self.out.absolute(), self.settings, self.replace)

    @staticmethod
    def journals(out: Path) -> Path:
        """The folder of the journals of an OUT."""
        return out / STATE / "journal"

    def bring(self, found: Journal, other: Path) -> None:
        """Put the files that another OUT's journal lists under this one, as they are.

        Raises
        ------
        UsageError : another file of that name is here.
        """
        for record in found.entries():
            for path, size, _ in record.out:
                source, target = other / path, self.out / path
                there, its = _status(target), _status(source)
                if its is None or its[0] != size or there == its:
                    continue
                if there and not filecmp.cmp(source, target, shallow=False):
                    hint = f"remove the wrong one; {self.out} and {other} are not of one run"
                    raise UsageError(f"{target} is not the same file as {source}", hint)
                _link(source, target)

    def restored(self, entry: Record) -> Record | None:
        """An entry with the times that its files have by now; None if one is gone or of other size.

        What copies a folder often gives new times to all.
        """
        there = [(path, size, _status(self.out / path)) for path, size, _ in entry.out]
        if not all(status and status[0] == size for _, size, status in there):
            return None
        out = [(path, *status) for path, _, status in there if status]
        return replace(entry, out=out)

    def check(self) -> None:
        """See ``Sink.check``: a table that no journal stands behind is somebody else's."""
        super().check()
        table = self.out / TABLE
        if table.exists() and not self.journals(self.out).is_dir():
            raise RunError(f"{table} was not made by mgrkit", "move it away, or give another OUT")

    def stands(self, entry: Record) -> bool:
        """Whether every file has the size and time that the journal gives."""
        out = os.fspath(self.out)
        return all(_status(f"{out}/{path}") == (size, time) for path, size, time in entry.out)

    def publish(self, item: Item, src: Fingerprint, outputs: Sequence[Output]) -> list[Row]:
        """Move the temporary files into place; a file in the way fails its row alone."""
        mine = self._mine(item.key)
        rows, out, again = [], [], False
        for output in outputs:
            row = {**item.row, **output.row}
            error = output.error
            if error is None and output.temp:
                try:
                    out.append(self._place(output.temp, row["path"], mine))
                except ItemError as refused:
                    os.unlink(output.temp)
                    error = refused
            if error is not None:
                again = again or error.again
                rows.append(failed(row, error))
            else:
                rows.append(good(row, output))
        if self._owned is not None:
            self._owned.update((path, (size, time)) for path, size, time in out)
        made = {path for path, _, _ in out}
        for path, status in mine.items():
            if path not in made:
                self._delete(path, status)
        self.journal.done(item.key, Record(src, out, rows, again))
        return rows

    def fail(self, item: Item, src: Fingerprint | None, error: ItemError) -> list[Row]:
        """Remember a failed item; what was made from its earlier source is deleted.

        A failure of the circumstances leaves it, still known as this item's.
        """
        mine = self._mine(item.key)
        out = [(path, *status) for path, status in mine.items()] if error.again else []
        if not error.again:
            for path, status in mine.items():
                self._delete(path, status)
        rows = [failed(item.row, error)]
        self.journal.done(item.key, Record(src, out, rows, error.again))
        return rows

    def _mine(self, key: str) -> dict[str, tuple[int, int]]:
        """The files that the journal lists for this item."""
        if key not in self.journal:
            return {}
        return {path: (size, time) for path, size, time in self.journal.entry(key).out}

    def _place(
        self, temp: str, path: str, mine: dict[str, tuple[int, int]]
    ) -> tuple[str, int, int]:
        """Move a temporary file into place; its path, size and time."""
        target = os.path.join(self.out, path)
        if len(os.fsencode(os.path.basename(target))) > _LONGEST_NAME:
            raise ItemError(
                "name-too-long",
                f"the name would have more than {_LONGEST_NAME} bytes",
                "shorten the source's name",
            )
        folder = os.path.dirname(target)
        if folder not in self._folders:
            os.makedirs(folder, exist_ok=True)
            self._folders.add(folder)
        there = _status(target)
        if there not in (None, mine.get(path)) and there != self.journal.replaced(path):
            if self._is_others(path, there):
                raise ItemError(
                    "coincides",
                    f"{path} was made from another source or noise",
                    "give another OUT, or rename one of the two",
                    again=True,
                )
            if not os.path.isfile(target) or not filecmp.cmp(temp, target, shallow=False):
                raise ItemError(
                    "exists",
                    f"{path} is there and not of this run's making",
                    "move it away, or give another OUT",
                    again=True,
                )
            os.unlink(temp)
            return path, *there
        size_time = _status(temp)
        assert size_time is not None
        os.replace(temp, target)
        return path, *size_time

    def _is_others(self, path: str, status: tuple[int, int]) -> bool:
        """Whether the journal lists this file for another item.

        Asked only when a file is in the way, so the answers are gathered then.
        """
        if self._owned is None:
            self._owned = {(p, (s, t)) for e in self.journal.entries() for p, s, t in e.out}
        return (path, status) in self._owned

    def _delete(self, path: str, status: tuple[int, int]) -> None:
        """Delete a file of ours unless somebody changed it."""
        if _status(self.out / path) == status:
            os.unlink(self.out / path)
            self.deleted += 1

    async def finish(self, complete: bool) -> None:
        """Write the table whole; with ``replace``, delete what a complete run did not make."""
        if self.replace and complete:
            made = {path for entry in self.journal.entries() for path, _, _ in entry.out}
            for path, status in self.journal.superseded.items():
                if path not in made:
                    self._delete(path, status)
        if self.shard:
            return
        columns = self.journal.columns
        temp = self.out / STATE / "tmp" / TABLE
        await write_csv(self.out / TABLE, temp, columns, self._table(columns))

    def _table(self, columns: Sequence[str]) -> Iterator[list[Any]]:
        for entry in self.journal.entries():
            for row in entry.rows:
                yield [row.get(name) for name in columns]


def _link(source: Path, target: Path) -> None:
    """Put a file at another place too, whole or not at all, with its time; no copy if possible."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as temp:
        try:
            os.link(source, temp)
        except OSError:  # another disk, or one without links
            shutil.copy2(source, temp)


def _status(path: str | Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_size, status.st_mtime_ns
