"""The sink for files: a tree of outputs and one table of them, ``OUT/tracks.csv``."""

from __future__ import annotations

import contextlib
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
from mgrkit.batch.sinks.mirror import Mirror, fetch_journals, state_of
from mgrkit.errors import ItemError, RunError, UsageError
from mgrkit.files.objects import RefusedError
from mgrkit.files.places import Status, place_of, status_of
from mgrkit.files.remote import RemotePath, placed
from mgrkit.files.replacing import replacing
from mgrkit.files.shards import Shard, Worker, writer_of

TABLE = "tracks.csv"
STATE = ".mgrkit"
_LONGEST_NAME = 255


class FolderSink(Sink):
    """Files under ``out``, published one by one, and their table.

    Parameters
    ----------
    out : the folder; made when missing. Of one in a store the state lies in a folder of this
        machine, and `Mirror` keeps its journals in the store, too.
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
        self.out = out = placed(out)
        self.place = place_of(out)
        self.mirror: Mirror | None = None
        writer = writer_of(worker or shard)
        state = out / STATE
        if isinstance(out, RemotePath):
            url, state = str(state), state_of(str(out))
            self.mirror = Mirror(url, state, writer)
        super().__init__(state, state / "journal" / f"{writer}.jsonl", settings, replace, worker)
        self._owned: set[tuple[str, Status]] | None = None

    def at_worker(self) -> Callable[..., Sink]:
        """See ``Sink.at_worker``."""
        if self.mirror:
            hint = "give a folder as OUT that all workers see"
            raise UsageError(f"workers of a cluster do not write to {self.out}", hint)
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
                there, its = status_of(target), status_of(source)
                if its is None or its[0] != size or there == its:
                    continue
                if there and not filecmp.cmp(source, target, shallow=False):
                    hint = f"remove the wrong one; {self.out} and {other} are not of one run"
                    raise UsageError(f"{target} is not the same file as {source}", hint)
                _link(source, target)

    def restored(self, entry: Record) -> Record | None:
        """An entry with the times that its files have by now; None if one is gone or of other size.

        What copies a folder often gives new times to all. Another ETag is another content.
        """
        if self.mirror:
            return None
        there = [(path, size, self.place.status(path)) for path, size, _ in entry.out]
        if not all(status and status[0] == size for _, size, status in there):
            return None
        out = [(path, *status) for path, _, status in there if status]
        return replace(entry, out=out)

    def check(self) -> None:
        """See ``Sink.check``: a table that no journal stands behind is somebody else's."""
        super().check()
        if self.place.status(TABLE) and not self._has_journals():
            raise RunError(
                f"{self.out / TABLE} was not made by mgrkit", "move it away, or give another OUT"
            )

    def _has_journals(self) -> bool:
        return self.mirror.exists() if self.mirror else self.journals(self.out).is_dir()

    def look(self, folder: Path) -> None:
        """See ``Sink.look``; of a store its journals are read, whatever is here."""
        with self._reaching():
            if self.mirror and self.journal.path:
                here = folder / "journal"
                here.mkdir(parents=True)
                fetch_journals(str(self.journals(self.out)), here)
                self.journal.path = here / self.journal.path.name
            super().look(folder)

    def open(self, columns: Sequence[str]) -> None:
        """See ``Sink.open``; of a store the writer's place is claimed first."""
        with self._reaching():
            if self.mirror:
                self.mirror.begin()
            super().open(columns)

    @contextlib.contextmanager
    def _reaching(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise RunError(
                f"cannot write to {error.filename}: {error.strerror}", self.journal.hint
            ) from None

    def stands(self, entry: Record) -> bool:
        """Whether every file has the size and time that the journal gives."""
        return all(self.place.listed(path) == (size, time) for path, size, time in entry.out)

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
        self._done(item.key, Record(src, out, rows, again))
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
        self._done(item.key, Record(src, out, rows, error.again))
        return rows

    def _done(self, key: str, entry: Record) -> None:
        self.journal.done(key, entry)
        if self.mirror:
            try:
                self.mirror.push(due=True)
            except RefusedError:
                raise
            except OSError:  # the next time, or at the end
                return

    def _mine(self, key: str) -> dict[str, Status]:
        """The files that the journal lists for this item."""
        if key not in self.journal:
            return {}
        return {path: (size, time) for path, size, time in self.journal.entry(key).out}

    def _place(self, temp: str, path: str, mine: dict[str, Status]) -> tuple[str, int, int | str]:
        """Move a temporary file into place; its path, size and time, or ETag."""
        if len(os.fsencode(os.path.basename(path))) > _LONGEST_NAME:
            raise ItemError(
                "name-too-long",
                f"the name would have more than {_LONGEST_NAME} bytes",
                "shorten the source's name",
            )
        over = mine.get(path)
        while True:
            try:
                return path, *self.place.put(temp, path, over)
            except FileExistsError:
                there = self.place.status(path)
            if there in (None, over) or there != self.journal.replaced(path):
                break
            over = there
        if there is not None and self._is_others(path, there):
            raise ItemError(
                "coincides",
                f"{path} was made from another source or noise",
                "give another OUT, or rename one of the two",
                again=True,
            )
        if there is None or not self.place.holds(path, temp):
            raise ItemError(
                "exists",
                f"{path} is there and not of this run's making",
                "move it away, or give another OUT",
                again=True,
            )
        os.unlink(temp)
        return path, *there

    def _is_others(self, path: str, status: Status) -> bool:
        """Whether the journal lists this file for another item.

        Asked only when a file is in the way, so the answers are gathered then.
        """
        if self._owned is None:
            self._owned = {(p, (s, t)) for e in self.journal.entries() for p, s, t in e.out}
        return (path, status) in self._owned

    def _delete(self, path: str, status: Status) -> None:
        """Delete a file of ours unless somebody changed it."""
        if self.place.status(path) == status:
            self.place.delete(path)
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
        if self.mirror:  # a table that no journal stands behind is somebody else's
            self.mirror.push()
        columns = self.journal.columns
        temp, table = self.temporary / "table", self.temporary / TABLE
        await write_csv(table, temp, columns, self._table(columns))
        self.place.replace(os.fspath(table), TABLE)

    def end(self, code: int) -> None:
        """See ``Sink.end``; the journal goes to the store, too."""
        self.journal.end(code)
        if self.mirror:
            # Of a run that is cut short the journal here is enough: it must end, line or not.
            with contextlib.suppress(OSError) if code > 2 else contextlib.nullcontext():
                self.mirror.push()
        self.close()

    def close(self) -> None:
        """See ``Sink.close``."""
        super().close()
        if self.mirror:
            self.mirror.close()

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
