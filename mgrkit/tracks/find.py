"""Finding tracks: folders walked lazily, file lists, and what was passed over."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from mgrkit.audio import SUFFIXES
from mgrkit.errors import ItemError, RunError, UsageError
from mgrkit.files.objects import Entry, Version
from mgrkit.files.remote import RemotePath
from mgrkit.files.shards import Shard
from mgrkit.tracks.names import fold, prefixes
from mgrkit.tracks.schema import TABLE

STATE = ".mgrkit"
"""The folder where a run keeps its journal; no file of anybody's."""

_Entry = os.DirEntry[str] | Entry


@dataclass(frozen=True, slots=True)
class Track:
    """A sound file below one of the roots.

    ``path`` is relative to its root, POSIX; ``prefix`` is what the paths of its outputs
    begin with; ``problem`` says why it cannot be used, when finding it already shows. Of an object
    ``version`` is the one that was listed.
    """

    root: Path
    path: str
    prefix: str
    problem: ItemError | None = None
    version: Version | None = None

    @property
    def file(self) -> str:
        """The path to open."""
        return os.path.join(self.root, self.path)


@dataclass(frozen=True)
class Search:
    """Which files of a folder are taken.

    Parameters
    ----------
    suffixes : of the files that are wanted, in lower case; sound files by default.
    lists_ignored : keep what is passed over by name, not only its number.
    shard : only these of the files that are found.
    """

    suffixes: Collection[str] = SUFFIXES
    lists_ignored: bool = False
    shard: Shard | None = None

    @classmethod
    def of(
        cls,
        suffixes: Sequence[str] = (),
        *,
        lists_ignored: bool = False,
        shard: Shard | None = None,
    ) -> Search:
        """A search for sound and for files of more suffixes, with or without their dot.

        Raises
        ------
        UsageError : what is no suffix.
        """
        names = [suffix.removeprefix(".").lower() for suffix in suffixes]
        for suffix, name in zip(suffixes, names, strict=True):
            if not name or set(name) & set("./\\*?"):  # of a.tar.gz the suffix is .gz
                raise UsageError(f"no suffix: {suffix!r}", "such as .xyz")
        return cls(SUFFIXES | {f".{name}" for name in names}, lists_ignored, shard)

    def takes(self, path: str) -> bool:
        """Whether a relative path belongs to the share."""
        return self.shard is None or self.shard.takes(path)


SOUND = Search()


class _Found(NamedTuple):
    """A file of a folder that is walked; without a name, that the folder cannot be read."""

    root: Path
    name: str = ""
    version: Version | None = None


class Ignored(NamedTuple):
    """What a walk passed over: a path below a root, and why, as `Finder.ignored` counts it."""

    root: Path
    path: str
    why: str


