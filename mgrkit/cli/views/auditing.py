"""What an audit found, as lines for a person."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING

from mgrkit.cli.terminal.printing import printable

if TYPE_CHECKING:
    from mgrkit.commands.audit import Audited, OfSplit
    from mgrkit.experiments.inflation import Inflation

_CALLED = {
    "duplicate": "exact duplicates",
    "copy": "recordings apart from their noisy copies",
    "near_duplicate": "near duplicates (other formats, rates or cuts)",
    "piece": "slices of one recording",
    "recording": "one recording under two names",
    "artist": "artists",
}


def show_audit(found: Audited, *, on_stdout: bool, quiet: bool) -> None:
    """The notes, and each split with its leaks."""
    if not quiet:
        for note in found.notes:
            print(f"note: {printable(note)}", file=sys.stderr)
    if on_stdout:
        print("\n".join(line for one in found.splits for line in _lines(one)))


def _lines(one: OfSplit) -> list[str]:
    name = "fold " if one.column == "fold" else ""
    counts = ", ".join(
        f"{count:,} {f'{name}{part}' if part else 'in none'}" for part, count in one.parts.items()
    )
    lines = textwrap.wrap(printable(f"{counts}: {one.words}"), 80)
    if not sum(one.leaks.values()):
        return [*lines, "no leak between them"]
    for kind, count in one.leaks.items():
        if count:
            lines.append(f"in more than one part, {_CALLED[kind]}: {count:,}")
        for example in one.examples:
            if example.kind == kind:
                of = f"{example.artist}: " if example.artist else ""
                tracks = ", ".join(f"{path} ({name}{part})" for path, part in example.tracks)
                lines.append(printable(f"  {of}{tracks}"))
    return lines


def show_inflation(found: Inflation) -> None:
    """Both accuracies and the gap between them."""
    print(
        f"{found.classifier}: fit on {found.train} tracks, judged by {found.judged} of {found.part}"
    )
    for side in (found.random, found.apart):
        words = f"{side.split}: accuracy {side.accuracy:.3f} ({side.low:.3f} to {side.high:.3f})"
        seeds = ", ".join(f"{one:.3f}" for one in side.seeds)
        print("\n".join(textwrap.wrap(printable(words), 80)))
        if len(side.seeds) > 1:
            print("\n".join(textwrap.wrap(f"seeds: {seeds}", 80, initial_indent="  ",
                                          subsequent_indent="  ")))  # fmt: skip
    points, low, high = (100 * one for one in (found.gap, found.low, found.high))
    print(f"the random split says {points:+.1f} points more ({low:+.1f} to {high:+.1f})")
