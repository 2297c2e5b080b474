"""Cheap checks of labelled tracks before anything is learnt from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mgrkit.tracks.linked import linked

_EXAMPLES = 3


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Parameters
    ----------
    keep : indices of the tracks to go on with, rising.
    notes : what a person should know, one line each.
    """

    keep: tuple[int, ...]
    notes: tuple[str, ...]


def audit(
    names: Sequence[str],
    ids: Sequence[str],
    genres: Sequence[str],
    digests: Sequence[str] = (),
    parts: Sequence[str] = (),
) -> Audit:
    """Drop exact duplicates: tracks of one id, or of one sound.

    Of each set the first that has a part is kept, else the first: a published split may have
    chosen one of them.

    Parameters
    ----------
    names : what a person calls each track, e.g. its path; all sequences are one per track.
    ids : as `mgrkit.tracks.identity.track_id` gives them.
    digests : of the sound; '' or none at all where it is not known.
    parts : of the published split; '' for none.
    """
    sounds = digests or [""] * len(ids)
    sets = linked(
        [("id", i), *([("sound", d)] if d else [])] for i, d in zip(ids, sounds, strict=True)
    )
    keep = []
    dropped = []
    torn = []
    for members in sets:
        first = next((i for i in members if parts and parts[i]), members[0])
        keep.append(first)
        dropped += [f"{names[i]} = {names[first]}" for i in members if i != first]
        other = next((i for i in members if genres[i] != genres[first]), first)
        if other != first:
            torn.append(f"{names[first]} {genres[first]}, {names[other]} {genres[other]}")
    notes = []
    if dropped:
        notes.append(f"exact duplicates left out: {_shown(dropped)}")
    if torn:
        notes.append(f"one recording under two genres: {_shown(torn)}")
    return Audit(tuple(sorted(keep)), tuple(notes))


def _shown(what: Sequence[str]) -> str:
    """How many, and the first few."""
    more = f", and {len(what) - _EXAMPLES} more" if len(what) > _EXAMPLES else ""
    return f"{len(what)} ({'; '.join(what[:_EXAMPLES])}{more})"
