"""Hands items to the workers of a cluster, in chunks, and takes what became of them.

A chunk is pinned to its worker, so that Dask never runs it a second time behind our back. What
a worker had finished when it was lost stands in its journal; what it had begun is run again in a
process of its own, for it may have been the reason; the rest goes on as if nothing had been.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from mgrkit.batch.executors.attempt import Settle
from mgrkit.batch.executors.dask import worker
from mgrkit.batch.executors.dask.assignment import Answer, Assignment, Chunk, versions
from mgrkit.batch.executors.dask.readback import journals, let_go, read_back
from mgrkit.batch.model import Item, Job
from mgrkit.batch.options import Options
from mgrkit.batch.report import Report
from mgrkit.batch.sinks.base import Sink
from mgrkit.compute.cluster import LONGEST_WAIT, Cluster
from mgrkit.errors import ItemError, RunError
from mgrkit.files.shards import Worker

CHUNK_SECONDS = 0.25
"""Of work that travels together."""
_MOST_ITEMS = 500
_BEHIND = 2
"""Chunks that wait at a worker beside those that its threads have in work."""
_DEATHS = 9
"""So often a worker may end with an item in work: whoever kills workers at random, as a batch
system does, must not make an item look guilty. One that ends its process is told from that at
once, for it runs in a process beside the worker's by then."""
_GRACE = 2.0
"""Seconds for another worker to come when the first cannot do it."""
_LISTED = 5.0
"""Seconds after which the workers are listed again."""


