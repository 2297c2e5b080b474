"""A classifier with parameters: a row of a comparison, and the grid of several of them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod

from mgrkit.errors import UsageError
from mgrkit.registry import ClassifierSpec, Provider, with_parameters

MOST = 1000
"""The most combinations of a grid."""
_LONGEST = 80
_UNSAFE = re.compile(r"[^a-z0-9_.=+-]")

Grids = Mapping[str, Mapping[str, Sequence[object]]]
"""By classifier and parameter the values that are tried."""


@dataclass(frozen=True)
class Configuration:
    """A classifier with its parameters.

    Parameters
    ----------
    given : parameters that are not as usual.
    varied : the values of a grid that this is one combination of, as people read them.
    """

    entry: Provider
    given: Mapping[str, object] = field(default_factory=dict)
    varied: Mapping[str, str] = field(default_factory=dict)

    @property
    def spec(self) -> ClassifierSpec:
        return self.entry.spec

    @property
    def name(self) -> str:
        """Of its row: the classifier, and in a grid what it differs in, as in ``svm C=10``."""
        return " ".join([self.spec.name, *(f"{name}={v}" for name, v in self.varied.items())])

    @property
    def stem(self) -> str:
        """Of its files, on any system: the same for the same combination, whatever else is there.

        Where a value holds more than small letters, digits and ``_.=+-``, or is long, what is lost
        of it is a digest.
        """
        if not self.varied:
            return self.spec.name
        text = "-".join([self.spec.name, *(f"{name}={v}" for name, v in self.varied.items())])
        kept = _UNSAFE.sub("_", text.lower())[:_LONGEST].rstrip(".")
        exact = all(not _UNSAFE.search(value) for value in self.varied.values())
        if exact and len(text) <= _LONGEST and not text.endswith("."):
            return text
        known = json.dumps(dict(self.varied)).encode()
        return f"{kept}-{hashlib.sha256(known).hexdigest()[:8]}"


def configurations(
    entry: Provider, given: Mapping[str, object], grid: Mapping[str, Sequence[object]]
) -> list[Configuration]:
    """One, or all combinations of a grid, the last parameter the quickest to change.

    Parameters
    ----------
    given : what all of them have.
    grid : by parameter its values, two or more.

    Raises
    ------
    UsageError : no such parameter, a value out of range or there twice, or too many of them.
    """
    if not grid:
        with_parameters(entry.spec, given)
        return [Configuration(entry, given)]
    shown = {name: [*_shown(entry, given, name, values)] for name, values in grid.items()}
    count = prod(map(len, grid.values()))
    if count > MOST:
        what = f"the grid of {entry.spec.name} has {count:,} combinations, more than {MOST:,}"
        raise UsageError(what, "give fewer values")
    found = []
    for texts in product(*shown.values()):
        varied = dict(zip(shown, texts, strict=True))
        chosen = {**given, **varied}
        with_parameters(entry.spec, chosen)
        found.append(Configuration(entry, chosen, varied))
    return found


def _shown(
    entry: Provider, given: Mapping[str, object], name: str, values: Sequence[object]
) -> Iterator[str]:
    """The values as they are understood, so that 1 and 1.0 are one."""
    seen = set()
    for value in values:
        read = getattr(with_parameters(entry.spec, {**given, name: value}), name)
        text = str(read).lower() if isinstance(read, bool) else str(read)
        text = text.removesuffix(".0") if isinstance(read, float) else text
        if text in seen:
            raise UsageError(f"--param {entry.spec.name}.{name}={text} is given twice", "once each")
        seen.add(text)
        yield text
