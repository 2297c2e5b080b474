"""Which values of a parameter a search tries, as data; importing it loads no library."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mgrkit.errors import UsageError

Scalar = bool | int | float | str


@dataclass(frozen=True)
class Range:
    """Numbers from ``low`` to ``high``, both ends too: whole ones of a parameter that is whole.

    Parameters
    ----------
    log : each factor counts as much, rather than each step; then ``low`` is above 0.
    """

    low: float
    high: float
    log: bool = False

    def __contains__(self, value: object) -> bool:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and self.low <= value <= self.high  # type: ignore[operator]

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}{' (log)' if self.log else ''}"


@dataclass(frozen=True)
class Choice:
    """Some values, in no order: two or more."""

    values: tuple[Scalar, ...]

    def __contains__(self, value: object) -> bool:
        return any(type(value) is type(one) and value == one for one in self.values)

    def __str__(self) -> str:
        return ", ".join(str(value).lower() if isinstance(value, bool) else str(value)
                         for value in self.values)  # fmt: skip


def fault_of_search(search: Any, kind: type, read: Callable[[Scalar], object]) -> str:
    """What is wrong with what is to be searched of a parameter; empty if nothing is.

    Parameters
    ----------
    kind : the type of the parameter.
    read : raises UsageError for a value that the parameter does not take.
    """
    if isinstance(search, Range):
        ends = (search.low, search.high)
        if kind not in (int, float):
            return f"is a range, which only a number has: {search}"
        if not all(_number(end) and math.isfinite(end) for end in ends):
            return f"has ends that are no numbers: {search.low!r:.40} to {search.high!r:.40}"
        if kind is int and not all(float(end).is_integer() for end in ends):
            return f"must be of whole numbers, not {search}"
        if not search.low < search.high:
            return f"is empty: from {search.low:g} to {search.high:g}"
        if not isinstance(search.log, bool) or (search.log and search.low <= 0):
            return f"is by factors, so it must begin above 0: {search}"
        values: tuple[Any, ...] = tuple(kind(end) for end in ends)
    elif isinstance(search, Choice):
        if not isinstance(search.values, tuple) or len(set(search.values)) < 2:
            return f"must have two different values or more: {search.values!r:.80}"
        for value in search.values:
            if type(value) is not kind:
                return f"must be of the type {kind.__name__}, not {value!r:.40}"
        values = search.values
    else:
        return f"is {search!r:.80}, neither a Range nor a Choice"
    try:
        for value in values:
            read(value)
    except UsageError as error:
        return f"has a value that is refused: {error}"
    return ""


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
