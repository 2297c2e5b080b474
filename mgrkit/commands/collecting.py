"""The rows of a collection's track table, from folders, published lists and tables."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mgrkit.audio.tags.artist import artist_tag
from mgrkit.datasets.entries import DataTrack, artist_folders, belonging, doubted, labelled
from mgrkit.datasets.genres import one_spelling
from mgrkit.errors import RunError, UsageError
from mgrkit.tracks.collections.base import Collection, Known
from mgrkit.tracks.collections.lookup import find_collection, known
from mgrkit.tracks.find import SOUND, Finder, Search, passed_over
from mgrkit.tracks.fma.metadata import read_fma
from mgrkit.tracks.lineage import Lineage
from mgrkit.tracks.schema import TABLE
from mgrkit.tracks.splits import part_of
from mgrkit.tracks.table import read_frame

Row = dict[str, str]
"""A row of a track table; what it has not is ''."""

NO_FILE = "is it another folder, or an archive in it that is not extracted?"
_LFS = b"version https://git-lfs"
_POINTER = "lfs-pointer: this is a text that stands for a file in Git LFS, not sound"
_SHOWN = 3
_GUESSES = {
    "path": ("path", "filename", "file", "file_path", "filepath", "track"),
    "genre": ("genre", "label", "class", "genre_top"),
    "artist": ("group", "artist", "artist_name"),
    "split": ("split", "part", "set", "subset"),
}
"""What columns are usually called."""
_NO_GENRE = {"", "?", "-", "nan", "none", "null", "n/a", "na", "unknown"}
Found = tuple[list[Row], list[str], list[str]]
"""Rows; ids of tracks that have no file; files that are no track, or one that is there already."""


def of_gtzan(root: Path, notes: list[str]) -> Found:
    """The clips of GTZAN below a folder, in whichever form they are published.

    Raises
    ------
    RunError : all of them are Git LFS pointers.
    """
    gtzan = find_collection("gtzan")
    wholes, pieces, extra = _by_id(root, "gtzan", notes)
    rows = []
    for path, fact in (*wholes.values(), *pieces):
        whole = wholes.get(fact.id)
        parent = "" if not fact.piece else whole[0] if whole else fact.id.partition(":")[2]
        row = {
            "path": path, "genre": fact.genre, "group": fact.artist, "split": fact.part,
            "parent": parent, "title": fact.title, "source_id": fact.id,
        }  # fmt: skip
        form = "kaggle" if path.lower().endswith(".wav") else "original"
        rows.append(row | _status(root / path, _known_fault(gtzan, fact.id, form)))
    _check_pointers(root, rows, notes)
    there = {row["source_id"] for row in rows}
    missing = [one for one in _all_of_gtzan() if one not in there]
    _say(notes, "missing of GTZAN's 1,000 clips", missing)
    _say(notes, "no clip of GTZAN, or one that another file is, too", extra)
    return sorted(rows, key=lambda row: row["path"]), missing, extra


def _all_of_gtzan() -> list[str]:
    form = find_collection("gtzan").forms[0]
    genres = (
        "blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae",
        "rock",
    )  # fmt: skip
    paths = (form.path.format(genre=g, number=f"{n:05d}") for g in genres for n in range(100))
    return [fact.id for path in paths if (fact := known(path))]


def of_fma(root: Path, metadata: Path, subset: str, notes: list[str]) -> Found:
    """The tracks of a subset of FMA that have a genre and a file below a folder."""
    fma = find_collection("fma")
    wholes, pieces, extra = _by_id(root, "fma", notes)
    rows = []
    missing = []
    stated = {row["source_id"]: row for row in read_fma(metadata, subset, notes).to_dicts()}
    for number, row in stated.items():
        if number not in wholes:
            missing.append(number)
            continue
        path = wholes[number][0]
        rows.append(row | {"path": path} | _status(root / path, _known_fault(fma, number, subset)))
    for path, fact in pieces:
        if fact.id in stated:
            row = stated[fact.id]
            parent = wholes[fact.id][0] if fact.id in wholes else fact.id.partition(":")[2]
            rows.append(row | {"path": path, "parent": parent, "seconds": ""})
    extra += [path for number, (path, _) in wholes.items() if number not in stated]
    _check_pointers(root, rows, notes)
    _say(notes, f"tracks of fma-{subset} without a file", missing)
    what = f"files that are no track of fma-{subset} with a genre, or one that another is, too"
    _say(notes, what, extra)
    return sorted(rows, key=lambda row: row["path"]), missing, extra


def by_folder(root: Path, search: Search, out: Path, notes: list[str]) -> list[Row]:
    """The files below a folder, by what its folders, its table, their names and tags say.

    Parameters
    ----------
    out : the table that is being made; what lies there is not asked.
    """
    own = root / TABLE
    # A table that is not there knows nothing.
    taken = own if not (out.exists() and own.exists() and out.samefile(own)) else root / "no.csv"
    finder = Finder([root], search=search)
    tracks = [track for track in finder if not track.problem]
    lineage = Lineage.read(root, table=taken)
    lineage.paths = lambda: (track.path for track in tracks)
    extras: list[Row] = []
    entries = []
    for track in tracks:
        row = lineage.of(track.path)
        extras.append({name: row[name] for name in lineage.extras})
        artist = row["group"] or (artist_tag(track.file) if search == SOUND else "")
        names = row["parent"], row["genre"], artist, row["split"]
        noisy = lineage.is_noisy(track.path)
        entries.append(DataTrack(track.path, *names, noisy=noisy))
    notes += lineage.messages(root, what="sound file" if search == SOUND else "picture")
    notes += filter(None, [passed_over(finder.ignored)])
    return [more | row for more, row in zip(extras, _settled(root, entries, notes), strict=True)]


def _settled(root: Path, entries: Sequence[DataTrack], notes: list[str]) -> list[Row]:
    """A row for each: slices and noisy copies with their recordings, one spelling of a genre."""
    tracks, doubts = belonging(entries, notes)
    labels = labelled(tracks)
    if folders := artist_folders(tracks, labels):
        notes.append("artists are taken from the folders below the genres")
        labels = tuple(replace(one, group=g) for one, g in zip(labels, folders, strict=True))
    notes += filter(None, [doubted(tracks, labels, doubts)])
    genres = one_spelling([one.genre for one in labels], notes)
    rows = []
    for track, one, genre in zip(tracks, labels, genres, strict=True):
        fact = known(track.parent)
        row = {
            "path": track.name, "genre": genre, "group": one.group, "split": one.part,
            "parent": track.parent if track.is_copy else track.recording.lstrip("/"),
            "title": fact.title if fact else "", "source_id": fact.id if fact else "",
        }  # fmt: skip
        rows.append(row | _status(root / track.name))
    _check_pointers(root, rows, notes)
    if unnamed := genres.count(""):
        notes.append(f"without a genre: {unnamed} files")
    return rows


def by_table(source: Path, asked: Mapping[str, str], notes: list[str]) -> list[Row]:
    """The rows of anybody's table, a path each; files are found by their name, too.

    Parameters
    ----------
    asked : what columns are called, by ``path``, ``genre``, ``artist`` and ``split``.

    Raises
    ------
    UsageError : a column that is asked for, or the one of paths or of genres, is not there.
    RunError : the table cannot be read, or has no rows.
    """
    if not source.is_file():
        raise RunError(f"there is no table {source}", "CSV or Parquet")
    frame = read_frame(source)
    called = _columns(source, frame.columns, asked)
    if not len(frame):
        raise RunError(f"{source} has no rows", "one row per file")
    places = _Places(source.parent)
    rows: dict[str, Row] = {}
    repeated = 0
    torn: dict[str, list[str]] = {}
    for values in frame.iter_rows(named=True):
        texts = {name: str(value).strip() for name, value in values.items() if value is not None}
        row = _of_row(texts, called, places)
        before = rows.setdefault(row["path"], row)
        if before is not row:
            repeated += 1
            said = torn.setdefault(row["path"], [before["genre"]])
            if row["genre"] not in said:
                said.append(row["genre"])
    torn = {path: said for path, said in torn.items() if len(said) > 1}
    made = list(rows.values())
    for row, genre in zip(made, one_spelling([r["genre"] for r in made], notes), strict=True):
        row["genre"] = genre
        row |= _status(source.parent / row["path"])
        if row["path"] in torn:
            genres = " and ".join(one or "none" for one in torn[row["path"]])
            row |= {"status": "failed", "reason": f"contradicting: its rows say {genres}"}
    _check_pointers(source.parent, made, notes)
    if repeated:
        notes.append(f"rows that repeat a path: {repeated}")
    _say(notes, "paths with contradicting genres, which no command uses", [*torn])
    _say(notes, "rows without a genre", [row["path"] for row in made if not row["genre"]])
    gone = [row["path"] for row in made if row["reason"].startswith("missing")]
    _say(notes, "files that are not there", gone)
    return made


def _columns(source: Path, header: Sequence[str], asked: Mapping[str, str]) -> dict[str, str]:
    """The column of the table for each of `_GUESSES`; '' for none."""
    called = {}
    for what, guesses in _GUESSES.items():
        wanted = (asked[what],) if what in asked else guesses
        called[what] = next((name for name in wanted if name in header), "")
        if not called[what] and (what in asked or what in ("path", "genre")):
            there = ", ".join(header[:8])
            hint = f"it has {there}; --{what} COLUMN names it"
            raise UsageError(f"{source} has no column {' or '.join(wanted)}", hint)
    return called


def _of_row(texts: Row, called: Mapping[str, str], places: _Places) -> Row:
    path = places.of(texts.get(called["path"], ""))
    fact = known(path)
    genre = texts.get(called["genre"], "")
    used = {*called.values(), "path", "genre", "group", "split", "status", "reason"}
    row = {name: text for name, text in texts.items() if name not in used}
    source_id = row.get("source_id", "") or (fact.id if fact else "")
    return row | {
        "path": path,
        "genre": "" if genre.casefold() in _NO_GENRE else genre,
        "group": texts.get(called["artist"], "") or (fact.artist if fact else ""),
        "split": part_of(texts.get(called["split"], "")) or (fact.part if fact else ""),
        "source_id": source_id,
    }


class _Places:
    """Where the files of a table lie: at their path, else the only file that ends so."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._ends: dict[str, str] | None = None

    def of(self, text: str) -> str:
        """The path of a file, relative to the folder of the table where it lies there."""
        path = text.replace("\\", "/").removeprefix("./")
        if not path or (self._root / path).is_file():
            return os.path.relpath(path, self._root) if path.startswith("/") else path
        if self._ends is None:
            self._ends = {}
            for track in Finder([self._root]):
                name = track.path.rpartition("/")[2]
                self._ends[name] = "" if name in self._ends else track.path
        found = self._ends.get(path.rpartition("/")[2], "")
        return found if found.endswith(path) else path


