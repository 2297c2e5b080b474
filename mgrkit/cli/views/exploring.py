"""What was explored, for a person."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mgrkit.cli.terminal.printing import printable

if TYPE_CHECKING:
    from mgrkit.reports.explore_page import Explored


def show_explored(
    found: Explored, warnings: Sequence[str], *, on_stdout: bool, quiet: bool
) -> None:
    """The notes, a paragraph for each plot, and where it all lies."""
    if not quiet:
        skipped = [f"{plot} is left out: {why}" for plot, why in found.skipped.items()]
        for note in (*found.notes, *skipped, *warnings):
            print(f"note: {printable(note)}", file=sys.stderr)
    if not on_stdout:
        return
    for name, section in found.sections.items():
        print("\n".join(textwrap.wrap(printable(f"{name}: {section.text}"), 80)))
    print(f"wrote {printable(found.out)}/{found.files[0]} and {len(found.files) - 1} files")
