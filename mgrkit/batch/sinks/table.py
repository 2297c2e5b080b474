"""The sink for numbers: arrays spooled per item, merged sorted into one table."""

from __future__ import annotations

import errno
import filecmp
import io
import os
import shutil
from array import array
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from mgrkit.batch.journal import Journal
from mgrkit.batch.journalfiles import Record
from mgrkit.batch.model import Fingerprint, Item, Output, Row
from mgrkit.batch.sinks.base import Sink, failed, good
from mgrkit.batch.sinks.csv_parquet import write_csv, write_parquet
from mgrkit.batch.sinks.folder import STATE
from mgrkit.errors import RunError, UsageError
from mgrkit.files.replacing import replacing
from mgrkit.files.shards import WHOLE, Shard, Worker, writer_of

_SPOOL = "spool"
_OPEN = 64
"""Spools of other writers that are kept open."""


class TableSink(Sink):
    """One table ``out``: each output is a row, its float64 ``values`` are further columns.

    The values wait in ``.mgrkit/<name>/<writer>.spool`` beside the table; the journal's line,
    written after them, says where they lie, so a torn spool is never read. The table itself is
    written at the end, sorted by item.

    Parameters
    ----------
    out : the table's path; Parquet where its suffix is ``.parquet``, otherwise CSV.
    names : the names of the values' columns.
    shard : the share of the items that come; then no table is written: what comes after all
        shards does that.
    """

    def __init__(
        self,
        out: Path,
        names: Sequence[str],
        settings: dict[str, Any],
        replace: bool = False,
        shard: Shard | None = None,
        worker: Worker | None = None,
    ) -> None:
        self._writer = writer_of(worker or shard)
        journals = self.journals(out)
        journal = journals / f"{self._writer}.jsonl"
        super().__init__(journals.parent, journal, settings, replace, worker)
        self.out = out
        self.names = list(names)
        self._spool: io.FileIO | None = None
        self._read: dict[str, io.FileIO] = {}

    def at_worker(self) -> Callable[..., Sink]:
        """See ``Sink.at_worker``."""
        return partial(TableSink, self.out.absolute(), self.names, self.settings, self.replace)

    @staticmethod
    def journals(out: Path) -> Path:
        """The folder of the journals of a table."""
        return out.parent / STATE / out.name / "journal"

    def bring(self, found: Journal, other: Path) -> None:
        """Copy the numbers that another table's journal speaks of.

        Raises
        ------
        UsageError : others of the same writer are here.
        """
        del found
        assert self.state is not None
        for source in self.journals(other).parent.glob("*.spool"):
            target = self.state / source.name
            if not target.exists():
                with replacing(target) as temp:
                    shutil.copyfile(source, temp)
            elif not filecmp.cmp(source, target, shallow=False):
                both = f"{self.out} and {other} were both made by {_said(source.stem)}"
                raise UsageError(both, "give each shard a table of its own, or all of them one")

    def check(self) -> None:
        """See ``Sink.check``: a table that no journal stands behind is somebody else's."""
        super().check()
        assert self.state is not None
        if self.out.exists() and not (self.state / "journal").is_dir():
            raise RunError(
                f"{self.out} was not made by mgrkit", "move it away, or give another OUT"
            )

    def open(self, columns: Sequence[str]) -> None:
        """See ``Sink.open``; the spool is opened too."""
        super().open(columns)
        self._open_spool()

    def enter(self) -> None:
        """See ``Sink.enter``; the spool is opened too."""
        super().enter()
        self._open_spool()

    def _open_spool(self) -> None:
        assert self.state is not None
        self._spool = io.FileIO(self.state / f"{self._writer}.spool", "a+")

    def publish(self, item: Item, src: Fingerprint, outputs: Sequence[Output]) -> list[Row]:
        """Append the values to the spool and remember where they lie."""
        assert self._spool is not None
        rows = []
        for output in outputs:
            row = {**item.row, **output.row}
            if output.error:
                rows.append(failed(row, output.error))
                continue
            place = self._spool.seek(0, 2)
            data = memoryview(output.values).cast("B")
            if self._spool.write(data) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            rows.append({**good(row, output), _SPOOL: [self._writer, place]})
        self.journal.done(item.key, Record(src, [], rows))
        return rows

    async def finish(self, complete: bool) -> None:
        """Merge the spooled values into the table."""
        del complete
        if self.shard:
            return
        assert self.state is not None
        temp = self.state / "tmp" / self.out.name
        columns = self.journal.columns
        header, rows = [*columns, *self.names], self._rows(columns)
        if self.out.suffix.lower() == ".parquet":
            write_parquet(self.out, temp, header, rows)
        else:
            await write_csv(self.out, temp, header, rows)

    def rows(self) -> Iterator[Row]:
        """The rows of the table, sorted by item."""
        for entry in self.journal.entries():
            yield from entry.rows

    def _rows(self, columns: Sequence[str]) -> Iterator[list[Any]]:
        for row in self.rows():
            yield [row.get(name) for name in columns] + self._values(row)

    def _values(self, row: Row) -> list[float | None]:
        if _SPOOL not in row:
            return [None] * len(self.names)
        place = row[_SPOOL]  # a number alone: as it was before there were shards
        writer, place = place if isinstance(place, list) else (WHOLE, place)
        assert self.state is not None
        if writer not in self._read:
            if len(self._read) >= _OPEN:
                self._read.popitem()[1].close()
            self._read[writer] = io.FileIO(self.state / f"{writer}.spool")
        spool = self._read[writer]
        spool.seek(place)
        values = array("d")
        values.frombytes(spool.read(8 * len(self.names)))
        return list(values)

    def close(self) -> None:
        """See ``Sink.close``."""
        for spool in filter(None, [self._spool, *self._read.values()]):
            spool.close()
        super().close()


def _said(writer: str) -> str:
    shard = Shard.of_writer(writer)
    return f"shard {shard}" if shard else "a run without --shard"
