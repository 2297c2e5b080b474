"""Layout: what the folders of a collection say of its files: genre, part of a split, artist."""

from __future__ import annotations

import contextlib
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mgrkit.tracks.slices import uncut, without_suffix
from mgrkit.tracks.splits import PARTS, PARTS_HINT, group_key, part_of

_NUMBERED = re.compile(r"([A-Za-z][\w&+ -]*)\.?\d{5}")
_GENRES = {
    "alternative", "ambient", "blues", "classical", "country", "dance", "disco", "dub",
    "easylistening", "edm", "electronic", "electronica", "experimental", "folk", "funk", "gospel",
    "hiphop", "house", "indie", "instrumental", "international", "jazz", "latin", "metal",
    "oldtimehistoric", "opera", "pop", "punk", "randb", "rap", "reggae", "rnb", "rock", "soul",
    "soulrnb", "spoken", "techno", "trance", "world",
}  # fmt: skip
"""Folders of these names hold a genre, even where one alone is there."""
_DASH = re.compile(r"[\s_]*[-\u2013\u2014][\s_]*")
"""What stands between an artist and an album."""
HINT = "name the genres in a tracks.csv, columns path and genre"
_BY_TAG = "train, evaluate and compare take those of the files' tags by --label-from tag"
_FOLDERS, _FILES = 12, 6
"""How many folders, and files of each, are asked for their artist."""


