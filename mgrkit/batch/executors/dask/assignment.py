"""What a worker of a cluster is told of a run before it works for it, and whether it can."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass, field

from mgrkit.batch.executors.attempt import Outcome, is_full
from mgrkit.batch.journalfiles import Record
from mgrkit.batch.model import Fingerprint, Item, Job
from mgrkit.batch.options import Options
from mgrkit.batch.sinks.base import Sink
from mgrkit.errors import MgrkitError, RunError
from mgrkit.files.objects import is_url, version
from mgrkit.files.shards import Worker

_DECIDING = ("numpy", "scipy", "soundfile", "soxr", "av", "isal", "pillow")
"""Libraries whose versions decide the bytes of results."""


def versions() -> dict[str, str]:
    """The versions of mgrkit, of all that brings plugins for it, and of what decides bytes."""
    plugins = importlib.metadata.entry_points(group="mgrkit")
    found = {one.dist.name: one.dist.version for one in plugins if one.dist}
    return found | {name: importlib.metadata.version(name) for name in _DECIDING}


@dataclass(frozen=True)
class Assignment:
    """A worker's part in a run; picklable.

    Parameters
    ----------
    worker : which of the run's.
    job, options : of the run.
    sink : makes the sink that publishes there; None where results come back instead.
    versions : that results must be made with.
    sample : one of the items, with its fingerprint, which must be the same there.
    ready : raises MgrkitError where the job cannot work.
    """

    worker: Worker
    job: Job
    options: Options
    sink: Callable[..., Sink] | None
    versions: dict[str, str]
    sample: tuple[Item, Fingerprint | None]
    ready: Callable[[], None] | None = None

    def problem(self) -> str:
        """Asked there: why it cannot work for the run; "" if it can."""
        own = versions()
        for name, wanted in self.versions.items():
            if own.get(name) != wanted:
                return f"it has {name} {own[name]}" if name in own else f"it has no {name}"
        item, fingerprint = self.sample
        try:
            if is_url(item.source):
                found: Fingerprint | None = [*(version(item.source) or ()), item.inputs]
            else:
                found = item.fingerprint()
            if found != fingerprint:
                return f"it does not see {item.source}, or another file of that name"
        except OSError as error:
            return f"it cannot read {item.source}: {error.strerror or error}"
        try:
            self._see_out()
            if self.ready:
                self.ready()
        except MgrkitError as error:
            return str(error)
        except OSError as error:
            return f"it cannot write to {error.filename}: {error.strerror}"
        return ""

    def _see_out(self) -> None:
        if self.sink is None:
            return
        folder = self.sink(worker=self.worker).temporary
        if not folder.is_dir():
            raise RunError(f"it does not see {folder}, which is in OUT")
        probe = folder / f"{self.worker.number}.probe"
        probe.touch()
        probe.unlink()
        if is_full(folder):
            raise RunError("the disk of OUT is full there")


@dataclass
class Chunk:
    """Items that travel together, and what earlier runs noted of those that they made.

    ``alone``: each runs in a process of its own, for one of them may end the one it is in.
    """

    items: list[Item]
    known: dict[str, Record] = field(default_factory=dict)
    alone: bool = False


@dataclass
class Answer:
    """What became of a chunk.

    Parameters
    ----------
    outcomes : in the order of its items; fewer if it was to stop.
    seconds : that it took.
    deleted : files of earlier runs.
    """

    outcomes: list[Outcome]
    seconds: float
    deleted: int
