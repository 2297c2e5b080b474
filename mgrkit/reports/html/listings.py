"""A track table, of whatever columns, as a page."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mgrkit.errors import RunError, UsageError
from mgrkit.reports.html.content import Content, heads_again
from mgrkit.reports.html.page import Fact, Facts, Page, Section
from mgrkit.reports.html.tracks import (
    NUMBER,
    Column,
    Tracks,
    choice_column,
    clock_column,
    digest_column,
    name_column,
    number_column,
    text_column,
)
from mgrkit.tracks.schema import RECORDING_OF
from mgrkit.tracks.table import read_frame

_SHOWN = 20
"""Columns with a place in the table at first; of more, numbers have none until they are chosen."""
_FIRST = (
    "genre", "group", "artist", "title", "album", "split", "seconds", "kind", "noise", "snr",
    "copy", "status", "reason",
)  # fmt: skip
"""Columns that are shown before all others."""
_LEAST, _MOST = 60, 1_000_000
"""So many columns are always there; more of them, while they have no more values than these."""
_LONG = 40
"""Letters of a fact that needs a line of its own."""
_DIGEST = re.compile(r"(?:\w+:)?[0-9a-f]{16,}|")
"""What is compared, and not read."""
_ID = re.compile(r"0\d+|\d{16,}")
"""Digits that as a number would not be the same."""


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
    try:
        frame = frame.select(pl.all().cast(pl.String).fill_null(""))
    except pl.exceptions.PolarsError:
        raise UsageError(
            f"{path} has columns that are no texts or numbers", "leave them out"
        ) from None
    rows = frame.filter(~pl.all_horizontal(pl.col(name) == name for name in frame.columns))
    if not len(rows):
        raise RunError(f"{path} has no rows", "one row per file")
    again = len(frame) - len(rows)
    notes = [f"{path}: {heads_again(again)}"] if again else []
    return _page({name: rows[name].to_list() for name in rows.columns}, path).saying(notes)


def objects_page(rows: Sequence[Mapping[str, Any]], path: Path) -> Page:
    """A page of JSON objects, each with a text ``path``."""
    names = dict.fromkeys(name for row in rows for name in row)
    return _page({name: [_written(row.get(name)) for row in rows] for name in names}, path)


def _written(value: object) -> str:
    """A value of JSON as a table has it."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return json.dumps(value, ensure_ascii=False)


def _page(table: dict[str, list[str]], path: Path) -> Page:
    names = table.pop("path")
    states = table.get("status", names)
    others = {name: texts for name, texts in table.items() if any(texts)}
    facts = [Fact("rows", f"{len(names):,}", large=True)]
    if len(names) > 1:
        facts += _same(names, others)
    others = {name: others[name] for name in sorted(others, key=lambda one: _place(one, others))}
    told, notes = _columns(others, max(_LEAST, _MOST // len(names)))
    columns = [name_column(names, "track"), *told]
    wanted = [place for place, state in enumerate(states) if state != "failed"]
    sort = (_key(RECORDING_OF), "ascending") if RECORDING_OF in others else ("", "")
    tracks = Tracks(names, columns, "rows", sort, wanted)
    text = "What is the same in all rows, or what the path says already, is not in the table."
    sections = [Section("Overview", [Facts(facts)], text if len(facts) > 1 else "")]
    how = f"{_HOW} {_WHOLE}" if len(set(names)) < len(names) else _HOW
    sections.append(Section("Tracks", [tracks], how))
    return Page(f"Tracks of {path.name}", notes, sections, notes)


def _same(names: Sequence[str], others: dict[str, list[str]]) -> Iterator[Fact]:
    """Take out the columns that say the same in each row, or what the path says; and tell them."""
    for name, texts in list(others.items()):
        more = ""
        if len(set(texts)) == 1:
            value = texts[0]
        elif (change := _change(names, texts)) is not None:
            value, more = "the path", change
        else:
            continue
        del others[name]
        yield Fact(name, value, more, wide=len(value) > _LONG)


def _change(names: Sequence[str], texts: Sequence[str]) -> str | None:
    """In what alone a column differs from the paths, as words; None if in more than their root."""
    one, other = (_root(paths) for paths in (names, texts))
    both = zip(names, texts, strict=True)
    if any(name[len(one) :] != text[len(other) :] for name, text in both):
        return None
    return "" if one == other else f"with {other or 'nothing'} for {one or 'nothing'}"


def _root(paths: Sequence[str]) -> str:
    """The folders that all are in, with the last stroke."""
    common = os.path.commonprefix(list(paths))  # noqa: RUF071 - it is cut at a stroke
    return common[: common.rfind("/") + 1]


_HOW = "A column's head sorts by it. + shows all that is known of a row."
_WHOLE = "Of a file with several rows each shows a picture of all its sound, and plays all of it."


def _place(name: str, others: Mapping[str, Sequence[str]]) -> int:
    """Known columns are first, digests, which nobody reads, last."""
    if name in _FIRST:
        return _FIRST.index(name)
    return len(_FIRST) + all(map(_DIGEST.fullmatch, others[name]))


def _key(name: str) -> str:
    return f"column {name}"


def _columns(others: Mapping[str, Sequence[str]], most: int) -> tuple[list[Column], list[str]]:
    """At most so many columns, and what is to be said; numbers are the first to go."""
    columns = [_column(name, texts) for name, texts in others.items()]
    notes = []
    if (lost := len(columns) - most) > 0:
        notes.append(f"{lost} columns are left out: there are {len(columns)}")
        gone = [*(one for one in reversed(columns) if one.kind == NUMBER), *reversed(columns)]
        keys = list(dict.fromkeys(one.key for one in gone))[:lost]
        columns = [one for one in columns if one.key not in keys]
    numbers = [one for one in columns if one.kind == NUMBER]
    for one in numbers[max(0, _SHOWN - (len(columns) - len(numbers))) :]:
        one.shown = False
    return columns, notes


def _column(name: str, texts: Sequence[str]) -> Column:
    key = _key(name)
    if name == "status":
        return choice_column(key, texts, name, {"failed": "failed"})
    numbers = _numbers(texts)
    if numbers is None or len(set(texts)) <= 2:
        is_digest = all(map(_DIGEST.fullmatch, texts))
        return digest_column(key, texts, name) if is_digest else text_column(key, texts, name)
    if name == "seconds":
        return clock_column(key, numbers, "length")
    return number_column(key, numbers, name, digits=None)


def _numbers(texts: Sequence[str]) -> list[float | None] | None:
    """The numbers in a column; None if anything else is in it, such as ids of digits."""
    if any(map(_ID.fullmatch, texts)):
        return None
    try:
        found = [float(text) if text else None for text in texts]
    except ValueError:
        return None
    return None if any(one is not None and not math.isfinite(one) for one in found) else found
