"""Columns of a table as what a classifier eats, and how a person chooses them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.errors import UsageError, most_like
from mgrkit.registry.specs import TABLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FAMILY = re.compile(r"[^\W\d_]+")
_PATTERN = re.compile(r"[*?[]")


@dataclass(frozen=True)
class Columns:
    """Named numbers of a table that no feature set gives: float32 ``(columns,)``.

    Sound cannot become these: ``frontend`` is None.

    Parameters
    ----------
    columns : their names, in order.
    """

    columns: tuple[str, ...]
    frontend: None = None
    fills: bool = True

    @property
    def eats(self) -> str:
        return f"features:{TABLE}"

    @property
    def name(self) -> str:
        return f"{len(self.columns)} columns of a table ({some(self.columns)})"

    @property
    def digest(self) -> str:
        return digest_of(TABLE, self.columns)

    @property
    def kept_under(self) -> str:
        return f"features/{TABLE}-{self.digest}"

    @property
    def breadth(self) -> tuple[int, ...]:
        return self.shape

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.columns),)

    @property
    def dtype(self) -> type[np.float32]:
        return np.float32

    def check(self) -> None:
        pass

    def piece(self, samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
        del samples, rate
        raise UsageError(f"{self.name} cannot be made of sound", "give a table that has them")

    def fitted(self, sizes: Sequence[int]) -> Columns:
        del sizes
        return self

    def count(self, size: int) -> int:
        return size

    def examples(self, values: NDArray[Any]) -> NDArray[np.float32]:
        return values.astype(np.float32)


@dataclass(frozen=True)
class TableChoice:
    """Which columns of a table are learnt from, and what its others are.

    Parameters
    ----------
    columns : names, families and patterns, see `chosen`; none takes a feature set.
    drop : of those, what is not learnt from; alone, of all columns of numbers.
    label, group : the columns of the genre and the artist, where mgrkit would not know them.
    subset : of FMA's tables: 'small', 'medium' or 'large'; '' for all.
    """

    columns: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    label: str = ""
    group: str = ""
    subset: str = ""

    def __bool__(self) -> bool:
        """Whether columns are chosen."""
        return bool(self.columns or self.drop)

    def of(self, names: Sequence[str], where: object) -> tuple[str, ...]:
        """Those of ``names`` that are chosen, in their order; UsageError if none is left."""
        found = set(_matching(names, self.columns or ("*",), "--columns", where))
        found -= set(_matching(names, self.drop, "--drop", where))
        if not found:
            raise UsageError(f"--drop leaves no column of {where}", "drop fewer")
        return tuple(name for name in names if name in found)

    def names(self, name: str) -> bool:
        """Whether a column is asked for by its full name."""
        return name in self.columns


ALL = TableChoice()
"""Nothing is chosen: a feature set's columns, and what mgrkit knows of the others."""


def check_choice(choice: TableChoice, eats: str, name: str) -> None:
    """UsageError if columns are chosen for a classifier, called ``name``, that eats none."""
    if choice != ALL and not eats.startswith("features:"):
        raise UsageError(f"{name} eats {eats}, no columns", "choose none")


def chosen(names: Iterable[str], pattern: str) -> list[str]:
    """The names that a word of ``--columns`` means.

    It is a pattern of the shell if it holds ``*``, ``?`` or ``[``; else a name, if there is such;
    else the beginning of names, up to what is no letter.

    >>> chosen(["mfcc1_mean", "mfcc1_var", "tempo"], "mfcc"), chosen(["rms_mean", "rmse"], "rms")
    (['mfcc1_mean', 'mfcc1_var'], ['rms_mean'])
    >>> chosen(["mfcc1_mean", "mfcc1_var", "tempo"], "*_mean")
    ['mfcc1_mean']
    """
    names = list(names)
    if _PATTERN.search(pattern):
        return [name for name in names if fnmatchcase(name, pattern)]
    if pattern in names:
        return [pattern]
    begun = (name for name in names if name.startswith(pattern))
    return [name for name in begun if not name[len(pattern)].isalpha()]


def _matching(
    names: Sequence[str], patterns: Iterable[str], option: str, where: object
) -> list[str]:
    found: list[str] = []
    for pattern in patterns:
        if not (these := chosen(names, pattern)):
            families = dict.fromkeys(m[0] for name in names if (m := _FAMILY.match(name)))
            like = most_like(pattern, [*names, *families])
            hint = f"did you mean {like}?" if like else f"it has {some(list(families), 8)}"
            raise UsageError(f"{option}: {where} has no column {pattern}", hint)
        found += these
    return found


def digest_of(*parts: object) -> str:
    """16 hexadecimal digits of values of JSON."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def some(names: Sequence[str], most: int = 4) -> str:
    """The first few names.

    >>> some(["a", "b", "c"], 2), some([])
    ('a, b, ...', 'none')
    """
    shown = ", ".join(name if len(name) <= 40 else f"{name[:40]}..." for name in names[:most])
    return f"{shown}, ..." if len(names) > most else shown or "none"