@dataclass(frozen=True)
class Layout:
    """Which folders of a relative path hold what, the same for all files of a collection.

    Parameters
    ----------
    genre : which of its folders is the genre, the first being 0.
    part : which is a part of a split; None where none is.
    by_name : files say their genre by name (``<genre>.NNNNN``), whatever their folder.
    genre_notes, part_notes : what a person should know of either, one line each.
    samples : some files of each genre's folder.
    """

    genre: int = 0
    part: int | None = None
    by_name: bool = False
    genre_notes: tuple[str, ...] = ()
    part_notes: tuple[str, ...] = ()
    samples: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, paths: Iterable[str]) -> Layout:
        """The layout of a collection's relative POSIX paths.

        Folders called train, valid and test (in their usual spellings), above the genres or
        below each of them, are the parts of a split, even if there are as many others beside
        them. A folder above the genres that holds all the others and no file is passed through,
        unless its name is a genre's; so are several that hold all genres each, as folds do.

        >>> one = Layout.of(["Data/train/blues/a.wav", "Data/test/jazz/b.wav"])
        >>> one.label("Data/train/blues/a.wav"), one.split("Data/train/blues/a.wav")
        ('blues', 'train')
        """
        held: dict[tuple[str, ...], _Held] = {}
        for path in paths:
            *steps, name = path.split("/")
            held.setdefault(tuple(steps), _Held()).add(path, named(name))
        at, part = _down(held)
        if part is None and len(_parts(_at(held, at + 1))) > 1:
            part = at + 1
        names = set().union(*(one.names for one in held.values()))
        folders = _at(held, at)
        by_name = (
            "" not in names
            and names.isdisjoint(folders)
            and any(len(one.names) > 1 for steps, one in held.items() if steps)
        )
        part_notes = () if part is None else (_part_note(_at(held, part)),)
        notes = () if by_name else tuple(_genre_notes(held, at, part))
        return cls(at, part, by_name, notes, part_notes, _samples(held, at))

    def label(self, path: str) -> str:
        """The genre that a path gives; '' for none. A number is no genre."""
        folder = self._folder(path, self.genre)
        if folder and not self.by_name and not is_number(folder):
            return unicodedata.normalize("NFC", folder)
        return named(path.rpartition("/")[2])

    def split(self, path: str) -> str:
        """'train', 'valid' or 'test' as the folders say; '' where they do not."""
        return "" if self.part is None else part_of(self._folder(path, self.part))

    def without_part(self, path: str) -> str:
        """A path without the folder that is a part of the split."""
        steps = path.split("/")
        if self.part is not None and self.split(path):
            del steps[self.part]
        return "/".join(steps)

    def artist(self, path: str) -> str:
        """The folder below the genre's (and a part's there); '' for none."""
        return self._folder(path, self.genre + 1 + (self.part == self.genre + 1))

    def first_hold_artists(self, root: Path) -> str:
        """A note if the tags of some files say that genres' folders hold one artist each."""
        for folder, artist in self._artists(self._tagged(root)).items():
            return (
                "the folders that are taken for genres hold one artist each, as tags say "
                f"({folder}: {artist}): {HINT}; {_BY_TAG}"
            )
        return ""

    def first_are_artists(self, root: Path) -> str:
        """A folder and its artist, where tags say that genres' folders are artists; else ''.

        Most are called as an artist of their files, or that and an album. Or `first_hold_artists`
        says so of them, and the genres in the tags are others than the folders' names, and two
        artists share one.
        """
        asked = self._tagged(root)
        called = {
            folder: next(artist for artist in artists if _is_called(folder, artist))
            for folder, artists in asked.items()
            if any(_is_called(folder, artist) for artist in artists) and not is_genre(folder)
        }
        if 2 * len(called) <= len(asked) or len(set(map(group_key, called.values()))) < 2:
            called = self._artists(asked)
            called = called if self._share_genres(root, called) else {}
        return next((f"{folder}: {artist}" for folder, artist in called.items()), "")

    def _share_genres(self, root: Path, artists: Mapping[str, str]) -> bool:
        """Whether tags name one genre in folders of two artists, and of no folder its own name."""
        from mgrkit.audio.tags.genre import genre_tags

        sharing: dict[str, set[str]] = {}
        for folder in artists:
            for path in self.samples[folder]:
                with contextlib.suppress(OSError):
                    for genre in genre_tags(root / path):
                        sharing.setdefault(group_key(genre), set()).add(group_key(artists[folder]))
        own = any(group_key(folder) in sharing for folder in self.samples)
        return not own and any(len(its) > 1 for its in sharing.values())

    def _tagged(self, root: Path) -> dict[str, list[str]]:
        """By folder the artists that the tags of some of its files name."""
        from mgrkit.audio.tags.artist import artist_tag

        asked = _thinned(list(self.samples), _FOLDERS)
        return {
            folder: list(filter(None, (artist_tag(root / path) for path in self.samples[folder])))
            for folder in asked
        }

    @staticmethod
    def _artists(asked: Mapping[str, Sequence[str]]) -> dict[str, str]:
        """By folder its only artist, if most have one, and not all the same."""
        artists: dict[str, str] = {}
        for folder, tags in asked.items():
            keys = set(map(group_key, tags))
            many = len(tags) > 1 or group_key(folder) in keys
            if len(keys) == 1 and many and not is_genre(folder):
                artists[folder] = tags[0]
        others = len(set(map(group_key, artists.values())))
        return {} if others < 2 or 2 * len(artists) <= len(asked) else artists

    def _folder(self, path: str, at: int) -> str:
        steps = path.split("/")[:-1]
        return steps[at] if at < len(steps) else ""


