"""A split as people read it: the parts by genre, and what goes with it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mgrkit.cli.terminal.printing import print_table, printable
from mgrkit.tracks.splits import PARTS

if TYPE_CHECKING:
    from mgrkit.commands.split import Parted


def show_parted(made: Parted, warnings: Sequence[str], *, on_stdout: bool, quiet: bool) -> None:
    """The notes on stderr, the table of the parts on stdout."""
    if not quiet:
        passed = [f"passed over: {number} {why}" for why, number in made.passed_over.items()]
        for note in (*passed, *made.notes, *warnings):
            print(printable(note), file=sys.stderr)
        print(f"{printable(made.words)}; see {printable(made.out)}", file=sys.stderr)
    if not on_stdout:
        return
    total = sum((Counter(counts) for counts in made.genres.values()), Counter[str]())
    columns = [part for part in (*PARTS, "") if total[part]]
    rows = [
        [genre, *(str(counts.get(part, 0)) for part in columns)]
        for genre, counts in (*made.genres.items(), ("all", total))
    ]
    print_table(["genre", *(part or "no part" for part in columns)], rows)
