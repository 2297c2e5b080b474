"""The rows of a collection's track table, from folders, published lists and tables."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mgrkit.commands.looking import Row, look, say
from mgrkit.datasets.catalogue import Progress, Tags
from mgrkit.datasets.entries import DataTrack, artist_folders, belonging, doubted, labelled
from mgrkit.datasets.genres import genre_key, one_spelling
from mgrkit.errors import RunError, UsageError
from mgrkit.tracks.collections.base import Known
from mgrkit.tracks.collections.lookup import find_collection, known
from mgrkit.tracks.find import SOUND, Finder, Search, passed_over
from mgrkit.tracks.fma.metadata import read_fma
from mgrkit.tracks.lineage import Lineage
from mgrkit.tracks.schema import SPLIT_BY, TABLE
from mgrkit.tracks.slices import without_suffix
from mgrkit.tracks.table import read_frame

NO_FILE = "is it another folder, or an archive in it that is not extracted?"
_GUESSES = {
    "path": ("path", "filename", "file", "file_path", "filepath", "track"),
    "genre": ("genre", "label", "class", "genre_top"),
    "artist": ("group", "artist", "artist_name"),
    "split": ("split",),
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
    seconds = f"{find_collection('gtzan').forms[0].seconds:g}"
    wholes, pieces, extra = _by_id(root, "gtzan", notes)
    rows = []
    for path, fact in (*wholes.values(), *pieces):
        whole = wholes.get(fact.id)
        parent = "" if not fact.piece else whole[0] if whole else fact.id.partition(":")[2]
        row = {
            "path": path, "genre": fact.genre, "group": fact.artist, "split": fact.part,
            "split_by": "published" if fact.part else "", "parent": parent, "title": fact.title,
            "seconds": "" if fact.piece else seconds, "source_id": fact.id,
        }  # fmt: skip
        rows.append(row)
    look(root, rows, notes)
    there = {row["source_id"] for row in rows}
    missing = [one for one in _all_of_gtzan() if one not in there]
    say(notes, "missing of GTZAN's 1,000 clips", missing)
    say(notes, "no clip of GTZAN, or one that another file is, too", extra)
    return sorted(rows, key=lambda row: row["path"]), missing, extra


def _all_of_gtzan() -> list[str]:
    form = find_collection("gtzan").forms[0]
    genres = (
        "blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae",
        "rock",
    )  # fmt: skip
    paths = (form.path.format(genre=g, number=f"{n:05d}") for g in genres for n in range(100))
    return [fact.id for path in paths if (fact := known(path))]


def of_fma(root: Path, metadata: Path, subset: str, rule: str, notes: list[str]) -> Found:
    """The tracks of a subset of FMA that have a genre and a file below a folder.

    Raises
    ------
    What `read_fma` does; RunError : all files are Git LFS pointers.
    """
    form = f"fma_{subset}"
    wholes, pieces, extra = _by_id(root, "fma", notes, form)
    rows = []
    missing = []
    stated = {row["source_id"]: row for row in read_fma(metadata, subset, notes, rule).to_dicts()}
    for number, row in stated.items():
        if number not in wholes:
            missing.append(number)
            continue
        rows.append(row | {"path": wholes[number][0]})
    for path, fact in pieces:
        if fact.id in stated:
            row = stated[fact.id]
            parent = wholes[fact.id][0] if fact.id in wholes else fact.id.partition(":")[2]
            rows.append(row | {"path": path, "parent": parent, "seconds": ""})
    extra += [path for number, (path, _) in wholes.items() if number not in stated]
    look(root, rows, notes, form)
    say(notes, f"tracks of fma-{subset} without a file", missing)
    what = f"files that are no track of fma-{subset} with a genre, or one that another is, too"
    say(notes, what, extra)
    return sorted(rows, key=lambda row: row["path"]), missing, extra


def by_folder(
    root: Path, search: Search, out: Path, notes: list[str], progress: Progress
) -> list[Row]:
    """The files below a folder, by what its folders, its table, their names and tags say.

    Parameters
    ----------
    out : the table that is being made; what lies there is not asked.
    """
    own = root / TABLE
    # A table that is not there knows nothing.
    taken = own if not (out.exists() and own.exists() and out.samefile(own)) else root / "no.csv"
    finder = Finder([root], search=search)
    lineage = Lineage.read(root, table=taken)
    tracks = [t for t in finder if not (t.problem or lineage.is_without(t.path))]
    artist_of = Tags(root, len(tracks), progress) if search == SOUND else lambda _: ""
    lineage.paths = lambda: (track.path for track in tracks)
    extras: list[Row] = []
    entries = []
    for track in tracks:
        row = lineage.of(track.path)
        extras.append({name: row[name] for name in lineage.extras if row.get(name)})
        names = row["parent"], row["genre"], row["group"] or artist_of(track.path), row["split"]
        noisy, by = lineage.is_noisy(track.path), row.get(SPLIT_BY, "")
        entries.append(DataTrack(track.path, *names, noisy=noisy, split_by=by))
    notes += lineage.messages(root, what="sound file" if search == SOUND else "picture")
    notes += filter(None, [passed_over(finder.ignored)])
    rows = _settled(entries, notes)
    made = [more | row for more, row in zip(extras, rows, strict=True)]
    look(root, made, notes)
    return made


def _settled(entries: Sequence[DataTrack], notes: list[str]) -> list[Row]:
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
            "split_by": one.by if one.part else "",
            "parent": track.parent if track.is_copy else track.recording.lstrip("/"),
        }  # fmt: skip
        if fact:
            row |= {"source_id": fact.id} | ({"title": fact.title} if fact.title else {})
        rows.append(row)
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
    UsageError : a column that is asked for, or the one of paths or of genres, is not there; a row
        without a path; a split of other parts than train, valid and test.
    RunError : the table cannot be read, has no rows, or names no file that is there; all files
        are Git LFS pointers.
    """
    if not source.is_file():
        raise RunError(f"there is no table {source}", "CSV or Parquet")
    frame = read_frame(source)
    called = _columns(source, frame.columns, asked)
    if not len(frame):
        raise RunError(f"{source} has no rows", "one row per file")
    places = _Places(source.parent)
    rows: dict[str, Row] = {}
    said: dict[str, dict[str, str]] = {}
    for values in frame.iter_rows(named=True):
        texts = {name: str(value).strip() for name, value in values.items() if value is not None}
        row = _of_row(texts, called, places)
        rows.setdefault(row["path"], row)
        said.setdefault(row["path"], {}).setdefault(genre_key(row["genre"]), row["genre"])
    if "" in rows:
        raise UsageError(f"{source}: not all rows have a path", "give or delete them")
    made = list(rows.values())
    if not any((source.parent / path).is_file() for path in rows):
        raise RunError(
            f"none of the {len(made):,} files of {source} is there (first: {made[0]['path']})",
            "a path is relative to the table; a table of numbers is DATA as it is",
        )
    for row, genre in zip(made, one_spelling([r["genre"] for r in made], notes), strict=True):
        row["genre"] = genre
        if len(genres := said[row["path"]]) > 1:
            text = " and ".join(one or "none" for one in genres.values())
            row |= {"status": "failed", "reason": f"contradicting: its rows say {text}"}
    look(source.parent, made, notes)
    say(notes, "files found by their names alone", places.found)
    if repeated := len(frame) - len(made):
        notes.append(f"rows that repeat a path, of which the first counts: {repeated:,}")
    torn = [path for path, genres in said.items() if len(genres) > 1]
    say(notes, "paths with contradicting genres, which no command uses", torn)
    say(notes, "rows without a genre", [row["path"] for row in made if not row["genre"]])
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
    artist, part = (texts.get(called[name], "") for name in ("artist", "split"))
    known_of = DataTrack(path, path, genre, artist, part, split_by=texts.get(SPLIT_BY, ""))
    label = known_of.labelled()
    failed = texts.get("status") == "failed"  # as a check found
    used = {*called.values(), "path", "genre", "group", "split", "status", "reason"}
    return {name: text for name, text in texts.items() if name not in used} | {
        "path": path,
        "genre": "" if genre.casefold() in _NO_GENRE else genre,
        "group": label.group,
        "split": label.part,
        "split_by": label.by if label.part else "",
        "source_id": texts.get("source_id", "") or (fact.id if fact else ""),
        "status": "failed" if failed else "",
        "reason": (texts.get("reason") or "failed: as the table says") if failed else "",
    }


