"""Weights that are fetched: how far it is, and whose they are."""

from __future__ import annotations

import contextlib
import sys
import textwrap
import time
from collections.abc import Iterator

from mgrkit.cli.terminal.bars import Bar, span, wanted
from mgrkit.cli.terminal.printing import printable
from mgrkit.cli.terminal.stdout import results_only
from mgrkit.weights.store import Fetched, Progress


@contextlib.contextmanager
def fetching(*, quiet: bool) -> Iterator[Progress]:
    """Yields what shows how far it is: a bar on a terminal, elsewhere a line for each step.

    What a converter prints meanwhile does not reach stdout.
    """
    steps = _Steps(quiet=quiet)
    with results_only():
        try:
            yield steps.progress
        finally:
            steps.close()


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


class _Steps:
    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._terminal = wanted(quiet=quiet)  # while there is a bar, Rich has taken stderr
        self._step = ""
        self._began = 0.0
        self._before = 0
        self._bar: Bar | None = None

    def progress(self, step: str, done: int, total: int) -> None:
        """See `mgrkit.weights.store.Progress`."""
        if self._quiet:
            return
        now = time.monotonic()
        if step != self._step:
            self._began, self._before = now, done
        if step != self._step and self._terminal:
            self.close()
            self._bar = Bar(step)
        elif step != self._step:
            say(step)
        if self._bar:
            state = f"{done / total:.0%}" if total else ""
            if self._before < done < total:
                left = (total - done) * (now - self._began) / (done - self._before)
                state += f", {span(left)} left"
            self._bar.move(done, total or None, state)
        self._step = step

    def close(self) -> None:
        """Take the bar away."""
        if self._bar:
            self._bar.close()
