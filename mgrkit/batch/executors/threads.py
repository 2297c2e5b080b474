"""Daemon threads that run calls and can be given up.

``concurrent.futures`` joins its threads when the interpreter ends, so one call that hangs
would keep the process alive; and a hanging thread cannot be replaced there.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from mgrkit.errors import ItemError

Outcome = tuple[Any, BaseException | None]
"""What a call returned, or what it raised."""


class Call:
    """One function call on a thread: when it began and how long it may take."""

    __slots__ = ("began", "function", "future", "limit", "name")

    def __init__(
        self,
        name: str,
        function: Callable[[Call], Any],
        future: asyncio.Future[Outcome],
        limit: float,
    ) -> None:
        self.name = name
        self.function = function
        self.future = future
        self.limit = limit
        self.began = 0.0


def overdue(limit: float) -> ItemError:
    """The error of an item that took longer than its limit."""
    return ItemError("timeout", f"gave up after {limit:g} s", "raise --timeout", again=True)


class Threads:
    """``size`` threads for the calls of one event loop, all used from the loop's thread."""

    def __init__(self, size: int) -> None:
        self.loop = asyncio.get_running_loop()
        self.running: dict[Call, None] = {}
        self._latest: deque[str] = deque(maxlen=size)
        self._queue: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._results: deque[tuple[Call, Outcome]] = deque()
        self._woken = False
        self._size = size
        for _ in range(size):
            self._start()

    def _start(self) -> None:
        threading.Thread(target=self._work, name="mgrkit-worker", daemon=True).start()

    @property
    def names(self) -> list[str]:
        """Of the calls that run, or of the last ones: a decoder's words may be read late."""
        return [call.name for call in list(self.running)] or list(self._latest)

    def submit(
        self, name: str, function: Callable[[Call], Any], limit: float
    ) -> asyncio.Future[Outcome]:
        """Queue ``function(call)``; the future never raises but when it is cancelled."""
        future: asyncio.Future[Outcome] = self.loop.create_future()
        self._queue.put(Call(name, function, future, limit))
        return future

    def cancel_queued(self) -> None:
        """Cancel what has not begun."""
        while True:
            try:
                call = self._queue.get_nowait()
            except queue.Empty:
                return
            if call is not None:
                call.future.cancel()

    def tick(self) -> None:
        """Hand over results that wait; give up calls that are over their limit.

        A new thread takes the place of one that is given up. To be called many times a second.
        """
        self._settle()
        now = time.monotonic()
        for call in list(self.running):
            if now - call.began <= call.limit or self.running.pop(call, False) is False:
                continue
            self._start()
            if not call.future.done():
                call.future.set_result((None, overdue(call.limit)))

    def close(self) -> None:
        """Let idle threads end; a thread that hangs is left behind."""
        for _ in range(self._size):
            self._queue.put(None)

    def _work(self) -> None:
        while (call := self._queue.get()) is not None:
            call.began = time.monotonic()
            self.running[call] = None
            self._latest.append(call.name)
            outcome: Outcome
            try:
                outcome = call.function(call), None
            except BaseException as raised:
                outcome = None, raised
            if self.running.pop(call, False) is False:
                return  # given up: another thread has this one's place
            self._results.append((call, outcome))
            # While enough calls wait for the threads, results may wait for `tick`: each time the
            # loop wakes up, it gets in the way of the threads at the interpreter lock.
            if not self._woken and self._queue.qsize() < self._size:
                self._woken = True
                self._wake()

    def _wake(self) -> None:
        try:
            self.loop.call_soon_threadsafe(self._settle)
        except RuntimeError:  # the loop is closed: nobody waits any more
            return

    def _settle(self) -> None:
        self._woken = False
        while self._results:
            call, outcome = self._results.popleft()
            if not call.future.done():
                call.future.set_result(outcome)