class _Places:
    """Where the files of a table lie: at their path, else the only file that is called so.

    Attributes
    ----------
    found : those of the second kind.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self.found: list[str] = []

    def of(self, text: str) -> str:
        """The path of a file, relative to the folder of the table; as it is where none is."""
        path = text.replace("\\", "/").removeprefix("./")
        if not path or (self._root / path).is_file():
            return os.path.relpath(path, self._root) if os.path.isabs(path) else path
        stem = without_suffix(path)
        for called in (path, stem):
            one = self._called.get(called.rpartition("/")[2], "")
            if f"/{without_suffix(one)}".endswith(f"/{stem}"):
                self.found.append(one)
                return one
        return path

    @functools.cached_property
    def _called(self) -> dict[str, str]:
        """The only file of each name, and of each name without suffix; '' where several are."""
        paths: dict[str, str] = {}
        for track in Finder([self._root]):
            name = track.path.rpartition("/")[2]
            for called in {name, without_suffix(name)}:
                paths[called] = "" if called in paths else track.path
        return paths


def _by_id(
    root: Path, name: str, notes: list[str], folder: str = ""
) -> tuple[dict[str, tuple[str, Known]], list[tuple[str, Known]], list[str]]:
    """Of the sound below a folder: the tracks of a collection, their slices, and all else.

    Parameters
    ----------
    folder : of a track that is there several times, the file in a folder of this name counts.
    """
    finder = Finder([root])
    wholes: dict[str, tuple[str, Known]] = {}
    pieces = []
    extra = []
    paths = [track.path for track in finder if not track.problem]
    for path in sorted(paths, key=lambda path: (folder not in path.split("/"), path)):
        called = path.rpartition("/")[2]
        # Which collection it is, was asked for: a number is FMA's in any folder.
        fact = known(path) or known(f"{called[:3]}/{called}")
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
