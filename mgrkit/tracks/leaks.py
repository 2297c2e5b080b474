"""Leaks: what is of one sound, one recording or one artist, and lies in several parts of a split.

The kinds, the most specific first: exact duplicates; noisy copies and what they are copies of; near
duplicates, which `mgrkit duplicates` has heard to have sound in common (other formats, rates or
cuts of one recording); slices of one recording, by their names; one recording under two names; one
artist. A leak is counted once, by its
most specific kind: what is torn by one kind counts, for the kinds after it, as if all of it were
where the original is; or in the earliest of its parts, where none is known to be the original. So a
song in test with a copy in train does not make its artist a second leak, but another song of the
artist in train, which stays a leak when the copy is gone, does. Tracks of unknown artists are no
leak.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace

from mgrkit.tracks.linked import linked
from mgrkit.tracks.splits import PARTS, RANDOM, Labelled, Split, group_key

DUPLICATE, COPY, NEAR, PIECE, RECORDING, ARTIST = KINDS = (
    "duplicate", "copy", "near_duplicate", "piece", "recording", "artist",
)  # fmt: skip
_CALLED = {
    DUPLICATE: ("duplicate", "duplicates"),
    COPY: ("recording with noisy copies", "recordings with noisy copies"),
    NEAR: ("near duplicate", "near duplicates"),
    PIECE: ("sliced recording", "sliced recordings"),
    RECORDING: ("recording", "recordings"),
    ARTIST: ("artist", "artists"),
}
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Leak:
    """Tracks that belong together and lie in several parts.

    Parameters
    ----------
    kind : one of `KINDS`.
    tracks : indices of those that are in a part, rising.
    """

    kind: str
    tracks: tuple[int, ...]


def find_leaks(tracks: Sequence[Labelled], parts: Sequence[str]) -> list[Leak]:
    """Every leak between the parts, kind by kind.

    Parameters
    ----------
    parts : one per track, one of `PARTS` or the number of a fold; '' for none. A track in none is
        no leak, but shows what others have in common.
    """
    bundles = [[index] for index in range(len(tracks))]
    places = list(parts)  # of each bundle
    derived = [track.derived for track in tracks]  # whether all of a bundle is
    found = []
    for kind in KINDS:
        marks = [[mark for i in members for mark in _marks(tracks[i], kind)] for members in bundles]
        marked = [number for number, its in enumerate(marks) if its]
        for one in linked(marks[number] for number in marked):
            if len(one) == 1:
                continue
            first, *others = joined = [marked[number] for number in one]
            where = {places[number] for number in joined} - {""}
            originals = {places[number] for number in joined if not derived[number]} - {""}
            bundles[first] += [i for number in others for i in bundles[number]]
            places[first] = min(originals or where, key=in_order, default="")
            derived[first] = all(derived[number] for number in joined)
            for number in others:
                bundles[number] = []
            if len(where) > 1:
                found.append(Leak(kind, tuple(sorted(i for i in bundles[first] if parts[i]))))
    return found


def counted(leaks: Sequence[Leak]) -> dict[str, int]:
    """How many leaks there are of each kind."""
    counts = Counter(leak.kind for leak in leaks)
    return {kind: counts[kind] for kind in KINDS}


def leaky_words(leaks: Sequence[Leak], words: str = "") -> str:
    """The words of a split with those of its leaks, which any number from it has to carry.

    That artists are torn is what a random split is: there they are not counted.
    """
    counts = counted(leaks)
    if words.startswith(RANDOM):
        del counts[ARTIST]
    shown = ", ".join(f"{n} {_CALLED[kind][n > 1]}" for kind, n in counts.items() if n)
    return ", ".join(filter(None, [words, shown and f"leaky: {shown} in more than one part"]))


def checked(tracks: Sequence[Labelled], split: Split) -> Split:
    """A split whose words and notes tell its leaks."""
    leaks = find_leaks(tracks, split.parts)
    if split.words.startswith(RANDOM):
        leaks = [leak for leak in leaks if leak.kind != ARTIST]
    notes = (*split.notes, *_leak_notes(tracks, leaks))
    return replace(split, words=leaky_words(leaks, split.words), notes=notes)


def _leak_notes(tracks: Sequence[Labelled], leaks: Sequence[Leak]) -> Iterator[str]:
    """The first few that are in more than one part, by name."""
    names = sorted({_name(tracks[leak.tracks[0]], leak.kind) for leak in leaks})
    if names:
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        yield f"in more than one part: {', '.join(names[:_NAMED])}{more}"


def _name(track: Labelled, kind: str) -> str:
    if kind in (ARTIST, NEAR):
        return track.group if kind == ARTIST else track.heard
    return track.sliced or track.recording or track.id


def in_order(part: str) -> tuple[int, str]:
    """By which parts come first; folds by their names."""
    return PARTS.index(part) if part in PARTS else 0, part


def _marks(track: Labelled, kind: str) -> Sequence[Hashable]:
    """By what a track belongs to others in this way."""
    if kind == DUPLICATE:
        return track.same
    if kind == COPY:
        return [track.copied] if track.copied else ()
    if kind == NEAR:
        return [track.heard] if track.heard else ()
    if kind == PIECE:
        return [track.sliced] if track.sliced else ()
    if kind == RECORDING:
        return [mark for mark in track.marks if mark[0] != "same"]
    return [group_key(track.group)] if track.group else ()
