"""How far a fit is, for a person at a terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from mgrkit.batch.report import Report


class FitBar:
    """A Rich bar on stderr from the first step on; nothing where stderr is no terminal.

    Parameters
    ----------
    earlier : the report of what went before, whose bar gives way to this one.
    """

    def __init__(self, earlier: Report, *, quiet: bool) -> None:
        self._earlier = earlier
        self._wanted = not quiet and sys.stderr.isatty()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> FitBar:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar:
            self._bar.stop()

    def progress(self, step: int, total: int, metrics: Mapping[str, float]) -> None:
        """Move the bar; see `mgrkit.classifiers.Run`."""
        if not self._wanted:
            return
        if self._bar is None:
            self._start()
        told = " ".join(f"{name} {value:.3g}" for name, value in metrics.items())
        self._bar.update(self._task, completed=step, total=total, told=told)

    def _start(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self._earlier.close()
        self._bar = Progress(
            TextColumn("fit"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[told]}"),
            console=Console(file=sys.stderr),
            transient=True,
        )
        self._task = self._bar.add_task("fit", total=None, told="")
        self._bar.start()