class _Held:
    """The files of one folder: the genres that their names give, and a few spread over all."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.spread: list[str] = []
        self.last = ""
        self.count = 0

    def add(self, path: str, name: str) -> None:
        self.names.add(name)
        self.count += 1
        self.last = path
        if not self.count & (self.count - 1):  # 1, 2, 4, 8, ...: few, whatever comes
            self.spread.append(path)


_Folders = dict[tuple[str, ...], _Held]


def _down(held: _Folders) -> tuple[int, int | None]:
    """Where the genres are and, above them, the parts."""
    at, part = 0, None
    while folders := _at(held, at):
        if part is None and _are_parts(folders):
            part = at
        elif not _lie_above(held, at, folders):
            break
        at += 1
    return at, part


def _at(held: _Folders, at: int) -> set[str]:
    """The names of all folders of a depth."""
    return {steps[at] for steps in held if len(steps) > at}


def _lie_above(held: _Folders, at: int, folders: Collection[str]) -> bool:
    """Whether the folders of a depth lie above the genres."""
    if len(folders) == 1:
        return _passed(held, at, next(iter(folders)))
    below = _at(held, at + 1)
    held_by = {steps[at : at + 2] for steps in held if len(steps) > at}
    every = len(held_by) == len(folders) * len(below)  # as folds of one collection
    return every and any(map(is_genre, below)) and not any(map(is_genre, folders))


def _passed(held: _Folders, at: int, only: str) -> bool:
    """Whether the only folder of a depth lies above the genres: several, or one of their names."""
    if is_genre(only) or any(len(steps) == at + 1 for steps in held):
        return False
    below = _at(held, at + 1)
    one = next(iter(below), "")
    several = len(below) > 1 or _are_parts(below) or is_genre(one)
    return several or _passed(held, at + 1, one)


def _parts(folders: Iterable[str]) -> set[str]:
    """The parts that folders are called by; none where more are called otherwise."""
    called = list(map(part_of, folders))
    return set(called) - {""} if 2 * called.count("") <= len(called) else set()


def _are_parts(folders: Collection[str]) -> bool:
    """All are called so, or two parts are there: a band is called Train, but no two are so."""
    return len(_parts(folders)) > 1 or (bool(folders) and all(map(part_of, folders)))


def _in_order(folder: str) -> tuple[int, str]:
    return PARTS.index(part_of(folder)), folder


def _part_note(folders: Iterable[str]) -> str:
    parts = ", ".join(sorted(filter(part_of, folders), key=_in_order))
    others = _shown([folder for folder in folders if not part_of(folder)])
    return f"the split is that of the folders {parts}" + (
        f"; no part of it: {others} ({PARTS_HINT})" if others else ""
    )


def _genre_notes(held: _Folders, at: int, part: int | None) -> Iterator[str]:
    above = next((steps[:at] for steps in held if len(steps) > at), ())
    if above and (part is None or part > at):
        beside = _at(held, at - 1)
        where = "/".join(above) if len(beside) == 1 else f"each of {_shown(beside)}"
        yield f"the genres are the folders in {where}"
    for depth in range(at + 2) if part is None else ():
        folders = _at(held, depth)
        if parts := _shown([folder for folder in folders if _parts(folders) and part_of(folder)]):
            others = _shown([folder for folder in folders if not part_of(folder)])
            yield f"no split is seen in the folders {parts} and {others}: {PARTS_HINT}"
    if numbers := _shown(list(filter(is_number, _at(held, at)))):
        yield f"folders of numbers ({numbers}) are no genres: {HINT}"


def _shown(folders: Collection[str]) -> str:
    """The first two, and whether there are more."""
    return ", ".join(sorted(folders)[:2]) + (", ..." if len(folders) > 2 else "")


def _samples(held: _Folders, at: int) -> dict[str, tuple[str, ...]]:
    """Of each genre's folder a few files, of as many of the folders in it as there are."""
    of_genre: dict[str, list[_Held]] = {}
    for steps, one in held.items():
        if len(steps) > at and not is_number(steps[at]):
            of_genre.setdefault(steps[at], []).append(one)
    return {
        folder: tuple(_thinned([one.last for one in inner] if inner[1:] else inner[0].spread))
        for folder, inner in of_genre.items()
    }


def _thinned(what: Sequence[str], most: int = _FILES) -> Sequence[str]:
    """So many at most, spread over all."""
    return what[:: max(1, -(-len(what) // most))]


def _is_called(folder: str, artist: str) -> bool:
    """Whether a folder has an artist's name, or that, a dash and more, such as an album's."""
    parts = _DASH.split(folder)
    starts = (" - ".join(parts[:end]) for end in range(1, len(parts) + 1))
    return group_key(artist) in map(group_key, starts)


def is_genre(folder: str) -> bool:
    """Whether a folder is called as genres usually are."""
    return group_key(folder) in _GENRES


def is_number(folder: str) -> bool:
    """Whether a folder has digits only for a name, as those of FMA have: 000, 001."""
    return folder.isdigit()


def named(name: str) -> str:
    """The genre that a file's name gives, as GTZAN's do: ``<genre>.NNNNN``; '' for none.

    >>> named("jazz.00054.au"), named("jazz00054_1.png"), named("song.mp3")
    ('jazz', 'jazz', '')
    """
    for stem in uncut(without_suffix(name)):
        if match := _NUMBERED.fullmatch(stem):
            return unicodedata.normalize("NFC", match[1])
    return ""
