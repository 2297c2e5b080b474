"""What a run would do, and how long it may take, found without doing it."""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from pathlib import Path

from mgrkit.batch.model import Fingerprint, Item, Output, Row, Summary
from mgrkit.batch.report import Report
from mgrkit.batch.sinks.base import Sink, failed, good, missing
from mgrkit.errors import ItemError

SECONDS = 3.0
"""How long items are tried."""
_SAMPLE = 64


async def survey(
    items: Iterable[Item],
    sink: Sink,
    report: Report,
    tried: Callable[[Iterable[Item], Sink], Awaitable[Summary]],
) -> Summary:
    """The summary of a run that makes nothing: what is to do, done, or cannot be done.

    A random sample of what is to do is tried for three seconds and thrown away; the rest is
    taken to go on at that pace, by the bytes of its sources.

    Parameters
    ----------
    items, sink : of the run; the sink is only read.
    report : called with what cannot be done.
    tried : runs items into another sink.

    Raises
    ------
    RunError : the run could not start.
    UsageError : OUT holds results of other settings.
    """
    with tempfile.TemporaryDirectory(prefix="mgrkit-") as folder:
        try:
            sink.look(Path(folder, "state"))
            summary, sample, weight = _surveyed(items, sink, report)
            if sample:
                trial = _Thrown(Path(folder, "trial"))
                # The first also loads what all need.
                began = time.monotonic()
                summary.stopped_by = (await tried(sample[:1], trial)).stopped_by
                first = time.monotonic() - began
                rest = weight - trial.weight
                trial.weight = 0
                began = time.monotonic()
                if not summary.stopped_by:
                    some = _until(began + SECONDS, sample[1:])
                    summary.stopped_by = (await tried(some, trial)).stopped_by
                pace = (time.monotonic() - began) / max(1, trial.weight)
                summary.expected = first + rest * pace
        finally:
            sink.close()
    return summary


def _surveyed(items: Iterable[Item], sink: Sink, report: Report) -> tuple[Summary, list[Item], int]:
    """What there is, a sample of what is to do, and the weight of all that is to do."""
    summary, sample, weight = Summary(to_do=0), list[Item](), 0
    chance = random.Random(0)  # noqa: S311
    source = None
    for item in items:
        summary.files += item.source != source
        source = item.source
        src = item.fingerprint()
        error = item.error or (missing() if src is None else None)
        rows = [failed(item.row, error)] if error else sink.kept(item)
        if rows is None:
            assert summary.to_do is not None
            summary.to_do += 1
            weight += _weight(src)
            place = chance.randrange(summary.to_do)
            if len(sample) < _SAMPLE:
                sample.insert(place, item)
            elif place < _SAMPLE:
                sample[place] = item
            continue
        bad = [row for row in rows if row["status"] == "failed"]
        summary.count(bad, kept=True)
        summary.kept += len(bad) < len(rows)
        report.finished(rows, kept=not error)
    return summary, sample, weight


def _weight(src: Fingerprint | None) -> int:
    return max(1, src[0]) if src else 1


def _until(end: float, items: Iterable[Item]) -> Iterator[Item]:
    for item in items:
        if time.monotonic() > end:
            return
        yield item


class _Thrown(Sink):
    """Deletes what is made, and adds up the bytes that it was made of."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, None, {}, replace=False)
        self.weight = 0

    def publish(self, item: Item, src: Fingerprint, outputs: Sequence[Output]) -> list[Row]:
        """See ``Sink.publish``."""
        for output in outputs:
            if output.temp:
                os.unlink(output.temp)
        self.weight += _weight(src)
        return [good(item.row, output) for output in outputs]

    def fail(self, item: Item, src: Fingerprint | None, error: ItemError) -> list[Row]:
        """See ``Sink.fail``."""
        self.weight += _weight(src)
        return super().fail(item, src, error)
