"""The engine: draws items, runs the job, hands results to the sink, and stops in order."""

from __future__ import annotations

import asyncio
import concurrent.futures
import errno
import itertools
import os
import shutil
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from mgrkit.batch.executors import pool
from mgrkit.batch.executors.isolated import Isolated
from mgrkit.batch.executors.memory import keep_pages
from mgrkit.batch.executors.threads import Call, Threads
from mgrkit.batch.model import Fingerprint, Item, Job, Output, Row, Summary, Work
from mgrkit.batch.report import Report
from mgrkit.batch.sinks.base import Sink, missing
from mgrkit.batch.survey import survey
from mgrkit.errors import ItemError, MgrkitError, RunError

DEFAULT_TIMEOUT = 60.0
Result = TypeVar("Result")
_TICK = 0.05
_BREATH = 200
_FATAL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
_LITTLE_SPACE = 1 << 20


@dataclass(frozen=True, slots=True)
class Options:
    """How a run goes; nothing here changes a byte of its result.

    Parameters
    ----------
    workers : items in flight, at least 1; the number of threads is this or the number of
        cores, whichever is smaller.
    timeout : seconds an item may take; None means 60, extended by jobs through
        ``Work.allow`` to the length of the sound they have heard so far.
    processes : run the job in processes of their own, for libraries that hold the interpreter
        lock or draw from global generators.
    preload : modules that the job imports, to have them ready in such processes.
    dry : make nothing, and say what a run would do; see `mgrkit.batch.survey`.
    """

    workers: int = 4
    timeout: float | None = None
    processes: bool = False
    preload: tuple[str, ...] = ()
    dry: bool = False

    @property
    def threads(self) -> int:
        """Calls that run at the same time."""
        return min(self.workers, os.cpu_count() or 1)


async def run(
    items: Iterable[Item],
    job: Job,
    sink: Sink,
    columns: Sequence[str],
    options: Options | None = None,
    report: Report | None = None,
    count: Callable[[], int] | None = None,
) -> Summary:
    """Put every item through the job and into the sink.

    Parameters
    ----------
    items : drawn lazily, in order; keys are unique.
    job : module-level function of (item, work), so that it can run in a spawned process.
    columns : the columns of the rows.
    report : called with what happens.
    count : the number of items, to show how far the run is; called on a thread of its own.

    Raises
    ------
    RunError : the run could not start or go on; what is finished is journalled.
    UsageError : OUT holds results of other settings.
    """
    options = options or Options()
    if options.dry:
        trying = replace(options, dry=False, workers=options.threads)
        return await survey(
            items, sink, report or Report(), lambda some, to: run(some, job, to, columns, trying)
        )
    try:
        sink.open(columns)
        engine = _Engine(job, sink, options, report or Report())
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


