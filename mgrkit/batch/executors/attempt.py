"""One item through its job: what all executors do alike, wherever they run it."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mgrkit.batch.model import Fingerprint, Item, Output, Row
from mgrkit.batch.sinks.base import missing
from mgrkit.errors import ItemError, MgrkitError, RunError

_FATAL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
_LITTLE_SPACE = 1 << 20


@dataclass(frozen=True, slots=True)
class Made:
    """What a job made of a source of this fingerprint; to be published."""

    src: Fingerprint
    outputs: Sequence[Output]


Outcome = Made | BaseException | list[Row]
"""What became of an item: made, raised, or, where that is published already, its rows."""

Settle = Callable[[Item, Outcome], None]
"""Takes an item's outcome; never raises."""


def attempt(item: Item, job: Callable[[], Sequence[Output]]) -> Made:
    """Run the job of an item, and see that the source stayed the same.

    Raises
    ------
    ItemError : the source is not there, or changed; and whatever the job raises.
    """
    src = item.fingerprint()
    if src is None:
        raise missing()
    outputs = job()
    if item.fingerprint() != src:
        raise ItemError("changed", "the file changed while it was read", "run again", again=True)
    return Made(src, outputs)


def explained(raised: BaseException, state: Path | None) -> MgrkitError:
    """An item's error for whatever its job raised; a RunError where nothing can go on.

    Parameters
    ----------
    state : a folder on the disk that is written to.
    """
    if isinstance(raised, MgrkitError):
        return raised
    if isinstance(raised, OSError) and raised.errno in _FATAL:
        return no_room(raised)
    if state is not None and is_full(state):
        return RunError("the disk is full", "make room, then run the same command again")
    if isinstance(raised, MemoryError):
        return ItemError("memory", "not enough memory for it", again=True)
    return ItemError("internal", f"{type(raised).__name__}: {raised}", "please report it")


def is_full(folder: Path) -> bool:
    """Whether next to nothing fits on the disk of a folder."""
    return shutil.disk_usage(folder).free < _LITTLE_SPACE


def no_room(error: OSError) -> RunError:
    """The error of a run whose results cannot be written."""
    where = f": {error.filename}" if error.filename else ""
    if error.errno in _FATAL:
        return RunError(
            f"the disk is full or read-only{where}", "make room, then run the same command again"
        )
    return RunError(
        f"cannot write{where}: {error.strerror}", "mend it, then run the same command again"
    )