@dataclass
class Finder:
    """The sound files below ``roots``, which share one tree of outputs.

    Parameters
    ----------
    roots : folders; files of the same relative folder are named together.
    out : left out of the walk.
    files : only these relative POSIX paths, of the first root, whatever their suffix.
    without : whether a file of a root and a relative path is passed over, as tables say.
    outputs : files are named after the tracks, somewhere where letter case may not count; of two
        tracks that would give them one name the second has a problem. Without outputs that is so
        only of one relative path in two roots.

    Folders, those of object stores too, are walked one at a time, in the order of their names. A
    link is followed, but no folder is entered twice, and none through a link that lies below it:
    that would bring in what is beside the roots. After a walk ``ignored`` counts what was passed
    over: hidden files and folders (``._*`` too), links to folders above, and files of other
    suffixes, by suffix; ``ignored_files`` names them if the search asks. ``found`` counts the
    tracks, those of other shards too.
    """

    roots: Sequence[Path]
    out: Path | None = None
    files: Sequence[str] | None = None
    search: Search = SOUND
    without: Callable[[Path, str], bool] | None = None
    ignored: Counter[str] = field(default_factory=Counter)
    ignored_files: list[Ignored] = field(default_factory=list)
    found: int = 0
    outputs: bool = field(default=False, kw_only=True)

    def __iter__(self) -> Iterator[Track]:
        self.ignored.clear()
        self.ignored_files.clear()
        self.found = 0
        for folder, found in self._folders():
            for track in self._named(folder, found):  # names hang on all that lies in the folder
                self.found += 1
                if self.search.takes(track.path):
                    yield track

    def count(self) -> int:
        """How many tracks there are, by another walk."""
        twin = Finder(self.roots, self.out, self.files, self.search, self.without)
        return sum(
            self.search.takes(_below(folder, name) or os.curdir)
            for folder, found in twin._folders()
            for _, name, _ in found
        )

    def _folders(self) -> Iterator[tuple[str, list[_Found]]]:
        """Each relative folder with what was found in it."""
        if self.files is None:
            seen: set[tuple[int, int]] = set()
            links: list[tuple[str, list[Path]]] = [("", list(self.roots))]
            while links:  # after all that is there itself, so that nothing goes by a link's name
                yield from self._walk(*links.pop(0), seen, links)
            return
        groups: dict[str, list[str]] = {}
        for path in dict.fromkeys(self.files):
            folder, _, name = path.rpartition("/")
            groups.setdefault(folder, []).append(name)
        root = self.roots[0]
        for folder, names in groups.items():
            try:
                versions = root.versions(folder, names) if isinstance(root, RemotePath) else {}
            except OSError:
                yield folder, [_Found(root)]
                continue
            yield folder, [_Found(root, name, versions.get(name)) for name in names]

    def _walk(
        self,
        folder: str,
        roots: list[Path],
        seen: set[tuple[int, int]],
        links: list[tuple[str, list[Path]]],
    ) -> Iterator[tuple[str, list[_Found]]]:
        found: list[_Found] = []
        below: dict[tuple[bool, str], list[Path]] = {}
        for root in roots:
            for entry in self._entries(root / folder, seen):
                if entry is None:
                    found.append(_Found(root))
                elif entry.name.startswith("."):
                    if entry.name != STATE:
                        self._ignore("hidden", root, entry)
                elif _is_folder(entry):
                    if entry.is_symlink() and _leads_up(entry.path):
                        self._ignore("link to a folder above", root, entry)
                        continue
                    below.setdefault((entry.is_symlink(), entry.name), []).append(root)
                elif self._wanted(root, entry, folder):
                    version = entry.version if isinstance(entry, Entry) else None
                    found.append(_Found(root, entry.name, version))
        if found:
            yield folder, found
        for (is_link, name), holders in sorted(below.items()):
            path = _below(folder, name)
            if is_link:
                links.append((path, holders))
            else:
                yield from self._walk(path, holders, seen, links)

    def _entries(self, folder: Path, seen: set[tuple[int, int]]) -> Iterator[_Entry | None]:
        """A folder's entries; None once when it cannot be read."""
        try:
            if isinstance(folder, RemotePath):
                if folder != self.out:
                    yield from list(folder.entries())
                return
            status = os.stat(folder)
            if (status.st_dev, status.st_ino) in seen or self._is_out(status):
                return
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as entries:
                yield from list(entries)
        except OSError:
            yield None

    def _is_out(self, status: os.stat_result) -> bool:
        return (
            self.out is not None
            and not isinstance(self.out, RemotePath)
            and self.out.exists()
            and os.path.samestat(status, os.stat(self.out))
        )

    def _wanted(self, root: Path, entry: _Entry, folder: str) -> bool:
        suffix = os.path.splitext(entry.name)[1].lower()
        if suffix in self.search.suffixes:
            return self.without is None or not self.without(root, _below(folder, entry.name))
        if folder or entry.name != TABLE:
            self._ignore(suffix or "without suffix", root, entry)
        return False

    def _ignore(self, why: str, root: Path, entry: _Entry) -> None:
        self.ignored[why] += 1
        if self.search.lists_ignored:
            self.ignored_files.append(Ignored(root, os.path.relpath(entry.path, root), why))

    def _named(self, folder: str, found: list[_Found]) -> Iterator[Track]:
        found.sort(key=lambda one: (one.name, self.roots.index(one.root)))
        taken: dict[str, str] = {}
        begin = f"{folder}/" if folder else ""
        names = prefixes([one.name for one in found])
        for (root, name, version), prefix in zip(found, names, strict=True):
            if not name:
                problem = ItemError("unreadable", "this folder cannot be read", again=True)
                yield Track(root, folder or ".", folder or ".", problem)
                continue
            clash = None
            called = fold(prefix) if self.outputs else name
            if other := taken.get(called):
                clash = ItemError(
                    "coincides",
                    f"its outputs would have the names of those of {other}",
                    "rename one of them",
                    again=True,
                )
            else:
                taken[called] = f"{root.name}/{begin}{name}"
            yield Track(root, begin + name, begin + prefix, clash, version)


def check_readable(folder: Path) -> None:
    """Raise RunError if nothing in a folder can be found or opened."""
    try:
        if isinstance(folder, RemotePath):
            next(folder.entries(), None)
            return
        os.stat(os.path.join(folder, os.curdir))
        os.scandir(folder).close()
    except OSError as error:
        reason = (error.strerror or "input/output error").lower()
        raise RunError(f"{folder} cannot be read: {reason}") from None


def passed_over(ignored: Mapping[str, int]) -> str:
    """What a walk passed over in words, the most frequent first; '' for nothing."""
    ordered = sorted(ignored.items(), key=lambda pair: (-pair[1], pair[0]))
    counts = ", ".join(f"{number} {why}" for why, number in ordered[:5])
    return f"{counts}{', and others' if len(ordered) > 5 else ''} passed over" if counts else ""


def _below(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder and name else folder or name


def _leads_up(link: str) -> bool:
    """Whether a link leads to a folder above it, by its name or by where its folders are."""
    target = os.path.realpath(link)
    ways = Path(os.path.abspath(link)).parents  # the roots and what is above them, too
    return any(Path(os.path.realpath(way)).is_relative_to(target) for way in ways)


def _is_folder(entry: _Entry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself: let opening it show
        return False
