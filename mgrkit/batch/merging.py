"""What several processes made of shares of one run, united to one tree or table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mgrkit.batch.journal import Journal, LastCall
from mgrkit.batch.journalfiles import Record, is_written, take_over
from mgrkit.batch.sinks.base import Sink, failed, missing
from mgrkit.batch.sinks.folder import FolderSink
from mgrkit.batch.sinks.table import TableSink
from mgrkit.errors import RunError, UsageError
from mgrkit.files.difference import difference
from mgrkit.files.lock import locked
from mgrkit.files.shards import Shard


@dataclass
class Merged:
    """What was united.

    Parameters
    ----------
    made, failed : rows of the table.
    unfinished : shares that were begun and have not come to their end; None for a run of
        everything.
    absent : shares that nobody has begun.
    lost : files that were made and are not there as they were left, with their shares; rows of
        failures now, which the next run of their share makes again.
    """

    made: int = 0
    failed: int = 0
    unfinished: list[Shard | None] = field(default_factory=list)
    absent: list[Shard] = field(default_factory=list)
    lost: list[tuple[str, Shard | None]] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing."""
        return not (self.unfinished or self.absent or self.lost)

    @property
    def exit_code(self) -> int:
        """1 if something is missing or has failed, as of a run."""
        return 0 if self.is_complete and not self.failed else 1


async def merge(sink: FolderSink | TableSink, others: Sequence[Path]) -> Merged:
    """Unite what other places hold with what is in OUT, and write the one table.

    Parameters
    ----------
    sink : of OUT, with the settings of all.
    others : folders, or tables where OUT is one; they stay as they are.

    Raises
    ------
    UsageError : two places hold different files of one name, or numbers of one writer; shares
        were asked for different things.
    RunError : a share is still at work, or OUT cannot be written.
    """
    assert sink.state is not None
    sink.check()
    try:
        for other in others:
            _add(sink, type(sink).journals(other), other)
        sink.journal.merges = True
        try:
            sink.open([])
            merged = _judged(sink)
            await sink.finish(complete=True)
        finally:
            sink.close()
    except OSError as error:
        raise RunError(f"cannot write to {error.filename}: {error.strerror}") from None
    return merged


def _add(sink: FolderSink | TableSink, journals: Path, other: Path) -> None:
    """Bring what another place holds, then its journals, under OUT."""
    assert sink.journal.path
    own = sink.journal.path
    own.parent.mkdir(parents=True, exist_ok=True)
    files = sorted(journals.glob("*.jsonl"))
    with locked(own.parent / "gate"):
        for file in [*own.parent.glob("*.jsonl"), *files]:
            if is_written(file):
                raise RunError(f"{file} is being written", "wait for that run")
        found = Journal(journals / own.name)
        found.look(sink.settings)
        try:
            sink.bring(found, other)
        finally:
            found.close()
        take_over(own, files)


def _judged(sink: Sink) -> Merged:
    """What there is, and what is not; what has gone becomes a failure that is tried again."""
    merged = Merged()
    count = _fewest_missing(sink.journal, merged)
    gone: list[tuple[str, Record]] = []
    moved: list[tuple[str, Record]] = []
    for key, record in sink.journal.items():
        if not sink.stands(record):
            if found := sink.restored(record):
                moved.append((key, found))
            else:
                gone.append((key, record))
                continue
        made = sum(row["status"] == "ok" for row in record.rows)
        merged.made += made
        merged.failed += len(record.rows) - made
    for key, record in moved:
        sink.journal.done(key, record)
    for key, record in gone:
        rows = [failed(row, missing()) for row in record.rows]
        sink.journal.done(key, Record(record.src, [], rows, again=True))
        merged.failed += len(rows)
        for row in rows:
            source = str(row.get("source", ""))
            shard = Shard.holding(source, count) if count else None
            merged.lost.append((str(row.get("path") or source), shard))
    return merged


def _fewest_missing(journal: Journal, merged: Merged) -> int:
    """Name the shares that are missing; of how many there are, 0 for a run of everything.

    Where several counts were tried, that of which the fewest are missing.
    """
    last = journal.last
    counts = {shard.count for shard in last if shard}
    if None in last and last[None].ended:
        return 0
    if not counts:
        merged.unfinished = [None]
        return 0
    choices = []
    for count in counts:
        shards = [Shard(number, count) for number in range(1, count + 1)]
        left = [shard for shard in shards if shard not in last or not last[shard].ended]
        choices.append((len(left), count, left))
    _, count, left = min(choices)
    _check_asked({shard: call for shard, call in last.items() if shard and shard.count == count})
    merged.unfinished = [shard for shard in left if shard in last]
    merged.absent = [shard for shard in left if shard not in last]
    return count


def _check_asked(calls: Mapping[Shard, LastCall]) -> None:
    """Raise UsageError where shares of one run were asked for different things."""
    first = min(calls)
    for shard, call in sorted(calls.items()):
        if changes := difference(calls[first].asked, call.asked):
            raise UsageError(
                f"shards {first} and {shard} were asked for different things: {changes}",
                f"start {shard} again as {first}, then merge again",
            )
