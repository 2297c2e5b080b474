"""Ctrl-C and SIGTERM as a question that long work can ask."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar

from mgrkit.errors import MgrkitError, Stopped

_elsewhere: ContextVar[Callable[[], bool]] = ContextVar("_elsewhere", default=lambda: False)


@contextlib.contextmanager
def stopped_by(asked: Callable[[], bool]) -> Iterator[None]:
    """A block in which `stop_signals` asks this, too: for work that others give this thread."""
    token = _elsewhere.set(asked)
    try:
        yield
    finally:
        _elsewhere.reset(token)


def _at_once() -> None:
    raise KeyboardInterrupt


@contextlib.contextmanager
def stop_signals(again: Callable[[], None] = _at_once) -> Iterator[Callable[[], bool]]:
    """Yields a function that says whether to end; a second signal ends at once.

    `Stopped` leaves the context with the exit code of the signal. Outside the main thread
    signals cannot be caught, and the answer is that of `stopped_by`, else always no.

    Parameters
    ----------
    again : called at the second signal, in the middle of whatever goes on.
    """
    got: list[int] = []
    elsewhere = _elsewhere.get()

    def hear(number: int, _: object) -> None:
        if got:
            again()
        got.append(number)

    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {n: signal.signal(n, hear) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(got) or elsewhere()
    except MgrkitError as error:
        if not got:
            raise
        # What fails on the way out must not hide that a person asked to end.
        message = error.message if isinstance(error, Stopped) else f"stopped, but {error.message}"
        raise Stopped(message, error.hint, code=128 + got[0]) from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
