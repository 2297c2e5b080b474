"""Recordings that are in several files, for people."""

from __future__ import annotations

import sys
from itertools import groupby
from typing import TYPE_CHECKING

from mgrkit.cli.terminal.printing import print_table, printable

if TYPE_CHECKING:
    from mgrkit.commands.duplicates import Duplicates
    from mgrkit.tracks.recordings import Heard, Member

_NAMED = 3


def show_duplicates(found: Duplicates, *, on_stdout: bool, quiet: bool) -> None:
    """A line a file, the best of each recording first; what lies in longer ones; how many."""
    rows = [
        _row(one.heard, "keep" if one.keep else "", _alike(one, group[0].heard.path), found)
        for group in found.groups
        for one in group
    ]
    for whole, its in groupby(found.parts, lambda part: part.whole):
        rows.append(_row(whole, "full", "", found))
        rows += (_row(part.heard, "part", f"{part.similarity:.3f}", found) for part in its)
    if rows and on_stdout:
        print_table(["", "alike", "length", "Hz", "codec", "file"], rows)
    if not quiet:
        files = sum(map(len, found.groups))
        several = f"{len(found.groups)} in {files} files" if found.groups else "none"
        print(f"recordings in more than one file: {several}", file=sys.stderr)
        if parts := {part.heard.path for part in found.parts}:
            print(f"recordings that are part of longer ones: {len(parts)}", file=sys.stderr)


def _alike(one: Member, best: str) -> str:
    return "" if one.keep else "exact" if one.exact == best else f"{one.similarity:.3f}"


def _row(heard: Heard, mark: str, alike: str, found: Duplicates) -> list[str]:
    codec = heard.codec or "?"
    if not heard.lossless:
        codec += f" {heard.kbps}k"
    minutes, seconds = divmod(round(heard.seconds), 60)
    # A new line in a name is none here.
    names = [printable(heard.path)]
    others = found.names.get(heard.path, [])
    names += (f"  also {printable(name)}" for name in others[:_NAMED])
    if len(others) > _NAMED:
        names.append(f"  and {len(others) - _NAMED} more names")
    return [mark, alike, f"{minutes}:{seconds:02}", str(heard.rate), codec, "\n".join(names)]
