"""Lineage: what the table of a folder says of its files, and its folders where there is none."""

from __future__ import annotations

import csv
import functools
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mgrkit.errors import RunError, UsageError
from mgrkit.files.remote import RemotePath
from mgrkit.files.shards import Shard
from mgrkit.tracks.find import STATE
from mgrkit.tracks.layout import Layout
from mgrkit.tracks.schema import COLUMNS, LINEAGE, NOISE, NOISY, TABLE
from mgrkit.tracks.slices import copy_of
from mgrkit.tracks.table import check_csv, read_frame

FAILED, DUPLICATE = "failed", "duplicate"
"""Why rows are passed over."""
_STRAY = re.compile(r"\\udc([89a-f][0-9a-f])")
_SEPARATOR = re.compile(r"\\(?!udc[89a-f][0-9a-f])")


@dataclass
class Lineage:
    """What ``tracks.csv`` in a folder says, by relative path, and else the folders themselves.

    ``extras`` are its columns beyond the schema; they are handed on as they are. ``notes``
    says what a person should know of the table; ``paths`` gives the paths of all files, from
    which the layout is read where the table does not say all. ``noisy`` are the paths of
    which the table says that they are noisy copies, and of what; ``without`` those that it says
    failed, or are duplicates of others, which no row is kept of, and why. ``torn`` are repeated
    paths that it gives two genres or two parts: the path, what of, and both. ``genres``, by path,
    are those that count in place of the table's and the folders'; None for these.
    """

    extras: tuple[str, ...] = ()
    rows: dict[str, tuple[str, ...]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    used: int = 0
    table: Path = Path(TABLE)
    parted: bool = False
    noisy: set[str] = field(default_factory=set)
    without: dict[str, str] = field(default_factory=dict)
    torn: list[tuple[str, str, str, str]] = field(default_factory=list)
    paths: Callable[[], Iterable[str]] = tuple
    genres: Mapping[str, str] | None = None
    _by_folder: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, folder: Path, added: Sequence[str] = (), *, table: Path | None = None) -> Lineage:
        """Read the table of a folder; without one nothing is known.

        Parameters
        ----------
        added : columns of the command itself, which those of the table give way to.
        table : another file than the folder's ``tracks.csv``, CSV or Parquet.

        Raises
        ------
        UsageError : the table is not a CSV file in UTF-8 with a column ``path``.
        RunError : it is a Parquet file that cannot be read; the folder holds shards that nobody
            has united.
        """
        if table is None:
            _check_merged(folder)
        table = table or folder / TABLE
        if not table.is_file():
            return cls(table=table)
        if table.suffix.lower() != ".csv":
            return cls._parse(table, *_lines(table), added, folder)
        check_csv(table)
        try:
            with table.open(newline="", encoding="utf-8-sig") as file:
                lines = csv.DictReader(file, restval="", strict=True)
                lines.fieldnames = [name.strip() for name in lines.fieldnames or ()]
                return cls._parse(table, lines.fieldnames, lines, added, folder)
        except (csv.Error, UnicodeDecodeError) as error:
            raise UsageError(
                f"{table} cannot be read: {error}", "save it as CSV in UTF-8"
            ) from None

    @classmethod
    def _parse(
        cls,
        table: Path,
        names: Sequence[str],
        lines: Iterable[dict[str, str]],
        added: Sequence[str],
        folder: Path,
    ) -> Lineage:
        header = [name for name in names if name]
        if "path" not in header:
            there = ", ".join(header[:5]) or "nothing"
            raise UsageError(
                f"{table} has no column path, but {there}",
                "the first line names the columns, separated by commas",
            )
        extras = tuple(n for n in dict.fromkeys(header) if n not in COLUMNS and n not in added)
        lineage = cls(extras, table=table, parted="split" in header)
        if lost := [name for name in header if name in added]:
            lineage.notes.append(f"{table}: {', '.join(lost)} give way to this command's columns")
        repeated = 0
        is_judged = "duplicate_of" in added  # then the command passes over none that the table does
        artists = "group" not in header and "artist" in header
        for line in lines:
            if artists:
                line["group"] = line["artist"]
            path = _posix(folder, line["path"])
            is_failed = line.get("status") == "failed"
            if not is_judged and (is_failed or line.get("duplicate_of")):
                lineage.without[path] = FAILED if is_failed else DUPLICATE
                continue
            values = (line.get(name) or "" for name in (*LINEAGE, *extras))
            row = tuple(map(sys.intern, values))
            if path in lineage.rows:
                repeated += 1
                lineage._compare(path, row)
            lineage.rows[path] = row
            if line.get("parent") and (line.get("kind") == NOISY or line.get(NOISE)):
                lineage.noisy.add(path)
        if repeated:
            lineage.notes.append(f"{table}: of {repeated} repeated paths the last row counts")
        lineage._settle()
        return lineage

    def _compare(self, path: str, row: tuple[str, ...]) -> None:
        """Add to ``torn`` if a repeated path has another genre or part than before."""
        for name in ("genre", "split"):
            place = LINEAGE.index(name)
            before, now = self.rows[path][place], row[place]
            if before and now and before.casefold() != now.casefold():
                self.torn.append((path, f"{name}s", before, now))

    def _settle(self) -> None:
        """Say what is passed over, and what the table says twice."""
        self.without = {path: why for path, why in self.without.items() if path not in self.rows}
        if counts := Counter(self.without.values()):
            shown = ", ".join(f"{number} {why}" for why, number in sorted(counts.items()))
            self.notes.append(f"{self.table}: passed over: {shown}")
        if self.torn:
            self.notes.append(said_twice(self.table, self.torn))

    @functools.cached_property
    def layout(self) -> Layout:
        """What the folders say, of all files together."""
        return Layout.of(self.paths())

    def of(self, path: str) -> dict[str, str]:
        """Genre, group, split, parent and extras of a file; what its path says otherwise."""
        row = dict.fromkeys(LINEAGE, "")
        key = self._key(path)
        if key is not None:
            self.used += 1
            row = dict(zip((*LINEAGE, *self.extras), self.rows[key], strict=True))
        row["parent"] = row["parent"] or path
        row["genre"] = unicodedata.normalize("NFC", row["genre"])
        if self.genres is not None:
            row["genre"] = self.genres.get(path, "")
        elif not row["genre"]:
            row["genre"] = self.layout.label(path)
            self._by_folder.add("genre")
        if (key is None or not self.parted) and (part := self.layout.split(path)):
            row["split"] = part
            self._by_folder.add("split")
        return row

    @property
    def names_genres(self) -> bool:
        """Whether the table names the genre of any file."""
        place = LINEAGE.index("genre")
        return any(row[place] for row in self.rows.values())

    def is_copy(self, path: str) -> bool:
        """Whether a file is a noisy copy, by the table or by its name."""
        return self.is_noisy(path) or bool(copy_of(path))

    def is_noisy(self, path: str) -> bool:
        """Whether the table says of a file that it is a noisy copy."""
        return self._key(path) in self.noisy

    def is_without(self, path: str) -> bool:
        """Whether the table says of a file that it failed, or is a duplicate of another."""
        return any(form in self.without for form in _forms(path))

    def messages(self, root: Path, *, every: bool = True, what: str = "sound file") -> list[str]:
        """What a person should know when all files have been asked for, one line each.

        Parameters
        ----------
        root : the folder of the files.
        every : all its files were asked for, so that rows left over name none.
        what : the files are.
        """
        messages = list(self.notes)
        if self.used < len(self.rows) and every:
            messages.append(
                f"{self.table}: {self.used} of {len(self.rows)} rows name a {what} here"
                + self._examples()
            )
        if "split" in self._by_folder:
            messages += self.layout.part_notes
        if "genre" in self._by_folder:
            messages += self.layout.genre_notes
            messages += filter(None, [self.layout.first_hold_artists(root)])
        return [*messages, *self._copies_below(root)]

    def _copies_below(self, root: Path) -> Iterator[str]:
        """Notes on tables one folder down, which are not read, and alone know what is a copy.

        Those whose copies are called by names of their own are none: names say it, too. A store is
        not asked for them: each folder would be a request.
        """
        if isinstance(root, RemotePath):
            return
        for table in sorted(root.glob(f"[!.]*/{TABLE}")):
            copies = {f"{table.parent.name}/{path}" for path in _untold_copies(table)}
            if copies and (here := copies.intersection(self.paths()) - self.noisy):
                yield (
                    f"{table} is not read, so its {len(here)} copies are taken for recordings: "
                    f"give {table.parent} by itself"
                )

    def _examples(self) -> str:
        """A path of either side, where the table names no file at all."""
        here = next(iter(self.paths()), "") if not self.used else ""
        return f": the table has {next(iter(self.rows))}, the folder {here}" if here else ""

    def _key(self, path: str) -> str | None:
        """The path by which the table knows a file, in whatever Unicode form it holds it."""
        return next((form for form in _forms(path) if form in self.rows), None)


