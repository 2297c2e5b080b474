"""Weights that are fetched: how far it is, and whose they are."""

from __future__ import annotations

import contextlib
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

from mgrkit.cli.stdout import results_only
from mgrkit.cli.tables import printable
from mgrkit.commands.weights import Fetched, Progress


@contextlib.contextmanager
def fetching(*, quiet: bool) -> Iterator[Progress]:
    """Yields what shows how far it is: a Rich bar on a terminal, elsewhere a line for each step.

    What a converter prints meanwhile does not reach stdout.
    """
    bar = _Bar(quiet=quiet)
    with results_only():
        try:
            yield bar.progress
        finally:
            bar.close()


def say_whose(fetched: Fetched) -> None:
    """Authors and licence of what is new, on stderr."""
    if not fetched.new:
        return
    for line in textwrap.wrap(f"{fetched.weights.name} is by {fetched.weights.authors}."):
        say(line)
    say(f"The licence, kept in {fetched.licence}:")
    for paragraph in fetched.weights.licence.strip().splitlines():
        for line in textwrap.wrap(paragraph, 72) or [""]:
            say(f"    {line}" if line else "")


def say(text: str) -> None:
    """A line on stderr."""
    print(printable(text), file=sys.stderr, flush=True)


class _Bar:
    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._terminal = sys.stderr.isatty()  # while a bar is shown Rich puts another in its place
        self._step = ""
        self._bar: Any = None
        self._task: Any = None

    def progress(self, step: str, done: int, total: int) -> None:
        """See `mgrkit.commands.weights.Progress`."""
        if self._quiet:
            return
        if step != self._step and self._terminal:
            self._begin(step)
        elif step != self._step:
            say(step)
        if self._bar:
            self._bar.update(self._task, completed=done, total=total or None)
        self._step = step

    def _begin(self, step: str) -> None:
        """A new bar takes the place of the one before."""
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

        self.close()
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            console=Console(file=sys.stderr),
            transient=True,
        )
        self._task = self._bar.add_task(step, total=None)
        self._bar.start()

    def close(self) -> None:
        """Take the bar away."""
        if self._bar:
            self._bar.stop()
