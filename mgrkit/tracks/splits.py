"""Train, valid and test: by a published list, by artist, or at random."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from mgrkit.errors import UsageError, nearest
from mgrkit.tracks.dealing import USUAL, Dealt, Shares, deal
from mgrkit.tracks.linked import linked

PARTS = ("train", "valid", "test")
UNKNOWN = "artists unknown"
"""Goes with every number that tracks of unknown artists have a part in."""
RANDOM = "random split, artists not separated"
"""The words of a random split."""
GIVEN = "given"
"""The name of a split whose parts DATA states, and nothing says how they were dealt."""
DEALT = ("grouped", "random")
KINDS = ("published", *DEALT)

_SPELLINGS = {
    "train": ("train", "training", "tr"),
    "valid": ("valid", "validation", "validate", "val", "dev", "development"),
    "test": ("test", "testing", "eval", "evaluation"),
}
_PART_OF = {spelling: part for part, words in _SPELLINGS.items() for spelling in words}
_AROUND = re.compile(r"^\d+[\s_.-]+|[\s_-]*(?:set|data|split)$")
_SHOWN = 3
PARTS_HINT = "parts are called " + ", ".join(_PART_OF) + ", also with 01_ in front or _set behind"
"""What is understood, for a person whose folders are called otherwise."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """One track that is to be split.

    Parameters
    ----------
    id : of the recording; tracks of one id go to one part.
    genre : '' leaves the track out.
    group : what must not be split, the artist; '' where it is not known.
    part : in a split that DATA states; '' for none.
    recording : what else must go to one part with it, such as the slices of one song; ''
        where nothing must.
    by : how its part was dealt: one of `KINDS`; '' where nothing says so.
    same : what it shares with exact duplicates, in whichever file: of its sound, of its path.
    source : what its collection calls it; '' where nothing says so.
    heard : what it shares with files that were heard to be of the same recording; '' for none.
    copied : the recording of which it is a noisy copy, or of which there are such; '' for none.
    sliced : the recording of which it is a slice, or of which there are such; '' for none.
    derived : whether it is a noisy copy, a slice or an exact duplicate of another file.
    """

    id: str
    genre: str
    group: str = ""
    part: str = ""
    recording: str = ""
    by: str = ""
    same: tuple[str, ...] = ()
    source: str = ""
    heard: str = ""
    copied: str = ""
    sliced: str = ""
    derived: bool = False

    @property
    def unit(self) -> str:
        """What must not be split: the artist, else the recording."""
        return group_key(self.group) if self.group else self.recording or self.sliced or self.id

    @property
    def marks(self) -> list[tuple[str, str]]:
        """By what it belongs to others, whoever plays."""
        found = [("id", self.id)]
        if self.recording:
            found.append(("recording", self.recording))
        if self.source:
            found.append(("source", self.source))
        if self.heard:
            found.append(("heard", self.heard))
        return [*found, *(("same", one) for one in self.same)]

    @property
    def dealt_with(self) -> list[tuple[str, str]]:
        """What it goes to one part with: slices, too, that the folders of a split tear."""
        return [*self.marks, ("sliced", self.sliced)] if self.sliced else self.marks


@dataclass(frozen=True)
class Split:
    """Which track goes where.

    Parameters
    ----------
    name : one of `KINDS`, or `GIVEN`.
    parts : one of `PARTS` per track, in their order; '' for one that is left out.
    notes : what a person should know, one line each.
    words : what any number from this split has to carry, e.g. "random split, artists not
        separated".
    """

    name: str
    parts: tuple[str, ...]
    notes: tuple[str, ...]
    words: str


@functools.lru_cache(maxsize=1 << 16)
def group_key(group: str) -> str:
    """A group's name without what two spellings of one artist differ in, Unicode forms too.

    >>> group_key("Earth, Wind & Fire") == group_key("EARTH WIND AND FIRE")
    True
    """
    composed = unicodedata.normalize("NFC", unicodedata.normalize("NFD", group).casefold())
    folded = composed.replace("&", " and ")
    return "".join(filter(str.isalnum, folded)) or folded.strip()


def check_split(how: str | None) -> None:
    """Raise UsageError, which names the nearest, if there is no such split."""
    if how is not None and how not in KINDS:
        raise UsageError(f"there is no --split {how!r}", nearest(how, KINDS, "there are"))


def make_split(
    tracks: Sequence[Labelled],
    how: str | None = None,
    seed: int = 0,
    *,
    shares: Shares = USUAL,
    kept: Sequence[str] = (),
    strict: bool = False,
) -> Split:
    """Split tracks into train, valid and test, or into folds.

    Parameters
    ----------
    how : 'published' takes the parts that the tracks have; tracks without one are left out.
        'grouped' deals out each genre in whole groups, each track of unknown artist being a
        group by itself; 'random' in single tracks. A genre of two groups (tracks) gives train
        and test, one of a single group train only. None chooses the first of
        these that the tracks allow: published when some are in train, some in valid or test,
        and at most half in none; grouped when at least half of the groups are known.
    seed : decides which groups go where; their order in ``tracks`` does not.
    shares : how much of each genre goes where; by default 60/20/20 %.
    kept : the part that each track has from an earlier deal and keeps, '' for none. New tracks
        of its group follow it.
    strict : refuse to leave a genre without one of the parts.

    Raises
    ------
    UsageError : no track; no genre, or only one; an unknown ``how``; no published part, or
        one of another name; a genre of too few groups, if ``strict``.
    """
    check_split(how)
    _check_genres(tracks)
    used = [index for index, track in enumerate(tracks) if track.genre]
    chosen = [tracks[index] for index in used]
    notes: list[str] = []
    name = how or _possible(chosen, notes)
    asked = _Deal(seed, shares, [kept[index] for index in used] if kept else [], strict)
    made = {"published": _published, "grouped": _grouped, "random": _random}[name](chosen, asked)
    parts = [""] * len(tracks)
    for index, part in zip(used, made.parts, strict=True):
        parts[index] = part
    notes += made.notes
    if len(used) < len(tracks):
        notes.insert(0, f"left out, without a genre: {len(tracks) - len(used)} tracks")
    lost = _missing(chosen, made.parts) if "train" in shares.parts else []
    return Split(made.name, tuple(parts), (*notes, *lost), made.words)


def published_part(text: str) -> str:
    """One of `PARTS`, or '', for what a table calls it: 'validation' and 'dev' too.

    Raises
    ------
    UsageError : any other name.
    """
    part = part_of(text)
    if text.strip() and not part:
        raise UsageError(f"a split has no part {text!r}", f"its parts are {', '.join(PARTS)}")
    return part


def stated_kind(text: str) -> str:
    """One of `KINDS`, or '', for how a table says that its parts were dealt.

    Raises
    ------
    UsageError : any other word.
    """
    kind = text.strip().casefold()
    if kind and kind not in KINDS:
        hint = nearest(kind, KINDS, "there are")
        raise UsageError(f"split_by holds {text!r}, which is no kind of split", hint)
    return kind


def part_of(name: str) -> str:
    """One of `PARTS` for any usual spelling of it; '' for any other name.

    >>> part_of("Training_set"), part_of("dev"), part_of("03_eval"), part_of("blues")
    ('train', 'valid', 'test', '')
    """
    return _PART_OF.get(_AROUND.sub("", name.strip().casefold()), "")


def one_part(name: str, parts: set[str], notes: list[str]) -> str:
    """The earliest of its parts, so that what was ever learnt from is never tested; '' for none.

    Adds to the notes where there are several.
    """
    found = [part for part in PARTS if part in parts]
    if len(found) > 1:
        notes.append(f"{name} is in {' and '.join(found)}: counted as {found[0]}")
    return found[0] if found else ""


def _check_genres(tracks: Sequence[Labelled]) -> None:
    genres = {track.genre for track in tracks} - {""}
    if not tracks:
        raise UsageError("there is no track to learn from")
    if not genres:
        hint = "put them into one folder per genre, or name the genres in a table"
        raise UsageError(f"none of {len(tracks)} tracks has a genre", hint)
    if len(genres) == 1:
        raise UsageError(f"all tracks are {genres.pop()}", "telling apart needs two genres")


def _possible(tracks: Sequence[Labelled], notes: list[str]) -> str:
    """The first kind that the tracks allow; adds to the notes why their parts are not taken."""
    parts = [part_of(track.part) for track in tracks]
    there = set(parts) - {""}
    if "train" not in there:
        lacks = "no track is in train"
    elif len(there) == 1:
        lacks = "no track is in valid or test"
    elif 2 * parts.count("") > len(parts):
        # A few names that look like a collection's do not make the others one.
        lacks = f"{parts.count('')} of {len(parts)} tracks are in no part"
    else:
        return "published"
    if there:
        notes.append(f"the {stated(tracks, parts)[0]} split is not taken: {lacks}")
    return "grouped" if 2 * sum(bool(t.group) for t in tracks) >= len(tracks) else "random"


@dataclass(frozen=True)
class _Deal:
    """What `make_split` is asked for; ``kept`` of the tracks that have a genre."""

    seed: int
    shares: Shares
    kept: Sequence[str]
    strict: bool

    def check(self, dealt: Dealt, genres: Sequence[str], called: str) -> None:
        """Raise UsageError if a genre lacks a part."""
        lost = list(dealt.lacking(genres, self.shares, called))
        if not lost:
            return
        way = "--split random divides artists, and says so" if called == "artist" else ""
        several = "genres are" if len(lost) > 1 else "genre is"
        raise UsageError(
            f"{len(lost)} {several} too small for the parts: {_listed(lost, '; ')}",
            f"give more {called}s of each, leave its rows out, or let it lack a part by "
            f"--allow-missing{'; ' if way else ''}{way}",
        )


def _published(tracks: Sequence[Labelled], asked: _Deal) -> Split:
    del asked
    parts = [published_part(track.part) for track in tracks]
    if not any(parts):
        hint = "choose grouped or random, or name the parts in a column split"
        raise UsageError("no track has a part in a published split", hint)
    notes: list[str] = []
    for members in linked(track.marks for track in tracks):
        part = one_part(tracks[members[0]].id, {parts[index] for index in members}, notes)
        for index in members:
            parts[index] = part
    name, words = stated(tracks, parts)
    if out := parts.count(""):
        notes.append(f"left out, in no part of the {name} split: {out} tracks")
    return Split(name, tuple(parts), tuple(notes), words)


def stated(tracks: Sequence[Labelled], parts: Sequence[str]) -> tuple[str, str]:
    """How parts that DATA states were dealt, one of `KINDS` or `GIVEN`, and the words for it.

    Published is only what the collection itself has. The least certain of all tracks that have a
    part counts: random, then given, grouped, published.
    """
    placed = [track for track, part in zip(tracks, parts, strict=True) if part]
    kinds = {track.by for track in placed}
    if "random" in kinds:
        return "random", RANDOM
    if "" in kinds:
        return GIVEN, "given split"
    if "grouped" in kinds:
        return "grouped", grouped_words(placed)
    return "published", "published split"


def grouped_words(tracks: Sequence[Labelled]) -> str:
    """The words of a grouped split of these tracks."""
    total = len({track.id for track in tracks})
    unknown = total - len({track.id for track in tracks if track.group})
    if not unknown:
        return "grouped split"
    return f"grouped split, {UNKNOWN} for {unknown} of {_count(total, 'track')}"


def artists_of(tracks: Sequence[Labelled]) -> list[list[int]]:
    """The tracks of each artist, with all others that are of their recordings.

    A track of unknown artist is one by itself.
    """
    return linked(
        [*t.dealt_with, *([("group", group_key(t.group))] if t.group else [])] for t in tracks
    )


def _grouped(tracks: Sequence[Labelled], deal: _Deal) -> Split:
    units = artists_of(tracks)
    return _dealt("grouped", tracks, units, deal, "artist", grouped_words(tracks))


def _random(tracks: Sequence[Labelled], deal: _Deal) -> Split:
    units = linked(track.dealt_with for track in tracks)
    return _dealt("random", tracks, units, deal, "track", RANDOM)


def _dealt(
    name: str,
    tracks: Sequence[Labelled],
    units: Sequence[Sequence[int]],
    asked: _Deal,
    called: str,
    words: str,
) -> Split:
    """Deal units out undivided, and say what could not be as it was asked for."""
    ids, genres = [track.id for track in tracks], [track.genre for track in tracks]
    dealt = deal(ids, genres, units, asked.shares, asked.seed, asked.kept)
    if asked.strict:
        asked.check(dealt, genres, called)
    notes = list(dealt.alone(genres, asked.shares, called))
    notes += dealt.missed(genres, asked.shares, called)
    return Split(name, tuple(dealt.parts), tuple(notes), words)


def _missing(tracks: Sequence[Labelled], parts: Sequence[str]) -> list[str]:
    """A note on the genres that are tested but cannot be learnt."""
    there: dict[str, set[str]] = {}
    for track, part in zip(tracks, parts, strict=True):
        there.setdefault(track.genre, set()).add(part)
    lost = sorted(genre for genre, held in there.items() if held - {""} and "train" not in held)
    return [f"not in train, so never predicted: {', '.join(lost)}"] if lost else []


def _listed(names: Sequence[str], between: str = ", ") -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return between.join(names[:_SHOWN]) + more


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
