"""Columns of texts as numbers: a column for each category, 1 where a row is of it, else 0.

Such a column is called ``key=C#``: what is before the sign is the table's own column, what is after
it the category. So a model that names its columns knows its categories, too. Which of them count
is learnt in train: one that train lacks is 0 in all rows (`mgrkit.classifiers.filling`), and so is
one that a model has never met. A row without a category is 0 in all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.datasets.wide import WideTable

    Floats = NDArray[np.float32]
    Category = tuple[str, str]
    """A column of the table, and one of its texts."""

MOST = 50
"""The most categories of a column; with more it is taken for free text."""

_LONGEST = 100
_SIGN = "="


def name_of(category: Category) -> str:
    """What the column of a category is called."""
    return _SIGN.join(category)


def column_of(name: str) -> str:
    """The table's own column by the name of a category's."""
    return name.partition(_SIGN)[0]


def category_of(name: str, columns: Sequence[str]) -> Category | None:
    """The category that a name stands for; None if it is a column itself, or of none.

    >>> category_of("key=C#", ["key", "tempo"]), category_of("tempo", ["key", "tempo"])
    (('key', 'C#'), None)
    """
    if name in columns:
        return None
    for column in columns:
        if name.startswith(column + _SIGN):
            return column, name[len(column) + 1 :]
    return None


def categories(table: WideTable, name: str, rows: Any, notes: list[str]) -> list[Category]:
    """The categories in some rows of a column, sorted; adds to the notes how many there are.

    Raises
    ------
    UsageError : there are more than `MOST`, or one is no short text of printable letters.
    """
    found = table.categories(name, rows)
    counts = found.drop_nulls().unique().sort().to_list()
    if len(counts) > MOST:
        raise UsageError(
            f"{table.path} holds {len(counts):,} different texts in {name}, and at most {MOST} "
            "become columns",
            "choose it not, or join some of them",
        )
    for text in counts:
        if len(text) > _LONGEST or not text.isprintable():
            raise UsageError(
                f"{table.path} holds free text in {name} ({text!r:.40}), and categories are of at "
                f"most {_LONGEST} printable letters",
                "choose it not",
            )
    lacking = found.null_count()
    none = f"; {lacking} rows have none and are 0 in all" if lacking else ""
    notes.append(f"{name} is {len(counts)} categories, a column each, by those in train{none}")
    return [(name, text) for text in counts]


def encoded(
    table: WideTable, asked: Sequence[Category], rows: Any, notes: list[str] | None = None
) -> Floats:
    """A column for each category, float32 ``(rows, categories)``.

    Parameters
    ----------
    notes : gets how many values are of none of the categories; None where all are.
    """
    x: Floats = np.zeros((len(rows), len(asked)), np.float32, order="F")
    for column in dict.fromkeys(column for column, _ in asked):
        texts = table.categories(column, rows)
        known = np.zeros(len(rows), bool)
        for place, (of, text) in enumerate(asked):
            if of == column:
                x[:, place] = is_it = (texts == text).fill_null(False).to_numpy()
                known |= is_it
        strange = int((~known & texts.is_not_null().to_numpy()).sum())
        if strange and notes is not None:
            notes.append(f"{strange} values of {column} are none of the model's categories")
    return x
