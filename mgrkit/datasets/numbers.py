"""Columns of a table as a dataset: those that are chosen, or those that a model learnt from.

Rows stay whatever they lack: a value that is missing, or is no finite number, is NaN, and a
classifier is given the median of its column in train (`mgrkit.classifiers.filling`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.datasets.building import of_rows
from mgrkit.datasets.categories import categories, category_of, encoded, name_of
from mgrkit.datasets.dataset import Dataset
from mgrkit.datasets.rows import (
    BESIDE,
    named_rows,
    note_lost,
    numbers_of,
    refuse_told,
    tracks_of,
    usable_rows,
)
from mgrkit.datasets.tables import feature_sets_of
from mgrkit.datasets.wide import ROW, WideTable
from mgrkit.errors import RunError, UsageError, most_like
from mgrkit.inputs.columns import Columns, TableChoice, chosen, some
from mgrkit.inputs.kinds import Features
from mgrkit.registry import installed
from mgrkit.tracks.fma.headed import INDEX
from mgrkit.tracks.fma.metadata import read_fma
from mgrkit.tracks.schema import SPLIT_BY
from mgrkit.tracks.table import read_frame

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_TRACKS = "tracks.csv"
_LOOKED_AT = 20
"""Rows by which it is seen whether a table that lists no files holds numbers."""
_NUMBER = re.compile(r"\d+$")


def holds(path: Path, choice: TableChoice) -> bool:
    """Whether a table has columns that are chosen, and so is no list of files."""
    if not choice:
        return False
    names = _candidates(WideTable.of(path), choice)
    return any(chosen(names, word) for word in choice.columns or ("*",))


def refuse_unknown(path: Path, choice: TableChoice) -> None:
    """UsageError for a list of files and a choice of which it has no column."""
    choice.of(_candidates(WideTable.of(path), choice), path)


def refuse_unlisted(path: Path) -> None:
    """UsageError for a table that is no list of files, with how numbers are learnt from."""
    first = read_frame(path, rows=_LOOKED_AT)
    if "path" in first.columns:
        return
    names = [name for name in first.columns if name not in BESIDE]
    x = numbers_of(first, names)
    numbers = [name for place, name in enumerate(names) if not np.isnan(x[:, place]).all()]
    like = _NUMBER.sub("*", numbers[0]) if numbers else ""
    more = f"; of a table of numbers, --columns '{like}' says which to learn from" if like else ""
    raise UsageError(
        f"{path} has no column path, but {some(first.columns, 5)}",
        f"a list of files has one row a file, with its path{more}",
    )


def read_columns(path: Path, wanted: Features | Columns, choice: TableChoice) -> Dataset:
    """The rows of a table with the columns that are chosen, else with those that are wanted.

    FMA's tables are joined with the ``tracks.csv`` beside them, which has the genres, artists and
    parts. Failed rows and rows that repeat a path are left out and counted in the notes. Of
    columns that are chosen those are left out, with a note, that hold no number, one value only,
    or what another holds. One of texts that is chosen by its full name becomes columns of its
    categories (`mgrkit.datasets.categories`).

    Where the table has all columns of a feature set, and those chosen are of it, the ``input`` is
    that set's; else it is `Columns`.

    Raises
    ------
    UsageError : a column is not there, holds free text, or says what is to be learnt; no column
        of numbers is left; rows of several feature sets, or of another release of the set.
    RunError : no row can be used, or a file cannot be read.
    """
    table, notes = WideTable.of(path), list[str]()
    if not choice:
        return _known(table, wanted, notes, choice)
    names = choice.of(_candidates(table, choice), path)
    refuse_told(names, choice.label)
    frame = _rows(table, choice, notes)
    x = table.numbers(names, frame[ROW])
    texts = _texts(table, x, names, frame[ROW], notes)
    x, columns = _with_categories(table, x, names, texts, choice, frame[ROW], notes)
    left = _learnable(x, columns, [t for t in texts if t in columns], path, notes)
    found = _input(table, frame, left, wanted)
    x = x[:, [columns.index(name) for name in found.columns]]
    return _dataset(path, frame, x, found, notes)


def _known(
    table: WideTable, wanted: Features | Columns, notes: list[str], choice: TableChoice
) -> Dataset:
    """The columns that a model learnt from, or that a set has."""
    of = {name: category_of(name, table.columns) for name in wanted.columns}
    plain = [name for name, category in of.items() if category is None]
    coded = {name: category for name, category in of.items() if category}
    _check_there(table, plain, len(of))
    frame = _rows(table, choice, notes)
    x = table.numbers(plain, frame[ROW])
    if texts := _texts(table, x, plain, frame[ROW], notes):
        raise UsageError(f"{table.path} holds no numbers in {some(texts)}", "mend the table")
    if coded:
        x = np.hstack([x, encoded(table, list(coded.values()), frame[ROW], notes)])
        x = x[:, [[*plain, *coded].index(name) for name in of]]
    return _dataset(table.path, frame, x, wanted, notes)


def _with_categories(
    table: WideTable,
    x: Floats,
    names: Sequence[str],
    texts: Sequence[str],
    choice: TableChoice,
    rows: Any,
    notes: list[str],
) -> tuple[Floats, list[str]]:
    """The columns, those of categories for each of texts that is asked for by its name."""
    asked = [name for name in texts if choice.names(name)]
    if not asked:
        return x, list(names)
    of = {name: categories(table, name, rows, notes) for name in asked}
    columns, parts = list[str](), []
    for place, name in enumerate(names):
        columns += map(name_of, of[name]) if name in of else [name]
        parts.append(encoded(table, of[name], rows) if name in of else x[:, place : place + 1])
    if twice := [name for name in columns if columns.count(name) > 1 or name in of]:
        raise UsageError(f"{table.path} has a column {twice[0]}, as a category is called, too")
    return np.asfortranarray(np.hstack(parts)), columns


def _dataset(
    path: Path, frame: Any, x: Floats, found: Features | Columns, notes: list[str]
) -> Dataset:
    """The dataset of rows and their numbers."""
    good, lacking = np.arange(len(x)), np.isnan(x)
    if not found.fills:
        good = np.flatnonzero(~lacking.any(1))
        note_lost(notes, len(x) - len(good), "rows with a value that is no finite number")
    elif missing := int(lacking.sum()):
        columns = int(lacking.any(0).sum())
        notes.append(
            f"{missing} missing values in {columns} columns: each is taken for its column's "
            "median in train"
        )
    named, layout = named_rows(path, frame, notes)
    used, tracks, entries = tracks_of(path, frame, named, layout, good, False, notes)
    return Dataset(
        entries=entries,
        input=found,
        build=of_rows(x if len(used) == len(x) else x[used], np.array(tracks, np.int64)),
        places=np.arange(len(entries)),
        notes=tuple(f"{path.name}: {note}" for note in notes),
    )


def _candidates(table: WideTable, choice: TableChoice) -> list[str]:
    """What patterns may mean: not what mgrkit itself reads, unless it is named in full."""
    told = {choice.label, choice.group, INDEX if table.levels else ""}
    own = set() if table.levels else BESIDE
    return [
        name
        for name in table.columns
        if choice.names(name) or (name not in own and name not in told)
    ]


def _check_there(table: WideTable, names: Sequence[str], wanted: int) -> None:
    """UsageError for columns, of so many, that a model or a set has, and the table has not."""
    missing = [name for name in names if name not in table.columns]
    if not missing:
        return
    like = most_like(missing[0], table.columns)
    hint = f"did you mean {like}?" if like else f"it has {some(table.columns)}"
    if len(missing) == wanted:
        sets = [
            one.name for one in installed().feature_sets() if {*one.columns} <= {*table.columns}
        ]
        others = f"--set {sets[0]}" if sets else "--columns, as in --columns '*'"
        hint = f"train and compare take those that it has by {others}"
    raise UsageError(
        f"{table.path} lacks {len(missing)} of {wanted} columns: {some(missing, 8)}", hint
    )


def _rows(table: WideTable, choice: TableChoice, notes: list[str]) -> Any:
    """What is known of each row that can be used, and its number."""
    if table.levels:
        return _of_fma(table, choice, notes)
    if choice.subset:
        raise UsageError(f"--subset is for FMA's tables, and {table.path} is none")
    told = {choice.label, choice.group}
    frame = table.texts([name for name in table.columns if name in BESIDE or name in told])
    return usable_rows(table.path, frame, choice, notes)


def _of_fma(table: WideTable, choice: TableChoice, notes: list[str]) -> Any:
    """The rows of one of FMA's tables, with what its tracks.csv says of them."""
    import polars as pl

    folder = table.path.parent
    if not (folder / _TRACKS).is_file():
        raise RunError(
            f"{table.path} is one of FMA's tables, and there is no {folder / _TRACKS}",
            "it has the genres, artists and parts",
        )
    tracks = read_fma(folder, choice.subset or "full", notes)
    told = [name for name in (choice.label, choice.group) if name]
    frame = table.texts([INDEX, *told])
    frame = frame.with_columns(source_id="fma:" + pl.col(INDEX).str.strip_chars().str.zfill(6))
    known = tracks.select("source_id", "path", "genre", "group", "split", SPLIT_BY)
    joined = frame.join(known, on="source_id", maintain_order="left")
    if lost := len(tracks) - joined["source_id"].n_unique():
        notes.append(f"left out, not in the table: {lost:,} tracks")
    if not len(joined):
        raise RunError(f"{table.path} has no track of {folder / _TRACKS}", "one fma_metadata.zip")
    return usable_rows(table.path, joined, choice, notes)


