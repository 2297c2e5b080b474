"""How a run goes, without a say in what it makes."""

from __future__ import annotations

import os
from dataclasses import dataclass

from mgrkit.compute.cluster import Cluster

DEFAULT_TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class Options:
    """How a run goes; nothing here changes a byte of its result.

    Parameters
    ----------
    workers : items in flight, at least 1; the number of threads is this or the number of
        cores, whichever is smaller.
    timeout : seconds an item may take; None means 60, extended by jobs through
        ``Work.allow`` to the length of the sound they have heard so far.
    processes : run the job in processes of their own, for libraries that hold the interpreter
        lock or draw from global generators.
    preload : modules that the job imports, to have them ready in such processes.
    dry : make nothing, and say what a run would do; see `mgrkit.batch.survey`.
    cluster : where items are worked on, instead of here; then ``workers`` means nothing.
    """

    workers: int = 4
    timeout: float | None = None
    processes: bool = False
    preload: tuple[str, ...] = ()
    dry: bool = False
    cluster: Cluster | None = None

    @property
    def threads(self) -> int:
        """Calls that run at the same time."""
        return min(self.workers, os.cpu_count() or 1)

    @property
    def limit(self) -> float:
        """Seconds an item may take, unless its job asks for more."""
        return DEFAULT_TIMEOUT if self.timeout is None else self.timeout

    def extended(self, seconds: float) -> float:
        """The limit of an item whose sound is so long."""
        return max(DEFAULT_TIMEOUT, seconds) if self.timeout is None else self.timeout
