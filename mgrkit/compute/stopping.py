"""Ctrl-C and SIGTERM as a question that long work can ask."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator

from mgrkit.errors import MgrkitError, Stopped


@contextlib.contextmanager
def stop_signals() -> Iterator[Callable[[], bool]]:
    """Yields a function that says whether to end; a second signal ends at once.

    `Stopped` leaves the context with the exit code of the signal. Outside the main thread
    signals cannot be caught, and the answer is always no.
    """
    got: list[int] = []

    def hear(number: int, _: object) -> None:
        if got:
            raise KeyboardInterrupt
        got.append(number)

    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {n: signal.signal(n, hear) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(got)
    except MgrkitError as error:
        if not got:
            raise
        # What fails on the way out must not hide that a person asked to end.
        message = error.message if isinstance(error, Stopped) else f"stopped, but {error.message}"
        raise Stopped(message, error.hint, code=128 + got[0]) from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