def _by_id(
    root: Path, name: str, notes: list[str]
) -> tuple[dict[str, tuple[str, Known]], list[tuple[str, Known]], list[str]]:
    """Of the sound below a folder: the tracks of a collection, their slices, and all else."""
    finder = Finder([root])
    wholes: dict[str, tuple[str, Known]] = {}
    pieces = []
    extra = []
    for path in sorted(track.path for track in finder if not track.problem):
        fact = known(path)
        if not fact or not fact.id.startswith(f"{name}:"):
            extra.append(path)
        elif fact.piece:
            pieces.append((path, fact))
        elif fact.id in wholes:
            extra.append(path)
        else:
            wholes[fact.id] = path, fact
    notes += filter(None, [passed_over(finder.ignored)])
    return wholes, pieces, extra


def _known_fault(collection: Collection, track: str, form: str) -> str:
    bad = (one.reason for one in collection.bad if one.track == track and form in one.forms)
    return next(bad, "")


def _status(file: Path, warning: str = "") -> Row:
    """Status and reason of a file by its size and, where that is small, by its first bytes."""
    try:
        size = file.stat().st_size
        with file.open("rb") if size < 1024 else open(os.devnull, "rb") as start:
            is_pointer = start.read(len(_LFS)) == _LFS
    except OSError as error:
        gone = isinstance(error, FileNotFoundError | NotADirectoryError)
        reason = "missing: there is no such file" if gone else f"unreadable: {error.strerror}"
        return {"status": "failed", "reason": reason}
    if is_pointer:
        return {"status": "failed", "reason": _POINTER}
    if not size:
        return {"status": "failed", "reason": "empty: the file has 0 bytes"}
    return {"status": "ok", "reason": warning}


def _check_pointers(root: Path, rows: Sequence[Row], notes: list[str]) -> None:
    """Say how many files are Git LFS pointers; RunError if all of them are."""
    pointers = [row["path"] for row in rows if row.get("reason") == _POINTER]
    if pointers and len(pointers) == len(rows):
        raise RunError(
            f"all {len(rows)} files in {root} are Git LFS pointers: texts of some 130 bytes that "
            "stand for the sound, which was not fetched",
            "run git lfs pull there, or get another copy",
        )
    _say(notes, "Git LFS pointers instead of sound (run: git lfs pull)", pointers)


def _say(notes: list[str], what: str, names: Sequence[str]) -> None:
    """A note with the number and the first few; none for none."""
    if names:
        more = f", and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
        notes.append(f"{what}: {len(names):,} ({', '.join(names[:_SHOWN])}{more})")
