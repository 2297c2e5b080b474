"""Lineage: what the table of a folder says of its files, and labels where there is none."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mgrkit.errors import UsageError
from mgrkit.tracks.schema import COLUMNS, LINEAGE, TABLE

_NUMBERED = re.compile(r"([A-Za-z][\w&+ -]*)\.?\d{5}")


@dataclass
class Lineage:
    """What ``tracks.csv`` in a folder says, by relative path.

    ``extras`` are its columns beyond the schema; they are handed on as they are. ``notes``
    says what a person should know of the table.
    """

    extras: tuple[str, ...] = ()
    rows: dict[str, tuple[str, ...]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    used: int = 0

    @classmethod
    def read(cls, folder: Path, own: Sequence[str] = (), *, table: Path | None = None) -> Lineage:
        """Read the table of a folder; without one nothing is known.

        Parameters
        ----------
        own : columns of the command itself, which those of the table give way to.
        table : another file than the folder's ``tracks.csv``.

        Raises
        ------
        UsageError : the table is not a CSV file in UTF-8 with a column ``path``.
        """
        table = table or folder / TABLE
        if not table.is_file():
            return cls()
        try:
            with table.open(newline="", encoding="utf-8-sig") as file:
                return cls._parse(table, csv.DictReader(file, restval="", strict=True), own)
        except (csv.Error, UnicodeDecodeError) as error:
            raise UsageError(
                f"{table} cannot be read: {error}", "save it as CSV in UTF-8"
            ) from None

    @classmethod
    def _parse(cls, table: Path, lines: csv.DictReader[str], own: Sequence[str]) -> Lineage:
        lines.fieldnames = [name.strip() for name in lines.fieldnames or ()]
        header = [name for name in lines.fieldnames if name]
        if "path" not in header:
            there = ", ".join(header[:5]) or "nothing"
            raise UsageError(
                f"{table} has no column path, but {there}",
                "the first line names the columns, separated by commas",
            )
        extras = tuple(n for n in dict.fromkeys(header) if n not in COLUMNS and n not in own)
        lineage = cls(extras)
        if lost := [name for name in header if name in own]:
            lineage.notes.append(f"{table}: {', '.join(lost)} give way to this command's columns")
        repeated = 0
        artists = "group" not in header and "artist" in header
        for line in lines:
            if artists:
                line["group"] = line["artist"]
            if line.get("status") != "failed":
                repeated += line["path"] in lineage.rows
                values = (line.get(name) or "" for name in (*LINEAGE, *extras))
                lineage.rows[line["path"]] = tuple(map(sys.intern, values))
        if repeated:
            lineage.notes.append(f"{table}: of {repeated} repeated paths the last row counts")
        return lineage

    def of(self, path: str) -> dict[str, str]:
        """Genre, group, split, parent and extras of a file; labels from its path otherwise."""
        values = self.rows.get(path) or self.rows.get(as_written(path))
        if values is None:
            return {"genre": label(path), "group": "", "split": "", "parent": path}
        self.used += 1
        row = dict(zip((*LINEAGE, *self.extras), values, strict=True))
        row["parent"] = row["parent"] or path
        row["genre"] = row["genre"] or label(path)
        return row


def as_written(path: str) -> str:
    """A path as tables hold it: bytes that are not UTF-8 as an escape sequence."""
    return path.encode("utf-8", "backslashreplace").decode()


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
