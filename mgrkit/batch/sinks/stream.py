"""The sink for rows as they come, for instance to a terminal or a pipe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mgrkit.batch.journalfiles import Record
from mgrkit.batch.model import Fingerprint, Item, Output, Row
from mgrkit.batch.sinks.base import Sink, failed, good
from mgrkit.errors import ItemError


class StreamSink(Sink):
    """Hands each row to ``emit`` as soon as it is there.

    Parameters
    ----------
    emit : receives every row of the run, finished earlier or now.
    resume : a journal file; the same run again emits what stands in it without work. It is
        read and written alone, whatever lies beside it, and refused if it is anything else.
    """

    def __init__(
        self, emit: Callable[[Row], None], settings: dict[str, Any], resume: Path | None = None
    ) -> None:
        super().__init__(None, resume, settings, replace=False)
        self.emit = emit

    def finished(self, item: Item) -> list[Row] | None:
        """See ``Sink.finished``; emits the rows again, so that the stream is complete."""
        rows = super().finished(item)
        for row in rows or ():
            self.emit(row)
        return rows

    def fail(self, item: Item, src: Fingerprint | None, error: ItemError) -> list[Row]:
        """Emit and remember a failed item."""
        rows = super().fail(item, src, error)
        self.emit(rows[0])
        return rows

    def publish(self, item: Item, src: Fingerprint, outputs: Sequence[Output]) -> list[Row]:
        """Emit and remember an item's rows."""
        rows = [
            failed({**item.row, **output.row}, output.error)
            if output.error
            else good({**item.row, **output.row}, output)
            for output in outputs
        ]
        for row in rows:
            self.emit(row)
        self.journal.done(item.key, Record(src, [], rows))
        return rows
