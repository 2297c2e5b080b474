"""A track table, of whatever columns, as a page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from mgrkit.errors import RunError, UsageError
from mgrkit.reports.html.content import Content
from mgrkit.reports.html.page import Fact, Facts, Page, Section
from mgrkit.reports.html.tracks import (
    Column,
    Tracks,
    choice_column,
    clock_column,
    name_column,
    number_column,
    text_column,
)
from mgrkit.tracks.table import read_frame

_SHOWN = 8
"""Columns beside the name that have a place in the table; the others are among the details."""
_FIRST = (
    "genre", "group", "artist", "title", "album", "split", "seconds", "kind", "noise", "snr",
    "copy", "status", "reason",
)  # fmt: skip
"""Columns that are shown before all others."""
_MOST = 60
"""More columns are numbers for a classifier, and not for people."""


def listing_page(table: Content) -> Page:
    """A page of a table with a column ``path``.

    Raises
    ------
    UsageError, RunError : it is no such table, or has no rows.
    """
    import polars as pl

    path = table.path
    frame = read_frame(path, content=table.data)
    if "path" not in frame.columns:
        there = ", ".join(frame.columns[:5]) or "nothing"
        raise UsageError(f"{path} has no column path, but {there}", "a track table has one")
    if not len(frame):
        raise RunError(f"{path} has no rows", "one row per file")
    try:
        frame = frame.select(pl.all().cast(pl.String).fill_null(""))
    except pl.exceptions.PolarsError:
        raise UsageError(
            f"{path} has columns that are no texts or numbers", "leave them out"
        ) from None
    names = frame["path"].to_list()
    others = {name: frame[name].to_list() for name in frame.columns if name != "path"}
    same = {name: texts[0] for name, texts in others.items() if len(set(texts)) == 1}
    if len(names) == 1:
        same = {}
    told = {name: texts for name, texts in others.items() if name not in same and any(texts)}
    notes = []
    if len(told) > _MOST:
        notes.append(f"{len(told) - _MOST} columns are left out: there are {len(told)}")
        told = dict(sorted(told.items(), key=lambda one: _place(one[0]))[:_MOST])
    columns = [name_column(names, "track"), *_columns(told)]
    failed = others.get("status", [])
    wanted = [place for place in range(len(names)) if not failed or failed[place] != "failed"]
    table = Tracks(names, columns, "rows", ("", ""), wanted)
    facts = [Fact("rows", f"{len(names):,}", large=True)]
    facts += [Fact(name, text) for name, text in same.items() if text]
    text = "What is the same in all rows stands here, and not in the table." if same else ""
    sections = [Section("Overview", [Facts(facts)], text), Section("Tracks", [table], _HOW)]
    return Page(f"Tracks of {path.name}", notes, sections, notes)


_HOW = "A column's head sorts by it. + shows all that is known of a row."


def _place(name: str) -> tuple[int, str]:
    return (_FIRST.index(name), "") if name in _FIRST else (len(_FIRST), "")


def _columns(told: dict[str, list[str]]) -> Iterator[Column]:
    for number, name in enumerate(sorted(told, key=_place)):
        column = _column(name, told[name])
        column.shown = number < _SHOWN
        yield column


def _column(name: str, texts: Sequence[str]) -> Column:
    key = f"column {name}"
    if name == "status":
        return choice_column(key, texts, name, {"failed": "failed"})
    numbers = _numbers(texts)
    if numbers is None or len(set(texts)) <= 2:
        return text_column(key, texts, name)
    if name == "seconds":
        return clock_column(key, numbers, "length")
    return number_column(key, numbers, name, digits=None)


def _numbers(texts: Sequence[str]) -> list[float | None] | None:
    """The numbers in a column; None if anything else is in it."""
    try:
        found = [float(text) if text else None for text in texts]
    except ValueError:
        return None
    return None if any(one is not None and not math.isfinite(one) for one in found) else found
