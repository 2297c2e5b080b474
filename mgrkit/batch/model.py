"""What goes through the engine: items in, outputs out, rows and a summary at the end."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mgrkit.errors import ItemError
from mgrkit.files.objects import Version, is_url

Row = dict[str, Any]
Fingerprint = list[Any]
"""Size and mtime_ns of an item's source, or ETag of an object, then what else goes in."""


@dataclass(frozen=True, slots=True)
class Item:
    """One unit of work, picklable.

    Parameters
    ----------
    key : identifies the item in the journal and sorts its rows: the relative POSIX path of
        its source and every option that chooses which outputs exist.
    source : path of the file it is made from, or URL of the object; "" where there is none.
    row : the columns known before the job runs; ``path`` is the output's (or would-be
        output's) path relative to OUT.
    args : what the job needs besides.
    inputs : a text that changes when something else that goes into the result changes.
    error : set when planning already knows that the item cannot be done.
    version : of an object, as it was listed; None where it was not.
    """

    key: str
    source: str
    row: Row
    args: tuple[Any, ...] = ()
    inputs: str = ""
    error: ItemError | None = None
    version: Version | None = None

    def absolute(self) -> Item:
        """The same by a source that a process in another folder finds, too."""
        if not self.source or is_url(self.source):
            return self
        return replace(self, source=os.path.abspath(self.source))

    def fingerprint(self) -> Fingerprint | None:
        """Size, mtime_ns or ETag, and ``inputs``; None when the source is not there."""
        if not self.source:
            return [0, 0, self.inputs]
        if is_url(self.source):  # a job gets that version or none: the store need not be asked
            return [*self.version, self.inputs] if self.version else None
        try:
            status = os.stat(self.source)
        except (OSError, ValueError):
            return None
        return [status.st_size, status.st_mtime_ns, self.inputs]


@dataclass(slots=True)
class Output:
    """One row of a result and what belongs to it.

    ``temp`` is the path of a finished file that becomes ``row["path"]`` in OUT; ``values``
    is what a table sink keeps: C-contiguous bytes of numbers (any buffer). With ``error``
    the row says that this part of the item failed while the others are good; a ``warning`` is
    the reason in a row that is good.
    """

    row: Row
    temp: str = ""
    values: Any = None
    error: ItemError | None = None
    warning: str = ""


@dataclass(slots=True)
class Work:
    """What a job gets beside its item: a place for temporary files and a say on its deadline."""

    prefix: str
    allow: Callable[[float], None] = field(default=lambda _: None)
    _count: int = 0

    def temp(self) -> str:
        """A new temporary path on the file system of OUT."""
        self._count += 1
        return f"{self.prefix}.{self._count}"


Job = Callable[[Item, Work], Sequence[Output]]


@dataclass(slots=True)
class Summary:
    """What a run did, counted in rows.

    ``made`` now, ``kept`` from earlier runs, ``failed`` now or earlier; ``warned`` counts those
    of ``made`` and ``kept`` that have a warning; ``reasons`` counts
    the failures by reason and ``examples`` holds the first of them as (path, text); ``ignored``
    counts the files that were not tried, by the reason why, and ``ignored_files`` holds them as
    (path, why) where that was asked for. Of a dry run ``to_do`` items are to be made, which
    takes about ``expected`` seconds, ``kept`` counts items, and ``files`` all their sources.
    """

    made: int = 0
    kept: int = 0
    failed: int = 0
    warned: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    examples: list[tuple[str, str]] = field(default_factory=list)
    ignored: dict[str, int] = field(default_factory=dict)
    ignored_files: list[tuple[str, str]] | None = None
    warnings: list[str] = field(default_factory=list)
    seconds: float = 0.0
    stopped_by: int = 0
    deleted: int = 0
    to_do: int | None = None
    files: int = 0
    expected: float = 0.0

    @property
    def exit_code(self) -> int:
        """0 all done, 1 at least one item failed, 128 + signal when stopped."""
        if self.stopped_by:
            return 128 + self.stopped_by
        return 1 if self.failed else 0

    def count(self, rows: Sequence[Row], *, kept: bool) -> None:
        """Add an item's rows."""
        for row in rows:
            if row.get("status") != "failed":
                if kept:
                    self.kept += 1
                else:
                    self.made += 1
                self.warned += bool(row.get("reason"))
                continue
            self.failed += 1
            text = str(row.get("reason", ""))
            reason = text.partition(":")[0]
            self.reasons[reason] = self.reasons.get(reason, 0) + 1
            if len(self.examples) < 10:
                self.examples.append((str(row.get("source") or row.get("path", "")), text))
