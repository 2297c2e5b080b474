"""The same sound in several files, found by their Chromaprint fingerprints.

A fingerprint is a row of words of 32 bits, one every 0.124 s (`mgrkit.audio.chromaprint`). Of two
files of one recording some words are the same to the bit, whatever the codec, the rate or the
level: nearly all where one begins a whole number of words after the other, a tenth where it begins
half a word later; of others hardly any is. So each fingerprint is known by a sketch, the third of
its words whose hashes are lowest: as many in a song as in the clip that was cut from it, which a
sketch of one size for all (bottom-k, Broder 1997) would lack (Irber and others, 2022, FracMinHash).
All sketches are sorted at once, so that the work grows as n log n. Pairs that share words are then
laid over each other, and judged by the bits that differ where they overlap (Haitsma and Kalker,
ISMIR 2002), as AcoustID does; and by how much of either file agrees, five seconds by five seconds:
as unrelated sound has half of its bits in common, a whole can be alike of which a third is other
music.
"""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from mgrkit.audio.chromaprint import HOP

if TYPE_CHECKING:
    from types import TracebackType

    from numpy.typing import NDArray

    Words = NDArray[np.uint32]

SIMILAR = 0.8
"""From this share of equal bits on two recordings are the same: copies at 64 kbit/s that begin
elsewhere have .94 and more, other music .5 to .65."""
LEAST = 40
"""Words that have to overlap, which are five seconds; a fingerprint with fewer is too short."""
AGREES = 0.75
"""From this share of equal bits on the `LEAST` words around a word agree, and it is common to both
files. Of 1,000 copies of real music every word does; of other music, laid as it fits best, none."""
SHARE = 0.5
"""Of the shorter fingerprint, how much has to overlap."""
SILENCE = 627_964_279
"""The word of digital silence, which says nothing."""
SKETCH = 64
"""Words by which a fingerprint is looked up, at least; of a longer one it is one in `_RATIO`."""
SAME, PART, OVERLAP = "same", "part", "overlap"
"""How two files with sound in common lie to each other, see `relation`."""
MOST = 2 / 3
"""Of the longer file, how much has to be common for both to be the same recording: more than a
half, so that no file is the same as two that have nothing in common."""
WHOLE = 0.9
"""Of the shorter file, how much has to be common for it to be a part of the longer: all but what
fades and what encoders leave at the ends."""

_RATIO = 3
"""At half a word's shift a tenth of the words is unharmed: of half a minute 7 in a third."""
_LAGS = 16
"""Of a word that many files have, each is held against so many of the next ones."""
_VOTES = 2
"""Words that two files must share."""
_WAYS = 4
"""Ways of laying two fingerprints that are tried: a loop has many."""
_AT_ONCE = 1 << 22
"""Shared words that are counted together; bounds the memory."""
_PLACE_BITS, _TRACK_BITS = 10, 22
_WAY_BITS = _PLACE_BITS + 1
_MIDDLE = 1 << _PLACE_BITS


class Prints(Protocol):
    """Fingerprints by number: a list, or `Fingerprints`."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Words: ...


class Pair(NamedTuple):
    """Two fingerprints that have sound in common.

    Attributes
    ----------
    one, other : their numbers, rising.
    similarity : share of the bits that are equal where they overlap, `SIMILAR` to 1.
    relation : `SAME`; `PART`, where the shorter file lies in the longer one; or `OVERLAP`.
    """

    one: int
    other: int
    similarity: float
    relation: str


class Fingerprints:
    """Fingerprints in a temporary file of their own, so that many need no memory."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="mgrkit-")  # noqa: SIM115
        self._begins, self._sizes, self._end = array("Q"), array("Q"), 0

    def __enter__(self) -> Fingerprints:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def append(self, words: Words) -> None:
        """Add one, uint32 ``(n,)``."""
        data = words.astype("<u4", copy=False).tobytes()
        self._file.seek(self._end)
        self._file.write(data)
        self._begins.append(self._end)
        self._sizes.append(len(data))
        self._end += len(data)

    def arrange(self, order: Iterable[int]) -> None:
        """Number them anew: first the one that had the first number of the order, and so on."""
        order = list(order)
        self._begins = array("Q", (self._begins[number] for number in order))
        self._sizes = array("Q", (self._sizes[number] for number in order))

    def __len__(self) -> int:
        return len(self._begins)

    def __getitem__(self, index: int) -> Words:
        self._file.seek(self._begins[index])
        return np.frombuffer(self._file.read(self._sizes[index]), "<u4")


