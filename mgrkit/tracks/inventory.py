"""All files of a collection, and what is stated of each: a folder, its table, or a table alone."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mgrkit.errors import ItemError, RunError, UsageError
from mgrkit.tracks.find import SOUND, Finder, Ignored, Search, check_readable, passed_over
from mgrkit.tracks.findings import Finding, Published, mislabelled, published
from mgrkit.tracks.layout import Layout
from mgrkit.tracks.lineage import as_called, as_written
from mgrkit.tracks.schema import CATALOGUE, TABLE
from mgrkit.tracks.sources import Source
from mgrkit.tracks.splits import group_key
from mgrkit.tracks.table import read_tracks

STATED = "stated"
"""The column that keeps what a table stated in ``seconds``, once these are measured."""


@dataclass(frozen=True, slots=True)
class Stated:
    """One file, and what is stated of it.

    Parameters
    ----------
    path : relative to the collection's folder, as the file is called there.
    row : the table's row, by the inventory's columns; with a genre where the folders tell one.
    seconds : of sound, as the table states it, else the collection; 0 where nothing does.
    published : what the collection says that the file is known to be of.
    findings : what the table and the path tell already.
    problem : why it cannot be opened.
    """

    path: str
    row: tuple[str, ...]
    seconds: float
    published: Published
    findings: tuple[Finding, ...]
    problem: ItemError | None = None


@dataclass
class Inventory:
    """A collection's files by path, each once.

    Parameters
    ----------
    folder : what paths are relative to.
    table : the track table, if there is one.
    columns : of the rows: those of the table that hold something, ``path`` and ``genre``.
    """

    folder: Path
    table: Path | None
    columns: tuple[str, ...]
    files: dict[str, Stated]
    notes: tuple[str, ...] = ()
    ignored: Counter[str] = field(default_factory=Counter)
    ignored_files: list[Ignored] = field(default_factory=list)


def inventory(data: Path, search: Search = SOUND, table: Path | None = None) -> Inventory:
    """The files of a folder and of its ``tracks.csv``, or of a track table.

    Parameters
    ----------
    data : a folder, or a table whose paths are relative to its own folder.
    search : which files of a folder are taken.
    table : of files in the folder ``data``, from elsewhere.

    Raises
    ------
    RunError : there is nothing there, or no sound.
    UsageError : a table that is none of tracks, or a file of another kind.
    """
    if not data.exists():
        raise RunError(f"there is no {data}", "name a folder, or a track table")
    source = Source.of(data, table)
    if source.table:
        return _joined(source.folder, _Rows.read(source.table), {})
    if not data.is_dir():
        raise UsageError(f"DATA is neither a folder nor a track table: {data}", "give one of them")
    check_readable(data)
    finder = Finder([data], search=search)
    found = {track.path: track.problem for track in finder}
    own = data / TABLE
    rows = _Rows.read(own) if own.is_file() else _Rows()
    if not (found or rows.rows):
        over = passed_over(finder.ignored)
        hint = "give another DATA, or name the suffix of your files with --suffix"
        raise RunError(f"no sound files in {data}{f' ({over})' if over else ''}", hint)
    made = _joined(data, rows, found)
    made.ignored, made.ignored_files = finder.ignored, finder.ignored_files
    return made


@dataclass
class _Rows:
    """The rows of a table by path, of a path that is there several times the first."""

    columns: tuple[str, ...] = ("path", "genre")
    table: Path | None = None
    rows: dict[str, tuple[str, ...]] = field(default_factory=dict)
    others: dict[str, list[str]] = field(default_factory=dict)
    """The genres of the further rows of a path."""

    @classmethod
    def read(cls, table: Path) -> _Rows:
        frame = read_tracks(table)
        filled = [n for n in frame.columns if n not in CATALOGUE or (frame[n] != "").any()]
        columns = tuple(dict.fromkeys(["path", "genre", *filled]))
        read = cls(columns, table)
        for row in frame.select(columns).iter_rows():
            path = row[0].removeprefix("./")
            if path in read.rows:
                read.others.setdefault(path, []).append(row[1])
            else:
                read.rows[path] = row
        return read


def _joined(folder: Path, rows: _Rows, found: Mapping[str, ItemError | None]) -> Inventory:
    """The files that were found and those of the table, which may be called otherwise there."""
    forms = {form: path for path in reversed([*found]) for form in _forms(path)}
    wanted: dict[str, str] = {}
    for path, row in rows.rows.items():
        called = forms.get(path, path) if found else _here(folder, path)
        if wanted.setdefault(called, path) != path:  # two spellings of one path
            rows.others.setdefault(wanted[called], []).extend([row[1], *rows.others.get(path, [])])
    paths = [*wanted, *(path for path in found if path not in wanted)]
    layout, whole = Layout.of(paths), Path(os.path.abspath(folder)).as_posix()
    used = False
    genres = {group_key(row[1]) for row in rows.rows.values()} - {""}
    if not genres:
        genres = {group_key(layout.label(path)) for path in paths} - {""}
    files = {}
    for path in paths:
        given = rows.rows.get(wanted.get(path, ""))
        row = given or (path, *[""] * (len(rows.columns) - 1))
        genre = unicodedata.normalize("NFC", row[1]) or layout.label(path)
        used |= not row[1]
        findings = [*mislabelled(path, genre, genres, by_table=bool(row[1]))]
        findings += _of_rows(rows, wanted.get(path), genre)
        of = published(path, whole)
        seconds = _seconds(rows.columns, row) or of.seconds
        row = (path, genre, *row[2:])
        files[path] = Stated(path, row, seconds, of, tuple(findings), found.get(path))
    notes = tuple(layout.genre_notes) if used else ()
    return Inventory(folder, rows.table, rows.columns, files, notes)


def _of_rows(rows: _Rows, path: str | None, genre: str) -> Iterator[Finding]:
    """What the number of a file's rows tells."""
    if path is None:
        if rows.table:
            yield Finding("unlisted", f"not in {rows.table.name}")
        return
    others = rows.others.get(path, [])
    if others:
        yield Finding("repeated", f"{1 + len(others)} rows of the table have this path")
    genres: dict[str, str] = {}
    for one in filter(None, [genre, *others]):
        genres.setdefault(group_key(one), one)
    if len(genres) > 1:
        number = "two" if len(genres) == 2 else len(genres)
        text = f"{number} rows give this path the genres {' and '.join(genres.values())}"
        yield Finding("contradicting", text, fails=True)


def _forms(path: str) -> dict[str, None]:
    """What a table may call a file that is called so, the likeliest first."""
    windows = path.replace("/", "\\")
    unicode = [unicodedata.normalize(form, path) for form in ("NFC", "NFD")]
    return dict.fromkeys([path, as_written(path), *unicode, windows])


def _here(folder: Path, path: str) -> str:
    """A table's path as the file is called here; as it is where no file is."""
    slashed = path.replace("\\", "/").removeprefix("./")
    unicode = [unicodedata.normalize(form, path) for form in ("NFC", "NFD")]
    forms = (path, *unicode, as_called(path), slashed)
    return next((form for form in forms if os.path.lexists(folder / form)), path)


def _seconds(columns: tuple[str, ...], row: tuple[str, ...]) -> float:
    """What is stated; 0 for nothing that is a length."""
    values = dict(zip(columns, row, strict=True))
    try:
        seconds = float(values.get(STATED) or values.get("seconds") or 0)
    except ValueError:
        return 0.0
    return seconds if 0 < seconds < float("inf") else 0.0
