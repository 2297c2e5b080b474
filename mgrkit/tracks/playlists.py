"""Playlists of songs by genre, as M3U8: made, made anew, and nobody else's touched."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from mgrkit.audio.tags.every import every_tag
from mgrkit.errors import RunError, UsageError
from mgrkit.files.objects import is_url
from mgrkit.files.outputs import check_folder
from mgrkit.files.remote import RemotePath, placed
from mgrkit.files.replacing import replacing
from mgrkit.tracks.names import fold

SUFFIX = ".m3u8"
UNSURE = "unsure"
"""What the list of verdicts is called that are more likely wrong than right."""

_HEAD = b"#EXTM3U\n"
_MARK = b"# made by mgrkit predict --playlists; changed by hand it stays as it is; sha256 "
_NOT_IN_NAMES = re.compile(r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|\u2028\u2029]+')
_LONGEST_NAME = 200
"""Bytes: file systems take 255."""


class _Song(NamedTuple):
    order: float
    path: str
    seconds: float


@dataclass
class Playlists:
    """The playlists of a folder: one for each genre, and one of what is unsure.

    Those that are made say so in a line, with the digest of all that follows it; what has no such
    line, or was changed after it, is somebody's own.

    Parameters
    ----------
    folder : made if it is not there.
    absolute : whether lists hold absolute paths instead of those from ``folder``.

    Attributes
    ----------
    left_out : songs that no list can name, as ``#`` and line ends have a meaning there: their
        paths hold control characters, end with a space, or are not UTF-8.
    """

    folder: Path
    absolute: bool = False
    left_out: list[str] = field(default_factory=list)
    _names: dict[str | None, str] = field(default_factory=dict)
    _songs: dict[str | None, list[_Song]] = field(default_factory=dict)

    def check(self, genres: Sequence[str]) -> None:
        """See before the work that lists of these genres can be written.

        Raises
        ------
        UsageError : ``folder`` is a file or has no folder, or a list there is somebody's own.
        RunError : nothing can be written there.
        """
        option = "--playlists DIR"
        remote = isinstance(placed(self.folder), RemotePath)
        if remote or (os.path.lexists(self.folder) and not self.folder.is_dir()):
            raise UsageError(f"{self.folder} is no folder on this machine", f"another {option}")
        check_folder(self.folder, option)
        if not os.access(self.folder if self.folder.is_dir() else self.folder.parent, os.W_OK):
            raise RunError(f"cannot write to {self.folder}", f"give another {option}")
        self._names = {None: UNSURE}
        taken = {fold(UNSURE)}
        for genre in genres:
            self._names[genre] = _free(_file_name(genre), taken)
        self._refuse()

    def add(
        self, path: str, genre: str, probability: float, seconds: float, *, unsure: bool
    ) -> None:
        """Put a song on the list of its genre, or on that of what is unsure."""
        songs = self._songs.setdefault(None if unsure else genre, [])
        songs.append(_Song(-probability, path, seconds))

    def write(self) -> None:
        """Write all lists anew, the likeliest songs first; a list of nothing is deleted.

        So are those that were made for other genres: all lists of the folder are of one call.

        Raises
        ------
        UsageError : a list has become somebody's own.
        RunError : one cannot be written; each is the former or the new one.
        """
        self.left_out.clear()
        try:
            self.folder.mkdir(exist_ok=True)
            self._refuse()
            lists = {self._path(genre): self._list(genre) for genre in self._songs}
            lists = {path: made for path, made in lists.items() if made}
            # First: a file system may take Rock.m3u8 for rock.m3u8.
            for old in sorted(self.folder.glob(f"*{SUFFIX}")):
                if old not in lists and _is_ours(old) and _is_named_so(old):
                    old.unlink()
            for path, made in lists.items():
                with replacing(path) as temp:
                    temp.write_bytes(made)
        except OSError as error:
            raise RunError(
                f"cannot write {error.filename}: {error.strerror}",
                "the next call writes the playlists",
            ) from None

    def _path(self, genre: str | None) -> Path:
        return self.folder / f"{self._names[genre]}{SUFFIX}"

    def _refuse(self) -> None:
        for path in map(self._path, self._names):
            if os.path.lexists(path) and not _is_ours(path):
                raise UsageError(
                    f"{path} was not made by mgrkit, or was changed by hand",
                    "move it away, or give another --playlists DIR",
                )

    def _list(self, genre: str | None) -> bytes:
        """The bytes of a list; none where it would name no song."""
        lines = []
        for _, path, seconds in sorted(self._songs[genre]):
            location = self._location(path)
            if _is_unfit(location):
                self.left_out.append(path)
            else:
                lines += [f"#EXTINF:{round(seconds) or -1},{_title(path)}", location]
        if not lines:
            return b""
        text = "\n".join([f"#PLAYLIST:{_one_line(genre or UNSURE)}", *lines, ""]).encode()
        return _HEAD + _MARK + hashlib.sha256(text).hexdigest().encode() + b"\n" + text

    def _location(self, path: str) -> str:
        """How a list names a song."""
        if is_url(path):
            return path
        folder, name = os.path.split(path)
        # Not by abspath: ".." means something else behind a link.
        file = os.path.join(os.path.realpath(folder), name)
        if self.absolute:
            return file
        relative = os.path.relpath(file, os.path.realpath(self.folder))
        # It would be a comment, lose its beginning, or be taken for a drive or a URL.
        is_other = relative.startswith(("#", " ", "\\")) or ":" in relative.partition("/")[0]
        return f"./{relative}" if is_other else relative


def _is_ours(path: Path) -> bool:
    """Whether a file is a list as it was made here."""
    if path.is_symlink() or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            head, mark = file.readline(len(_HEAD)), file.readline(len(_MARK) + 65)
            if head != _HEAD or not mark.startswith(_MARK):
                return False
            return mark == _MARK + hashlib.sha256(file.read()).hexdigest().encode() + b"\n"
    except OSError:
        return False


def _is_named_so(path: Path) -> bool:
    """Whether a list has a name that it could have got here: another is a person's copy."""
    with path.open("rb") as file:
        genre = file.read().split(b"\n", 3)[2].decode().removeprefix("#PLAYLIST:")
    return re.fullmatch(re.escape(_file_name(genre)) + r"( \([0-9]+\))?", path.stem) is not None


def _is_unfit(location: str) -> bool:
    kinds = set(map(unicodedata.category, location))
    return bool(kinds & {"Cc", "Cs", "Zl", "Zp"}) or location != location.rstrip()


def _file_name(genre: str) -> str:
    """A genre as the name of a file on any file system, without a suffix."""
    name = _NOT_IN_NAMES.sub("-", genre.encode("utf-8", "replace").decode()).strip(" .")
    return name.encode()[:_LONGEST_NAME].decode(errors="ignore").strip(" .") or "-"


def _free(name: str, taken: set[str]) -> str:
    """This name, or that with a number; letter case does not tell two names apart."""
    number, free = 1, name
    while fold(free) in taken:
        number += 1
        free = f"{name} ({number})"
    taken.add(fold(free))
    return free


def _title(path: str) -> str:
    """Artist and title, as the tags have them, else the file's name."""
    tags = {} if is_url(path) else every_tag(path)
    if "title" not in tags:
        return _one_line(Path(path).stem)
    return _one_line(" - ".join(filter(None, (tags.get("artist"), tags["title"]))))


def _one_line(text: str) -> str:
    text = text.encode("utf-8", "replace").decode()
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
