"""Files as recordings: which are of one, and which of these is the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mgrkit.tracks.fingerprints import Fingerprints, same_recordings, similarity
from mgrkit.tracks.linked import linked

AS_LONG = 1.0
"""In seconds: what encoders add at the ends makes no file a longer one."""

LOSSY_RATE = 44_100
"""In Hz: what a lossy codec has above it is no more music; Opus has 48,000 of any sound."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A file whose sound could be decoded.

    Parameters
    ----------
    path : as the caller would call it.
    seconds, rate, channels : of the sound.
    codec : as FFmpeg calls it, or ''.
    lossless : whether the codec keeps every bit.
    bits : of a sample as it is decoded.
    kbps : thousands of bits of the file for each second.
    sound : digest of the decoded sound.
    """

    path: str
    seconds: float
    rate: int
    channels: int
    codec: str
    lossless: bool
    bits: int
    kbps: int
    sound: str


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a recording that is in several.

    Parameters
    ----------
    similarity : to the best file, 0 to 1; see `mgrkit.tracks.fingerprints.similarity`.
    exact : the path of the first file with the very same sound, the best file before others; ''
        where there is no other, or this is the first.
    keep : whether it is the best file.
    """

    heard: Heard
    similarity: float
    exact: str
    keep: bool

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        names = ("path", "seconds", "rate", "channels", "codec", "lossless", "kbps")
        fields: dict[str, Any] = {name: getattr(self.heard, name) for name in names}
        said = {"similarity": round(self.similarity, 4), "duplicate_of": self.exact or None}
        return {**fields, **said, "keep": self.keep}


def recordings(heard: Sequence[Heard], prints: Fingerprints) -> list[list[Member]]:
    """The recordings that are in several files.

    Parameters
    ----------
    prints : of each file; it is left with those of one file for each sound.

    Returns
    -------
    The files of each, the best first, then by path; the recordings by their best files' paths.
    """
    firsts: dict[str, int] = {}
    for number, one in enumerate(heard):
        firsts.setdefault(one.sound, number)
    prints.arrange(firsts.values())  # the very same sound needs no fingerprint
    numbers = {sound: number for number, sound in enumerate(firsts)}
    alike = {(pair.one, pair.other): pair.similarity for pair in same_recordings(prints)}
    marks: list[list[object]] = [[] for _ in firsts]
    for pair in alike:
        for number in pair:
            marks[number].append(pair)
    sets = linked([one.sound, *marks[numbers[one.sound]]] for one in heard)

    def of_sounds(one: Heard, other: Heard) -> float:
        if one.sound == other.sound:
            return 1.0
        first, second = sorted((numbers[one.sound], numbers[other.sound]))
        if (first, second) in alike:
            return alike[first, second]
        return similarity(prints[first], prints[second])

    groups = []
    for members in sets:
        if len(members) > 1:
            its = [heard[number] for number in members]
            first = best(its)
            its.sort(key=lambda one: (one is not first, one.path))
            groups.append(_members(its, {one.path: of_sounds(first, one) for one in its}))
    return sorted(groups, key=lambda group: group[0].heard.path)


def _members(files: Sequence[Heard], alike: Mapping[str, float]) -> list[Member]:
    """The files of a recording, the best first."""
    firsts: dict[str, str] = {}
    found = []
    for place, one in enumerate(files):
        exact = firsts.setdefault(one.sound, one.path)
        exact = "" if exact == one.path else exact
        found.append(Member(one, alike[one.path], exact, keep=place == 0))
    return found


def best(files: Sequence[Heard]) -> Heard:
    """The file to keep: lossless, then the longest, then of the highest rate, then of most bits.

    Files that are at most `AS_LONG` shorter than the longest are as long. Of lossy files rates
    count up to `LOSSY_RATE`, and bits are those of a second; of lossless ones they are those of a
    sample, and then the smaller file is the better. Of equal files it is the first by its path.
    """
    lossless = [one for one in files if one.lossless]
    able = lossless or files
    longest = max(one.seconds for one in able)
    long = [one for one in able if longest - one.seconds <= AS_LONG]
    if lossless:
        return min(long, key=lambda one: (-one.rate, -one.bits, one.kbps, one.path))
    return min(long, key=lambda one: (-min(one.rate, LOSSY_RATE), -one.kbps, one.path))