@dataclass(eq=False)
class _Hand:
    """A worker that does its part."""

    address: str
    number: int
    threads: int
    lost: asyncio.Future[None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def lose(self) -> None:
        if not self.lost.done():
            self.lost.set_result(None)


class Dask:
    """Where items are worked on: the workers of a cluster, which may come and go.

    Parameters
    ----------
    ready : called at each worker; raises MgrkitError where the job cannot work.
    """

    names: list[str]

    def __init__(
        self,
        cluster: Cluster,
        job: Job,
        sink: Sink,
        options: Options,
        report: Report,
        ready: Callable[[], None] | None,
    ) -> None:
        self.cluster, self.job, self.sink, self.options = cluster, job, sink, options
        self.report, self.ready = report, ready
        self.names = []
        self.call = secrets.token_hex(4)
        self._client: Any = None
        self._hands: dict[str, _Hand] = {}
        self._refused: dict[str, str] = {}
        self._numbers, self._tasks = itertools.count(1), itertools.count(1)
        self._again: deque[Chunk] = deque()
        self._deaths: Counter[str] = Counter()
        self._pace: float | None = None
        self._in_flight = 0
        self._exhausted = False
        self._stopping = False
        self._drawing = asyncio.Lock()
        self._changed = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None

    async def each(self, items: AsyncIterator[Item], settle: Settle) -> None:
        """Hand the outcome of every item to ``settle``.

        Raises
        ------
        RunError : there is no cluster, no worker can do it, or it was lost.
        """
        self._items, self._settle = items, settle
        first = await anext(items, None)
        if first is None:
            return
        chunk = self._chunk([first])
        self._sample = chunk.items[0]
        self._again.append(chunk)
        if self.sink.at_worker():
            (self.sink.temporary / self.call).mkdir()
        try:
            async with self.cluster.connected() as self._client:
                await self._go()
        except OSError as error:  # of Dask's connections; what writing files raises ends elsewhere
            raise self._lost() from error
        finally:
            await let_go(journals(self.sink, self.call))
            self.sink.gather(self.call)

    async def _go(self) -> None:
        self._client.subscribe_topic("all", self._hear)
        await self._list()
        try:
            await self._watch()
            await self._ask(worker.dismiss)
        finally:
            if self._client.status == "running":  # or the scheduler complains of who has gone
                self._client.unsubscribe_topic("all")
            for task in self._running:
                task.cancel()

    async def _watch(self) -> None:
        """Until all is done; raises what ends the run before that."""
        seen = listed = time.monotonic()
        told = False
        while not self._done():
            if time.monotonic() - listed > _LISTED:
                await self._list()
                listed = time.monotonic()
            if self._failure:
                raise self._failure
            if self._client.status != "running":
                raise self._lost()
            if self._hands:
                seen = time.monotonic()
            elif self._refused and time.monotonic() - seen > _GRACE:
                name, reason = next(iter(self._refused.items()))
                raise RunError(f"no worker at {self.cluster} can do this; {name}: {reason}")
            elif not told and time.monotonic() - seen > _GRACE:
                told = True
                self.report.note(f"waiting for workers at {self.cluster}")
            elif time.monotonic() - seen > LONGEST_WAIT:
                raise RunError(
                    f"there is no worker at {self.cluster}", "start some: dask worker ADDRESS"
                )
            await self._change()

    def _lost(self) -> RunError:
        return RunError(
            f"the scheduler at {self.cluster} is lost",
            "the same command goes on from here, with --cluster or without",
        )

    def _done(self) -> bool:
        idle = not self._in_flight
        return idle and (self._stopping or (self._exhausted and not self._again))

    # Workers come and go.

    async def _list(self) -> None:
        """Who is there: what came or went while nobody heard it is known now, too."""
        known = set(self._hands)
        there = (await self._client.scheduler.identity(n_workers=-1))["workers"]
        for address, about in there.items():
            self._meet(address, about["nthreads"])
        for address in known - there.keys():
            self._leave(address)

    async def _hear(self, event: tuple[float, dict[str, Any]]) -> None:
        """Of the scheduler: a worker has come, or gone."""
        match event[1]:
            case {"action": "add-worker", "worker": str(address)}:
                threads = await self._client.nthreads([address])
                if address in threads:
                    self._meet(address, threads[address])
            case {"action": "remove-worker", "worker": str(address)}:
                self._leave(address)

    def _leave(self, address: str) -> None:
        self._refused.pop(address, None)
        if hand := self._hands.pop(address, None):
            hand.lose()
            self.report.note(f"worker {address} has gone; what it had in work is done elsewhere")
        self._signal()

    def _meet(self, address: str, threads: int) -> None:
        if address not in self._hands and address not in self._refused:
            hand = self._hands[address] = _Hand(address, next(self._numbers), threads)
            self._start(self._enlist(hand))

    def _start(self, going: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(going)
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and task.exception():
            self._failure = self._failure or task.exception()
        self._signal()

    async def _enlist(self, hand: _Hand) -> None:
        """Ask a worker whether it can do its part; if so, it gets chunks."""
        item = self._sample
        assignment = Assignment(
            Worker(self.call, hand.number), self.job, self.options, self.sink.at_worker(),
            versions(), (item, item.fingerprint()), self.ready,
        )  # fmt: skip
        try:
            reason = await self._run(hand, worker.assign, assignment)
        except Exception as error:  # it has no mgrkit, or one without this function
            first = str(error).partition("\n")[0]
            reason = f"{first} (scheduler and workers need the mgrkit that is here)"
        if reason is None:
            return  # lost meanwhile
        if reason:
            self._hands.pop(hand.address, None)
            self._refused[hand.address] = reason
            self.report.note(f"worker {hand.address} is left out: {reason}")
            return
        for _ in range(hand.threads + _BEHIND):
            self._start(self._feed(hand))

    async def _run(self, hand: _Hand, function: Callable[..., Any], *args: Any) -> Any:
        """What a function gives at a worker, on one of its threads; None if it is lost."""
        future = self._client.submit(
            function, *args, key=f"mgrkit-{self.call}-{next(self._tasks)}", pure=False,
            workers=[hand.address], allow_other_workers=False,
        )  # fmt: skip
        result = asyncio.ensure_future(future.result())
        try:
            await asyncio.wait({result, hand.lost}, return_when=asyncio.FIRST_COMPLETED)
            if result.done():
                return result.result()
            return None
        finally:
            result.cancel()
            future.release()

    async def _ask(self, function: Callable[[str], None]) -> None:
        """Call a function of every worker at once, beside what its threads do."""
        if self._hands and self._client.status == "running":
            await self._client.run(
                function, self.call, workers=list(self._hands), on_error="ignore"
            )

    # Chunks go out and come back.

    async def _feed(self, hand: _Hand) -> None:
        while not hand.lost.done() and (chunk := await self._next()):
            self._in_flight += 1
            try:
                answer = await self._answer(hand, chunk)
                if answer is None:
                    await self._recover(hand, chunk)
                else:
                    self._take(chunk, answer)
            finally:
                self._in_flight -= 1
                self._signal()

    async def _answer(self, hand: _Hand, chunk: Chunk) -> Answer | None:
        """What became of a chunk; None if its worker has no more to say."""
        try:
            answer: Answer | None = await self._run(hand, worker.work, self.call, chunk)
        except LookupError:  # another process by the same address
            hand.lose()
            return None
        except Exception as error:
            if self._client.status == "running" and not isinstance(error, OSError):
                raise
            self._failure = self._failure or self._lost()
            return None
        return answer

    def _take(self, chunk: Chunk, answer: Answer) -> None:
        for item, outcome in zip(chunk.items, answer.outcomes, strict=False):
            self._settle(item, outcome)
        self.sink.deleted += answer.deleted
        if answer.outcomes and not chunk.alone:
            pace = answer.seconds / len(answer.outcomes)
            self._pace = pace if self._pace is None else (self._pace + pace) / 2

    async def _recover(self, hand: _Hand, chunk: Chunk) -> None:
        """Of a chunk whose worker is lost: what is done, what is to be done again, and how."""
        if self._failure:
            return
        done, begun = await read_back(self.sink, Worker(self.call, hand.number))
        rest = []
        for item in chunk.items:
            if item.key in done:
                self._settle(item, done[item.key].rows)
            elif begun is None or item.key in begun:
                self._blame(item)
            else:
                rest.append(item)
        if rest:
            self._again.append(self._chunk(rest, chunk.alone))

    def _blame(self, item: Item) -> None:
        """A worker has ended with this item in work, or perhaps in work."""
        self._deaths[item.key] += 1
        if self._deaths[item.key] <= _DEATHS:
            self._again.append(self._chunk([item], alone=True))
        else:
            what = f"{_DEATHS + 1} workers ended while they read it"
            self._settle(item, ItemError("crashed", what, again=True))

    async def _next(self) -> Chunk | None:
        """What to do next; None if that is nothing any more."""
        while not (self._stopping or self._failure):
            if self._again:
                return self._again.popleft()
            if not self._exhausted and (chunk := await self._draw()):
                return chunk
            if not self._in_flight:
                return None
            await self._change()  # what is in flight may come back
        return None

    async def _draw(self) -> Chunk | None:
        items: list[Item] = []
        async with self._drawing:
            size = int(CHUNK_SECONDS / self._pace) if self._pace else 1
            while not self._exhausted and len(items) < min(max(1, size), _MOST_ITEMS):
                item = await anext(self._items, None)
                if item is None:
                    self._exhausted = True
                else:
                    items.append(item)
        return self._chunk(items) if items else None

    def _chunk(self, items: list[Item], alone: bool = False) -> Chunk:
        items = [item.absolute() for item in items]
        journal = self.sink.journal
        known = {item.key: journal.entry(item.key) for item in items if item.key in journal}
        return Chunk(items, known, alone)

    def _signal(self) -> None:
        """Wake up all that wait for `_change`."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _change(self) -> None:
        changed = self._changed
        try:
            await asyncio.wait_for(changed.wait(), 1.0)
        except TimeoutError:
            return

    # What the engine asks for.

    @property
    def running(self) -> int:
        """How many chunks are in work."""
        return min(self._in_flight, sum(hand.threads for hand in self._hands.values()))

    def tick(self) -> None:
        """Nothing is done by the clock here."""

    def stop(self) -> None:
        """Begin nothing any more; what waits at workers comes back as it is."""
        self._stopping = True
        self._signal()
        if self._client is not None:
            self._start(self._ask(worker.stop))

    def end(self) -> None:
        """Nothing is left to let go of here."""
