"""The sound files that a call names, as its items."""

from __future__ import annotations

import functools
import itertools
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mgrkit.batch import Item, Summary
from mgrkit.errors import ItemError, RunError
from mgrkit.files.objects import Version
from mgrkit.files.remote import RemotePath, lies
from mgrkit.inputs.kinds import PICTURES
from mgrkit.tracks.find import Finder, Search, check_readable, passed_over


@dataclass
class Walk:
    """The files that are named or lie in named folders, none twice, and what is passed over.

    Parameters
    ----------
    pictures : a folder without sound gives those.
    places : each name's number, in the order in which they came.
    again : names that came more than once.
    others : how many belong to other shards.
    """

    paths: Sequence[Path]
    search: Search
    pictures: bool
    places: dict[str, int] = field(default_factory=dict)
    again: Counter[str] = field(default_factory=Counter)
    others: int = 0
    ignored: Counter[str] = field(default_factory=Counter)
    ignored_files: list[tuple[str, str]] = field(default_factory=list)

    def some_items(self) -> Iterator[Item]:
        """All items; RunError if there is none.

        One file of several that is not there is an error of its own; if all are, the run ends.
        """
        if self.paths and not any(map(lies, self.paths)):
            several = f"none of {len(self.paths)} files is there, as {self.paths[0]}"
            what = several if len(self.paths) > 1 else f"there is no {self.paths[0]}"
            raise RunError(what, "name sound files, or folders of them")
        if len(self.paths) == 1 and self.paths[0].is_dir():
            check_readable(self.paths[0])
        items = self.items()
        first = next(items, None)
        if first is None and self.others:
            return iter(())
        if first is None:
            over = passed_over(self.ignored)
            raise RunError(
                f"no sound files in {' and '.join(map(str, self.paths)) or 'the list'}"
                f"{f' ({over})' if over else ''}",
                "give others, or name the suffix of your files with --suffix",
            )
        return itertools.chain([first], items)

    def items(self) -> Iterator[Item]:
        """An item for each file, called as the caller would call it."""
        real, seen = functools.cache(os.path.realpath), set[str]()
        for path in self.paths:
            for name, problem, version in self._tracks(path):
                folder, last = os.path.split(name)
                file = os.path.join(real(folder), last)  # a link to a file has a name of its own
                if file in seen:
                    self.again[name] += 1
                    continue
                seen.add(file)
                self.places[name] = len(self.places)
                row = {"path": name, "source": name}
                yield Item(name, name, row, error=problem, version=version)

    def count(self) -> int:
        """How many items there are, by a separate walk."""
        return sum(1 for _ in Walk(self.paths, self.search, self.pictures).items())

    def complete(self, summary: Summary) -> None:
        """Add what the walk found to the summary."""
        summary.ignored = dict(self.ignored)
        if self.search.lists_ignored:
            summary.ignored_files = sorted(self.ignored_files)
        if self.again:
            others = f" and {len(self.again) - 1} more" if len(self.again) > 1 else ""
            summary.warnings.append(f"named twice, judged once: {next(iter(self.again))}{others}")

    def _tracks(self, path: Path) -> list[tuple[str, ItemError | None, Version | None]]:
        if not path.is_dir():
            if self.search.takes(path.as_posix()):
                return [(str(path), None, path.version() if isinstance(path, RemotePath) else None)]
            self.others += 1
            return []
        finder = Finder([path], search=self.search)
        if self.pictures and next(iter(finder), None) is None:
            finder = Finder([path], search=replace(self.search, suffixes=PICTURES))
        tracks = [
            (
                os.path.join(path, track.path).removesuffix(f"{os.sep}."),
                track.problem,
                track.version,
            )
            for track in finder
        ]
        self.others += finder.found - len(tracks)
        self.ignored += finder.ignored
        self.ignored_files += [
            (os.path.join(path, one.path), one.why) for one in finder.ignored_files
        ]
        return tracks