def _texts(
    table: WideTable, x: Floats, names: Sequence[str], rows: Any, notes: list[str]
) -> list[str]:
    """The columns that hold rather texts than numbers; adds to the notes a few among numbers."""
    values = (~np.isnan(x)).sum(0).tolist()
    lacking = [name for name, count in zip(names, values, strict=True) if count < len(x)]
    found = []
    count_of = dict(zip(names, values, strict=True))
    for name, (count, first) in table.words(lacking, rows).items():
        if count > count_of[name]:
            found.append(name)
        elif count:
            notes.append(f"{count} values of {name} are no numbers ({first!r:.40})")
    return found


def _learnable(
    x: Floats,
    names: Sequence[str],
    texts: Sequence[str],
    path: Path,
    notes: list[str],
) -> list[str]:
    """The columns that something can be learnt from; adds to the notes what the others are."""
    left, empty, constant, same = list[str](), list[str](), list[str](), list[str]()
    known: dict[bytes, str] = {}
    for place, name in enumerate(names):
        column = np.ascontiguousarray(x[:, place])
        values = column[~np.isnan(column)]
        if name in texts:
            continue
        if not len(values):
            empty.append(name)
        elif values.min() == values.max():
            constant.append(name)
        elif (other := known.setdefault(column.tobytes(), name)) != name:
            same.append(f"{name} = {other}")
        else:
            left.append(name)
    for what, found in (
        ("no numbers", texts),
        ("no value", empty),
        ("one value only", constant),
        ("what another column holds", same),
    ):
        if found:
            notes.append(f"{len(found)} columns left out, {what}: {some(found)}")
    if not left:
        hint = "; ".join(notes)
        raise UsageError(f"no column of {path} that is chosen holds different numbers", hint)
    return left


def _input(
    table: WideTable, frame: Any, left: Sequence[str], wanted: Features | Columns
) -> Features | Columns:
    """What the columns are: a set's if the table has the whole set, else the table's own."""
    assert isinstance(wanted, Features)
    if wanted.asked:
        sets = [wanted.feature_set]
    elif {"kind", "settings"} <= set(frame.columns):
        sets = [feature_sets_of(table.path, frame, wanted.feature_set, asked=False)[0]]
    else:
        every = (wanted.feature_set, *installed().feature_sets())
        sets = [one for one in every if set(one.columns) <= set(table.columns)]
    for one in sets:
        if wanted.asked or set(left) <= set(one.columns):
            ordered = sorted(left, key=[*one.columns, *left].index)
            return replace(wanted, feature_set=one).of(ordered)
    return Columns(tuple(left))
