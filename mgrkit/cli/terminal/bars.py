"""How far something is: one bar on a terminal, the same words without one."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

from mgrkit.cli.terminal.stdout import results

LINE_EVERY = 10.0
"""Seconds from one line to the next where there is no bar."""
_DRAWN_EVERY = 0.2


def wanted(*, quiet: bool) -> bool:
    """Whether stderr is a terminal that can draw a line again."""
    return not quiet and sys.stderr.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")


def far(done: int, total: int | None, now: int, seconds: float) -> str:
    """``99 of 173, 2 min left``.

    Parameters
    ----------
    now : how many of ``done`` took the last ``seconds``; the others were done before. The rest
        is taken to go on at that pace.
    """
    if total is None:
        return f"{done} done"
    text = f"{done} of {total}"
    if not now or done >= total:
        return text
    return f"{text}, {span((total - done) * seconds / now)} left"


def span(seconds: float) -> str:
    """``40 s``, ``2 min``, ``3 h 20 min``."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


class Bar:
    """A line on stderr with a name, a bar and words; all calls come from one thread."""

    def __init__(self, name: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn
        from rich.table import Column

        # Cut where there is no room: a second line would not be drawn over.
        words = Column(no_wrap=True, overflow="ellipsis")
        names = Column(no_wrap=True, overflow="ellipsis", min_width=min(len(name), 7))
        self._progress = Progress(
            TextColumn("{task.description}", markup=False, table_column=names),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[state]}", markup=False, table_column=words),
            console=Console(file=sys.stderr),
            transient=True,
            auto_refresh=False,
        )
        self._task: Any = self._progress.add_task(name, total=None, state="")
        self._drawn = 0.0
        self._progress.start()

    def move(self, done: int, total: int | None, state: str) -> None:
        """Show that ``done`` of ``total`` are done, at most five times a second."""
        self._progress.update(self._task, completed=done, total=total, state=state)
        now = time.monotonic()
        if now - self._drawn >= _DRAWN_EVERY:
            self._drawn = now
            self._progress.refresh()

    def note(self, text: str) -> None:
        """A line above the bar."""
        self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """A context to print lines on stdout: where that is a terminal, above the bar."""
        if results().isatty():
            from rich.control import Control
            from rich.segment import ControlType

            erase = Control(ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2))
            self._progress.console.control(erase)
        yield

    def close(self) -> None:
        """Take the bar away."""
        self._progress.stop()
