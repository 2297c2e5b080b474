"""``mgrkit data check``: every file of a collection is decoded, and what is wrong with it said."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mgrkit.batch import Item, Options, Output, Report, Summary, TableSink, Work, run, run_now
from mgrkit.batch.model import Fingerprint, Row
from mgrkit.errors import ItemError, UsageError
from mgrkit.tracks.find import SOUND, Search
from mgrkit.tracks.findings import Finding, heard, reason, short
from mgrkit.tracks.inventory import STATED, Inventory, Stated, inventory
from mgrkit.tracks.schema import TABLE
from mgrkit.tracks.table import read_tracks, write_tracks

DEFAULT_OUT = "checked.csv"
"""Beside what is checked, so that paths are the same there."""
COLUMNS = ("status", "reason", "seconds", "rate", "channels", "sound", "duplicate_of")
"""What a check adds to a track table; ``sound`` is the digest of the decoded sound."""
_TABLES = (".csv", ".parquet")
_EXAMPLES = 3


@dataclass
class Checked:
    """What a check found.

    Parameters
    ----------
    summary : of the run.
    counts : rows by code; a row with several counts for each.
    examples : by code the first rows, as (path, reason).
    kept : rows of the table without the bad ones; None where no such table was written.
    left_out : the others by code.
    """

    summary: Summary
    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    kept: int | None = None
    left_out: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """What is to be said beside the summary."""
        fields: dict[str, Any] = {"findings": dict(self.counts), "examples": self.examples}
        if self.kept is not None:
            fields["quarantine"] = {"kept": self.kept, "left_out": dict(self.left_out)}
        return fields


def check(
    data: Path,
    out: Path | None = None,
    *,
    least: float = 0.0,
    quarantine: Path | None = None,
    search: Search = SOUND,
    table: Path | None = None,
    options: Options | None = None,
    replace: bool = False,
    report: Report | None = None,
) -> Checked:
    """Decode every file of a collection and write its track table with what was found.

    Parameters
    ----------
    data, table : a folder, with or without its ``tracks.csv``, or a track table; or a folder and
        a table of its files from elsewhere.
    out : the table, ending in ``.csv`` or ``.parquet``; None for `default_out`.
    least : files with less seconds of sound are short.
    quarantine : a further table, without failed rows and without the copies of other files.
    search : which files of a folder are taken.

    Raises
    ------
    UsageError : OUT is no table, is DATA, or holds the check of another collection.
    RunError : there is no sound, or OUT cannot be written.
    """
    out = out or default_out(data)
    for path, name in ((out, "OUT"), (quarantine, "--quarantine")):
        if path:
            check_table(path, name, (data, table or data / TABLE))
    if quarantine and _same(out, quarantine):
        raise UsageError(f"--quarantine is OUT: {out}", "give another file")
    files = inventory(data, search, table)
    sink = _Sink(out, files, least, replace)
    items = (_item(files, one) for one in files.files.values())
    going = run(items, measured, sink, sink.columns, options, report, lambda: len(files.files))
    summary = _complete(run_now(going), files, search)
    if summary.to_do is not None:
        return Checked(summary)
    summary.warned = sink.warned
    checked = Checked(summary, sink.counts, sink.examples)
    if quarantine and not summary.stopped_by:
        checked.kept, checked.left_out = _quarantined(out, quarantine)
    return checked


def default_out(data: Path) -> Path:
    """``checked.csv`` in the folder that is checked, or beside the table."""
    return (data if data.is_dir() else data.parent) / DEFAULT_OUT


def check_table(path: Path, name: str, read: Sequence[Path]) -> None:
    """Raise UsageError if a table cannot be written there, or would be written over one of DATA.

    Parameters
    ----------
    name : of the path in the call.
    read : the tables of DATA.
    """
    if path.suffix.lower() not in _TABLES:
        raise UsageError(f"{name} is no table: {path}", f"a file ending in {' or '.join(_TABLES)}")
    if path.is_dir():
        raise UsageError(f"{name} is a folder: {path}", "give a file")
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}", f"make it, or give another {name}")
    for table in read:
        if _same(path, table):
            raise UsageError(f"{name} is the table of DATA: {path}", "give another file")


def _same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _item(files: Inventory, one: Stated) -> Item:
    """``source`` is a file's path in DATA; that in the table is another if it lies elsewhere."""
    row = {"source": one.path, "path": one.path}
    return Item(one.path, os.path.join(files.folder, one.path), row, error=one.problem)


def measured(item: Item, work: Work) -> list[Output]:
    """The job: what one pass over a sound finds. What that means is said in each run anew."""
    from mgrkit.audio.measuring import measure
    from mgrkit.errors import AudioError

    try:
        found = measure(item.source, work.allow)
    except AudioError as error:
        raise ItemError(error.reason, error.message, error.hint, again=True) from error
    row: Row = {
        "seconds": round(found.seconds, 6),
        "rate": found.rate or "",
        "channels": found.channels or "",
        "sound": found.digest,
        "findings": list(heard(found)),
    }
    return [Output(row, values=b"")]