def relation(one: float, other: float, begin: float, agreeing: float = 1.0) -> str:
    """How two files with sound in common lie to each other, by their lengths.

    Parameters
    ----------
    one, other : their lengths in seconds.
    begin : when the other one begins in the one, in seconds; below 0 where it begins earlier.
    agreeing : share of where they overlap in which they agree, 0 to 1: that much is common.

    Returns
    -------
    `SAME` where at least `MOST` of the longer is common; else `PART` where at least `WHOLE` of the
    shorter is; else `OVERLAP`.

    >>> relation(30, 24, 3), relation(240, 30, 100), relation(30, 30, 12)
    ('same', 'part', 'overlap')
    >>> relation(60, 60, 0, agreeing=0.5)
    'overlap'
    """
    common = agreeing * (min(one, begin + other) - max(0.0, begin))
    if common >= MOST * max(one, other):
        return SAME
    return PART if common >= WHOLE * min(one, other) else OVERLAP


def pairs(prints: Prints, seconds: Sequence[float]) -> Iterator[Pair]:
    """Pairs of fingerprints that have sound in common, rising.

    Not all of them, but enough to join all files of a recording: where others have joined two
    already, these are not compared.

    Parameters
    ----------
    prints : uint32 ``(n,)`` each, less than 2**10 words and at most 2**22 fingerprints; of fewer
        than `LEAST` words none has a pair.
    seconds : how long each file is; what a fingerprint no longer hears is taken to go on alike.
    """
    last, words = -1, np.empty(0, np.uint32)
    parent = list(range(len(prints)))

    def root(number: int) -> int:
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    for one, other, ways in _candidates(prints):
        if root(one) == root(other):
            continue
        if one != last:
            last, words = one, prints[one]
        beside = sorted({way + step for way in ways for step in (-1, 0, 1)})
        fit, how = judged(words, prints[other], (seconds[one], seconds[other]), beside)
        if how == SAME:
            parent[root(other)] = root(one)
        if how:
            yield Pair(one, other, fit, how)


def judged(
    one: Words, other: Words, seconds: tuple[float, float], ways: Sequence[int] = ()
) -> tuple[float, str]:
    """How alike two fingerprints are, as `best_fit` says, and how their files lie to each other.

    Parameters
    ----------
    seconds : how long the files are.
    ways : as of `best_fit`.

    Returns
    -------
    The share of equal bits; and a relation, '' where they have no sound in common.
    """
    fit, way = best_fit(one, other, ways)
    if fit < SIMILAR or _beyond_chance(one, other, way) < 2 * SIMILAR - 1:
        return fit, ""
    return fit, relation(*seconds, way * HOP, _agreeing(one, other, way))


def best_fit(one: Words, other: Words, ways: Sequence[int] = ()) -> tuple[float, int]:
    """How two fingerprints fit best, laid over each other.

    Parameters
    ----------
    ways : by how many words the other one may begin later; none for all.

    Returns
    -------
    The share of equal bits, 0 where no way of laying them has an overlap that is long enough; and
    the way. It is the one with most equal bits beyond the half that are equal by chance: a loop
    fits in many ways, of which the one with most overlap counts.
    """

    def beyond(fit_and_way: tuple[float, int]) -> float:
        fit, way = fit_and_way
        return (2 * fit - 1) * (min(len(one), len(other) + way) - max(0, way))

    every = ways or range(-len(other) + 1, len(one))
    fits = ((_fit(one, other, way), way) for way in every)
    return max((one for one in fits if one[0]), key=beyond, default=(0.0, 0))


def _overlap(one: Words, other: Words, offset: int) -> tuple[Words, Words]:
    """Where both are, if ``other`` begins ``offset`` words after ``one``."""
    begin, end = max(0, offset), min(len(one), len(other) + offset)
    return one[begin:end], other[begin - offset : end - offset]


def _fit(one: Words, other: Words, offset: int) -> float:
    """Share of equal bits where ``other`` begins ``offset`` words after ``one``; 0 if too few."""
    ours, theirs = _overlap(one, other, offset)
    if len(ours) < max(LEAST, SHARE * min(len(one), len(other))):
        return 0.0
    differing = np.bitwise_count(ours ^ theirs)
    heard = int(np.count_nonzero((ours != SILENCE) | (theirs != SILENCE)))
    return 1 - int(differing.sum()) / (32 * heard) if heard >= LEAST else 0.0


def _agreeing(one: Words, other: Words, offset: int) -> float:
    """Share of the words where both are around which they agree, see `AGREES`."""
    ours, theirs = _overlap(one, other, offset)
    equal = 1 - np.bitwise_count(ours ^ theirs) / np.float64(32)
    around = np.convolve(equal, np.full(LEAST, 1 / LEAST), "valid")
    before = (len(equal) - len(around)) // 2  # at the ends the nearest ones count
    around = np.pad(around, (before, len(equal) - len(around) - before), "edge")
    return float(np.mean(around > AGREES))


def _beyond_chance(one: Words, other: Words, offset: int) -> float:
    """Equal bits beyond those that would be equal by chance, 1 for all (Cohen's kappa, 1960).

    Of music each bit is set in about half of the words, and this is twice the share of equal bits
    less one. The words of wind, rain and hiss are all alike, whoever recorded them.
    """
    both = _overlap(one, other, offset)
    ours, theirs = (np.unpackbits(w.view(np.uint8).reshape(-1, 4), axis=1) for w in both)
    first, second = ours.mean(0), theirs.mean(0)
    chance = float((first * second + (1 - first) * (1 - second)).mean())
    return (float((ours == theirs).mean()) - chance) / (1 - chance) if chance < 1 else 0.0


