"""Results on stdout: JSON, or a table that fits the terminal, or text of 80 columns."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Sequence

from mgrkit.cli.terminal.stdout import results
from mgrkit.files.names import printable as printable

_WIDTH = 80


def print_json(value: object) -> None:
    """One JSON value on stdout."""
    print(json.dumps(value, ensure_ascii=True), file=results(), flush=True)


def print_table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], *, whole: bool = False
) -> None:
    """Aligned columns; the last one may hold several lines.

    Parameters
    ----------
    whole : lines of the last one stand as they are, beside the others; else they are wrapped to
        fit, and stand below where there is little room.
    """
    shown = [["\n".join(map(printable, cell.split("\n"))) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _rich(heads, shown)
    else:
        print("\n".join(_aligned([list(heads), *shown], whole)))


def _rich(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)


def _aligned(rows: Sequence[Sequence[str]], whole: bool) -> list[str]:
    widths = [max(map(len, column)) for column in list(zip(*rows, strict=True))[:-1]]
    left = sum(width + 2 for width in widths)
    below = left > _WIDTH // 2 and not whole  # too little room beside the others
    indent = 4 if below else left
    lines = []
    for *cells, last in rows:
        first = "".join(f"{cell:{w}}  " for cell, w in zip(cells, widths, strict=True))
        parts = last.splitlines()
        if not whole:
            parts = [part for line in parts for part in wrapped(line, _WIDTH - indent)]
        if below:
            parts.insert(0, "")
        lines.append(f"{first}{parts[0] if parts else ''}".rstrip())
        lines += [(" " * indent + part).rstrip() for part in parts[1:]]
    return lines


def wrapped(line: str, width: int = _WIDTH) -> list[str]:
    """A line as lines of this width; an empty one stays."""
    # Paths and commands are copied from here: they are not broken.
    return textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) or [""]
