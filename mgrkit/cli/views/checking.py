"""What a check of a collection found, for people."""

from __future__ import annotations

import sys
from pathlib import Path

from mgrkit.cli.terminal.printing import print_table, printable
from mgrkit.commands.check import Checked


def show_findings(checked: Checked, quarantine: Path | None) -> None:
    """A line a code: how many files, and the first of them; what was left out of a table."""
    rows = []
    for code, count in checked.counts.most_common():
        lines = [f"{path}: {why}" for path, why in checked.examples[code]]
        rows.append([code, str(count), "\n".join([*lines, *["..."] * (count > len(lines))])])
    if rows:
        print_table(["found", "files", "the first of them"], rows)
    if checked.kept is not None:
        why = ", ".join(f"{count} {code}" for code, count in checked.left_out.most_common())
        left_out = f"{checked.left_out.total()} left out" + (f" ({why})" if why else "")
        print(f"{printable(quarantine)}: {checked.kept} files, {left_out}", file=sys.stderr)
