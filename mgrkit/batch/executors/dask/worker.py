"""What runs in the processes of a cluster's workers; called by the client, by name."""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
import time
from collections.abc import Iterator, Sequence

from mgrkit.batch.executors.attempt import Made, Outcome, attempt, explained, no_room
from mgrkit.batch.executors.dask.assignment import Answer, Assignment, Chunk
from mgrkit.batch.executors.isolated import Isolated
from mgrkit.batch.executors.memory import keep_pages
from mgrkit.batch.executors.threads import overdue
from mgrkit.batch.model import Item, Output, Row, Work
from mgrkit.errors import ItemError, MgrkitError, RunError

_TICK = 0.1
_MOST = 16
"""Runs that are remembered: one whose client was killed says no good-bye."""
_runs: dict[str, _Run] = {}


def assign(assignment: Assignment) -> str:
    """Get ready for a run; why that cannot be, or ""."""
    try:
        problem = assignment.problem()
    except Exception as error:  # its words travel, for not every error can
        problem = f"{type(error).__name__}: {error}"
    if problem:
        return problem
    while len(_runs) >= _MOST:
        _runs.pop(next(iter(_runs))).end()
    _runs[assignment.worker.call] = _Run(assignment)
    return ""


def work(call: str, chunk: Chunk) -> Answer:
    """Do a chunk; a LookupError if this process does not know the run."""
    return _runs[call].work(chunk)


def stop(call: str) -> None:
    """Begin no item of a run any more."""
    if call in _runs:
        _runs[call].stopped = True


def dismiss(call: str) -> None:
    """Forget a run."""
    if call in _runs:
        _runs.pop(call).end()


class _Run:
    """A run in this process, which may work on several chunks at the same time."""

    def __init__(self, assignment: Assignment) -> None:
        keep_pages()
        self.stopped = False
        self._job, self._options = assignment.job, assignment.options
        self._sink = assignment.sink(worker=assignment.worker) if assignment.sink else None
        self._lock = threading.Lock()
        self._writers = 0
        self._serial = itertools.count()
        self._own = threading.local()
        self._children: list[Isolated] = []
        self._working: dict[int, _Deadline] = {}
        self._over = threading.Event()
        threading.Thread(target=self._watch, name="mgrkit-watch", daemon=True).start()

    def work(self, chunk: Chunk) -> Answer:
        """Do its items one after another, until it is to stop."""
        began = time.monotonic()
        outcomes: list[Outcome] = []
        deleted = self._sink.deleted if self._sink else 0
        try:
            with self._writing(chunk):
                for item in chunk.items:
                    if self.stopped:
                        break
                    outcomes.append(self._outcome(item, chunk.alone))
        except OSError as error:
            outcomes.append(no_room(error))
        except MgrkitError as error:
            outcomes.append(error)
        except Exception as error:  # of the sink
            outcomes.append(RunError(f"{type(error).__name__}: {error}", "please report it"))
        deleted = self._sink.deleted - deleted if self._sink else 0
        return Answer(outcomes, time.monotonic() - began, deleted)

    @contextlib.contextmanager
    def _writing(self, chunk: Chunk) -> Iterator[None]:
        """The journal is open while anybody writes; closed, others see what was written."""
        if self._sink is None:
            yield
            return
        with self._lock:
            if not self._writers:
                self._sink.enter()
            self._writers += 1
            self._sink.known.update(chunk.known)
        try:
            yield
        finally:
            with self._lock:
                self._writers -= 1
                if not self._writers:
                    self._sink.close()

    def _outcome(self, item: Item, alone: bool) -> Outcome:
        """The rows of an item, or what is to be published elsewhere; raises what ends the run."""
        prefix = self._sink.prefix(next(self._serial)) if self._sink else ""
        if self._sink:
            self._sink.journal.began(item.key)
        outcome: Made | ItemError
        try:
            outcome = attempt(item, lambda: self._outputs(item, prefix, alone))
        except BaseException as raised:
            error = explained(raised, self._sink.state if self._sink else None)
            if not isinstance(error, ItemError):
                raise error from None
            outcome = error
        if self._sink is None:
            return outcome
        with self._lock:
            return self._published(item, prefix, outcome)

    def _published(self, item: Item, prefix: str, outcome: Made | ItemError) -> list[Row]:
        assert self._sink is not None
        if isinstance(outcome, Made):
            return self._sink.publish(item, outcome.src, outcome.outputs)
        self._sink.discard(prefix)
        return self._sink.fail(item, item.fingerprint(), outcome)

    def _outputs(self, item: Item, prefix: str, alone: bool) -> Sequence[Output]:
        limit, fixed = self._options.limit, self._options.timeout is not None
        if alone or self._options.processes:
            return self._child()(item, prefix, limit, fixed)
        deadline = _Deadline(item, time.monotonic(), limit)

        def allow(seconds: float) -> None:
            deadline.limit = self._options.extended(seconds)

        me = threading.get_ident()
        self._working[me] = deadline
        try:
            return self._job(item, Work(prefix, allow))
        finally:
            with self._lock:  # or it is overdue already, and this process about to end
                self._working.pop(me)

    def _child(self) -> Isolated:
        child: Isolated | None = getattr(self._own, "child", None)
        if child is None:
            child = self._own.child = Isolated(self._job, self._options.preload)
            self._children.append(child)
        return child

    def _watch(self) -> None:
        """End this process when an item hangs: nothing else ends it, and others need the thread.

        Whoever looks after the worker starts it anew. The failure is noted before.
        """
        while not self._over.wait(_TICK):
            with self._lock:
                for deadline in list(self._working.values()):
                    if time.monotonic() - deadline.began > deadline.limit:
                        item = deadline.item
                        if self._sink:
                            error = overdue(deadline.limit)
                            self._sink.fail(item, item.fingerprint(), error)
                        os._exit(1)

    def end(self) -> None:
        """Let go of its threads and processes."""
        self._over.set()
        for child in self._children:
            child.close()


class _Deadline:
    """An item in work: when it began, and how many seconds it may take."""

    __slots__ = ("began", "item", "limit")

    def __init__(self, item: Item, began: float, limit: float) -> None:
        self.item, self.began, self.limit = item, began, limit
