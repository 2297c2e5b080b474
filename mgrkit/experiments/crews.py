"""What comparisons and searches have in common on a cluster."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable

from mgrkit.compute.cluster import Cluster
from mgrkit.compute.crew import Crew, gathered
from mgrkit.compute.crewhand import Question, Work, version
from mgrkit.compute.device import lacking
from mgrkit.compute.stopping import stop_signals
from mgrkit.registry import Provider
from mgrkit.registry.catalogue import OWN

NOTED = 10.0
"""Seconds between two lines on how far one fit is."""
_DECIDE = ("numpy", "scipy", "scikit-learn", "torch")
"""Distributions whose versions can change a result."""


def device_here(device: str, cluster: Cluster | None) -> str:
    """That for what is computed here: of one that only the workers may have, 'auto'."""
    return "auto" if cluster and device != "auto" and lacking(device) else device


def question(folder: str, entries: Iterable[Provider], device: str, *more: str) -> Question:
    """What a worker must have for fits of these classifiers.

    Parameters
    ----------
    folder : OUT, as an absolute path.
    device : 'auto' and 'cpu' each has; or another.
    more : distributions whose versions must be the same, too.
    """
    entries = list(entries)
    names = [OWN, *_DECIDE, *more, *(entry.distribution for entry in entries)]
    versions = {name: here for name in dict.fromkeys(names) if (here := version(name))}
    modules = dict.fromkeys(name for entry in entries for name in entry.spec.requires)
    return Question(folder, versions, tuple(modules), device)


@contextlib.asynccontextmanager
async def crew_at_work(
    cluster: Cluster, asked: Question, work: Work, say: Callable[[str], None]
) -> AsyncIterator[tuple[Crew, Callable[[], bool]]]:
    """The crew, and a function that says whether a person wants the work to end.

    Raises
    ------
    RunError : as for `gathered`.
    KeyboardInterrupt : a person does not want to wait for that.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    hurried = False

    def at_once() -> None:
        nonlocal hurried
        hurried = True
        loop.call_soon_threadsafe(task.cancel)

    try:
        with stop_signals(at_once) as stopped:
            async with gathered(cluster, asked, work, say) as crew:
                yield crew, stopped
    except asyncio.CancelledError:
        if not hurried:
            raise
        raise KeyboardInterrupt from None
