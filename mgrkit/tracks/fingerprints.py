"""The same recording in several files, found by their Chromaprint fingerprints.

A fingerprint is a row of words of 32 bits, one every 0.124 s (`mgrkit.audio.chromaprint`). Of two
files of one recording at least one word in six is the same to the bit, whatever the codec, the
rate, the level or where they begin; of others hardly any is. So each fingerprint is known by a
sketch, the `SKETCH` of its words whose hashes are lowest (bottom-k, Broder 1997): of two files of
one recording these are largely the same words, with no need to know how they lie to each other. All
sketches are sorted at once, so that the work grows as n log n. Pairs that share words are then laid
over each other, and judged by the bits that differ where they overlap (Haitsma and Kalker, ISMIR
2002), as AcoustID does.
"""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from types import TracebackType

    from numpy.typing import NDArray

    Words = NDArray[np.uint32]

SIMILAR = 0.8
"""From this share of equal bits on two recordings are the same: copies at 64 kbit/s that begin
elsewhere have .94 and more, other music .5 to .65."""
LEAST = 40
"""Words that have to overlap, which are five seconds; a fingerprint with fewer is too short."""
SHARE = 0.5
"""Of the shorter fingerprint, how much has to overlap."""
SILENCE = 627_964_279
"""The word of digital silence, which says nothing."""
SKETCH = 64
"""Words by which a fingerprint is looked up."""

_LAGS = 16
"""Of a word that many files have, each is held against so many of the next ones."""
_VOTES = 2
"""Words that two files must share."""
_AT_ONCE = 1 << 22
"""Shared words that are counted together; bounds the memory."""
_PLACE_BITS, _TRACK_BITS = 18, 23
_MIDDLE = 1 << (_PLACE_BITS - 1)


