"""The workers of a cluster that can do a kind of work, each at one job at a time.

A job is given to one process of one worker and to no other: what Dask does again by itself, when
a worker dies, is cancelled, and the job is given once more by us, to another process. A job that
takes two processes with it has failed.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mgrkit.compute.cluster import LONGEST_WAIT, Cluster
from mgrkit.compute.crewhand import GONE, Question, Work, answer, keep, leave, perform, stop
from mgrkit.errors import MgrkitError, RunError

_TICK = 0.1
"""Seconds after which it looks again whether to stop."""
_MOST = 2
"""Processes that a job may take with it."""
_GRACE = 2.0
"""Seconds for another worker to come when the first cannot do it."""
_LISTED = (1.0, 10.0)
"""Seconds until workers are listed again, without any hand and with: one may have come untold."""
_PATIENT = 3
"""Times that a worker is asked which does not answer."""


class DeadlyError(RunError):
    """A job has taken two workers with it."""


Heard = Callable[[Any, int, int, Mapping[str, float]], None]


@dataclass(eq=False)
class _Hand:
    """A process of a worker."""

    address: str
    words: str
    process: str
    lost: bool = False


@dataclass(eq=False)
class _Job:
    """A job, and the workers that died in it."""

    job: Any
    key: str
    dead: list[str] = field(default_factory=list)


@dataclass(eq=False)
class _Given:
    """A job at work."""

    job: _Job
    hand: _Hand
    future: Any


class Crew:
    """See `gathered`."""

    def __init__(
        self,
        client: Any,
        cluster: Cluster,
        question: Question,
        work: Work,
        say: Callable[[str], None],
    ) -> None:
        self._client, self._cluster, self._say = client, cluster, say
        self._question, self._work = question, work
        self._name = f"mgrkit-{secrets.token_hex(8)}"
        self._hands: dict[str, _Hand] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._refused: dict[str, str] = {}
        self._silent: dict[str, int] = {}
        self._given: dict[asyncio.Task[Any], _Given] = {}
        self._heard: Heard | None = None
        self._listing: asyncio.Task[None] | None = None
        self._cancelling: asyncio.Task[None] | None = None
        self._had = False
        self._alone_since = time.monotonic()
        self._wake = asyncio.Event()

    async def work(
        self,
        take: Callable[[], Any],
        ended: Callable[[Any, Any], None],
        *,
        stopped: Callable[[], bool],
        heard: Heard,
        tick: Callable[[], None] = lambda: None,
        waits: Callable[[], bool] = lambda: False,
    ) -> None:
        """Have jobs done until there are none, or until it is to stop and all are back.

        Parameters
        ----------
        take : the next job, to be begun at once; None where there is none.
        ended : told what each job gave, an error that mgrkit raises on purpose included.
        stopped : whether to stop: nothing is begun any more, and what is at work is asked to end.
        heard : told how far a job is.
        tick : called all the time.
        waits : whether there may be a job later, although there is none now and none at work.

        Raises
        ------
        RunError : the scheduler is lost, or there are no workers that can do it.
        Exception : what a job raises that is no error of mgrkit's.
        """
        self._heard = heard
        again: deque[_Job] = deque()
        told = False
        try:
            while True:
                self._check()
                left = False
                if stopped():
                    if not told:
                        told = True
                        await self._ask_to_stop()
                else:
                    left = self._give(again, take)
                if not self._given and (told or not (left or waits())):
                    return
                await self._wait()
                self._settle(again, ended)
                tick()
        finally:
            await self._abandon()

    def _give(self, again: deque[_Job], take: Callable[[], Any]) -> bool:
        """Give jobs to those that are free; whether there are more."""
        busy = {given.hand for given in self._given.values()}
        free = [hand for hand in self._hands.values() if hand not in busy]
        while free or not self._hands:
            if not again:
                job = take()
                if job is None:
                    return False
                again.append(_Job(job, f"{self._name}-{secrets.token_hex(4)}"))
            if not free:
                return True
            self._begin(again.popleft(), free.pop(0))
        return True

    def _begin(self, job: _Job, hand: _Hand) -> None:
        key = f"{job.key}-{len(job.dead)}"
        future = self._client.submit(
            perform, self._name, hand.process, key, job.job, key=key, workers=[hand.address],
            allow_other_workers=False, pure=False, retries=0,
        )  # fmt: skip

        async def result() -> Any:
            return await future

        self._given[asyncio.create_task(result())] = _Given(job, hand, future)

    async def _wait(self) -> None:
        """Until a job ends or something happens to a worker, but not for long."""
        wake = asyncio.create_task(self._wake.wait())
        await asyncio.wait({*self._given, wake}, timeout=_TICK, return_when=asyncio.FIRST_COMPLETED)
        wake.cancel()
        self._wake.clear()

    def _settle(self, again: deque[_Job], ended: Callable[[Any, Any], None]) -> None:
        """Take what jobs gave, and see to those whose workers have died."""
        for task, given in list(self._given.items()):
            if not (task.done() or given.hand.lost):
                continue
            del self._given[task]
            found = self._result(task, given)
            if found is not GONE:
                ended(given.job.job, found)
                continue
            self._check()
            given.job.dead.append(given.hand.words)
            self._say(f"worker {given.hand.words} has died at work")
            if len(given.job.dead) < _MOST:
                again.append(given.job)
            else:
                what = f"the workers {' and '.join(given.job.dead)} died of it"
                hint = "was there memory enough? their logs say more"
                ended(given.job.job, DeadlyError(what, hint))

    def _result(self, task: asyncio.Task[Any], given: _Given) -> Any:
        """What a job gave, or that its worker is gone."""
        from distributed import CancelledError, KilledWorker

        if task.done():
            try:
                found = task.result()
            except (CancelledError, KilledWorker):
                found = GONE
            if not (isinstance(found, str) and found == GONE):
                return found
        task.cancel()
        self._cancelling = asyncio.create_task(self._cancel([given.future]))
        if self._hands.get(given.hand.address) is given.hand:
            del self._hands[given.hand.address]
            self._ask(given.hand.address, given.hand.words)  # another process has its address
        return GONE

    async def _cancel(self, futures: list[Any]) -> None:
        """Tell Dask that nobody waits for these."""
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self._client.cancel(futures), 2)

    async def _ask_to_stop(self) -> None:
        by_hand = {given.hand.address: given.future.key for given in self._given.values()}
        await self._on(list(by_hand), stop, list(by_hand.values()))

    async def _on(self, addresses: list[str], function: Callable[..., Any], *words: Any) -> Any:
        """What a function gives on workers, by address; of those that are gone there is none."""
        if not addresses:
            return {}
        going = self._client.run(function, *words, workers=addresses, on_error="return")
        return await asyncio.wait_for(going, LONGEST_WAIT)

    def _check(self) -> None:
        """See that there is somebody to work.

        Raises
        ------
        RunError : the scheduler is lost, or no worker is there that can do it.
        """
        if self._client.status != "running":
            raise RunError(
                f"lost the scheduler at {self._cluster}",
                "the same command goes on, with --cluster or without",
            )
        if self._hands or self._asking:
            self._alone_since = time.monotonic()
            return
        alone = time.monotonic() - self._alone_since
        if self._refused and not self._had and alone > _GRACE:
            why = next(iter(self._refused.values()))
            raise RunError(f"no worker at {self._cluster} can do it: {why}", "see what it said")
        if alone > LONGEST_WAIT:
            what = f"there is no worker {'left ' * self._had}at {self._cluster}"
            raise RunError(what, "start some with: dask worker ADDRESS")

    async def begin(self) -> None:
        """Ask the workers that are there, and those that come."""
        self._client.subscribe_topic("all", self._happened)
        self._client.subscribe_topic(self._name, self._told)
        await self._list()

        async def again() -> None:
            while True:
                await asyncio.sleep(_LISTED[bool(self._hands)])
                await self._list()

        self._listing = asyncio.create_task(again())

    async def _list(self) -> None:
        try:
            known = await self._client.scheduler.identity(n_workers=-1)
        except OSError:
            return  # it is lost, which is seen to elsewhere
        for address, worker in known["workers"].items():
            if address not in self._hands and address not in self._refused:
                name = str(worker.get("name", address))
                self._ask(address, address if name == address else f"{name} at {address}")

    def _happened(self, event: tuple[float, Any]) -> None:
        """Something that the scheduler tells everybody."""
        message = event[1]
        if not isinstance(message, Mapping):
            return
        address, action = str(message.get("worker")), message.get("action")
        if action == "remove-worker":
            if hand := self._hands.pop(address, None):
                hand.lost = True
            if asking := self._asking.pop(address, None):
                asking.cancel()
            self._refused.pop(address, None)
        elif action == "add-worker" and address not in self._hands:
            self._ask(address, address)
        self._wake.set()

    def _told(self, event: tuple[float, Any]) -> None:
        """How far a job is."""
        key, step, total, metrics = event[1]
        for given in self._given.values():
            if given.future.key == key and self._heard:
                self._heard(given.job.job, step, total, metrics)

    def _ask(self, address: str, words: str) -> None:
        if address not in self._asking:
            self._asking[address] = asyncio.create_task(self._asked(address, words))

    async def _asked(self, address: str, words: str) -> None:
        """Take a worker on, or say why not."""
        try:
            fault, process = await self._answer(address)
            if not fault:
                fault = self._error(await self._on([address], keep, self._name, self._work))
        except RunError as error:
            fault, process = str(error), ""
        except (OSError, TimeoutError) as error:
            self._silent[address] = self._silent.get(address, 0) + 1
            if self._silent[address] < _PATIENT:
                return  # it is asked again when it is listed again
            fault, process = f"it does not answer ({type(error).__name__})", ""
        finally:
            self._asking.pop(address, None)
            self._wake.set()
        if fault:
            self._refused[address] = fault
            self._say(f"worker {words} is left out: {fault}")
        else:
            self._hands[address] = _Hand(address, words, process)
            self._had = True

    async def _answer(self, address: str) -> tuple[str, str]:
        folder, secret = Path(self._question.folder), secrets.token_hex(16)
        probe = folder / f".{secrets.token_hex(8)}.tmp"
        try:
            try:
                probe.write_text(secret, encoding="utf-8")
            except OSError as error:
                raise RunError(f"cannot write to {folder}: {error.strerror}") from None
            found = await self._on([address], answer, self._question, probe.name, secret)
        finally:
            with contextlib.suppress(OSError):
                probe.unlink()
        fault = self._error(found)
        return (fault, "") if fault else found[address]

    @staticmethod
    def _error(found: Mapping[str, Any]) -> str:
        """What went wrong with the function itself; raises OSError for who does not answer."""
        for result in found.values():
            if isinstance(result, ImportError | AttributeError):
                return f"it has another mgrkit, or none ({result})"
            if isinstance(result, OSError):
                raise result
            if isinstance(result, MgrkitError):
                return str(result)
            if isinstance(result, Exception):
                return f"{type(result).__name__}: {result}"
        if not found:
            raise OSError("it has gone")
        return ""

    async def _abandon(self) -> None:
        """Take back what is at work: nobody waits for it any more."""
        for task in self._given:
            task.cancel()
        futures = [given.future for given in self._given.values()]
        self._given.clear()
        if futures and self._client.status == "running":
            await self._cancel(futures)

    async def end(self) -> None:
        """Leave the workers as they were."""
        for task in (*self._asking.values(), *([self._listing] if self._listing else ())):
            task.cancel()
        if self._client.status == "running" and not self._cluster.processes:
            self._client.unsubscribe_topic("all")  # or the scheduler complains of who has gone
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self._on(list(self._hands), leave, self._name), 2)


@contextlib.asynccontextmanager
async def gathered(
    cluster: Cluster, question: Question, work: Work, say: Callable[[str], None]
) -> AsyncIterator[Crew]:
    """The workers of a cluster that have what the work needs; later ones are taken on, too.

    Parameters
    ----------
    question : what a worker must have.
    work : what all jobs need; it travels to each worker once.
    say : told which worker is left out, and why.

    Raises
    ------
    RunError : as for `Cluster.connected`.
    """
    async with cluster.connected() as client:
        crew = Crew(client, cluster, question, work, say)
        try:
            await crew.begin()
            yield crew
        finally:
            await crew.end()
