"""The engine: draws items, runs the job, hands results to the sink, and stops in order."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from mgrkit.batch.executors.attempt import Made, Outcome, Settle, explained, no_room
from mgrkit.batch.executors.local import Local
from mgrkit.batch.model import Item, Job, Row, Summary
from mgrkit.batch.options import Options
from mgrkit.batch.report import Report
from mgrkit.batch.signals import Signals
from mgrkit.batch.sinks.base import Sink
from mgrkit.batch.survey import survey
from mgrkit.errors import ItemError, MgrkitError, RunError, UsageError

Result = TypeVar("Result")
_TICK = 0.05
_BREATH = 200


async def run(
    items: Iterable[Item],
    job: Job,
    sink: Sink,
    columns: Sequence[str],
    options: Options | None = None,
    report: Report | None = None,
    count: Callable[[], int] | None = None,
    ready: Callable[[], None] | None = None,
) -> Summary:
    """Put every item through the job and into the sink.

    Parameters
    ----------
    items : drawn lazily, in order; keys are unique.
    job : module-level function of (item, work), so that it can run in a spawned process.
    columns : the columns of the rows.
    report : called with what happens.
    count : the number of items, to show how far the run is; called on a thread of its own.
    ready : raises MgrkitError where the job cannot work; asked of each worker of a cluster.

    Raises
    ------
    RunError : the run could not start or go on; what is finished is journalled.
    UsageError : OUT holds results of other settings; a share of a run on a cluster.
    """
    options, report = options or Options(), report or Report()
    if options.dry:
        trying = replace(options, dry=False, workers=options.threads, cluster=None)
        return await survey(
            items, sink, report, lambda some, to: run(some, job, to, columns, trying)
        )
    if options.cluster and sink.shard:
        raise UsageError("--cluster takes no --shard", "its workers share the files already")
    try:
        sink.open(columns)
        engine = _Engine(_executor(job, sink, options, report, ready), sink, report)
        try:
            return await engine.run(items, count)
        finally:
            engine.close()
    finally:
        sink.close()


def run_now(going: Coroutine[Any, Any, Result]) -> Result:
    """Wait for a run, also where an event loop runs already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(going)
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, going).result()


class Executor(Protocol):
    """Where items are worked on."""

    @property
    def names(self) -> list[str]:
        """Of the sources in work."""

    @property
    def running(self) -> int:
        """How many items are in work."""

    async def each(self, items: AsyncIterator[Item], settle: Settle) -> None:
        """Hand the outcome of every item to ``settle``, in any order."""

    def tick(self) -> None:
        """Some time has passed; called many times a second."""

    def stop(self) -> None:
        """Begin nothing any more; what has begun finishes."""

    def end(self) -> None:
        """Let go of threads and processes, whatever they do."""


def _executor(
    job: Job, sink: Sink, options: Options, report: Report, ready: Callable[[], None] | None
) -> Executor:
    if options.cluster is None:
        return Local(job, sink, options)
    from mgrkit.batch.executors.dask.client import Dask

    return Dask(options.cluster, job, sink, options, report, ready)


class _Engine:
    def __init__(self, executor: Executor, sink: Sink, report: Report) -> None:
        self.executor, self.sink, self.report = executor, sink, report
        self.summary = Summary()
        self.fatal: MgrkitError | None = None
        self.background: list[asyncio.Task[None]] = []

    async def run(self, items: Iterable[Item], count: Callable[[], int] | None) -> Summary:
        began = time.monotonic()
        self.report.working = lambda: self.executor.names
        self.report.begun()
        self.background.append(asyncio.create_task(self._watch()))
        if count and self.report.wants_total:
            self.background.append(asyncio.create_task(self._count(count)))
        with Signals(self._on_signal):
            try:
                await self.executor.each(self._draw(items), self._settle)
            except MgrkitError as error:
                self.fatal = self.fatal or error
            except OSError as error:
                self.fatal = self.fatal or no_room(error)
            return await self._finish(began)

    async def _finish(self, began: float) -> Summary:
        if self.fatal:
            await self._salvage()
            raise self.fatal
        try:
            await self.sink.finish(complete=not self.summary.stopped_by)
            self.summary.deleted = self.sink.deleted
            self.sink.end(self.summary.exit_code)
        except OSError as error:
            raise no_room(error) from None
        self.summary.seconds = time.monotonic() - began
        return self.summary

    async def _salvage(self) -> None:
        """After a fatal error: what is finished still gets its table, where there is room."""
        counts = self.summary
        try:
            if counts.made or counts.kept or counts.failed:
                await self.sink.finish(complete=False)
            elif self.sink.forget():
                return
            self.sink.end(RunError.exit_code)
        except OSError:
            self.report.note("the table could not be written; the next run writes it")

    def close(self) -> None:
        self.report.close()
        for task in self.background:
            task.cancel()
        self.executor.end()

    def _stopped(self) -> bool:
        return bool(self.summary.stopped_by or self.fatal)

    async def _draw(self, items: Iterable[Item]) -> AsyncIterator[Item]:
        """The items that need work."""
        for number, item in enumerate(items):
            if self._stopped():
                return
            if number % _BREATH == 0:
                await asyncio.sleep(0)  # many finished items in a row must not deafen the loop
            if item.error:
                self._settle(item, item.error)
            elif (rows := self.sink.finished(item)) is None:
                yield item
            else:
                self._finished(rows, kept=True)

    def _settle(self, item: Item, outcome: Outcome) -> None:
        """From an item's outcome to its rows; never raises."""
        try:
            rows = self._rows(item, outcome)
        except OSError as error:
            self._end(no_room(error))
        except MgrkitError as error:
            self._end(error)
        except Exception as error:  # of the sink: the pool would drop it, and the row with it
            fault = RunError(f"{type(error).__name__}: {error}", "please report it")
            fault.__cause__ = error
            self._end(fault)
        else:
            self._finished(rows, kept=False)

    def _rows(self, item: Item, outcome: Outcome) -> list[Row]:
        match outcome:
            case Made():
                return self.sink.publish(item, outcome.src, outcome.outputs)
            case list():
                return outcome
        error = explained(outcome, self.sink.state)
        if not isinstance(error, ItemError):
            raise error
        return self.sink.fail(item, item.fingerprint(), error)

    def _finished(self, rows: Sequence[Row], *, kept: bool) -> None:
        self.summary.count(rows, kept=kept)
        self.report.finished(rows, kept=kept)

    def _end(self, error: MgrkitError) -> None:
        self.fatal = self.fatal or error
        self.executor.stop()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            self.executor.tick()
            self.report.tick()

    async def _count(self, count: Callable[[], int]) -> None:
        self.report.total(await asyncio.to_thread(count))

    def _on_signal(self, number: int) -> None:
        if self.summary.stopped_by:
            self._stop_at_once(number)
        self.summary.stopped_by = number
        self.executor.stop()
        self.report.note(f"finishing {self.executor.running}; press again to stop at once")

    def _stop_at_once(self, number: int) -> None:
        self.report.close()
        self.report.note("stopped at once; the same command goes on from here")
        self.executor.end()
        self.sink.end(128 + number)
        os._exit(128 + number)
