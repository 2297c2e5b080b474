"""Which of several processes a file belongs to, and what each calls its own files in one OUT."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass

from mgrkit.errors import UsageError

MOST = 10_000
"""The most shares."""
WHOLE = "0"
"""The writer that has no share: a run of everything, or what unites the others."""


@dataclass(frozen=True, slots=True, order=True)
class Shard:
    """One of ``count`` shares of all files; ``number`` counts from 1.

    A file's share hangs on its relative POSIX path alone, by SHA-256: not on what lies beside it,
    on the machine or on the order of a walk.
    """

    number: int
    count: int

    @classmethod
    def of(cls, text: str) -> Shard:
        """The share that ``K/N`` names, with 1 <= K <= N; raises UsageError for what does not."""
        match = re.fullmatch(r"([0-9]+)/([0-9]+)", text)
        number, count = map(int, match.groups()) if match else (0, 0)
        if not 1 <= number <= count <= MOST:
            raise UsageError(
                f"--shard must be K/N, the K-th of N shares, not {text!r}",
                f"such as 1/4; N is {MOST:,} at most",
            )
        return cls(number, count)

    @classmethod
    def of_writer(cls, name: str) -> Shard | None:
        """The share whose `writer` has this name; None for what is no share's."""
        match = re.fullmatch(r"([0-9]{1,5})of([0-9]{1,5})", name)
        number, count = map(int, match.groups()) if match else (0, 0)
        return cls(number, count) if 1 <= number <= count <= MOST else None

    @classmethod
    def holding(cls, path: str, count: int) -> Shard:
        """That of ``count`` shares which a relative path belongs to."""
        digest = hashlib.sha256(os.fsencode(path)).digest()
        return cls(int.from_bytes(digest[:8], "big") % count + 1, count)

    @property
    def writer(self) -> str:
        """What its files in OUT are called by."""
        return f"{self.number}of{self.count}"

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def takes(self, path: str) -> bool:
        """Whether a relative path belongs to it."""
        return Shard.holding(path, self.count) == self


@dataclass(frozen=True, slots=True)
class Worker:
    """One of the processes of a cluster that work for one call of a command."""

    call: str
    number: int

    @classmethod
    def files_of(cls, call: str) -> str:
        """A pattern of what all workers of a call name their files by."""
        return f"{call}-*"

    @property
    def writer(self) -> str:
        """What its files in OUT are called by."""
        return f"{self.call}-{self.number}"


def writer_of(one: Shard | Worker | None) -> str:
    """What a share of a run, a worker for it, or a run of everything calls its files in OUT by."""
    return one.writer if one else WHOLE
