"""The steps of a recipe: from TOML tables to checked data, and with their sounds at hand."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgrkit.augment.colours import COLOURS, Colour
from mgrkit.augment.mixing import check_snr
from mgrkit.augment.recipes import transforms
from mgrkit.augment.recipes.sounds import Sounds, find_recordings
from mgrkit.augment.recipes.traits import Requirement, requirements
from mgrkit.errors import MgrkitError, RunError, UsageError, most_like, nearest

if TYPE_CHECKING:
    from mgrkit.augment.recordings import Recordings
    from mgrkit.augment.sources import Noise

KINDS = ("transform", "noise")


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


@dataclass(frozen=True)
class NoiseStep:
    """Exact noise, as `mgrkit.augment.mix` makes it.

    Parameters
    ----------
    noise : a colour or recordings.
    snr : from which it is drawn, in dB.
    p : how likely the step is taken.
    """

    noise: Colour | Recordings
    snr: tuple[float, float]
    p: float = 1.0
    requires: tuple[Requirement, ...] = ()

    @property
    def name(self) -> str:
        return self.noise.name

    def as_json(self) -> Any:
        """All that decides what it does."""
        return ["noise", self.name, self.noise.digest, *self.snr, self.p]

    def ready(self, folder: Path) -> tuple[ReadyNoise, list[str]]:
        """With recordings decoded into a folder, and what is to be said of them."""
        if isinstance(self.noise, Colour):
            return ReadyNoise(self.noise, self.snr, self.p), []
        spooled = self.noise.spooled(folder)
        return ReadyNoise(spooled, self.snr, self.p), list(spooled.warnings)


@dataclass(frozen=True)
class ReadyNoise:
    """A `NoiseStep` whose recordings are at hand."""

    noise: Noise
    snr: tuple[float, float]
    p: float

    @property
    def name(self) -> str:
        return self.noise.name


Step = TransformStep | NoiseStep
ReadyStep = TransformStep | ReadyNoise


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
    return _transform(table, folder) if kinds == ["transform"] else _noise(table, folder)


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
    return step


def _value(key: str, kind: str, value: Any, folder: Path) -> Any:
    if kind == "sounds":
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
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


def _noise(table: Mapping[str, Any], folder: Path) -> NoiseStep:
    for key in table:
        if key not in ("noise", "snr", "p"):
            raise UsageError(f"noise has no parameter {key!r}", "it takes noise, snr, p")
    name, snr = table["noise"], table.get("snr")
    if not isinstance(name, str):
        raise UsageError(f"noise = {name!r} must be a colour or a path")
    values = snr if isinstance(snr, list) else [snr, snr]
    if len(values) != 2 or any(
        isinstance(one, bool) or not isinstance(one, int | float) for one in values
    ):
        raise UsageError("noise needs an snr in dB", "snr = 10, or snr = [5, 20] to draw it")
    low, high = map(float, values)
    check_snr(low)
    check_snr(high)
    if low > high:
        raise UsageError(f"snr = [{low:g}, {high:g}]: the lower one comes first")
    if name in COLOURS:
        return NoiseStep(Colour(name), (low, high), float(table.get("p", 1.0)))
    try:
        recordings = find_recordings(name, folder)
    except UsageError as error:
        if most_like(name, COLOURS):
            raise UsageError(error.message, nearest(name, COLOURS, "")) from None
        raise
    return NoiseStep(recordings, (low, high), float(table.get("p", 1.0)))


def labelled(error: MgrkitError, label: str) -> MgrkitError:
    """The same error of a step."""
    kind = RunError if isinstance(error, RunError) else UsageError
    return kind(f"{label}: {error.message}", error.hint)
