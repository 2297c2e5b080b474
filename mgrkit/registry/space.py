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
    values: tuple[Scalar, ...]
    if isinstance(search, Range):
        wrong, values = _wrong_range(search, kind), (search.low, search.high)
    elif isinstance(search, Choice):
        wrong, values = _wrong_choice(search.values, kind), search.values
    else:
        return f"is {search!r:.80}, neither a Range nor a Choice"
    if wrong:
        return wrong
    try:
        for value in values:
            read(kind(value))
    except UsageError as error:
        return f"has a value that is refused: {error}"
    return ""


def _wrong_range(search: Range, kind: type) -> str:
    if kind not in (int, float):
        return "is a range, which only a number has"
    ends: tuple[Any, ...] = (search.low, search.high)
    for end in ends:
        if not isinstance(end, int | float) or isinstance(end, bool) or not math.isfinite(end):
            return f"has an end that is no number: {end!r:.40}"
        if kind is int and end != int(end):
            return f"must be of whole numbers, not from {end:g}"
    if not search.low < search.high:
        return f"is empty: from {search.low:g} to {search.high:g}"
    if not isinstance(search.log, bool):
        return f"has a log that is neither true nor false: {search.log!r:.40}"
    return f"is by factors, so it must begin above 0: {search}" * (search.log and search.low <= 0)


def _wrong_choice(values: Any, kind: type) -> str:
    if not isinstance(values, tuple):
        return f"must have a tuple of values, not {values!r:.80}"
    for value in values:
        if type(value) is not kind:
            return f"must be of the type {kind.__name__}, not {value!r:.40}"
    return f"must have two different values or more: {values!r:.80}" * (len(set(values)) < 2)