class _Sink(TableSink):
    """Keeps what was measured, and judges it by what is stated today.

    So a mended table, or another least length, needs no second pass over the sound.
    """

    def __init__(self, out: Path, files: Inventory, least: float, replace: bool) -> None:
        way = _posix(os.path.relpath(files.table or files.folder, out.parent))
        super().__init__(out, (), {"command": "data check", "DATA": way}, replace)
        self.files, self.least = files, least
        self.folder = _posix(os.path.relpath(files.folder, out.parent))
        stated = (STATED,) if any(one.seconds for one in files.files.values()) else ()
        self.columns = list(dict.fromkeys([*files.columns, *stated, *COLUMNS]))
        self.counts: Counter[str] = Counter()
        self.examples: dict[str, list[tuple[str, str]]] = {}
        self.warned = 0
        self._asked: set[str] = set()
        self._firsts: dict[str, tuple[bool, str]] = {}
        """By sound of the file that the others are copies of: is its label in doubt, its key."""

    def kept(self, item: Item) -> list[Row] | None:
        rows = super().kept(item)
        return rows and self._judged(item, rows)

    def publish(self, item: Item, src: Fingerprint, outputs: Sequence[Output]) -> list[Row]:
        return self._judged(item, super().publish(item, src, outputs))

    def fail(self, item: Item, src: Fingerprint | None, error: ItemError) -> list[Row]:
        return self._judged(item, super().fail(item, src, error))

    def _judged(self, item: Item, rows: list[Row]) -> list[Row]:
        self._asked.add(item.key)
        row, found = self._row(rows[0])
        if row["status"] == "ok":
            this = any(finding.code == "label" for finding in found), item.key
            self._firsts[row["sound"]] = min(this, self._firsts.get(row["sound"], this))
        return [row]

    def _row(self, row: Row) -> tuple[Row, list[Finding]]:
        """The row of the table, and what is wrong with it."""
        one = self.files.files[row["source"]]
        found = [Finding(*finding) for finding in row.get("findings", ())]
        if row["status"] == "failed":  # of the engine: it could not be tried
            code, _, text = row["reason"].partition(": ")
            found.append(Finding(code, text, fails=True))
        elif row["rate"]:
            found += short(row["seconds"], one.seconds, self.least)
        found += one.findings
        found += one.published.listed([finding.code for finding in found])
        told = dict(zip(self.files.columns, one.row, strict=True))
        if one.seconds:
            told[STATED] = f"{one.seconds:g}"
        made = {name: row.get(name, "") for name in COLUMNS}
        made |= {
            "source": one.path, "path": self._path(one.path),
            "status": "failed" if any(f.fails for f in found) else "ok", "reason": reason(found),
        }  # fmt: skip
        return {**told, **made}, found

    def _path(self, path: str) -> str:
        return _posix(os.path.normpath(os.path.join(self.folder, path)))

    def rows(self) -> Iterator[Row]:
        """Of the files that are in the collection today.

        A copy names the first of its kind whose label nothing speaks against, else the first.
        """
        for kept in super().rows():
            if kept["source"] not in self._asked:
                continue
            row, found = self._row(kept)
            if row["status"] == "ok":
                _, first = self._firsts[row["sound"]]
                if first != kept["source"]:
                    path = self._path(first)
                    found.append(_duplicate(row["genre"], path, self.files.files[first].row[1]))
                    row |= {"duplicate_of": path, "reason": reason(found)}
            self._count(row, found)
            yield row

    def _count(self, row: Row, found: Sequence[Finding]) -> None:
        self.warned += bool(found) and row["status"] == "ok"
        for code in dict.fromkeys(one.code for one in found):
            self.counts[code] += 1
            examples = self.examples.setdefault(code, [])
            if len(examples) < _EXAMPLES:
                examples.append((row["path"], row["reason"]))


def _duplicate(genre: str, first: str, of_first: str) -> Finding:
    other = f", which is {of_first}" if of_first != genre else ""
    return Finding("duplicate", f"the same sound as {first}{other}")


def _complete(summary: Summary, files: Inventory, search: Search) -> Summary:
    """The summary with what finding the files has to say."""
    summary.ignored = dict(files.ignored)
    if search.lists_ignored:
        summary.ignored_files = sorted(
            (os.path.join(files.folder, one.path), one.why) for one in files.ignored_files
        )
    summary.warnings += files.notes
    return summary


def _quarantined(out: Path, path: Path) -> tuple[int, Counter[str]]:
    """Write the table without bad rows; how many it has, and what is wrong with the others."""
    import polars as pl

    frame = read_tracks(out)
    is_good = (frame["status"] != "failed") & (frame["duplicate_of"] == "")
    good = frame.filter(is_good)
    way = os.path.relpath(out.parent, path.parent)
    paths = [_posix(os.path.normpath(os.path.join(way, name))) for name in good["path"]]
    write_tracks(path, good.with_columns(pl.Series("path", paths, pl.String)))
    bad = frame.filter(~is_good).select("status", "reason").iter_rows()
    return len(good), Counter(
        why.partition(":")[0] if status == "failed" else "duplicate" for status, why in bad
    )


def _posix(path: str) -> str:
    return path.replace(os.sep, "/")
