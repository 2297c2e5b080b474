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
from mgrkit.tracks.find import SOUND, Finder, Search, Track, check_readable, passed_over
from mgrkit.tracks.lineage import Lineage, columns


@dataclass
class Plan:
    """The tracks below some sources, ready to become items.

    Parameters
    ----------
    sources : folders, or one sound file; all must exist.
    out : the folder of outputs, neither a source nor around one; or a table.
    added : the columns of the command itself.
    files : relative paths below the first source, instead of a walk.
    to_table : ``out`` is a file, which may lie anywhere.
    search : which files a walk takes.

    Raises
    ------
    RunError : a source is not there, or a folder that cannot be read.
    UsageError : OUT is a source, or holds one, or is a file instead of a folder or the reverse.
    """

    sources: Sequence[Path]
    out: Path
    added: Sequence[str]
    files: Sequence[str] | None = None
    to_table: bool = False
    search: Search = SOUND
    finder: Finder = field(init=False)

    def __post_init__(self) -> None:
        for source in self.sources:
            if not source.exists():
                raise RunError(
                    f"there is no {source}", "name a folder or a sound file: SRC is the first word"
                )
            if self.files is None and source.is_dir():
                check_readable(source)
        first = self.sources[0]
        if self.files is None and not first.is_dir():
            self.sources, self.files = [first.parent], [first.name]
        roots = [Path(os.path.abspath(source)) for source in self.sources]
        self._check_out(roots)
        self.finder = Finder(roots, self.out, self.files, self.search)
        self._lineages = {root: Lineage.read(root, self.added) for root in roots}
        for root, lineage in self._lineages.items():
            lineage.paths = partial(self._paths, root)
        self._ids = {root: self.id(root) for root in roots}

    def _paths(self, root: Path) -> Iterator[str]:
        """The paths below one source, by a separate walk."""
        return (track.path for track in Finder([root], self.out, self.files, self.search))

    def _check_out(self, roots: Sequence[Path]) -> None:
        out = Path(os.path.realpath(self.out))
        if self.to_table:
            if out.is_dir():
                raise UsageError(f"OUT is a folder: {self.out}", "give a file")
            return
        if out.exists() and not out.is_dir():
            raise UsageError(f"OUT is a file: {self.out}", "give a folder")
        for root in map(os.path.realpath, roots):
            if Path(root) == out:
                raise UsageError(f"OUT is SRC: {self.out}", "give another folder as OUT")
            if Path(root).is_relative_to(out):
                raise UsageError(f"SRC lies inside OUT: {root}", "give another folder as OUT")

    def id(self, path: Path) -> str:
        """Short name of a place in keys: the same wherever it and OUT are moved together."""
        try:
            way = os.path.relpath(path, self.out)
        except ValueError:  # Windows: another drive
            way = os.path.abspath(path)
        return hashlib.sha256(os.fsencode(way)).hexdigest()[:6]

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
        if self.files and not any(os.path.lexists(self.sources[0] / path) for path in self.files):
            listed = f"none of the {len(self.files)} files of the list is in {self.sources[0]}"
            raise RunError(listed, "name them relative to SRC")
        tracks = iter(self.finder)
        first = next(tracks, None)
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
                yield dataclasses.replace(item, inputs=f"{item.inputs}\t{digest}")

    def complete(self, summary: Summary) -> Summary:
        """The summary with what finding the tracks has to say."""
        summary.ignored = dict(self.finder.ignored)
        if self.search.lists_ignored:
            called = dict(zip(self.finder.roots, self.sources, strict=True))
            summary.ignored_files = sorted(
                (os.path.join(called[one.root], one.path), one.why)
                for one in self.finder.ignored_files
            )
        complete = self.files is None and not summary.stopped_by
        for root, lineage in self._lineages.items():
            summary.warnings += lineage.messages(root, every=complete)
        return summary


def audio_and_noisy() -> list[Path]:
    """The sources of a command that is given none; RunError if neither is here."""
    sources = [source for source in (Path("audio"), Path("noisy")) if source.is_dir()]
    if not sources:
        raise RunError("there is neither a folder audio nor noisy here", "give SRC")
    return sources


def listed(lines: Sequence[str], root: Path) -> list[str]:
    """The relative POSIX paths below ``root`` of a list of files.

    Raises
    ------
    UsageError : a file lies outside ``root``.
    """
    paths = []
    base = os.path.abspath(root)
    for line in lines:
        path = os.path.relpath(os.path.join(base, line), base)
        if path.startswith(os.pardir):
            raise UsageError(f"{line} lies outside {root}", "give the folder that holds all as SRC")
        paths.append(Path(path).as_posix())
    return paths
