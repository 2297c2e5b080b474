"""The journal of a run: append-only JSON lines that say what has begun and what is finished.

Lines of a file, each one object:

    {"run": settings, "replace": bool, "columns": [...]}     a call starts
    {"began": key}                                           an item starts on a thread
    {"done": key, "src": [...], "out": [[path, size, mtime_ns], ...], "rows": [...]}
    {"end": exit code}                                       the call ended by itself

One file per writer, read as their union in the order of their last lines; a line that is torn or
none of these counts as not written. Every line goes to the kernel at once (one ``write``), so a
killed process loses none; no fsync is promised.

A writer that does a share of a run (`Shard`) says so: ``{"run": ..., "shard": "2of4", ...}``.
Shards of one count may write side by side; any other two writers may not. A writer of the whole
takes over the lines of all shards, so that what it replaces is not read again.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from mgrkit.batch.journalfiles import (
    Appending,
    Record,
    is_written,
    last_written,
    parsed,
    take_over,
)
from mgrkit.errors import RunError, UsageError
from mgrkit.files.difference import difference
from mgrkit.files.lock import lock, locked
from mgrkit.files.places import Status
from mgrkit.files.shards import Shard, Worker

_FILE_SHIFT = 48
_LONGEST_HEADER = 1 << 20
_OPEN = 64
"""Files of other writers that are kept open to be looked up in."""


@dataclass(slots=True)
class LastCall:
    """What a share was asked for last, and whether that came to its end."""

    asked: dict[str, Any]
    ended: bool = False


@dataclass(slots=True)
class _Call:
    settings: dict[str, Any]
    replace: bool
    complete: bool = False


@dataclass
class Journal:
    """The journal in the folder of ``path``, or, where ``single``, in that file alone.

    A single file is one that a person named: it is written to only if it is new, empty or
    such a journal, and no folder is made for it.

    In memory it keeps each finished key and the place of its line; the lines stay on disk.
    Those of this call, which nobody looks up, are kept in less space than those of earlier ones.
    ``last`` has the last call for each share of the run that was begun, and under None for the
    whole. ``asked`` is what all shares must be asked for alike, besides the settings: noted of a
    share. One that ``merges`` notes no call of its own.
    """

    path: Path | None
    single: bool = False
    suspects: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    superseded: dict[str, Status] = field(default_factory=dict)
    asked: dict[str, Any] = field(default_factory=dict)
    last: dict[Shard | None, LastCall] = field(default_factory=dict)
    merges: bool = False
    _places: dict[str, int] = field(default_factory=dict)
    _new_keys: list[str] = field(default_factory=list)
    _new_places: array[int] = field(default_factory=lambda: array("Q"))
    _files: list[Path] = field(default_factory=list)
    _streams: dict[int, IO[bytes]] = field(default_factory=dict)
    _file: Appending | None = None
    _number: int = 0
    _last: _Call | None = None
    _share: Shard | None = None

    @property
    def place(self) -> str:
        """What messages call the place of the results."""
        return str(self.path) if self.single else "OUT"

    @property
    def hint(self) -> str:
        """What to do about a place that cannot be used."""
        return "give another --resume FILE" if self.single else "give another OUT"

    def open(self, settings: dict[str, Any], columns: list[str], replace: bool = False) -> None:
        """Lock, read what is there, compare the settings, and note that a call starts.

        Raises
        ------
        RunError : another call is writing.
        UsageError : what is there was made with other settings, and not ``replace``; or the
            single file is not a journal of this command.
        """
        if self.path is None:
            return
        if self.single:
            self._check_single(self.path, settings)
            self._begin(self.path, settings, columns, replace)
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # One after the other, so that each of two that begin at once sees the other.
        with locked(self.path.parent / "gate"):
            self._begin(self.path, settings, columns, replace)

    def _begin(
        self, path: Path, settings: dict[str, Any], columns: list[str], replace: bool
    ) -> None:
        self._file = Appending(path)
        if not lock(self._file.fd):
            raise self._busy(self.shard)
        self._read_all(path, settings, replace)
        self.columns = list(dict.fromkeys([*columns, *self.columns]))
        self._file.begin()
        if self.merges:
            return
        line: dict[str, Any] = {"run": settings, "replace": replace, "columns": self.columns}
        if self.shard:
            line |= {"shard": self.shard.writer, "asked": self.asked}
        self._file.append(line)

    @property
    def shard(self) -> Shard | None:
        """The share of the run that this writer does; None for the whole."""
        return None if self.single or self.path is None else Shard.of_writer(self.path.stem)

    def _busy(self, shard: Shard | None) -> RunError:
        who = f"shard {shard}" if shard else "another mgrkit"
        return RunError(f"{who} is writing there", f"wait for it, or {self.hint}")

    def look(self, settings: dict[str, Any], replace: bool = False) -> None:
        """Read what is there, if anything, and compare the settings; write and lock nothing.

        Raises
        ------
        UsageError : as for `open`.
        """
        if self.path is None:
            return
        if self.single:
            self._check_single(self.path, settings)
        self._read_all(self.path, settings, replace)

    def _read_all(self, path: Path, settings: dict[str, Any], replace: bool) -> None:
        others = [] if self.single else [p for p in path.parent.glob("*.jsonl") if p != path]
        writing = [file for file in others if is_written(file)] if self._file else []
        for file in writing:
            if not self._is_beside(file):
                raise self._busy(Shard.of_writer(file.stem))
        if others and self._file and not self.shard:
            take_over(path, others)
            for file in others:
                file.unlink()
            others = []
        for file in sorted((p for p in [*others, path] if p.exists()), key=last_written):
            self._read(file)
        if self._places or writing:
            self._compare(settings, replace)

    def _is_beside(self, file: Path) -> bool:
        """Whether it is of another share of the same count: no item is in both."""
        other = Shard.of_writer(file.stem)
        return bool(self.shard and other and other.count == self.shard.count)

    def _check_single(self, path: Path, settings: dict[str, Any]) -> None:
        """Refuse whatever a journal's lines must not be appended to."""
        if not path.parent.is_dir():
            raise UsageError(f"there is no folder {path.parent}", "make it, or " + self.hint)
        if not path.exists():
            return
        if not path.is_file():
            raise UsageError(f"{path} is not a file", self.hint)
        with path.open("rb") as file:
            first = file.readline(_LONGEST_HEADER)
        match parsed(first):
            case {"run": dict() as run} if run.get("command") == settings.get("command"):
                return
        if first:
            maker = " ".join(filter(None, ("mgrkit", settings.get("command"))))
            raise UsageError(f"{path} was not made by {maker}", self.hint)

    def _read(self, file: Path) -> None:
        number = len(self._files)
        self._files.append(file)
        if file == self.path:
            self._number = number
        begun: dict[str, None] = {}
        offset = 0
        with file.open("rb") as lines:
            for line in lines:
                self._take(line, number << _FILE_SHIFT | offset, begun)
                offset += len(line)
        if file == self.path or not self._is_beside(file):
            self.suspects += begun

    def _take(self, line: bytes, place: int, begun: dict[str, None]) -> None:
        match parsed(line):
            case {"done": str(key), "src": _, "out": list(), "rows": list()}:
                self._places[key] = place
                begun.pop(key, None)
            case {"began": str(key)}:
                begun[key] = None
            case {
                "run": dict(settings), "replace": bool(replace), "columns": list(columns), **more
            }:  # fmt: skip
                self._start(settings, replace, columns)
                self._share = Shard.of_writer(str(more.get("shard")))
                asked = more.get("asked")
                self.last[self._share] = LastCall(asked if isinstance(asked, dict) else {})
            case {"end": int(code)}:
                begun.clear()
                if self._share in self.last:
                    self.last[self._share].ended = code in (0, 1)
                if self._last:
                    self._last.complete = code in (0, 1)

    def _start(self, settings: dict[str, Any], replace: bool, columns: list[str]) -> None:
        if replace and not self._continues(settings):
            self._supersede()
        self._last = _Call(settings, replace)
        self.columns = list(dict.fromkeys([*self.columns, *columns]))

    def _continues(self, settings: dict[str, Any]) -> bool:
        """Whether a call with --replace goes on with one that was cut short."""
        last = self._last
        return bool(last and last.replace and not last.complete and last.settings == settings)

    def _supersede(self) -> None:
        """Forget what is finished, but remember its files: they may be replaced or deleted."""
        for key in list(self._places):
            for path, size, mtime in self.entry(key).out:
                self.superseded[path] = (size, mtime)
        self._places.clear()
        self.columns = []

    def _compare(self, settings: dict[str, Any], replace: bool) -> None:
        made = self._last.settings if self._last else settings
        if made.get("command") != settings.get("command"):
            raise UsageError(
                f"{self.place} holds what mgrkit {made.get('command')} made", self.hint
            )
        if replace:
            if not self._continues(settings):
                self._supersede()
            return
        if self._last and self._last.replace and not self._last.complete:
            raise UsageError(
                "a call with --replace was stopped here and has not made everything again yet",
                "run it again with --replace",
            )
        if changes := difference(made, settings):
            or_replace = "" if self.single else ", or --replace to make everything again"
            raise UsageError(
                f"{self.place} was made with other settings: {changes}", self.hint + or_replace
            )

    def __contains__(self, key: str) -> bool:
        """Whether an earlier call finished ``key``."""
        return key in self._places

    def replaced(self, path: str) -> Status | None:
        """Size and time, or ETag, of a file of an earlier call that this one may replace."""
        return self.superseded.get(path)

    def entry(self, key: str) -> Record:
        """What an earlier call noted of ``key``."""
        return self._entry(self._places[key])

    def _entry(self, place: int) -> Record:
        number = place >> _FILE_SHIFT
        if number not in self._streams:
            if len(self._streams) >= _OPEN:
                self._close_streams()
            self._streams[number] = self._files[number].open("rb")
        stream = self._streams[number]
        stream.seek(place & ((1 << _FILE_SHIFT) - 1))
        line: Any = parsed(stream.readline())
        return Record.of(line)

    def entries(self) -> Iterator[Record]:
        """All finished items, of this call and earlier ones, sorted by key."""
        return (record for _, record in self.items())

    def items(self) -> Iterator[tuple[str, Record]]:
        """`entries` with their keys."""
        keys = [*self._places, *self._new_keys]
        places = array("Q", self._places.values()) + self._new_places
        for index in sorted(range(len(keys)), key=keys.__getitem__):
            yield keys[index], self._entry(places[index])

    def began(self, key: str) -> None:
        """Note that ``key`` starts; called on the thread that runs it."""
        if self._file:
            self._file.append({"began": key})

    def done(self, key: str, entry: Record) -> None:
        """Note that ``key`` is finished, well or not."""
        if self._file:
            self._note(key, self._file.append(entry.done(key)))

    def _note(self, key: str, place: int) -> None:
        self._places.pop(key, None)
        self._new_keys.append(key)
        self._new_places.append(self._number << _FILE_SHIFT | place)

    def gather(self, call: str) -> None:
        """Take over what the workers of this call have finished, once none of them writes."""
        if not (self.path and self._file):
            return
        found: dict[str, int] = {}
        files = sorted(self.path.parent.glob(f"{Worker.files_of(call)}.jsonl"), key=last_written)
        files = [file for file in files if not is_written(file)]
        for file in files:
            with file.open("rb") as lines:
                for line in lines:
                    match parsed(line):
                        case {"done": str(key)}:
                            found[key] = self._file.write(line.rstrip(b"\n") + b"\n")
        for key, place in found.items():
            self._note(key, place)
        for file in files:
            file.unlink()

    def end(self, code: int) -> None:
        """Note that the call ended by itself: nothing that it began is a suspect."""
        if self._file and not self.merges:
            self._file.append({"end": code})

    def is_unused(self) -> bool:
        """Whether all that was ever noted here is that this call has started."""
        if self.path is None or self.single:
            return False
        alone = [*self.path.parent.glob("*.jsonl")] == [self.path]
        return alone and self.path.read_bytes().count(b"\n") == 1

    def close(self) -> None:
        """Release the lock."""
        self._close_streams()
        if self._file:
            self._file.close()
            self._file = None

    def _close_streams(self) -> None:
        for stream in self._streams.values():
            stream.close()
        self._streams.clear()
