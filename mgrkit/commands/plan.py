"""What the commands on folders share: SRC and OUT, items from tracks, rows from lineage."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from mgrkit.batch import Item, Summary
from mgrkit.batch.model import Row
from mgrkit.errors import RunError, UsageError
from mgrkit.files.remote import RemotePath, lies, placed
from mgrkit.tracks.find import SOUND, Finder, Search, Track, check_readable, passed_over
from mgrkit.tracks.lineage import columns
from mgrkit.tracks.schema import TABLE
from mgrkit.tracks.sources import Source


@dataclass
class Plan:
    """The tracks below some sources, ready to become items.

    Parameters
    ----------
    sources : folders, or one sound file or table of files; all must exist. They and ``out`` may
        be in a store, as ``Path("s3://bucket/prefix")``.
    out : the folder of outputs, neither a source nor around one; or a table.
    added : the columns of the command itself.
    files : relative paths below the first source, instead of a walk.
    to_table : ``out`` is a file, which may lie anywhere.
    search : which files a walk takes.
    table : of the only source, which is a folder: its files are those of the table's rows.

    Raises
    ------
    RunError : a source is not there, or a folder or table that cannot be read.
    UsageError : OUT is a source, or holds one, or is a file instead of a folder or the reverse; a
        table that names files outside its folder, or several sources with one.
    """

    sources: Sequence[Path]
    out: Path
    added: Sequence[str]
    files: Sequence[str] | None = None
    to_table: bool = False
    search: Search = SOUND
    table: Path | None = None
    finder: Finder = field(init=False)

    def __post_init__(self) -> None:
        self._check_sources()
        roots = [_absolute(source) for source in self.sources]
        self._check_out(roots)
        self._lineages = {root: Source(root, self.table).lineage(self.added) for root in roots}
        if self.table and self.files is None:
            self.files = list(self._lineages[roots[0]].rows)
            _check_inside(self.table, self.files)
        self.finder = self._finder(roots, self.search)
        for root, lineage in self._lineages.items():
            lineage.paths = partial(self._paths, root)
        self._ids = {root: self.id(root) for root in roots}

    def _check_sources(self) -> None:
        """See that all are there; of a file, take its folder for the source."""
        self.sources, self.out = [placed(path) for path in self.sources], placed(self.out)
        for path in self.sources:
            if not path.exists():
                raise RunError(
                    f"there is no {path}", "name a folder or a sound file: SRC is the first word"
                )
        if self.table and len(self.sources) > 1:
            raise UsageError("--table goes with one SRC", "name the folder of its files")
        first = Source.of(self.sources[0], self.table)
        if first.table:
            self.sources, self.table = [first.folder], first.table
        elif self.files is None and not first.folder.is_dir():
            self.sources, self.files = [first.folder.parent], [first.folder.name]
        if self.files is None and not self.table:
            for path in self.sources:
                check_readable(path)

    def _finder(self, roots: Sequence[Path], search: Search) -> Finder:
        def without(root: Path, path: str) -> bool:
            return self._lineages[root].is_without(path)

        outputs = not self.to_table
        return Finder(roots, self.out, self.files, search, without, outputs=outputs)

    def _paths(self, root: Path) -> Iterator[str]:
        """The paths below one source, those of other shards too, by a separate walk."""
        whole = dataclasses.replace(self.search, shard=None)
        return (track.path for track in self._finder([root], whole))

    def _check_out(self, roots: Sequence[Path]) -> None:
        out = _real(self.out)
        table = self.out if self.to_table else self.out / TABLE
        if self.table and os.path.realpath(self.table) == os.path.realpath(table):
            raise UsageError(f"OUT's table would be written over SRC's: {table}", "another OUT")
        if self.to_table:
            if out.is_dir():
                raise UsageError(f"OUT is a folder: {self.out}", "give a file")
            return
        if out.exists() and not out.is_dir():
            raise UsageError(f"OUT is a file: {self.out}", "give a folder")
        for root in map(_real, roots):
            if root == out:
                raise UsageError(f"OUT is SRC: {self.out}", "give another folder as OUT")
            if root.is_relative_to(out):
                raise UsageError(f"SRC lies inside OUT: {root}", "give another folder as OUT")

    def id(self, path: Path) -> str:
        """Short name of a place in keys: the same wherever it and OUT are moved together.

        Where only one of them is in a store, it is the same as long as it does not move itself.
        """
        try:
            way = os.path.relpath(path, self.out)
            if isinstance(path, RemotePath) != isinstance(self.out, RemotePath):
                way = os.fspath(_absolute(path))
        except ValueError:  # Windows: another drive
            way = os.path.abspath(path)
        return hashlib.sha256(os.fsencode(way)).hexdigest()[:6]

    @property
    def asked(self) -> dict[str, object]:
        """What all shards of a run must have been asked for alike, besides the settings."""
        asked: dict[str, object] = {"SRC": [path.name for path in self._lineages]}
        if self.table:
            asked["table"] = self.table.name
        elif self.files is not None:
            listed = "\n".join(sorted(self.files)).encode("utf-8", "surrogatepass")
            asked["list of files"] = hashlib.sha256(listed).hexdigest()[:12]
        return asked

    @property
    def columns(self) -> list[str]:
        """The columns of the table: schema, the command's, extras of the sources' tables."""
        return columns(self.added, list(self._lineages.values()))

    def items(self, make: Callable[[Track, Row, str], Iterator[Item]]) -> Iterator[Item]:
        """The items that ``make`` yields for a track, its base row and its key.

        Raises
        ------
        RunError : there is no track at all, or no file of the list is there.
        """
        if self.files and not any(lies(self.sources[0] / path) for path in self.files):
            of = self.table or "the list"
            listed = f"none of the {len(self.files)} files of {of} is in {self.sources[0]}"
            where = "the table's folder; --table goes with another" if self.table else "SRC"
            raise RunError(listed, f"name them relative to {where}")
        tracks = iter(self.finder)
        first = next(tracks, None)
        if first is None and self.finder.found:  # all are of other shards
            return iter(())
        if first is None:
            where = " and ".join(str(source) for source in self.sources)
            if self.files is not None:
                raise RunError("the list names no files", "one path a line")
            over = passed_over(self.finder.ignored)
            raise RunError(
                f"no sound files in {where}{f' ({over})' if over else ''}",
                "give another SRC, or name the suffix of your files with --suffix",
            )
        return self._make(itertools.chain([first], tracks), make)

    def _make(
        self, tracks: Iterator[Track], make: Callable[[Track, Row, str], Iterator[Item]]
    ) -> Iterator[Item]:
        for track in tracks:
            lineage = self._lineages[track.root].of(track.path)
            row = {**lineage, "source": track.path}
            key = f"{track.path}\t{self._ids[track.root]}"
            # Another genre or artist in the table of SRC is another row: it is made again.
            digest = hashlib.sha256(repr(lineage).encode("utf-8", "surrogatepass")).hexdigest()[:12]
            for item in make(track, row, key):
                inputs = f"{item.inputs}\t{digest}"
                yield dataclasses.replace(item, inputs=inputs, version=track.version)

    def complete(self, summary: Summary) -> Summary:
        """The summary with what finding the tracks has to say."""
        summary.ignored = dict(self.finder.ignored)
        if self.search.lists_ignored:
            called = dict(zip(self.finder.roots, self.sources, strict=True))
            summary.ignored_files = sorted(
                (os.path.join(called[one.root], one.path), one.why)
                for one in self.finder.ignored_files
            )
        whole = self.files is None and self.search.shard is None
        complete = whole and not summary.stopped_by
        for root, lineage in self._lineages.items():
            summary.warnings += lineage.messages(root, every=complete)
        return summary


def _absolute(path: Path) -> Path:
    return path if isinstance(path, RemotePath) else Path(os.path.abspath(path))


def _real(path: Path) -> Path:
    return path if isinstance(path, RemotePath) else Path(os.path.realpath(path))


def _check_inside(table: Path, paths: Sequence[str]) -> None:
    """Raise UsageError if a path leads out of the folder: its outputs would lie outside OUT."""
    for path in paths:
        if os.path.isabs(path) or os.pardir in path.split("/"):
            raise UsageError(
                f"{table} names a file outside its folder: {path}",
                "paths are relative to the table, or to a folder that goes with it by --table",
            )


def audio_and_noisy() -> list[Path]:
    """The sources of a command that is given none; RunError if neither is here."""
    sources = [source for source in (Path("audio"), Path("noisy")) if source.is_dir()]
    if not sources:
        raise RunError("there is neither a folder audio nor noisy here", "give SRC")
    return sources


def listed(lines: Sequence[str], root: Path) -> list[str]:
    """The relative POSIX paths below ``root``, a folder or the table of one, of a list of files.

    Raises
    ------
    UsageError : a file lies outside ``root``.
    """
    paths = []
    base = os.fspath(_absolute(Source.of(placed(root)).folder))
    for line in lines:
        path = os.path.relpath(os.path.join(base, line.removeprefix(f"{base}/")), base)
        if path.startswith(os.pardir):
            raise UsageError(f"{line} lies outside {root}", "give the folder that holds all as SRC")
        paths.append(Path(path).as_posix())
    return paths
