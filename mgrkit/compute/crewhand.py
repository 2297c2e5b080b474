"""What runs in the process of a worker: it answers, keeps the work, and does jobs of it.

Dask sends these functions by name, so a worker needs this very module.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from mgrkit.compute.device import lacking
from mgrkit.compute.stopping import stopped_by
from mgrkit.errors import MgrkitError

Report = Callable[[int, int, Mapping[str, float]], None]

PROCESS = secrets.token_hex(8)
"""Of this process; a worker that was started anew may have its old address."""
GONE = "another process"
"""What a process says to a job that was given to the one before it."""
_EVERY = 1.0
"""Seconds between two reports of a job."""

_works: dict[str, Work] = {}
_to_stop: set[str] = set()


class Work(Protocol):
    """What all jobs of a crew need; it travels to each worker once."""

    def do(self, job: Any, report: Report) -> Any:
        """What a job gives; may be called in any thread, for one job at a time."""


@dataclass(frozen=True)
class Question:
    """What a worker must have.

    Parameters
    ----------
    folder : that it must see and can write to, as an absolute path.
    versions : of distributions, by name, as they are where the work comes from.
    modules : that must be there; none of them is imported.
    device : 'auto', or one that it must have.
    """

    folder: str
    versions: Mapping[str, str]
    modules: tuple[str, ...] = ()
    device: str = "auto"


def version(distribution: str) -> str:
    """Of what is installed here; '' for what is not. The build of torch (``+cpu``) is no matter."""
    try:
        return metadata.version(distribution).partition("+")[0]
    except metadata.PackageNotFoundError:
        return ""


def answer(question: Question, probe: str, secret: str) -> tuple[str, str]:
    """Why this worker cannot do it, '' where it can; and its process.

    Parameters
    ----------
    probe : name of a file in the folder that has just been written.
    secret : what it holds.
    """
    return _fault(question, probe, secret), PROCESS


def _fault(question: Question, probe: str, secret: str) -> str:
    for name, wanted in question.versions.items():
        if (there := version(name)) != wanted:
            return f"it has {name} {there or 'not installed'}, here is {wanted}"
    for name in question.modules:
        if find_spec(name) is None:
            return f"{name} is not installed there"
    if question.device != "auto" and (why := lacking(question.device)):
        return f"it has no device {question.device} ({why})"
    folder = Path(question.folder)
    try:
        if (folder / probe).read_text(encoding="utf-8") != secret:
            return f"its {folder} is another folder"
    except OSError:
        return f"it does not see {folder}"
    own = folder / f".{secrets.token_hex(8)}.tmp"
    try:
        own.write_text(secret, encoding="utf-8")
        own.unlink()
    except OSError as error:
        return f"it cannot write to {folder}: {error.strerror}"
    return ""


def keep(crew: str, work: Work) -> None:
    """Have the work of a crew at hand, until `leave`."""
    _works[crew] = work


def leave(crew: str) -> None:
    """Let go of the work of a crew."""
    _works.pop(crew, None)


def stop(keys: list[str]) -> None:
    """Ask jobs to end."""
    _to_stop.update(keys)


def perform(crew: str, process: str, key: str, job: Any) -> Any:
    """Do a job; what mgrkit raises on purpose is returned.

    Parameters
    ----------
    process : that it was given to, and no other.
    key : of the job, for `stop`.
    """
    work = _works.get(crew)
    if process != PROCESS or work is None:
        return GONE
    try:
        with stopped_by(lambda: key in _to_stop or _abandoned(key)):
            return work.do(job, _Reports(crew, key))
    except MgrkitError as error:
        return error
    finally:
        _to_stop.discard(key)


def _abandoned(key: str) -> bool:
    """Whether nobody waits for a job any more: it was cancelled, or its client has gone."""
    from distributed import get_worker

    try:
        return bool(get_worker().state.tasks[key].state == "cancelled")
    except (ValueError, AttributeError, KeyError):  # Dask's own matter, and not promised
        return False


class _Reports:
    """Sends how far a job is, now and then."""

    def __init__(self, crew: str, key: str) -> None:
        self._crew, self._key = crew, key
        self._last = 0.0

    def __call__(self, step: int, total: int, metrics: Mapping[str, float]) -> None:
        now = time.monotonic()
        if now - self._last < _EVERY:
            return
        self._last = now
        from distributed import get_worker

        measures = {name: float(value) for name, value in metrics.items()}
        get_worker().log_event(self._crew, [self._key, int(step), int(total), measures])
