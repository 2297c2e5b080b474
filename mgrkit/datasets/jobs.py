"""Jobs over the files of DATA."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from mgrkit.batch import Item, Options, Output, Report, StreamSink, Summary, Work, run, run_now
from mgrkit.errors import Stopped

if TYPE_CHECKING:
    from mgrkit.batch.model import Row


def all_rows(
    items: Iterable[Item],
    job: Callable[[Item, Work], list[Output]],
    count: Callable[[], int],
    options: Options | None,
    report: Report | None,
) -> tuple[list[Row], Summary]:
    """What the job gave of each item, good or failed; Stopped if a person ends it."""
    rows: list[Row] = []
    sink = StreamSink(rows.append, {})
    summary = run_now(run(items, job, sink, ["path"], options, report, count))
    if summary.stopped_by:
        raise Stopped(
            "stopped while preparing DATA; the same command goes on from there",
            code=summary.exit_code,
        )
    return rows, summary
