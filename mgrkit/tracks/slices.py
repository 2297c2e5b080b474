"""Slices and noisy copies of recordings, as the names of their files say."""

from __future__ import annotations

import functools
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

_SEPARATOR = r"[\s._,~+@#(\[{\u2013\u2014-]"
_WORD = (
    r"(?:part|pt|segment|seg|slice|chunk|clip|piece|split|crop|excerpt|snippet|section|fragment"
    r"|frag|window|win|cut)s?"
)
_HINT = r"(?:take|sample|start|offset|from|time|frame)s?"
"""Words that slices are numbered with, but other things too."""
_LETTER = r"[cfpstw](?=\d)"
"""The first letters of such words."""
_LINK = r"(?:to|end)"
"""Between start and end."""
_UNIT = r"(?:m?s|m?secs?|seconds?)"
_SLICE = re.compile(
    rf"""
    (?P<recording> .*? (?!{_SEPARATOR}). )
    (?: (?P<gap>{_SEPARATOR}+) (?P<letter>{_LETTER})?
      | (?: {_SEPARATOR}+ | (?<=\d) | (?-i:(?<=[a-z])(?=[A-Z])) )  # a_part1, a3part1, aPart1
        (?: (?P<word>{_WORD}) | (?P<hint>{_HINT}) | {_LINK} ) {_SEPARATOR}*
    )
    (?P<number>\d{{1,9}}) {_UNIT}? (?:[\s_-]*of[\s_-]*\d+)? [)\]}}]?
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""The last number of a name, with what stands around it."""
_BARE = re.compile(
    rf"{_SEPARATOR}*(?:{_WORD}|{_HINT}|{_LINK}|{_LETTER})?{_SEPARATOR}*\d", re.IGNORECASE
)
"""How a name begins that is a slice's and nothing else: what else begins so may be none."""
_NUMBER = r"\d+(?:\.\d+)?(?:e[+-]?\d+)?"
_COPY = re.compile(rf"_(?:-?{_NUMBER}dB|gain{_NUMBER})_\d+(?:\.\d{{3,}})?$")
_SUFFIX = re.compile(rf"\.(?!(?:{_WORD})?\d+{_UNIT}?$)[A-Za-z0-9]{{1,5}}$", re.IGNORECASE)
_ANY = {"audio", "clip", "file", "music", "recording", "sample", "song", "sound", "track"}
"""Stems that say nothing: ``track 01`` and ``track 02`` are no slices of ``track``."""
_DEEPEST = 4
"""Numbers at the end of a name that are looked at: ``song_0.0_3.0`` has four."""
_COUNTED = 10**5
"""What is numbered one by one from here on is numbered by other things."""
_SAME_LENGTH = 0.01


class _Cut(NamedTuple):
    """One reading of a name as a slice's.

    ``mark`` is what stands before the numbers: a ``word``, a ``hint``, a ``letter`` or nothing.
    ``numbers`` set the slice apart from others: which one, or when it starts, or when it
    starts and ends. More are no slice's.
    """

    recording: str
    mark: str
    numbers: tuple[float, ...]


def without_suffix(path: str) -> str:
    """A path without its suffix; a number is none, nor is a slice's.

    >>> without_suffix("a/blues.00000.wav"), without_suffix("blues.00000.part1")
    ('a/blues.00000', 'blues.00000.part1')
    """
    return _SUFFIX.sub("", path)


def is_number(stem: str) -> bool:
    """Whether a name is that of a slice and of nothing else: ``3``, ``chunk0``, ``0.0-3.0``."""
    # Most names are none, and this is asked of each: the cheap pattern comes first.
    return bool(_BARE.match(stem)) and any(cut == "x" for cut in uncut(f"x_{stem}"))


def uncut(stem: str) -> Iterator[str]:
    """A stem, and what it is a slice of if its end is a slice's: once, twice and so on.

    >>> list(uncut("000002_part3")), list(uncut("a_0-3"))
    (['000002_part3', '000002'], ['a_0-3', 'a_0', 'a'])
    """
    yield stem
    for cut in _cuts(stem):
        yield cut.recording


def _cuts(stem: str) -> Iterator[_Cut]:
    """The readings of a stem, the last number cut off, the last two and so on.

    Two numbers with a point between them are also one, in seconds.
    """
    numbers: list[str] = []
    point = False
    while match := _SLICE.fullmatch(stem):
        stem = match["recording"]
        mark = next((m for m in ("word", "hint", "letter") if match[m]), "")
        if point and "." not in numbers[0]:
            numbers[0] = f"{match['number']}.{numbers[0]}"
        else:
            numbers.insert(0, match["number"])
        point = match["gap"] == "." and not mark
        yield _Cut(stem, mark, tuple(map(float, numbers)))


def _place(path: str) -> tuple[str, str]:
    """The folder and the name of a slice: ``a/b/chunk0`` is ``b_chunk0`` in ``a``.

    Digits alone are not taken for a slice: an album's tracks are called so, too.
    """
    folder, _, name = without_suffix(path).rpartition("/")
    if is_number(name) and not name.isdigit():
        folder, _, above = folder.rpartition("/")
        name = f"{above}_{name}"
    return folder, name


def copy_of(path: str) -> list[str]:
    """Paths without suffix of which a file may be a noisy copy, the likeliest first.

    Copies are called ``<stem>.<noise>_<snr>dB_<k>`` or ``<stem>.<noise>_gain<gain>_<k>``, as
    `mgrkit augment` calls them; both the stem and the noise may hold dots. Empty for any other
    name.

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

    Plain is a word for a slice before the number (``song3_part2``), several in a folder; starts
    and ends that follow one another from 0 on (``song_0-3``, ``song_3-6``); or numbers alone, one
    by one or in equal steps from 0 on, of one length but for the last, if three recordings of the
    folder are cut so. Where only some of that holds, or all of a genre would be one recording, it
    may be.

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
    no_names = _ANY | {folder.casefold() for folder in folders}
    size = Counter(path.rpartition("/")[0] for path in paths)
    places = [_place(path) for path in paths]
    cuts = [list(_cuts(name)) for _, name in places]
    shared = [""] * len(paths)
    doubts: list[list[int]] = []
    left = set(range(len(paths)))

    def read(depth: int) -> Iterable[_Series]:
        """All that is left, if this reading of each name holds."""
        found: dict[tuple[str, str, str, int], _Series] = {}
        for index in sorted(left):
            cut = cuts[index][depth] if depth < len(cuts[index]) else None
            if cut and len(cut.numbers) < 3 and cut.recording.casefold() not in no_names:
                key = places[index][0], cut.recording, cut.mark, len(cut.numbers)
                one = found.setdefault(key, _Series(*key[:3]))
                one.add(cut.numbers, index, lengths[index])
        return found.values()

    # What is certain by any reading of a name comes before what may be by another.
    for strict, depth in itertools.product((True, False), range(_DEEPEST)):
        likely = [one for one in read(depth) if one.is_cut or (one.is_likely and not strict)]
        numbered = Counter(one.folder for one in likely if one.mark != "word")
        for one in likely:
            several = numbered[one.folder] > 2
            of_genre = one.folder.rpartition("/")[2] in ("", *folders)
            sure = one.is_certain(several) and not (of_genre and len(one.files) == size[one.folder])
            if strict and sure:
                for index in one.files:
                    shared[index] = f"{one.folder}/{one.recording}"
            elif not strict and (one.is_certain(several) or one.may_be(several)):
                doubts.append(one.files)
            else:
                continue
            left -= set(one.files)
    return shared, doubts


class _Series:
    """Files of one folder whose names differ in the numbers of slices only."""

    def __init__(self, folder: str, recording: str, mark: str) -> None:
        self.folder, self.recording, self.mark = folder, recording, mark
        self._held: dict[tuple[float, ...], list[tuple[int, float]]] = {}

    def add(self, numbers: tuple[float, ...], index: int, length: float) -> None:
        self._held.setdefault(numbers, []).append((index, length))

    @property
    def files(self) -> list[int]:
        """Indices of the files, by their numbers."""
        return [index for numbers in self._numbers for index, _ in self._held[numbers]]

    @property
    def is_cut(self) -> bool:
        """Whether the names are those of slices, if the lengths are."""
        return len(self._held) > 1 and (self.mark == "word" or self._is_regular)

    @property
    def is_likely(self) -> bool:
        """Whether they are, or have some of it: a mark, or numbers from 0 on with gaps."""
        return self.is_cut or (len(self._held) > 1 and bool(self.mark or self._numbers[0] == (0,)))

    def is_certain(self, several: bool) -> bool:
        """Whether they are slices: with a word, with spans, or as several others are cut."""
        spans = self._begins and len(self._numbers[0]) == 2
        as_others = several and self._same is True
        return self.mark == "word" or (self._is_regular and (spans or as_others))

    def may_be(self, several: bool) -> bool:
        """Whether they may be slices, if they are likely to."""
        if self._same is False:
            return self.mark == "hint" or bool(self.mark and self._begins)
        return bool(self.mark or several or (self._is_regular and self._same))

    @functools.cached_property
    def _numbers(self) -> list[tuple[float, ...]]:
        return sorted(self._held)

    @property
    def _begins(self) -> bool:
        return self._numbers[0][0] == 0

    @functools.cached_property
    def _same(self) -> bool | None:
        """Whether the sounds are of one length but for the last; None if it is not known."""
        return _same([self._held[numbers][0][1] for numbers in self._numbers])

    @functools.cached_property
    def _is_regular(self) -> bool:
        """Whether the numbers go on in equal steps, or as starts and ends of what follows."""
        starts = [numbers[0] for numbers in self._numbers]
        steps = [after - before for before, after in itertools.pairwise(starts)]
        if len(self._numbers[0]) == 2:
            ends = [numbers[1] for numbers in self._numbers]
            spans = [end - start for start, end in zip(starts, ends, strict=True)]
            apart = all(end <= start for end, start in zip(ends, starts[1:], strict=False))
            return min(spans) > 0 and min(steps, default=0) > 0 and (apart or _same(spans) is True)
        even = len(steps) > 1 and max(steps) - min(steps) <= _SAME_LENGTH * steps[0]
        return even and (self._begins or (steps[0] == 1 and starts[-1] < _COUNTED))


def _same(lengths: Sequence[float]) -> bool | None:
    """Whether all but the last, which may be shorter, are of one length; None if not known."""
    if not all(lengths):
        return None
    first = lengths[0]
    near = all(abs(one - first) <= _SAME_LENGTH * first for one in lengths[:-1])
    return near and lengths[-1] <= first * (1 + _SAME_LENGTH)
