"""What the contracts share: checks by name as one pytest function, and as a list of failures."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from importlib import metadata
from typing import Any, TypeVar

from mgrkit.errors import UsageError, nearest
from mgrkit.registry.hooks import GROUP
from mgrkit.testing.case import Broken, NotApplicable

_Case = TypeVar("_Case")


def pytest_function(
    every: Mapping[str, Callable[[_Case], None]],
    make: Callable[[], _Case],
    excused: Mapping[str, str],
) -> Callable[[str], None]:
    """A pytest function that runs once for each check, on one case that is made when needed.

    Parameters
    ----------
    every : the checks by name.
    excused : the reason for each check that is known to fail.

    Raises
    ------
    UsageError : an excuse for an unknown check (the nearest is named), or without a reason.
    """
    import pytest

    for name, reason in excused.items():
        if name not in every:
            raise UsageError(f"no check {name!r}", nearest(name, every, "there are"))
        if not reason.strip():
            raise UsageError(f"the expected failure of {name} has no reason")
    made = functools.cache(make)

    def test(check: str) -> None:
        try:
            every[check](made())
        except NotApplicable as why:
            pytest.skip(str(why))

    marks: dict[str, Any] = {
        name: pytest.mark.xfail(reason=reason, strict=True) for name, reason in excused.items()
    }
    cases = [pytest.param(name, id=name, marks=marks.get(name, ())) for name in every]
    return pytest.mark.parametrize("check", cases)(test)


def failed(every: Mapping[str, Callable[[_Case], None]], case: _Case) -> dict[str, str]:
    """The checks that a case fails, each with what is wrong."""
    found = {}
    for name, check in every.items():
        try:
            check(case)
        except NotApplicable:
            continue
        except Exception as error:
            what = str(error) if isinstance(error, Broken) else f"{type(error).__name__}: {error}"
            found[name] = what
    return found


def hooks_of(distribution: str) -> tuple[str, ...]:
    """The modules of hooks that an installed distribution names."""
    points = metadata.distribution(distribution).entry_points.select(group=GROUP)
    return tuple(sorted({point.module for point in points}))