def _check_merged(folder: Path) -> None:
    """Raise RunError if shards lie there: only the table that unites them knows what they are."""
    for file in sorted((folder / STATE / "journal").glob("*of*.jsonl")):
        if shard := Shard.of_writer(file.stem):
            raise RunError(f"{folder} holds shard {shard} of a run", f"mgrkit merge {folder}")


def _untold_copies(table: Path) -> Iterator[str]:
    """The paths of which a table says that they are copies, and their names do not."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            for row in csv.DictReader(file, restval=""):
                if row.get(NOISE) and row.get("parent") and not copy_of(row.get("path", "")):
                    yield row.get("path", "")
    except (OSError, UnicodeDecodeError, csv.Error):
        return


def said_twice(table: Path, torn: Sequence[tuple[str, str, str, str]]) -> str:
    """That a path has two genres or parts in a table, as `Lineage.torn` has them, in a line."""
    path, what, before, now = torn[0]
    more = f"; {len(torn) - 1} more like it" if len(torn) > 1 else ""
    return f"{table}: {path} has two {what}, {before} and {now}{more}"


def _forms(path: str) -> tuple[str, ...]:
    """A path as a table may hold it."""
    if path.isascii():
        return (path,)
    return (path, as_written(path), *(unicodedata.normalize(f, path) for f in ("NFC", "NFD")))


def _lines(table: Path) -> tuple[list[str], Iterator[dict[str, str]]]:
    """The columns and the rows of a table that is no plain CSV, all as text."""
    import polars as pl

    frame = read_frame(table).select(pl.all().cast(pl.String).fill_null(""))
    return frame.columns, frame.iter_rows(named=True)


def _posix(folder: Path, path: str) -> str:
    """A row's path as the files here are called, without ``./``.

    ``\\`` is ``/``, or begins what stands for a byte, where only that is a file.
    """
    bare = path.removeprefix("./")
    if "\\" not in bare or (folder / bare).exists():
        return bare
    forms = (as_called(bare), bare.replace("\\", "/").removeprefix("./"))
    return next((form for form in forms if (folder / form).exists()), bare)


def as_written(path: str) -> str:
    """A path as tables hold it: bytes that are not UTF-8 as an escape sequence."""
    return path.encode("utf-8", "backslashreplace").decode()


def as_called(path: str) -> str:
    """A path of a table as the file is called: the reverse of `as_written`."""
    return _STRAY.sub(lambda found: chr(0xDC00 + int(found[1], 16)), path)


def slashed(path: str) -> str:
    r"""A path of a table with ``/`` for ``\``, but where that stands for a byte.

    >>> slashed(r"rock\a.wav"), slashed(r"rock/\udcff.wav")
    ('rock/a.wav', 'rock/\\udcff.wav')
    """
    return _SEPARATOR.sub("/", path) if "\\" in path else path


def columns(added: Sequence[str], lineages: Sequence[Lineage]) -> list[str]:
    """The columns of a table: the schema, the command's, the extras of what it reads."""
    extras = (name for lineage in lineages for name in lineage.extras)
    return list(dict.fromkeys([*COLUMNS, *added, *extras]))
