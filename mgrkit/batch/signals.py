"""SIGINT and SIGTERM while something goes on, and something else within it."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from typing import Any, ClassVar


class Signals:
    """Routes SIGINT and SIGTERM to a function for a while, where that is possible.

    One within another takes them from it, and gives them back without a moment in which nobody
    has them: such a signal would be lost, or end the process.
    """

    _current: ClassVar[Signals | None] = None

    def __init__(self, handler: Callable[[int], None]) -> None:
        self.handler = handler
        self.installed: list[int] = []
        self.handled = False
        self._outer: Signals | None = None

    def __enter__(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        self._install()
        self._outer, Signals._current = Signals._current, self

    def _install(self) -> None:
        self.installed.clear()
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
        if Signals._current is not self:  # not in the main thread
            return
        Signals._current = self._outer
        if self.handled:
            return  # the loop's end is near: until then a second signal still stops at once
        if self._outer:
            self._outer._install()
            return
        for number in self.installed:
            asyncio.get_running_loop().remove_signal_handler(number)
