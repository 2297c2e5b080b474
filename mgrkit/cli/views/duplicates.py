"""Recordings that are in several files, for people."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from mgrkit.cli.terminal.printing import print_table, printable

if TYPE_CHECKING:
    from mgrkit.commands.duplicates import Duplicates
    from mgrkit.tracks.recordings import Member


def show_duplicates(found: Duplicates, *, on_stdout: bool, quiet: bool) -> None:
    """A line a file, the best of each recording first; and how many there are."""
    if found.groups and on_stdout:
        heads = ["", "alike", "length", "Hz", "codec", "file"]
        rows = [_row(one, group[0].heard.path) for group in found.groups for one in group]
        print_table(heads, rows)
    if not quiet:
        files = sum(map(len, found.groups))
        several = f"{len(found.groups)} in {files} files" if found.groups else "none"
        print(f"recordings in more than one file: {several}", file=sys.stderr)


def _row(one: Member, best: str) -> list[str]:
    heard = one.heard
    alike = "" if one.keep else "exact" if one.exact == best else f"{one.similarity:.3f}"
    codec = heard.codec or "?"
    if not heard.lossless:
        codec += f" {heard.kbps}k"
    minutes, seconds = divmod(round(heard.seconds), 60)
    return [
        "keep" if one.keep else "",
        alike,
        f"{minutes}:{seconds:02}",
        str(heard.rate),
        codec,
        printable(heard.path),  # a new line in a name is none here
    ]
