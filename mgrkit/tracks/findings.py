"""What a check finds of one file of a collection, from what was measured and what is stated."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from mgrkit.audio.measuring import Measured
from mgrkit.tracks.collections.base import Form
from mgrkit.tracks.collections.lookup import find_collection, known
from mgrkit.tracks.layout import is_genre, named
from mgrkit.tracks.splits import group_key

CLIPPED_SHARE = 0.001
"""From this share of samples on, counted as `mgrkit.audio.measuring.Clipping` does, a sound is
clipped: loud but sound masters stay below."""
SHORT_SHARE = 0.95
"""A sound that holds less of what is stated is short: lengths are rounded, and clips of 30 s have
29.9 s."""

FAILURES = {
    "missing": "the file is not there",
    "empty": "no bytes, or no samples",
    "pointer": "a text that stands for a file in Git LFS",
    "undecodable": "no sound, or its decoder fails on the way",
    "truncated": "the file holds less than its header promises",
    "silent": "nothing to hear, or channels that cancel each other",
    "short": "less sound than is stated or asked for",
    "contradicting": "rows of the table give this path several genres",
}
"""Codes with which a row is ``failed``."""
WARNINGS = {
    "clipped": "cut off at full scale",
    "label": "the table, the folder and the file's name disagree about the genre",
    "duplicate": "the very same sound as another file",
    "repeated": "more than one row of the table has this path",
    "unlisted": "in the folder, but not in its table",
    "listed": "its collection is known to have a bad file here, whatever was found",
}
"""Codes with which a row is ``ok``."""

_CODES = {"lfs-pointer": "pointer", "empty": "empty", "no-samples": "empty",
          "truncated": "truncated"}  # fmt: skip


class Finding(NamedTuple):
    """One thing that a check found."""

    code: str
    text: str
    fails: bool = False

    def __str__(self) -> str:
        return f"{self.code}: {self.text}"


def reason(findings: Sequence[Finding]) -> str:
    """All of them in a row's words, failures first; '' for none."""
    return "; ".join(map(str, sorted(findings, key=lambda one: not one.fails)))


def heard(measured: Measured) -> Iterator[Finding]:
    """What the sound itself tells."""
    if error := measured.failure:
        yield Finding(_CODES.get(error.reason, "undecodable"), error.message, fails=True)
    if measured.silence:
        yield Finding("silent", measured.silence.message, fails=True)
    if measured.clipped >= CLIPPED_SHARE:
        yield Finding("clipped", f"{measured.clipped:.2%} of its samples")
    if measured.warning:
        code, _, text = measured.warning.partition(": ")
        yield Finding(code, text)


def short(seconds: float, stated: float = 0.0, least: float = 0.0) -> Iterator[Finding]:
    """Whether a sound is shorter than is stated (0: nothing is), or than a least length."""
    if seconds < SHORT_SHARE * stated:
        yield Finding("short", f"{seconds:.3g} s of {stated:.4g} s that are stated", fails=True)
    if seconds < least:
        yield Finding("short", f"{seconds:.3g} s, less than {least:.4g} s", fails=True)


class Published(NamedTuple):
    """What the collection of a file says of it.

    Parameters
    ----------
    seconds : of sound; 0 where it says nothing.
    fault : what is known to be wrong: a code, a colon and words; '' for nothing.
    """

    name: str = ""
    seconds: float = 0.0
    fault: str = ""

    def listed(self, found: Collection[str]) -> Iterator[Finding]:
        """What the list of bad files says, beside the codes that were found."""
        if self.fault:
            other = "" if self.fault.partition(":")[0] in found else "; nothing like it was found"
            yield Finding("listed", f"{self.name} has {self.fault}{other}")


def published(path: str, folder: str = "") -> Published:
    """What the collection says that a file is known to be of; slices are other sounds.

    Parameters
    ----------
    folder : POSIX, in which the path is: its name may say in which form the collection is there.
    """
    track = known(path)
    if track is None or track.piece:
        return Published()
    of = find_collection(track.id.partition(":")[0])
    steps = set(f"{folder}/{path}".split("/"))
    fits = [form for form in of.forms if form.path.rpartition(".")[2] == path.rpartition(".")[2]]
    fits = [form for form in fits if _top(form) in steps] or fits
    names = {form.name for form in fits}
    stated = {form.seconds for form in fits}
    # Of several forms that it may be of, what is so in all.
    faults = (b.reason for b in of.bad if b.track == track.id and names and names <= {*b.forms})
    return Published(of.name, stated.pop() if len(stated) == 1 else 0.0, next(faults, ""))


def _top(form: Form) -> str:
    return form.path.partition("/")[0]


def mislabelled(
    path: str, genre: str, genres: Collection[str], *, by_table: bool
) -> Iterator[Finding]:
    """Whether the folder or the name of a file speaks of another genre than its own.

    Parameters
    ----------
    genre : what the table says, else what the folders do; '' for none.
    genres : the keys (`group_key`) of all genres of the collection: a folder is a genre's if it
        is called like one of them, or as genres usually are.
    """
    *folders, name = path.split("/")
    own = group_key(genre)

    def is_one(called: str) -> bool:
        return is_genre(called) or group_key(called) in genres

    of_folders = list(filter(is_one, folders))
    of_name = named(name)
    others = []
    if of_folders and own not in map(group_key, of_folders):
        others.append(f"the folder {of_folders[-1]}")
    if of_name and is_one(of_name) and group_key(of_name) != own:
        others.append(f"the file's name {of_name}")
    if genre and others:
        who = "the table" if by_table else "the folder"
        yield Finding("label", f"{who} says {genre}, {' and '.join(others)}")