def _rows(prints: Prints) -> NDArray[np.uint64]:
    """The sketches of all fingerprints: a number for each word, rising.

    Its bits are the word's hash, which fingerprint it is of, and where in it.
    """
    held = array("Q")
    for number in range(len(prints)):
        held.frombytes((_sketch(prints[number]) | np.uint64(number << _PLACE_BITS)).tobytes())
    rows = np.frombuffer(held, np.uint64)
    rows.sort()
    return rows


def _sketch(words: Words) -> NDArray[np.uint64]:
    """The words of a fingerprint with the lowest hashes, and where they stand first."""
    places = np.flatnonzero(words != SILENCE)
    if len(words) < LEAST or not len(places):
        return np.empty(0, np.uint64)
    found = _hashes(words[places]).astype(np.uint64) << np.uint64(32) | places.astype(np.uint64)
    found.sort()
    is_new = np.r_[True, found[1:] >> np.uint64(32) != found[:-1] >> np.uint64(32)]
    return found[is_new][: max(SKETCH, len(words) // _RATIO)]


def _hashes(words: Words) -> NDArray[np.uint32]:
    """Each word in another place: a bijection (the finaliser of MurmurHash3)."""
    mixed = words ^ (words >> np.uint32(16))
    mixed *= np.uint32(0x85EBCA6B)
    mixed ^= mixed >> np.uint32(13)
    mixed *= np.uint32(0xC2B2AE35)
    mixed ^= mixed >> np.uint32(16)
    return mixed


def _candidates(prints: Prints) -> Iterator[tuple[int, int, list[int]]]:
    """Pairs that share `_VOTES` words, and by how many words the other may begin later."""
    rows = _rows(prints)
    lags = range(1, min(_LAGS, len(rows) - 1) + 1)
    total = sum(len(shared) for lag in lags for shared in _shared(rows, lag))
    blocks = total // _AT_ONCE + 1
    width = max(1, -(-len(prints) // blocks))
    for begin in range(0, len(prints), width):
        yield from _counted(_votes(rows, lags, begin, begin + width))


def _shared(rows: NDArray[np.uint64], lag: int) -> Iterator[NDArray[np.intp]]:
    """Rows whose word another fingerprint has, too, so many rows further."""
    for begin in range(0, len(rows) - lag, _AT_ONCE):
        some = rows[begin : begin + _AT_ONCE + lag]
        differing = some[lag:] ^ some[:-lag]  # one hash, and not one fingerprint
        is_shared = (differing < 1 << 32) & (differing >= 1 << _PLACE_BITS)
        yield begin + np.flatnonzero(is_shared)


def _votes(
    rows: NDArray[np.uint64], lags: Sequence[int], begin: int, end: int
) -> NDArray[np.uint64]:
    """A number for each word that a fingerprint from ``begin`` to ``end`` shares with a later one.

    Its bits are the two fingerprints and how these lie to each other.
    """
    found = [np.empty(0, np.uint64)]
    track, place = np.uint64((1 << _TRACK_BITS) - 1), np.uint64((1 << _PLACE_BITS) - 1)
    bits = np.uint64(_PLACE_BITS)
    for lag in lags:
        for shared in _shared(rows, lag):
            first, second = rows[shared], rows[shared + lag]
            ones = first >> bits & track
            inside = (ones >= begin) & (ones < end)
            first, second, ones = first[inside], second[inside], ones[inside]
            way = (first & place) + np.uint64(_MIDDLE) - (second & place)
            vote = ones << np.uint64(_TRACK_BITS) | (second >> bits & track)
            found.append(vote << np.uint64(_WAY_BITS) | way)
    return np.sort(np.concatenate(found))


def _counted(votes: NDArray[np.uint64]) -> Iterator[tuple[int, int, list[int]]]:
    """Of each pair with votes enough the ways of lying that most are for."""
    ways, counts = np.unique(votes, return_counts=True)
    pairs = ways >> np.uint64(_WAY_BITS)
    starts = np.flatnonzero(np.r_[True, pairs[1:] != pairs[:-1]][: len(pairs)])
    sums = np.add.reduceat(counts, starts) if len(starts) else counts
    stops = np.r_[starts[1:], len(ways)]
    for start, stop in zip(starts[sums >= _VOTES], stops[sums >= _VOTES], strict=True):
        most = np.argsort(-counts[start:stop], kind="stable")[:_WAYS]
        offsets = (ways[start:stop][most] & np.uint64((1 << _WAY_BITS) - 1)).astype(np.int64)
        pair = int(pairs[start])
        one, other = pair >> _TRACK_BITS, pair & ((1 << _TRACK_BITS) - 1)
        yield one, other, (offsets - _MIDDLE).tolist()
