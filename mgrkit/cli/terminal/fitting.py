"""How far a fit is."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping

from mgrkit.cli.terminal.bars import LINE_EVERY, Bar, far, wanted


class FitBar:
    """A bar on a terminal from the first step on.

    Elsewhere a line for each step that has measures, as the epochs of networks have, and for
    others now and then.
    """

    def __init__(self, *, quiet: bool, name: str = "fit") -> None:
        self._quiet = quiet
        self._name = name
        self._bar: Bar | None = None
        self._restart()

    def _restart(self) -> None:
        self._first: int | None = None
        self._began = self._last_line = time.monotonic()

    def progress(self, step: int, total: int, metrics: Mapping[str, float]) -> None:
        """Show a step; see `mgrkit.classifiers.Run`."""
        if self._quiet:
            return
        now = time.monotonic()
        if self._first is None:  # a fit that goes on after a stop does not begin at 1
            self._first, self._began = step, now
            self._bar = Bar(self._name) if wanted(quiet=False) else None
        measured = (f"{name} {value:.3g}" for name, value in metrics.items())
        state = ", ".join([far(step, total, step - self._first, now - self._began), *measured])
        if self._bar:
            self._bar.move(step, total, state)
        elif metrics or now - self._last_line >= LINE_EVERY:
            self._last_line = now
            print(f"{self._name}: {state}", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Take the bar away; the next step is another fit's."""
        if self._bar:
            self._bar.close()
        self._bar = None
        self._restart()
