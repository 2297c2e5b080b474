"""Jobs on objects of a store: each gets a file of its own, which goes when the job is done."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import monotonic

from mgrkit.batch.model import Item, Job, Output, Work
from mgrkit.errors import ItemError
from mgrkit.files.objects import OtherVersionError, fetch, is_url

_FULL = {errno.ENOSPC, errno.EDQUOT}
_LONGEST_SUFFIX = 16
_STALLED = 60.0
"""Seconds without a block after which an object is given up, and what each job has at least."""


@dataclass(frozen=True)
class Fetched:
    """The job, on a copy of an item's source where that is an object.

    The copy lies where the job's temporary files are, else in the folder of the system's.
    """

    job: Job

    def __call__(self, item: Item, work: Work) -> Sequence[Output]:
        """What the job makes.

        Raises
        ------
        ItemError : ``missing``, ``changed`` since it was listed, or ``unreadable``.
        """
        if not is_url(item.source):
            return self.job(item, work)
        folder, name = os.path.split(work.prefix)
        suffix = os.path.splitext(item.source)[1][:_LONGEST_SUFFIX]  # some decoders go by it
        with tempfile.NamedTemporaryFile(
            prefix=f"{name}.", suffix=suffix, dir=folder or None
        ) as file:
            assert item.version is not None  # else it is missing
            began = monotonic()

            def took() -> float:
                return monotonic() - began

            def came() -> None:
                work.allow(took() + _STALLED)

            try:
                fetch(item.source, item.version, file, came)  # type: ignore[arg-type]
                file.flush()
            except OSError as error:
                raise _explained(error) from None
            # What the job allows itself is for its own work.
            spent = took()
            inner = replace(work, allow=lambda seconds: work.allow(spent + max(seconds, _STALLED)))
            return self.job(replace(item, source=file.name), inner)


def _explained(error: OSError) -> Exception:
    if error.errno in _FULL:
        return error
    if isinstance(error, OtherVersionError):
        return ItemError("changed", "the object changed while it was read", "run again", again=True)
    if isinstance(error, FileNotFoundError):
        return ItemError("missing", "the object is not there any more", again=True)
    return ItemError("unreadable", str(error.strerror), again=True)