class _Engine:
    def __init__(self, job: Job, sink: Sink, options: Options, report: Report) -> None:
        self.job, self.sink, self.options, self.report = job, sink, options, report
        keep_pages()
        self.summary = Summary()
        self.serial = itertools.count()
        self.fatal: MgrkitError | None = None
        self.threads = Threads(options.threads)
        self.local = threading.local()
        self.children: list[Isolated] = []
        # After an unclean end nothing is trusted to run in this process: one restart is enough.
        self.isolate = self.options.processes or bool(sink.journal.suspects)
        self.limit = options.timeout if options.timeout is not None else DEFAULT_TIMEOUT
        self.background: list[asyncio.Task[None]] = []

    async def run(self, items: Iterable[Item], count: Callable[[], int] | None) -> Summary:
        began = time.monotonic()
        self.report.working = lambda: self.threads.names
        self.report.begun()
        self.background.append(asyncio.create_task(self._watch()))
        if count and self.report.wants_total:
            self.background.append(asyncio.create_task(self._count(count)))
        with self._signals():
            try:
                await pool.each(self._draw(items), self._handle, self.options.workers)
            except MgrkitError as error:
                self.fatal = error
            except OSError as error:
                self.fatal = _no_room(error)
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
            raise _no_room(error) from None
        self.summary.seconds = time.monotonic() - began
        return self.summary

    async def _salvage(self) -> None:
        """After a fatal error: what is finished still gets its table, where there is room."""
        counts = self.summary
        try:
            if counts.made or counts.kept or counts.failed:
                await self.sink.finish(complete=False)
            self.sink.end(RunError.exit_code)
        except OSError:
            self.report.note("the table could not be written; the next run writes it")

    def close(self) -> None:
        self.report.close()
        for task in self.background:
            task.cancel()
        self.threads.close()
        for child in self.children:
            child.close()

    def _stopped(self) -> bool:
        return bool(self.summary.stopped_by or self.fatal)

    async def _draw(self, items: Iterable[Item]) -> AsyncIterator[Item]:
        """The items that need work."""
        for number, item in enumerate(items):
            if self._stopped():
                return
            if number % _BREATH == 0:
                await asyncio.sleep(0)  # many finished items in a row must not deafen the loop
            rows = self.sink.finished(item) if item.error is None else None
            if rows is None:
                yield item
            else:
                self._finished(rows, kept=True)

    async def _handle(self, item: Item) -> None:
        """One item from start to row; never raises."""
        if self._stopped():
            return
        try:
            rows = await self._rows(item)
        except asyncio.CancelledError:
            return
        except OSError as error:
            self._end(_no_room(error))
        except MgrkitError as error:
            self._end(error)
        except Exception as error:  # of the sink: the pool would drop it, and the row with it
            fault = RunError(f"{type(error).__name__}: {error}", "please report it")
            fault.__cause__ = error
            self._end(fault)
        else:
            self._finished(rows, kept=False)

    async def _rows(self, item: Item) -> list[Row]:
        if item.error:
            return self.sink.fail(item, item.fingerprint(), item.error)
        prefix = self.sink.prefix(next(self.serial))
        value, raised = await self.threads.submit(
            item.source or item.key, lambda call: self._attempt(call, item, prefix), self.limit
        )
        if raised is not None:
            self.sink.discard(prefix)
            return self.sink.fail(item, item.fingerprint(), self._explain(raised))
        src, outputs = value
        return self.sink.publish(item, src, outputs)

    def _attempt(self, call: Call, item: Item, prefix: str) -> tuple[Fingerprint, Sequence[Output]]:
        """On a thread: note that it begins, run the job, see that the source stayed the same."""
        src = item.fingerprint()
        if src is None:
            raise missing()
        if self.isolate:
            outputs = self._isolated(call, item, prefix)
        else:
            self.sink.journal.began(item.key)
            outputs = self.job(item, Work(prefix, self._extender(call)))
        if item.fingerprint() != src:
            raise ItemError(
                "changed", "the file changed while it was read", "run again", again=True
            )
        return src, outputs

    def _isolated(self, call: Call, item: Item, prefix: str) -> Sequence[Output]:
        call.limit = float("inf")
        child: Isolated | None = getattr(self.local, "child", None)
        if child is None:
            child = self.local.child = Isolated(self.job, self.options.preload)
            self.children.append(child)
        return child(item, prefix, self.limit, fixed=self.options.timeout is not None)

    def _extender(self, call: Call) -> Callable[[float], None]:
        def allow(seconds: float) -> None:
            if self.options.timeout is None:
                call.limit = max(DEFAULT_TIMEOUT, seconds)

        return allow

    def _explain(self, raised: BaseException) -> ItemError:
        """An item's error for whatever its job raised; a full disk ends the run."""
        if isinstance(raised, ItemError):
            return raised
        if isinstance(raised, OSError) and raised.errno in _FATAL:
            raise _no_room(raised) from None
        if isinstance(raised, MgrkitError):
            raise raised
        if self._disk_full():
            raise RunError("the disk is full", "make room, then run the same command again")
        if isinstance(raised, MemoryError):
            return ItemError("memory", "not enough memory for it", again=True)
        return ItemError("internal", f"{type(raised).__name__}: {raised}", "please report it")

    def _disk_full(self) -> bool:
        state = self.sink.state
        return state is not None and shutil.disk_usage(state).free < _LITTLE_SPACE

    def _finished(self, rows: Sequence[Row], *, kept: bool) -> None:
        self.summary.count(rows, kept=kept)
        self.report.finished(rows, kept=kept)

    def _end(self, error: MgrkitError) -> None:
        self.fatal = self.fatal or error
        self.threads.cancel_queued()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            self.threads.tick()
            self.report.tick()

    async def _count(self, count: Callable[[], int]) -> None:
        self.report.total(await asyncio.to_thread(count))

    def _signals(self) -> _Signals:
        return _Signals(self._on_signal)

    def _on_signal(self, number: int) -> None:
        if self.summary.stopped_by:
            self._stop_at_once(number)
        self.summary.stopped_by = number
        self.threads.cancel_queued()
        running = len(self.threads.running)
        self.report.note(f"finishing {running}; press again to stop at once")

    def _stop_at_once(self, number: int) -> None:
        self.report.close()
        self.report.note("stopped at once; the same command goes on from here")
        for child in self.children:
            child.close()
        self.sink.end(128 + number)
        os._exit(128 + number)


class _Signals:
    """Routes SIGINT and SIGTERM to a function while a run goes on, where that is possible."""

    def __init__(self, handler: Callable[[int], None]) -> None:
        self.handler = handler
        self.installed: list[int] = []
        self.handled = False

    def __enter__(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                asyncio.get_running_loop().add_signal_handler(number, self._handle, number)
            except NotImplementedError:  # Windows
                return
            self.installed.append(number)

    def _handle(self, number: int) -> None:
        self.handled = True
        self.handler(number)

    def __exit__(self, *exc: Any) -> None:
        if self.handled:
            return  # the loop's end is near: until then a second signal still stops at once
        for number in self.installed:
            asyncio.get_running_loop().remove_signal_handler(number)


def _no_room(error: OSError) -> RunError:
    where = f": {error.filename}" if error.filename else ""
    if error.errno in _FATAL:
        return RunError(
            f"the disk is full or read-only{where}", "make room, then run the same command again"
        )
    return RunError(
        f"cannot write{where}: {error.strerror}", "mend it, then run the same command again"
    )
