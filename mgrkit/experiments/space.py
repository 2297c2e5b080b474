"""The values that a search tries: as a classifier declares them, as a person narrows them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mgrkit.errors import UsageError, nearest
from mgrkit.registry import ClassifierSpec, with_parameters
from mgrkit.registry.space import Choice, Range, Scalar, fault_of_search

_DIGITS = 4
"""Of a number that is tried, so that a person can copy it."""
_ENDS = {"low", "high", "log"}


@dataclass(frozen=True)
class Space:
    """What is searched of a classifier, and what is not.

    Parameters
    ----------
    searched : the values of each parameter, in the order of the classifier's.
    fixed : those that a person has given a value.
    """

    spec: ClassifierSpec
    searched: Mapping[str, Range | Choice]
    fixed: Mapping[str, Scalar]

    @classmethod
    def of(
        cls, spec: ClassifierSpec, fixed: Mapping[str, object], file: Mapping[str, object]
    ) -> Space:
        """The declared space, narrowed or replaced.

        Parameters
        ----------
        fixed : values by name, as texts or as they are; they are not searched.
        file : what a space file says, by name: one value, a list of values, or a table with
            ``low``, ``high`` and ``log``, of which what is left out is as declared.

        Raises
        ------
        UsageError : a name that the classifier does not have (the nearest is named), values that
            are none of its, an empty range, a name in both, or nothing left to search.
        """
        fields = {field.name: field for field in dataclasses.fields(spec.parameters)}
        for name in (*file, *fixed):
            if name not in fields:
                hint = nearest(name, fields, "it has")
                raise UsageError(f"{spec.name} has no parameter {name!r}", hint)
            if name in file and name in fixed:
                hint = "give it in one place"
                raise UsageError(f"--space and --param both say what {name} is", hint)
        declared = {name: field.metadata.get("search") for name, field in fields.items()}
        single = {n: v for n, v in file.items() if not isinstance(v, dict | list)}
        given = {**fixed, **single}
        values = with_parameters(spec, given)
        searched = {}
        for name, field in fields.items():
            search = declared[name]
            if name in file and name not in single:
                search = _read(spec, field, file[name])
            if search is not None and name not in given:
                searched[name] = search
        if not searched:
            if not file and not any(declared.values()):
                hint = "say by --space FILE which values to try"
                raise UsageError(f"{spec.name} declares nothing to search", hint)
            raise UsageError(f"nothing is left to search of {spec.name}", "fix fewer parameters")
        return cls(spec, searched, {name: getattr(values, name) for name in given})

    def usual(self) -> dict[str, Scalar]:
        """The values that are tried first: the defaults, where they are among those searched."""
        fields: tuple[Any, ...] = dataclasses.fields(self.spec.parameters)
        default = {field.name: field.default for field in fields}
        return {n: default[n] for n, search in self.searched.items() if default[n] in search}

    def given(self, suggested: Mapping[str, Scalar]) -> dict[str, Scalar]:
        """The parameters of a trial, by name, with those that are fixed; numbers of four digits."""
        given = {**self.fixed, **{name: self._rounded(name, v) for name, v in suggested.items()}}
        return {name: given[name] for name in (*self.searched, *self.fixed) if name in given}

    def _rounded(self, name: str, value: Scalar) -> Scalar:
        search = self.searched[name]
        if not isinstance(search, Range) or not isinstance(value, float):
            return value
        return min(max(float(f"{value:.{_DIGITS}g}"), float(search.low)), float(search.high))

    def distributions(self) -> dict[str, Any]:
        """The same for Optuna."""
        from optuna import distributions

        made: dict[str, Any] = {}
        fields = dataclasses.fields(self.spec.parameters)
        kinds = {field.name: type(field.default) for field in fields}
        for name, search in self.searched.items():
            if isinstance(search, Choice):
                made[name] = distributions.CategoricalDistribution(search.values)
            elif kinds[name] is int:
                low, high = int(search.low), int(search.high)
                made[name] = distributions.IntDistribution(low, high, log=search.log)
            else:
                made[name] = distributions.FloatDistribution(
                    search.low, search.high, log=search.log
                )
        return made

    def settings(self) -> dict[str, Any]:
        """What decides which values are tried, for the comparison with what is kept."""
        return {
            **{f"--param {name}": value for name, value in self.fixed.items()},
            **{f"search of {name}": str(search) for name, search in self.searched.items()},
        }


def _read(spec: ClassifierSpec, field: dataclasses.Field[Any], given: object) -> Range | Choice:
    """What a space file says of a parameter, checked."""
    kind, declared = type(field.default), field.metadata.get("search")

    def value(one: Any) -> Any:
        whole = isinstance(one, int) and not isinstance(one, bool)
        return float(one) if kind is float and whole else one

    search: Range | Choice
    if isinstance(given, dict):
        if unknown := sorted(set(given) - _ENDS):
            hint = nearest(unknown[0], _ENDS, "there are")
            raise UsageError(f"--space: a range has no {unknown[0]!r}: {field.name}", hint)
        ends = {end: getattr(declared, end) for end in _ENDS} if isinstance(declared, Range) else {}
        ends = {"log": False, **ends, **given}
        if missing := sorted(_ENDS - set(ends)):
            raise UsageError(f"--space: {field.name} has no {missing[0]}", "low = 1, high = 10")
        search = Range(ends["low"], ends["high"], ends["log"])
    else:
        assert isinstance(given, list)
        if not all(isinstance(one, bool | int | float | str) for one in given):
            raise UsageError(f"--space: {field.name} is a list of other things than values")
        search = Choice(tuple(value(one) for one in given))

    def read(one: object) -> None:
        with_parameters(spec, {field.name: one})

    if wrong := fault_of_search(search, kind, read):
        raise UsageError(f"--space: {field.name} {wrong}")
    return search
