"""Slices and noisy copies of recordings, as the names of their files tell."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

_WORD = (
    r"(?:part|pt|segment|seg|slice|chunk|clip|piece|split|crop|excerpt|snippet|section|fragment"
    r"|frag|window|win|cut)s?"
)
_SEPARATOR = r"[ ._(-]"
_SLICE = re.compile(
    rf"(?P<recording>.*?[^ ._(-])(?:(?:{_SEPARATOR}+|(?<=\d))(?P<word>{_WORD})[ ._-]*"
    rf"|{_SEPARATOR}+)(?P<number>\d{{1,5}})s?(?:[ _-]*of[ _-]*\d+)?\)?",
    re.IGNORECASE,
)
_NUMBER = re.compile(rf"(?:{_WORD})?[ ._-]*\d{{1,5}}", re.IGNORECASE)
_COPY = re.compile(r"_-?\d+(?:\.\d+)?(?:e[+-]?\d+)?dB_\d+(?:\.\d{3,})?$")
_SUFFIX = re.compile(rf"\.(?!(?:{_WORD})?\d+$)[A-Za-z0-9]{{1,5}}$", re.IGNORECASE)
_ANY = {"audio", "clip", "file", "music", "recording", "sample", "song", "sound", "track"}
"""Stems that say nothing: ``track 01`` and ``track 02`` are no slices of ``track``."""
_SAME_LENGTH = 0.01


def without_suffix(path: str) -> str:
    """A path without its suffix; a number is none, nor is a slice's.

    >>> without_suffix("a/blues.00000.wav"), without_suffix("blues.00000.part1")
    ('a/blues.00000', 'blues.00000.part1')
    """
    return _SUFFIX.sub("", path)


def is_number(stem: str) -> bool:
    """Whether a name is that of a slice and of nothing else: ``3``, ``chunk0``, ``part_02``."""
    return bool(_NUMBER.fullmatch(stem))


def uncut(stem: str) -> Iterator[str]:
    """A stem, and what it is a slice of if its end is a slice's: once, twice and so on.

    >>> list(uncut("000002_part3")), list(uncut("a_0-3"))
    (['000002_part3', '000002'], ['a_0-3', 'a_0', 'a'])
    """
    yield stem
    while match := _SLICE.fullmatch(stem):
        stem = match["recording"]
        yield stem


def copy_of(path: str) -> list[str]:
    """Paths without suffix of which a file may be a noisy copy, the likeliest first.

    Copies are called ``<stem>.<noise>_<snr>dB_<k>``, as `mgrkit augment` calls them; both the
    stem and the noise may hold dots. Empty for any other name.

    >>> copy_of("blues/a.b.pink_-5dB_1.wav"), copy_of("blues/a.wav")
    (['blues/a.b', 'blues/a'], [])
    """
    stem = without_suffix(path)
    match = _COPY.search(stem)
    folder, slash, name = stem[: match.start() if match else 0].rpartition("/")
    steps = name.split(".")
    return [f"{folder}{slash}{'.'.join(steps[:end])}" for end in range(len(steps) - 1, 0, -1)]


def series(
    paths: Sequence[str], lengths: Sequence[float], folders: Sequence[str]
) -> tuple[list[str], list[list[int]]]:
    """The recordings of which files are plainly slices, and those of which they may be.

    Plain is a word for a slice before the number (``song3_part2``), several in a folder; or
    numbers alone that follow one another, of one length but for the last, if three recordings
    of the folder are cut so. Where only some of that holds, or all of a genre would be one
    recording, it may be.

    Parameters
    ----------
    paths : POSIX, one per file, as are the other two.
    lengths : in any unit; 0 where it is not known.
    folders : names that are no recording's: of genres.

    Returns
    -------
    What the slices of one recording share, per file, '' for none; and sets of files that may be
    slices of one.
    """
    found: dict[tuple[str, str, bool], dict[int, int]] = {}
    no_names = _ANY | {folder.casefold() for folder in folders}
    size = Counter(path.rpartition("/")[0] for path in paths)
    for index, path in enumerate(paths):
        folder, _, name = without_suffix(path).rpartition("/")
        match = _SLICE.fullmatch(name)
        if match and match["recording"].casefold() not in no_names:
            key = folder, match["recording"], bool(match["word"])
            found.setdefault(key, {}).setdefault(int(match["number"]), index)
    cut = {key: members for key, members in found.items() if _may_be(members, word=key[2])}
    numbered = Counter(folder for folder, _, word in cut if not word)
    shared = [""] * len(paths)
    doubts = []
    for (folder, recording, word), members in cut.items():
        indices = [members[number] for number in sorted(members)]
        several = numbered[folder] > 2
        same = _same([lengths[index] for index in indices])
        of_genre = folder.rpartition("/")[2] in ("", *folders)
        all_of_it = of_genre and len(indices) == size[folder]
        if (word or (same and several)) and not all_of_it:
            for index in indices:
                shared[index] = f"{folder}/{recording}"
        elif word or same or (same is None and several):
            doubts.append(indices)
    return shared, doubts


def _may_be(members: Mapping[int, int], *, word: bool) -> bool:
    """Whether numbers are those of slices: two with a word, else three that follow one another."""
    return (
        len(members) > 1
        if word
        else len(members) > 2 and (max(members) - min(members) == len(members) - 1)
    )


def _same(lengths: Sequence[float]) -> bool | None:
    """Whether all but the last, which may be shorter, are of one length; None if not known."""
    if not all(lengths):
        return None
    first = lengths[0]
    near = all(abs(one - first) <= _SAME_LENGTH * first for one in lengths[:-1])
    return near and lengths[-1] <= first * (1 + _SAME_LENGTH)
