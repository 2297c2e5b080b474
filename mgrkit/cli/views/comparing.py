"""A comparison for a person: how far it is, and the table that 80 columns hold."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mgrkit.cli.terminal.fitting import FitBar
from mgrkit.cli.terminal.printing import printable

if TYPE_CHECKING:
    from mgrkit.experiments.standings import Comparison, Standing

_FEWEST = 4
"""Columns that are never left out: name, accuracy, spread, ties."""
_MORE = {
    "F1": "macro",
    "top3": "",
    "ECE": "calibration error",
    "param": "numbers in the model",
    "train": "seconds of training",
    "ms": "milliseconds of predicting one track",
    "size": "bytes of the model",
}
"""The other columns, and what they are where the name does not say it."""


class Watch(FitBar):
    """A line on stderr for each run, and how far the fit in work is."""

    def say(self, text: str) -> None:
        """A line; the next fit has its bar below it."""
        if self._quiet:
            return
        self.close()
        print(printable(text), file=sys.stderr, flush=True)


def show_comparison(
    found: Comparison,
    warnings: Sequence[str],
    paths: Sequence[Path],
    *,
    on_stdout: bool,
    quiet: bool,
) -> None:
    """The notes, and the table with what its letters and signs mean."""
    from mgrkit.reports.comparison import CHOSE, spread_of, ties_of

    if not quiet:
        for note in (*found.notes, *warnings):
            print(f"note: {printable(note)}", file=sys.stderr)
    if not on_stdout:
        return
    width = max(80, min(100, shutil.get_terminal_size((80, 24)).columns))
    good = [row for row in found.rows if not row.reason]
    lines = textwrap.wrap(printable(found.judged), width)
    heads = ("classifier", "accuracy (95 %)", spread_of(found), "ties", *_MORE)
    cells = [heads, *map(_cells, good)]
    wide = _widths(cells, width)
    lines += ["", *_table(cells, wide)] if good else []
    for row in found.rows:
        if row.reason:
            lines += textwrap.wrap(printable(f"{row.classifier} failed: {row.reason}"), width)
    legend = [printable(found.lead), ties_of(found)] if len(good) > 1 else []
    legend += [f"{spread_of(found)}: {_meaning(heads[: len(wide)])}"] if good else []
    legend += [CHOSE] if any(row.chose for row in good) else []
    lines += ["", *(line for text in legend for line in textwrap.wrap(text, width))]
    print("\n".join(lines))
    print(f"wrote {', '.join(map(printable, paths))}")


def _cells(row: Standing) -> list[str]:
    from mgrkit.reports.comparison import short

    interval = f"{_share(row.accuracy)} {_share(row.low)}-{_share(row.high)}"
    return [
        printable(row.classifier) + ("*" if row.chose else ""),
        interval,
        _share(row.spread.deviation),
        row.ties,
        _share(row.macro_f1, 2),
        _share(row.top3, 2),
        _share(row.ece, 2),
        short(row.parameters),
        f"{_time(row.training_seconds)}s",
        _time(row.prediction_ms),
        short(row.bytes),
    ]


def _time(value: float) -> str:
    from mgrkit.reports.comparison import short

    return f"{value:.{2 if value < 0.995 else 1}f}" if value < 9.95 else short(value)


def _share(value: float, digits: int = 3) -> str:
    """Without the zero before the point."""
    return f"{value:.{digits}f}".removeprefix("0")


def _meaning(heads: Sequence[str]) -> str:
    """What the columns are that are shown, that of the spread first."""
    told = [f"{head}: {_MORE[head]}" for head in heads if _MORE.get(head)]
    return "; ".join(["standard deviation of their accuracies", *told]) + "."


def _widths(rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """Of the columns that are shown, of which the last are left out where there is no room.

    What a row of a grid is called is never cut, for its end is what it differs in; other names are.
    """
    wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
    names = [name for name, *_ in rows[1:]]
    least = max([10, *(len(name) for name in names if " " in name)])
    while len(wide) > _FEWEST and least + sum(wide[1:]) + len(wide) - 1 > width:
        wide.pop()
    wide[0] = min(wide[0], max(least, width - sum(wide[1:]) - len(wide) + 1))
    return wide


def _table(rows: Sequence[Sequence[str]], wide: Sequence[int]) -> list[str]:
    """Columns of these widths to the right, the names to the left and cut where they are longer."""
    lines = []
    for name, *cells in rows:
        name = name if len(name) <= wide[0] else f"{name[: wide[0] - 1]}~"
        shown = (f"{cell:>{w}}" for cell, w in zip(cells, wide[1:], strict=False))
        lines.append(" ".join([f"{name:{wide[0]}}", *shown]).rstrip())
    return lines
