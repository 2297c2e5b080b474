"""``mgrkit predict --watch``: the genres of sound files as they arrive in folders."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from mgrkit.batch import Item, Options, Report, StreamSink, Summary, run, run_now
from mgrkit.batch.model import Fingerprint, Row
from mgrkit.batch.signals import Signals
from mgrkit.commands.predict import COLUMNS, Answering, PredictSettings, Results
from mgrkit.commands.walking import Walk
from mgrkit.errors import ItemError, RunError, UsageError
from mgrkit.files.cache import cache_folder
from mgrkit.files.remote import RemotePath, placed
from mgrkit.tracks.find import SOUND, Search, check_readable

STILL = 1.5
"""Seconds for which a file must not have changed to count as finished."""

_TICK_MS = 250
_ANEW = 60.0
"""Seconds after which all is looked through, though nobody said that anything changed."""
_PAUSE = 10
"""So many times as long as a walk through the folders took, no other begins."""

_MORE_COMES = (".part", ".crdownload", ".aria2")
"""What stands behind the name of a file in that of another one beside it, until it is whole."""

Changes = AsyncGenerator[Collection[object], None]
"""Gives what has changed in the folders, and nothing at all each time that some time passed."""


def check_watched(folders: Sequence[Path]) -> None:
    """Raise UsageError or RunError for what cannot be watched."""
    for path in folders:
        place = placed(path)
        if isinstance(place, RemotePath) or not path.is_dir():
            raise UsageError(f"{place} is no folder on this machine", "--watch takes such alone")
        check_readable(path)
    if find_spec("watchfiles") is None:
        raise RunError(
            "--watch needs watchfiles, not installed here", "pip install 'mgrkit[watch]'"
        )


def remembered(settings: PredictSettings, folders: Sequence[Path]) -> Path:
    """The journal of whoever watches these folders by this model, in the user's cache.

    Raises
    ------
    RunError : the cache cannot be written.
    """
    asked = [Answering(settings).kept(), *((str(path), os.path.realpath(path)) for path in folders)]
    digest = hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:16]
    folder = cache_folder() / "watched"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        hint = "name a file with --resume"
        raise RunError(f"cannot write to {folder}: {error.strerror}", hint) from None
    return folder / f"{digest}.jsonl"


def watch(
    settings: PredictSettings,
    folders: Sequence[Path],
    emit: Callable[[Row], None],
    resume: Path,
    *,
    options: Options | None = None,
    report: Report | None = None,
    search: Search = SOUND,
    still: float = STILL,
) -> Summary:
    """Predict the sound files of folders, then those that come, until a signal ends it.

    Each file is answered once, also by several calls one after another; once more if it changes
    or gets another name. One that is deleted before its turn is forgotten.

    Parameters
    ----------
    folders : that `check_watched` lets through.
    emit : gets what that of `predict` gets, but nothing of files that ``resume`` has.
    resume : the journal of this and earlier calls; that of a call of `predict` will do.
    still : seconds for which a file must not have changed.

    Raises
    ------
    UsageError, BundleError, WeightsError : as `predict`.
    RunError : a folder is gone or cannot be watched, or somebody else writes to ``resume``.
    """
    answering = Answering(settings)
    results = Results(answering.answer, emit)
    sink = WatchSink(results.take, answering.kept(), resume)
    work = partial(
        run, job=answering.job, sink=sink, columns=COLUMNS, options=options, report=report
    )
    watcher = Watcher(folders, search, sink, work, Arrivals(still))
    try:
        sink.open(COLUMNS)
        summary = run_now(watcher.follow(watcher.changes()))
    finally:
        sink.shut()
    summary.warnings += results.strange()
    return summary


class WatchSink(StreamSink):
    """That of many runs, one after another, over one journal: it stays open until `shut`.

    What the journal has is not emitted again. A file that changed or went while it was read
    is no failure: its name is put into ``postponed``.
    """

    def __init__(self, emit: Callable[[Row], None], settings: dict[str, object], path: Path):
        super().__init__(emit, settings, path)
        self.postponed: set[str] = set()
        self._is_open = False

    def open(self, columns: Sequence[str]) -> None:
        """See ``Sink.open``."""
        if not self._is_open:
            super().open(columns)
            self._is_open = True

    def finished(self, item: Item) -> list[Row] | None:
        """See ``Sink.finished``."""
        return self.kept(item)

    def fail(self, item: Item, src: Fingerprint | None, error: ItemError) -> list[Row]:
        """See ``Sink.fail``."""
        if error.reason in ("changed", "missing"):
            self.postponed.add(item.key)
            return []
        return super().fail(item, src, error)

    def close(self) -> None:
        """Nothing: another run may come."""

    def shut(self) -> None:
        """Let go of the journal."""
        super().close()


class _Waiting(NamedTuple):
    item: Item
    mark: Fingerprint
    since: float


@dataclass
class Arrivals:
    """Which files have arrived: they stand still, and nothing beside them says that more comes.

    Parameters
    ----------
    still : seconds; of files that are there at the beginning their own times say how long.
    clock : seconds, as the files' times.
    """

    still: float
    clock: Callable[[], float] = time.time
    waiting: dict[str, _Waiting] = field(default_factory=dict)
    known: dict[str, Fingerprint] = field(default_factory=dict)
    begun: bool = False

    def see(self, items: Iterable[Item]) -> None:
        """Take note of all files that are there now."""
        now, waiting = self.clock(), {}
        for item in items:
            mark = _mark(item)
            if mark is None or self.known.get(item.key) == mark:
                continue
            since = now if self.begun else min(now, _changed(item))
            first = _Waiting(item, mark, since)
            waiting[item.key] = self.waiting.get(item.key, first)
        self.waiting, self.begun = waiting, True

    def take(self) -> list[Item]:
        """Those that have arrived and were not taken yet."""
        now, ready = self.clock(), []
        for key, (item, mark, since) in list(self.waiting.items()):
            new = _mark(item)
            if new is None:
                del self.waiting[key]
            elif new != mark:
                self.waiting[key] = _Waiting(item, new, now)
            elif now - since >= self.still and not _is_growing(item):
                del self.waiting[key]
                self.known[key] = mark
                ready.append(item)
        return ready


def _mark(item: Item) -> Fingerprint | None:
    return [str(item.error)] if item.error else item.fingerprint()


def _changed(item: Item) -> float:
    """When a file was changed last, whatever its writer says of that."""
    try:
        status = os.stat(item.source)
    except (OSError, ValueError):
        return float("inf")
    return max(status.st_mtime, status.st_ctime)


def _is_growing(item: Item) -> bool:
    """Whether more is to come: browsers make an empty file first, or another one beside it."""
    if item.error:
        return False
    try:
        empty = os.path.getsize(item.source) == 0
    except OSError:
        return True
    return empty or any(os.path.lexists(item.source + end) for end in _MORE_COMES)


class Watcher:
    """Looks through folders when something has changed there, and works on what has arrived.

    A change says no more than that it is time to look: names, links and what is to be passed
    over are as for any call. What nobody tells of, as in folders behind new links and on network
    drives, is found when all is looked through again, each minute.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        search: Search,
        sink: WatchSink,
        work: Callable[..., Awaitable[Summary]],
        arrivals: Arrivals,
    ) -> None:
        self.folders, self.search = folders, search
        self.sink, self.work, self.arrivals = sink, work, arrivals
        self.total = Summary()
        self.stop = asyncio.Event()

    async def changes(self) -> Changes:
        """Those that the system tells."""
        from watchfiles import awatch

        while not self.stop.is_set():
            found = awatch(
                *self.folders, watch_filter=None, stop_event=self.stop, rust_timeout=_TICK_MS,
                yield_on_timeout=True, ignore_permission_denied=True,
            )  # fmt: skip
            try:
                async with contextlib.aclosing(found):
                    async for changed in found:
                        yield changed
            except (OSError, RuntimeError) as error:
                hint = "WATCHFILES_FORCE_POLLING=1 in the environment asks the system for less"
                raise RunError(f"cannot watch: {error}", hint) from error
            except ExceptionGroup as group:
                # It had begun, and was ended by a change that it has no words for, as of a file
                # whose name is not UTF-8. What else changed meanwhile nobody knows.
                yield group.exceptions
                await asyncio.sleep(_TICK_MS / 1000)

    async def follow(self, changes: Changes) -> Summary:
        """Work until a signal comes, or the changes end."""
        with Signals(self._signalled):
            return await self._follow(changes)

    async def _follow(self, changes: Changes) -> Summary:
        walk, due, pause, anew = None, True, 0.0, 0.0
        async with contextlib.aclosing(changes):
            async for changed in changes:
                began = time.monotonic()
                due = due or bool(changed) or began >= anew
                if due and began >= pause:
                    walk = await asyncio.to_thread(self._look)
                    ended = time.monotonic()
                    due, pause, anew = False, ended + _PAUSE * (ended - began), ended + _ANEW
                await asyncio.sleep(0)  # a signal that has come is heard
                if not self.stop.is_set() and (items := self.arrivals.take()):
                    await self._batch(items)
                if self.stop.is_set():
                    break
        if walk:
            walk.complete(self.total)
        if waiting := list(self.arrivals.waiting):
            more = f" and {len(waiting) - 1} more" if len(waiting) > 1 else ""
            self.total.warnings.append(f"not predicted, as it was not finished: {waiting[0]}{more}")
        return self.total

    def _look(self) -> Walk:
        for folder in self.folders:
            if not folder.is_dir():
                raise RunError(f"{folder} is not there any more", "the same command goes on")
        walk = Walk(self.folders, self.search, pictures=False)
        self.arrivals.see(walk.items())
        return walk

    async def _batch(self, items: list[Item]) -> None:
        part = await self.work(items, count=lambda: len(items))
        for key in self.sink.postponed:
            self.arrivals.known.pop(key, None)
        self.sink.postponed.clear()
        # What ended an earlier call has been tried again, in a process of its own.
        self.sink.journal.suspects.clear()
        _add(self.total, part)
        if part.stopped_by:
            self.stop.set()

    def _signalled(self, number: int) -> None:
        self.total.stopped_by = self.total.stopped_by or number
        self.stop.set()


def _add(total: Summary, part: Summary) -> None:
    total.made += part.made
    total.kept += part.kept
    total.failed += part.failed
    total.warned += part.warned
    total.seconds += part.seconds
    for reason, number in part.reasons.items():
        total.reasons[reason] = total.reasons.get(reason, 0) + number
    total.examples = (total.examples + part.examples)[:10]
    total.stopped_by = total.stopped_by or part.stopped_by
