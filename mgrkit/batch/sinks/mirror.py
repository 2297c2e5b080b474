"""The journals of an OUT in an object store, which no store can append to.

They are written in a folder of this machine. What was added goes to the store as one more object
``OUT/.mgrkit/journal/WRITER.jsonl/NUMBER`` every half a minute and at the end; one behind the
other these objects are the journal, so that any machine can go on from there.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from pathlib import Path
from typing import Any

from mgrkit.batch.journalfiles import is_written
from mgrkit.errors import RunError
from mgrkit.files import objects
from mgrkit.files.cache import cache_folder
from mgrkit.files.claims import Claim
from mgrkit.files.lock import locked
from mgrkit.files.objects import Entry
from mgrkit.files.replacing import replacing
from mgrkit.files.shards import WHOLE, Shard

PUSHED = 30.0
"""Seconds after which what was added is uploaded."""
_MOST_PIECES = 64
_JOURNAL = re.compile(r"\w+\.jsonl")


def state_of(url: str) -> Path:
    """The folder of this machine for the state of an OUT in a store."""
    return cache_folder() / "stores" / hashlib.sha256(url.encode()).hexdigest()[:16]


class Mirror:
    """Keeps the journals of a state folder those of an OUT in a store.

    Parameters
    ----------
    url : of the state folder in the store.
    state : the folder here.
    writer : whose journal is written.
    """

    def __init__(self, url: str, state: Path, writer: str) -> None:
        self._url = f"{url}/journal"
        self._journals, self._marks = state / "journal", state / "pushed"
        self._writer = writer
        self._claim = Claim(f"{url}/writers", state / "writers", writer)
        self._pieces: dict[str, list[Entry]] = {}
        self._size = 0
        self._last = time.monotonic()
        self._begun = False

    def exists(self) -> bool:
        """Whether there is a journal in the store."""
        return next(objects.entries(self._url), None) is not None

    def begin(self) -> None:
        """Claim the writer's place, and make the journals here those of the store.

        A journal here stays if it is the one that was uploaded last, with what was added since.

        Raises
        ------
        RunError : another process writes there that may not beside this one.
        OSError : the store or the folder here cannot be written to.
        """
        self._claim.take()
        for name in self._claim.others():
            mine, other = Shard.of_writer(self._writer), Shard.of_writer(name)
            if not (mine and other and mine.count == other.count):
                who = f"shard {other}" if other else "another mgrkit"
                raise RunError(f"{who} is writing there", "wait for it, or give another OUT")
        for folder in (self._journals, self._marks):
            folder.mkdir(parents=True, exist_ok=True)
        with locked(self._marks / "gate"):
            self._pull()
        here = (self._journals / self._own).exists()
        self._size = self._mark_of(self._own)["size"] if here else 0
        self._begun = True

    @property
    def _own(self) -> str:
        return f"{self._writer}.jsonl"

    def _pull(self) -> None:
        self._pieces = _pieces(self._url)
        for file in self._journals.glob("*.jsonl"):
            was_there = self._mark_of(file.name)["pieces"]
            if was_there and file.name not in self._pieces and not is_written(file):
                file.unlink()
                self._mark(file.name, 0)
        for name, pieces in self._pieces.items():
            file = self._journals / name
            if file.exists() and (self._mark_of(name)["pieces"] == _versions(pieces)):
                continue
            if file.exists() and is_written(file):  # by another shard on this machine
                continue
            with replacing(file) as temp:
                _join(pieces, temp)
            self._mark(name, file.stat().st_size)

    def push(self, *, due: bool = False) -> None:
        """Upload what was added, with ``due`` only if the last time is long ago.

        Raises
        ------
        RunError : another machine has taken this one's place.
        OSError : the store cannot be written to.
        """
        if self._claim.lost:
            raise RunError(
                "another mgrkit has taken over, as this one was not heard of",
                "the same command goes on when that has ended",
            )
        if not self._begun or (due and time.monotonic() < self._last + PUSHED):
            return
        self._last = time.monotonic()
        file = self._journals / self._own
        size = file.stat().st_size
        pieces = self._pieces.setdefault(self._own, [])
        if size > self._size:
            begin = 0 if len(pieces) >= _MOST_PIECES else self._size
            pieces.append(self._upload(file, begin, size, len(pieces) and int(pieces[-1].name) + 1))
            self._size = size
            if not begin:  # the whole: what was uploaded before is in it
                self._forget(pieces[:-1])
                del pieces[:-1]
            self._mark(self._own, size)
        if self._writer == WHOLE:  # it has taken over the others
            for name in [n for n in self._pieces if not (self._journals / n).exists()]:
                self._forget(self._pieces.pop(name))
                self._mark(name, 0)

    def _upload(self, file: Path, begin: int, end: int, number: int) -> Entry:
        part = self._marks / f"{self._writer}.part"
        with file.open("rb") as source, part.open("wb") as target:
            source.seek(begin)
            shutil.copyfileobj(source, target)
            target.truncate(end - begin)
        url = f"{self._url}/{self._own}/{number:06}"
        version = objects.put(os.fspath(part), url, always=True)
        part.unlink()
        return Entry(f"{number:06}", url, version)

    @staticmethod
    def _forget(pieces: list[Entry]) -> None:
        for piece in pieces:
            objects.delete(piece.path)

    def close(self) -> None:
        """Let others write."""
        self._begun = False
        self._claim.release()

    def _mark_of(self, name: str) -> dict[str, Any]:
        """How much of a journal here lies in the store, and in which pieces."""
        try:
            mark: dict[str, Any] = json.loads((self._marks / f"{name}.json").read_bytes())
        except (FileNotFoundError, ValueError):
            return {"size": 0, "pieces": []}
        return mark

    def _mark(self, name: str, size: int) -> None:
        mark = {"size": size, "pieces": _versions(self._pieces.get(name, []))}
        with replacing(self._marks / f"{name}.json") as temp:
            temp.write_text(json.dumps(mark))


def fetch_journals(url: str, folder: Path) -> None:
    """Put the journals that lie in a folder of a store into one here."""
    for name, pieces in _pieces(url).items():
        _join(pieces, folder / name)


def _pieces(url: str) -> dict[str, list[Entry]]:
    """The pieces of each journal, in order."""
    found = {
        one.name: [piece for piece in objects.entries(one.path) if piece.name.isdigit()]
        for one in objects.entries(url)
        if one.is_dir() and _JOURNAL.fullmatch(one.name)
    }
    return {name: pieces for name, pieces in found.items() if pieces}


def _versions(pieces: list[Entry]) -> list[list[object]]:
    return [[piece.name, *(piece.version or ())] for piece in pieces]


def _join(pieces: list[Entry], file: Path) -> None:
    with file.open("wb") as whole:
        for piece in pieces:
            assert piece.version
            objects.fetch(piece.path, piece.version, whole)
    os.utime(file, (pieces[-1].modified,) * 2)  # journals are read in the order of their last lines