class Prints(Protocol):
    """Fingerprints by number: a list, or `Fingerprints`."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Words: ...


class Pair(NamedTuple):
    """Two fingerprints of one recording.

    Attributes
    ----------
    one, other : their numbers, rising.
    similarity : share of the bits that are equal where they overlap, `SIMILAR` to 1.
    """

    one: int
    other: int
    similarity: float


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


def same_recordings(prints: Prints) -> Iterator[Pair]:
    """Pairs of fingerprints that are of one recording, rising.

    Not all of them, but enough to join all files of a recording: where others have joined two
    already, these are not compared.

    Parameters
    ----------
    prints : uint32 ``(n,)`` each, at most 2**17 words and 2**23 fingerprints; of fewer than
        `LEAST` words none has a pair.
    """
    last, words = -1, np.empty(0, np.uint32)
    parent = list(range(len(prints)))

    def root(number: int) -> int:
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    for one, other, offset in _candidates(prints):
        if root(one) == root(other):
            continue
        if one != last:
            last, words = one, prints[one]
        theirs = prints[other]
        fit, way = max((_fit(words, theirs, offset + step), offset + step) for step in (-1, 0, 1))
        if fit >= SIMILAR and _beyond_chance(words, theirs, way) >= 2 * SIMILAR - 1:
            parent[root(other)] = root(one)
            yield Pair(one, other, fit)


def similarity(one: Words, other: Words) -> float:
    """Share of equal bits of two fingerprints, laid over each other as they fit best; 0 to 1.

    0 where no way of laying them has an overlap that is long enough.
    """
    return max((_fit(one, other, k) for k in range(-len(other) + 1, len(one))), default=0.0)


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


@dataclass(frozen=True)
class _Sketches:
    """The words by which fingerprints are looked up, sorted.

    Parameters
    ----------
    keys : uint32 ``(m,)``, rising.
    tracks : int32 ``(m,)``, which fingerprint each is of; rising among equal keys.
    places : int32 ``(m,)``, where in it.
    """

    keys: NDArray[np.uint32]
    tracks: NDArray[np.int32]
    places: NDArray[np.int32]

    @classmethod
    def of(cls, prints: Prints) -> _Sketches:
        """Of all fingerprints."""
        size = len(prints) * SKETCH
        packed, places, count = np.empty(size, np.uint64), np.empty(size, np.int32), 0
        tracks = np.empty(size, np.int32)
        for number in range(len(prints)):
            keys, its = _sketch(prints[number])
            rows = slice(count, count + len(keys))
            packed[rows] = keys.astype(np.uint64) << np.uint64(32)
            packed[rows] |= np.arange(rows.start, rows.stop, dtype=np.uint64)
            places[rows], tracks[rows] = its, number
            count = rows.stop
        packed = packed[:count]
        packed.sort()
        order = packed.astype(np.uint32)  # the lower half
        packed >>= np.uint64(32)
        return cls(packed.astype(np.uint32), tracks[order], places[order])

    def shared(self, lag: int) -> NDArray[np.intp]:
        """Rows whose word another fingerprint has, too, so many rows further."""
        return np.flatnonzero(
            (self.keys[lag:] == self.keys[:-lag]) & (self.tracks[lag:] != self.tracks[:-lag])
        )


def _sketch(words: Words) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """The `SKETCH` words of a fingerprint with the lowest hashes, and where they stand first."""
    if len(words) < LEAST:
        return np.empty(0, np.uint32), np.empty(0, np.int64)
    keys, places = np.unique(_hashes(words[words != SILENCE]), return_index=True)
    if len(words) != np.count_nonzero(words != SILENCE):
        places = np.flatnonzero(words != SILENCE)[places]
    return keys[:SKETCH], places[:SKETCH]


def _hashes(words: Words) -> NDArray[np.uint32]:
    """Each word in another place: a bijection (the finaliser of MurmurHash3)."""
    mixed = words ^ (words >> np.uint32(16))
    mixed *= np.uint32(0x85EBCA6B)
    mixed ^= mixed >> np.uint32(13)
    mixed *= np.uint32(0xC2B2AE35)
    mixed ^= mixed >> np.uint32(16)
    return mixed


def _candidates(prints: Prints) -> Iterator[tuple[int, int, int]]:
    """Pairs that share `_VOTES` words, and by how many words the other begins later in the one."""
    sketches = _Sketches.of(prints)
    lags = range(1, min(_LAGS, len(sketches.keys) - 1) + 1)
    total = sum(len(sketches.shared(lag)) for lag in lags)
    blocks = total // _AT_ONCE + 1
    width = -(-len(prints) // blocks)
    for begin in range(0, len(prints), max(1, width)):
        yield from _counted(_votes(sketches, lags, begin, begin + width))


def _votes(sketches: _Sketches, lags: Sequence[int], begin: int, end: int) -> NDArray[np.uint64]:
    """A number for each word that a fingerprint from ``begin`` to ``end`` shares with a later one.

    Its bits are the two fingerprints and how these lie to each other.
    """
    found = []
    for lag in lags:
        rows = sketches.shared(lag)
        ones = sketches.tracks[rows]
        inside = (ones >= begin) & (ones < end)
        rows, ones = rows[inside], ones[inside]
        offsets = sketches.places[rows] - sketches.places[rows + lag] + _MIDDLE
        vote = ones.astype(np.uint64) << np.uint64(_TRACK_BITS)
        vote |= sketches.tracks[rows + lag].astype(np.uint64)
        found.append(vote << np.uint64(_PLACE_BITS) | offsets.astype(np.uint64))
    return np.sort(np.concatenate(found)) if found else np.empty(0, np.uint64)


def _counted(votes: NDArray[np.uint64]) -> Iterator[tuple[int, int, int]]:
    """Of each pair with votes enough the way of lying that most are for."""
    ways, counts = np.unique(votes, return_counts=True)
    pairs = ways >> np.uint64(_PLACE_BITS)
    starts = np.flatnonzero(np.r_[True, pairs[1:] != pairs[:-1]][: len(pairs)])
    sums = np.add.reduceat(counts, starts) if len(starts) else counts
    stops = np.r_[starts[1:], len(ways)]
    for start, stop in zip(starts[sums >= _VOTES], stops[sums >= _VOTES], strict=True):
        way = int(ways[start + int(np.argmax(counts[start:stop]))])
        offset = (way & (2 * _MIDDLE - 1)) - _MIDDLE
        pair = way >> _PLACE_BITS
        yield pair >> _TRACK_BITS, pair & ((1 << _TRACK_BITS) - 1), offset
