"""Recordings that are in several files, for people."""

from __future__ import annotations

import sys
from itertools import chain, groupby
from typing import TYPE_CHECKING

from mgrkit.audio.chromaprint import SECONDS
from mgrkit.cli.terminal.printing import print_table, printable
from mgrkit.tracks.recordings import AS_LONG

if TYPE_CHECKING:
    from mgrkit.commands.duplicates import Duplicates
    from mgrkit.tracks.recordings import Heard, Member, Part

_NAMED = 3


def show_duplicates(found: Duplicates, *, on_stdout: bool, quiet: bool) -> None:
    """A line a file, the best of each recording first; what lies in longer ones; how many."""
    rows = [
        _row(
            one.heard,
            ["keep" if one.keep else "", _alike(one, group[0].heard.path), _heard(one)],
            found,
        )
        for group in found.groups
        for one in group
    ]
    for whole, its in groupby(found.parts, lambda part: part.whole):
        rows.append(_row(whole, ["full", "", ""], found))
        rows += (
            _row(part.heard, ["part", f"{part.similarity:.3f}", _heard(part)], found)
            for part in its
        )
    if rows and on_stdout:
        heads = ["", "alike", "heard", "length", "Hz", "codec", "file"]
        if all(not row[2] for row in rows):
            heads, rows = heads[:2] + heads[3:], [row[:2] + row[3:] for row in rows]
        print_table(heads, rows, whole=True)
    if not quiet:
        files = sum(map(len, found.groups))
        several = f"{len(found.groups)} in {files} files" if found.groups else "none"
        print(f"recordings in more than one file: {several}", file=sys.stderr)
        if parts := {part.heard.path for part in found.parts}:
            print(f"recordings that are part of longer ones: {len(parts)}", file=sys.stderr)
        every: list[Member | Part] = [*chain.from_iterable(found.groups), *found.parts]
        if count := len({one.heard.path for one in every if _heard(one)}):
            print(
                f"compared by their first {_clock(SECONDS)} alone: {count} "
                f"{'file' if count == 1 else 'files'}; hear the rest before you delete one",
                file=sys.stderr,
            )


def _alike(one: Member, best: str) -> str:
    return "" if one.keep else "exact" if one.exact == best else f"{one.similarity:.3f}"


def _heard(one: Member | Part) -> str:
    """How much of a file was compared, where that is not all of it."""
    return _clock(one.compared) if one.heard.seconds - one.compared > AS_LONG else ""


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"


def _row(heard: Heard, marks: list[str], found: Duplicates) -> list[str]:
    codec = heard.codec or "?"
    if not heard.lossless:
        codec += f" {heard.kbps}k"
    # A new line in a name is none here.
    names = [printable(heard.path)]
    others = found.names.get(heard.path, [])
    names += (f"  also {printable(name)}" for name in others[:_NAMED])
    if len(others) > _NAMED:
        names.append(f"  and {len(others) - _NAMED} more names")
    return [*marks, _clock(heard.seconds), str(heard.rate), codec, "\n".join(names)]
