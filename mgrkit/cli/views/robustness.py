"""What conditions cost models, as lines for a person."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mgrkit.cli.terminal.printing import printable

_NAME = 17
"""The longest name of a condition that leaves room for its numbers in 80 columns."""


def show_under(
    results: Sequence[Mapping[str, Any]],
    written: Iterable[Path | None],
    *,
    on_stdout: bool,
    quiet: bool,
) -> None:
    """A table for each model, a line for each condition, the clean sounds first.

    ``written`` are the files that were made; None for one that was not asked for.
    """
    if not quiet:
        notes = dict.fromkeys(note for result in results for note in result["notes"])
        lines = [f"note: {note}" for note in notes]
        lines += [
            f"{result['dropped_as_seen']} tracks left out: {result['model']} has seen them"
            for result in results
            if result["dropped_as_seen"]
        ]
        lines += [f"wrote {path}" for path in written if path]
        for line in lines:
            print(printable(line), file=sys.stderr)
    if not on_stdout:
        return
    width = max(20, shutil.get_terminal_size((80, 24)).columns)
    for number, result in enumerate(results):
        if number:
            print()
        what = f"{result['model']}, {result['tracks']} tracks: {result['split']}"
        print(textwrap.fill(printable(what), width))
        print("\n".join(_rows(result["under"], width)))


def _rows(rows: Sequence[Mapping[str, Any]], width: int) -> list[str]:
    """A line for each condition, or several in a narrow terminal; long names are cut."""
    names = [printable(row["condition"]) for row in rows]
    first = min(max(map(len, ("condition", *names))), _NAME)
    lines = [
        f"{'':{first}}  {'accuracy and 95 %':20}  {'points from':19}  macro",
        f"{'condition':{first}}  {'interval':20}  {'clean, interval':19}  F1    ece   unsure",
    ]
    folded = []
    for name, row in zip(names, rows, strict=True):
        shown = name if len(name) <= first else f"{name[: first - 1]}~"
        lost = [f"  {row['failed']} tracks failed under it"] if row["failed"] else []
        if row["accuracy"] is None:
            lines += [f"{shown:{first}}  no track could be judged", *lost]
            folded += [shown, "  no track could be judged", *lost]
            continue
        low, high = row["accuracy_low"], row["accuracy_high"]
        accuracy = f"{row['accuracy']:.3f} ({low:.2f} to {high:.2f})"
        points = [100 * row[f"accuracy_change{end}"] for end in ("", "_low", "_high")]
        change = (
            "" if row is rows[0] else f"{points[0]:+.0f} ({points[1]:+.0f} to {points[2]:+.0f})"
        )
        rest = f"{row['macro_f1']:.2f}  {row['ece']:.2f}  {100 * row['unsure']:4.0f} %"
        lines += [f"{shown:{first}}  {accuracy:20}  {change:19}  {rest}", *lost]
        folded += [shown, f"  accuracy {accuracy}", *([f"  from clean {change}"] if change else [])]
        folded += [f"  F1, ece, unsure {rest}", *lost]
    return lines if max(map(len, lines)) <= width else folded
