"""Files as recordings: which are of one, and which of these is the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mgrkit.audio.chromaprint import SECONDS
from mgrkit.tracks.fingerprints import (
    PART,
    SAME,
    WHOLE,
    Fingerprints,
    Pair,
    judged,
    pairs,
)
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
    sounding : seconds until the last sound; silence at the end makes no file a longer one.
    codec : as FFmpeg calls it, or ''.
    lossless : whether the codec keeps every bit.
    bits : of a sample as it is decoded.
    kbps : thousands of bits of the coded sound for each second; tags and pictures do not count.
    sound : digest of the decoded sound.
    """

    path: str
    seconds: float
    sounding: float
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
    similarity : to the best file, 0 to 1: the share of equal bits of their fingerprints.
    compared : how much of it was compared with the best file, in seconds: all where both have the
        very same sound, else what a fingerprint hears.
    exact : the path of the first file with the very same sound, the best file before others; ''
        where there is no other, or this is the first.
    keep : whether it is the best file.
    """

    heard: Heard
    similarity: float
    compared: float
    exact: str
    keep: bool

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        names = ("path", "seconds", "rate", "channels", "codec", "lossless", "kbps")
        fields: dict[str, Any] = {name: getattr(self.heard, name) for name in names}
        said = {"similarity": round(self.similarity, 4), "compared": self.compared}
        return {**fields, **said, "duplicate_of": self.exact or None, "keep": self.keep}


@dataclass(frozen=True, slots=True)
class Part:
    """A recording that lies in a longer one, such as a song in its album; each by its best file.

    Parameters
    ----------
    similarity : share of the fingerprints' bits that are equal where they overlap.
    """

    heard: Heard
    whole: Heard
    similarity: float

    @property
    def compared(self) -> float:
        """How much of it was compared, in seconds: what a fingerprint hears."""
        return min(self.heard.seconds, float(SECONDS))

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "path": self.heard.path,
            "part_of": self.whole.path,
            "seconds": self.heard.seconds,
            "seconds_of_whole": self.whole.seconds,
            "similarity": round(self.similarity, 4),
            "compared": self.compared,
        }


@dataclass(frozen=True)
class Recordings:
    """What files have in common.

    Parameters
    ----------
    groups : the files of each recording that is there several times, the best first, then by
        path; the recordings by their best files' paths. Each file is the same as the best one:
        two thirds of the longer at least are common to both.
    parts : which recordings lie in longer ones, by the path of the longer, then of the part.
    families : by path the best of all files that have sound in common with this one, directly
        or by way of others; of those that have any.
    """

    groups: list[list[Member]]
    parts: list[Part]
    families: dict[str, str]


def recordings(heard: Sequence[Heard], prints: Fingerprints) -> Recordings:
    """Which files are of the same recording, and which recordings lie in others.

    Parameters
    ----------
    prints : of each file; it is left with those of one file for each sound.
    """
    firsts: dict[str, int] = {}
    for number, one in enumerate(heard):
        firsts.setdefault(one.sound, number)
    prints.arrange(firsts.values())  # the very same sound needs no fingerprint
    sounds = _Sounds([heard[number] for number in firsts.values()], prints)
    groups = []
    for members in linked([one.sound, *sounds.joined[one.sound]] for one in heard):
        rest = [heard[number] for number in members]
        while rest:
            first = best(rest)
            its = {one.path: one for one in rest if sounds.of(first, one).relation == SAME}
            groups.append(sorted(its.values(), key=lambda one: (one is not first, one.path)))
            rest = [one for one in rest if one.path not in its]
    groups.sort(key=lambda group: group[0].path)
    families = linked([one.sound, *sounds.shared[one.sound]] for one in heard)
    return Recordings(
        [_members(group, sounds) for group in groups if len(group) > 1],
        _parts(groups, sounds.pairs),
        {
            heard[number].path: best([heard[other] for other in family]).path
            for family in families
            if len(family) > 1
            for number in family
        },
    )


class _Sounds:
    """Files of different sounds, and how they lie to one another."""

    def __init__(self, files: Sequence[Heard], prints: Fingerprints) -> None:
        self._files, self._prints = files, prints
        self._numbers = {one.sound: number for number, one in enumerate(files)}
        found = pairs(prints, [one.sounding for one in files])
        self.pairs = {(files[pair.one].sound, files[pair.other].sound): pair for pair in found}
        self.joined: dict[str, list[object]] = {one.sound: [] for one in files}
        """By sound what it has in common with those that some are the same as."""
        self.shared: dict[str, list[object]] = {one.sound: [] for one in files}
        """And with those that it has sound in common with."""
        for sounds, pair in self.pairs.items():
            for sound in sounds:
                self.shared[sound].append(sounds)
                if pair.relation == SAME:
                    self.joined[sound].append(sounds)

    def of(self, first: Heard, other: Heard) -> Pair:
        """How one file lies to another; those that others joined are compared now."""
        one, two = sorted((self._numbers[first.sound], self._numbers[other.sound]))
        if one == two:
            return Pair(one, two, 1.0, SAME)
        key = self._files[one].sound, self._files[two].sound
        if key not in self.pairs:
            lengths = self._files[one].sounding, self._files[two].sounding
            found = judged(self._prints[one], self._prints[two], lengths)
            self.pairs[key] = Pair(one, two, *found)
        return self.pairs[key]


def _parts(groups: Sequence[Sequence[Heard]], found: Mapping[tuple[str, str], Pair]) -> list[Part]:
    """Which recordings lie in others, each pair once, by the files that are most alike."""
    recording = {one.sound: group[0] for group in groups for one in group}
    length = {one.sound: one.sounding for group in groups for one in group}
    alike: dict[tuple[str, str], Part] = {}
    for sounds, pair in found.items():
        short, long = (recording[sound] for sound in sorted(sounds, key=lambda one: length[one]))
        if pair.relation == PART and short is not long:
            part = Part(short, long, pair.similarity)
            former = alike.setdefault((long.path, short.path), part)
            if former.similarity < part.similarity:
                alike[long.path, short.path] = part
    return [part for _, part in sorted(alike.items())]


def _members(files: Sequence[Heard], sounds: _Sounds) -> list[Member]:
    """The files of a recording, the best first."""
    firsts: dict[str, str] = {}
    found = []
    for place, one in enumerate(files):
        exact = firsts.setdefault(one.sound, one.path)
        exact = "" if exact == one.path else exact
        compared = one.seconds if one.sound == files[0].sound else min(one.seconds, float(SECONDS))
        similarity = sounds.of(files[0], one).similarity
        found.append(Member(one, similarity, compared, exact, keep=place == 0))
    return found


def best(files: Sequence[Heard]) -> Heard:
    """The file to keep: whole, then lossless, of most channels, longest, highest rate, most bits.

    Files that have less than `WHOLE` of the longest come after all others. Those that are at most
    `AS_LONG` shorter than the longest of the rest are as long. Of lossy files rates count up to
    `LOSSY_RATE`, and bits are those of a second; of lossless ones they are those of a sample. Of
    equal files it is the first by its path. Of lossless files the smaller one is the better only
    if it has the very same sound: one that is softer, or was made from a lossy one, is smaller too.
    """
    longest = max(one.sounding for one in files)
    able = [one for one in files if one.sounding >= WHOLE * longest]
    lossless = [one for one in able if one.lossless]
    able = lossless or able
    channels = max(one.channels for one in able)
    able = [one for one in able if one.channels == channels]
    longest = max(one.sounding for one in able)
    long = [one for one in able if longest - one.sounding <= AS_LONG]
    if not lossless:
        return min(long, key=lambda one: (-min(one.rate, LOSSY_RATE), -one.kbps, one.path))
    first = min(long, key=lambda one: (-one.rate, -one.bits, one.path))
    exact = [one for one in long if (one.sound, one.bits) == (first.sound, first.bits)]
    return min(exact, key=lambda one: (one.kbps, one.path))
