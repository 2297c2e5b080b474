"""Items on this machine: each one's read, compute and write are one call on a thread."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator, Sequence

from mgrkit.batch.executors import pool
from mgrkit.batch.executors.attempt import Made, Settle, attempt
from mgrkit.batch.executors.isolated import Isolated
from mgrkit.batch.executors.memory import keep_pages
from mgrkit.batch.executors.threads import Call, Threads
from mgrkit.batch.model import Item, Job, Output, Work
from mgrkit.batch.options import Options
from mgrkit.batch.sinks.base import Sink


class Local:
    """Threads, and processes beside them for what must not run in this one."""

    def __init__(self, job: Job, sink: Sink, options: Options) -> None:
        keep_pages()
        self.job, self.sink, self.options = job, sink, options
        self.serial = itertools.count()
        self.threads = Threads(options.threads)
        self.local = threading.local()
        self.children: list[Isolated] = []
        # After an unclean end nothing is trusted to run in this process: one restart is enough.
        self.isolate = options.processes or bool(sink.journal.suspects)
        self.stopping = False

    async def each(self, items: AsyncIterator[Item], settle: Settle) -> None:
        """Run every item; those that have not begun when it is to stop are left as they are."""

        async def handle(item: Item) -> None:
            prefix = self.sink.prefix(next(self.serial))
            if self.stopping:
                return
            try:
                made, raised = await self.threads.submit(
                    item.source or item.key,
                    lambda call: self._attempt(call, item, prefix),
                    self.options.limit,
                )
            except asyncio.CancelledError:  # by `stop`
                return
            if raised is not None:
                self.sink.discard(prefix)
            settle(item, made if raised is None else raised)

        await pool.each(items, handle, self.options.workers)

    def _attempt(self, call: Call, item: Item, prefix: str) -> Made:
        """On a thread: note that it begins, and run the job."""

        def job() -> Sequence[Output]:
            if self.isolate:
                return self._isolated(call, item, prefix)
            self.sink.journal.began(item.key)

            def allow(seconds: float) -> None:
                call.limit = self.options.extended(seconds)

            return self.job(item, Work(prefix, allow))

        return attempt(item, job)

    def _isolated(self, call: Call, item: Item, prefix: str) -> Sequence[Output]:
        call.limit = float("inf")
        child: Isolated | None = getattr(self.local, "child", None)
        if child is None:
            child = self.local.child = Isolated(self.job, self.options.preload)
            self.children.append(child)
        fixed = self.options.timeout is not None
        return child(item, prefix, self.options.limit, fixed)

    @property
    def names(self) -> list[str]:
        """Of the sources in work."""
        return self.threads.names

    @property
    def running(self) -> int:
        """How many items are in work."""
        return len(self.threads.running)

    def tick(self) -> None:
        """To be called many times a second."""
        self.threads.tick()

    def stop(self) -> None:
        """Begin nothing any more."""
        self.stopping = True
        self.threads.cancel_queued()

    def end(self) -> None:
        """Let go of threads, and end processes."""
        self.threads.close()
        for child in self.children:
            child.close()
