"""Texts and tables as Markdown."""

from __future__ import annotations

from collections.abc import Sequence


def escaped(text: str) -> str:
    """Text that Markdown takes for text, on one line.

    >>> escaped("a_b | <c>")
    'a\\\\_b \\\\| \\\\<c\\\\>'
    """
    for sign in "\\`*_|<>[]":
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())


def grid(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """The lines of a table, whose first column stands left and all others right."""
    rule = ["---", *["---:"] * (len(heads) - 1)]
    cells = ([escaped(str(cell)) for cell in row] for row in rows)
    return [f"| {' | '.join(row)} |" for row in ([*map(escaped, heads)], rule, *cells)]
