"""Lineage: what the table of a folder says of its files, and labels where there is none."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mgrkit.errors import UsageError
from mgrkit.tracks.schema import COLUMNS, LINEAGE, TABLE

_NUMBERED = re.compile(r"([A-Za-z][\w&+ -]*)\.?\d{5}")


@dataclass(frozen=True)
class Lineage:
    """What ``tracks.csv`` in a folder says, by relative path.

    ``extras`` are its columns beyond the schema; they are handed on as they are.
    """

    extras: tuple[str, ...]
    rows: dict[str, tuple[str, ...]]

    @classmethod
    def read(cls, folder: Path) -> Lineage:
        """Read the table of a folder; without one nothing is known.

        Raises
        ------
        UsageError : the table is not a CSV file with a column ``path``.
        """
        table = folder / TABLE
        if not table.is_file():
            return cls((), {})
        try:
            with table.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
                return cls._parse(csv.reader(file))
        except (csv.Error, ValueError, IndexError) as error:
            raise UsageError(
                f"{table} is not a track table: {error}", "it needs a column path"
            ) from None

    @classmethod
    def _parse(cls, lines: Iterator[list[str]]) -> Lineage:
        header = next(lines, [])
        path = header.index("path")
        status = header.index("status") if "status" in header else None
        extras = tuple(name for name in header if name not in COLUMNS)
        wanted = [header.index(name) if name in header else -1 for name in (*LINEAGE, *extras)]
        rows = {}
        for line in lines:
            if status is None or line[status] != "failed":
                values = (line[column] if column >= 0 else "" for column in wanted)
                rows[line[path]] = tuple(map(sys.intern, values))
        return cls(extras, rows)

    def of(self, path: str) -> dict[str, str]:
        """Genre, group, split, parent and extras of a file; labels from its path otherwise."""
        values = self.rows.get(path)
        if values is None:
            return {"genre": label(path), "group": "", "split": "", "parent": path}
        row = dict(zip((*LINEAGE, *self.extras), values, strict=True))
        row["parent"] = row["parent"] or path
        row["genre"] = row["genre"] or label(path)
        return row


def label(path: str) -> str:
    """The genre that a relative POSIX path tells: its first folder, else ``<genre>.NNNNN``.

    >>> label("blues/a.wav"), label("jazz.00054.au"), label("song.mp3")
    ('blues', 'jazz', '')
    """
    folder, _, name = path.partition("/")
    if name:
        return folder
    match = _NUMBERED.fullmatch(path.rpartition(".")[0])
    return match[1] if match else ""


def columns(own: Sequence[str], lineages: Sequence[Lineage]) -> list[str]:
    """The columns of a table: the schema, the command's own, the extras of what it reads."""
    extras = (name for lineage in lineages for name in lineage.extras)
    return list(dict.fromkeys([*COLUMNS, *own, *extras]))
