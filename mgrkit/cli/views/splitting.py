"""How a table was split, for a person."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING

from mgrkit.cli.terminal.printing import printable
from mgrkit.cli.views.balance import show_balance

if TYPE_CHECKING:
    from mgrkit.commands.split import Parted


def show_split(made: Parted, *, on_stdout: bool, quiet: bool) -> None:
    """The notes, the tracks of each genre and part, and the words of the split."""
    if not quiet:
        for note in made.notes:
            print(f"note: {printable(note)}", file=sys.stderr)
    if not on_stdout:
        return
    show_balance(made.balance)
    if made.left_out:
        print(f"{made.left_out:,} tracks are in no part")
    print("\n".join(textwrap.wrap(printable(made.words), 80)))
    if not quiet:
        print(f"wrote {printable(made.path)}", file=sys.stderr)
