"""What a run reports while it goes on. The command line shows it; here it is silent."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mgrkit.batch.model import Row


class Report:
    """Receives a run's events on the event loop's thread; subclasses show them.

    ``working`` is set by the engine to a function that names the sources in work, so that
    what a decoder prints can be put beside them.
    """

    wants_total = False
    working: Callable[[], list[str]] = staticmethod(list)

    def begun(self) -> None:
        """A run begins; one report may see several, one after another."""

    def tick(self) -> None:
        """Some time has passed; called many times a second while a run goes on."""

    def total(self, items: int) -> None:
        """The number of items, as soon as it is known (only when ``wants_total``)."""

    def finished(self, rows: Sequence[Row], *, kept: bool) -> None:
        """An item is through, now or (``kept``) in an earlier run."""

    def note(self, text: str) -> None:
        """A line for people."""

    def close(self) -> None:
        """Nothing more will be reported; leave the terminal in order."""
