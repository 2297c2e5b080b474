"""The steps of a recipe: from TOML tables to checked data, and with their sounds at hand."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mgrkit.augment.recipes import own, transforms
from mgrkit.augment.recipes.own import CodecStep, NoiseStep, OwnStep, ReverbStep
from mgrkit.augment.recipes.sounds import Sounds
from mgrkit.augment.recipes.traits import Requirement, requirements
from mgrkit.errors import MgrkitError, RunError, UsageError

KINDS = ("transform", *own.KINDS)


@dataclass(frozen=True)
class TransformStep:
    """A transform of audiomentations.

    Parameters
    ----------
    name : of the class.
    given : the parameters by name, without defaults but p. A value is one of JSON, `Sounds` (in
        a recipe that is ready `ReadySounds`), a `TransformStep`, or a list of these.
    """

    name: str
    given: Mapping[str, Any]

    @property
    def label(self) -> str:
        """What a person is told that it is."""
        return self.name

    @property
    def parameters(self) -> dict[str, Any]:
        """All parameters, defaults included."""
        return {**transforms.info(self.name).defaults, **self.given}

    @property
    def children(self) -> list[TransformStep]:
        """The transforms that this one is given, in the order of the recipe."""
        found = []
        for value in self.given.values():
            values = value if isinstance(value, list) else [value]
            found += [one for one in values if isinstance(one, TransformStep)]
        return found

    def all(self) -> Iterator[TransformStep]:
        """This one and all that are in it."""
        yield self
        for child in self.children:
            yield from child.all()

    @property
    def requires(self) -> list[Requirement]:
        return [r for one in self.all() for r in requirements(one.name, one.parameters)]

    def as_json(self) -> Any:
        """All that decides what it does: bytes of sounds by their digest."""
        return [self.name, {key: _as_json(value) for key, value in self.parameters.items()}]

    def ready(self, folder: Path) -> tuple[TransformStep, list[str]]:
        """With sounds decoded into a folder, and what is to be said of them."""
        warnings: list[str] = []

        def made(value: Any) -> Any:
            if isinstance(value, list):
                return [made(one) for one in value]
            if isinstance(value, TransformStep):
                value, more = value.ready(folder)
                warnings.extend(more)
            elif isinstance(value, Sounds):
                noises = self.name if self.name.startswith("Add") else ""
                value = value.ready(folder, noises)
                warnings.extend(value.warnings)
            return value

        given = {key: made(value) for key, value in self.given.items()}
        return TransformStep(self.name, given), warnings


Step = TransformStep | NoiseStep | CodecStep | ReverbStep
ReadyStep = TransformStep | OwnStep


def _as_json(value: Any) -> Any:
    if isinstance(value, TransformStep):
        return value.as_json()
    if isinstance(value, Sounds):
        return value.digest
    return [_as_json(one) for one in value] if isinstance(value, list) else value


def canonical(steps: tuple[Step, ...]) -> str:
    """All that decides what steps do, as text.

    Raises
    ------
    RunError : a noise or an impulse response cannot be read.
    """
    return json.dumps([step.as_json() for step in steps], ensure_ascii=False)


def parse(table: Any, folder: Path) -> Step:
    """One ``[[step]]`` of a recipe.

    Parameters
    ----------
    folder : what its paths are relative to.

    Raises
    ------
    UsageError : what is wrong with it.
    """
    if not isinstance(table, dict):
        raise UsageError("a step must be a table", 'as in [[step]] transform = "Gain"')
    kinds = [kind for kind in KINDS if kind in table]
    if len(kinds) != 1:
        raise UsageError(
            f"a step needs one of {', '.join(KINDS)}, not {' and '.join(kinds) or 'none'}"
        )
    p = table.get("p", 1.0)
    if isinstance(p, bool) or not isinstance(p, int | float) or not 0 <= p <= 1:
        raise UsageError(f"p = {p!r} must be a number from 0 to 1")
    return _transform(table, folder) if kinds == ["transform"] else own.parse(table, folder, p)


def _transform(table: Mapping[str, Any], folder: Path, inner: bool = False) -> TransformStep:
    name = table["transform"]
    if not isinstance(name, str):
        raise UsageError(f"transform = {name!r} must be the name of a transform")
    given = {"p": 1.0, **{key: value for key, value in table.items() if key != "transform"}}
    kind = transforms.find(name)
    if inner and name == "Resample":
        raise UsageError(
            "Resample works as a step of its own only", "inside another the new rate would be lost"
        )
    transforms.check(name, given)
    kinds = {one.name: one.kind for one in transforms.info(name).parameters}
    given = {key: _value(key, kinds[key], value, folder) for key, value in given.items()}
    step = TransformStep(kind.__name__, given)
    _check_made(step)
    if "num_transforms" in given:
        _check_count(given["num_transforms"], len(step.children))
    return step


def _check_count(count: int | list[int], there: int) -> None:
    """Whether so many can be drawn, which audiomentations asks for each sound only."""
    low, high = count if isinstance(count, list) else (count, count)
    if not 0 <= low <= high <= there:
        raise UsageError(
            f"num_transforms = {count} cannot be drawn from {there}",
            f"from 0 to {there}, of two the lower one first",
        )


def _value(key: str, kind: str, value: Any, folder: Path) -> Any:
    if kind == "sounds":
        values = [value] if isinstance(value, str) else value
        if (
            not isinstance(values, list)
            or not values
            or not all(isinstance(one, str) for one in values)
        ):
            raise UsageError(f"{key} = {value!r} must be a path or a list of paths")
        return Sounds.find(values, folder)
    if kind == "transform":
        return _inner(key, value, folder)
    if kind == "transforms":
        if not isinstance(value, list) or not value:
            raise UsageError(f"{key} must be tables with a transform each", f"[[step.{key}]]")
        return [_inner(key, one, folder) for one in value]
    return value


def _inner(key: str, table: Any, folder: Path) -> TransformStep:
    if isinstance(table, dict) and (kinds := [kind for kind in own.KINDS if kind in table]):
        raise UsageError(
            f"{kinds[0]} works as a step of its own only", f"{key} are those of audiomentations"
        )
    if not isinstance(table, dict) or "transform" not in table:
        raise UsageError(f"{key} must be a table with a transform", f"[step.{key}]")
    return _transform(table, folder, inner=True)


def _check_made(step: TransformStep) -> None:
    """Whether audiomentations takes the values: UsageError with what it says."""

    def plain(value: Any) -> Any:
        if isinstance(value, list):
            return [plain(one) for one in value]
        if isinstance(value, TransformStep):
            return len  # what is called it does not ask
        return ["noise.wav"] if isinstance(value, Sounds) else value  # it opens no file as yet

    transforms.made(step.name, {key: plain(value) for key, value in step.given.items()})


def labelled(error: MgrkitError, label: str) -> MgrkitError:
    """The same error of a step."""
    kind = RunError if isinstance(error, RunError) else UsageError
    return kind(f"{label}: {error.message}", error.hint)
