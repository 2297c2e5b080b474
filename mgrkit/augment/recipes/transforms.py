"""The transforms of the installed audiomentations: their parameters, and what they are given."""

from __future__ import annotations

import functools
import inspect
import math
import traceback
import typing
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from mgrkit.augment.recipes.traits import Requirement, requirements, traits
from mgrkit.errors import RunError, UsageError, most_like, nearest

COMPOSITIONS = ("Compose", "OneOf", "SomeOf")
FUNCTION = "function"
"""What a recipe calls the parameter ``transform`` of Lambda, for that word names the transform."""
_RENAMED = {"AddImpulseResponse": "ApplyImpulseResponse", "FrequencyMask": "BandStopFilter"}
_RENAMED_PARAMETERS = {
    "min_fraction": "min_shift",
    "max_fraction": "max_shift",
    "fade": "fade_duration",
}


class Parameter(NamedTuple):
    """One parameter of a transform.

    Parameters
    ----------
    name : as audiomentations has it, but for `FUNCTION`.
    default : a JSON value; None also where there is none.
    kind : number, integer, flag, choice, numbers, count, table, sounds, transform or transforms.
    needed : it has no default.
    choices : of a choice.
    """

    name: str
    default: Any
    kind: str
    needed: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class TransformInfo:
    """One transform of the installed audiomentations, as it is with its defaults.

    Parameters
    ----------
    name, help : of the class; the first lines of its description.
    parameters : with the defaults of audiomentations, but p, which is 1 in a recipe.
    keeps_length : in seconds. keeps_length and stays_aligned of a composition hang on what is
        in it, and so do those of Lambda: they add nothing of their own.
    stays_aligned : what is heard is heard when it was.
    mono_only : several channels go through one by one, under the same draw.
    requires : packages and programs beside audiomentations.
    """

    name: str
    help: str
    parameters: tuple[Parameter, ...]
    keeps_length: bool
    stays_aligned: bool
    mono_only: bool
    requires: tuple[Requirement, ...]

    @property
    def missing(self) -> tuple[Requirement, ...]:
        """What is not installed here."""
        return tuple(one for one in self.requires if one.missing)

    @property
    def defaults(self) -> dict[str, Any]:
        """Of all parameters that have one."""
        return {one.name: one.default for one in self.parameters if not one.needed}


@functools.cache
def classes() -> Mapping[str, Any]:
    """The classes of all transforms and compositions by name.

    Raises
    ------
    RunError : audiomentations is not installed.
    """
    try:
        import audiomentations
        from audiomentations.core.transforms_interface import BaseWaveformTransform
    except ImportError as error:
        raise RunError(
            f"recipes need audiomentations: {error}", "pip install audiomentations"
        ) from error
    found = {
        name: value
        for name, value in vars(audiomentations).items()
        if inspect.isclass(value)
        and (issubclass(value, BaseWaveformTransform) or name in COMPOSITIONS)
    }
    return dict(sorted(found.items()))


def version() -> str:
    """Of the installed audiomentations."""
    classes()
    import audiomentations

    return str(audiomentations.__version__)


def catalogue() -> list[TransformInfo]:
    """All transforms of the installed audiomentations, by name.

    Raises
    ------
    RunError : it is not installed.
    """
    return [info(name) for name in classes()]


@functools.cache
def info(name: str) -> TransformInfo:
    """About one transform.

    Raises
    ------
    UsageError : there is none of this name, with the nearest.
    """
    kind = find(name)
    parameters = tuple(_parameters(name, kind))
    given = {one.name: one.default for one in parameters}
    neutral = name in COMPOSITIONS or name == "Lambda"
    stays = traits(name, given)
    return TransformInfo(
        name, _help(kind), parameters, neutral or stays.length, neutral or stays.alignment,
        not neutral and not kind.supports_multichannel, requirements(name, given),
    )  # fmt: skip


def find(name: str) -> Any:
    """The class of this name; UsageError, with the nearest, where there is none."""
    known = classes()
    if name in known:
        return known[name]
    if name in _RENAMED and _RENAMED[name] in known:
        hint = f"this version calls it {_RENAMED[name]}"
    else:
        hint = nearest(name, known, "there are")
    raise UsageError(f"audiomentations {version()} has no transform {name!r}", hint)


def _help(kind: Any) -> str:
    return inspect.cleandoc(kind.__doc__ or "").split("\n\n")[0].replace("\n", " ")


def _parameters(name: str, kind: Any) -> Iterator[Parameter]:
    found = inspect.signature(kind.__init__, eval_str=True).parameters
    for one in list(found.values())[1:]:
        if one.kind is one.VAR_KEYWORD or one.name.replace("_in_db", "_db") in found.keys() - {
            one.name
        }:
            continue  # the second is an old name beside the new one
        needed = one.default is one.empty
        default = 1.0 if one.name == "p" else None if needed else one.default
        called = FUNCTION if (name, one.name) == ("Lambda", "transform") else one.name
        choices = typing.get_args(one.annotation) if "Literal" in str(one.annotation) else ()
        yield Parameter(called, default, _kind(one, default), needed, choices)


def _kind(one: inspect.Parameter, default: Any) -> str:
    text = str(one.annotation)
    if one.name in ("transforms", "num_transforms"):
        return {"transforms": "transforms", "num_transforms": "count"}[one.name]
    for word, kind in (
        ("Callable", "transform"), ("Path", "sounds"), ("Literal", "choice"),
        ("Sequence", "numbers"), ("dict", "table"),
    ):  # fmt: skip
        if word in text:
            return kind
    if isinstance(default, bool):
        return "flag"
    integer = "int" in text and "float" not in text
    return "integer" if integer or (one.annotation is one.empty and _whole(default)) else "number"


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def check(name: str, given: Mapping[str, Any]) -> None:
    """Whether a transform takes parameters of these names and types.

    Raises
    ------
    UsageError : with the right name, or with what the value must be.
    """
    known = {one.name: one for one in info(name).parameters}
    for key, value in given.items():
        if key not in known:
            hint = nearest(key, known, f"{name} takes")
            hint = f"this version calls it {right}" if (right := _renamed(key, known)) else hint
            raise UsageError(f"{name} has no parameter {key!r}", hint)
        wanted = _WANTED.get(known[key].kind)
        if wanted and not wanted[0](value):
            raise UsageError(f"{name}: {key} = {value!r} must be {wanted[1]}")
        if known[key].choices and value not in known[key].choices:
            choices = ", ".join(known[key].choices)
            raise UsageError(
                f"{name}: {key} = {value!r} is none of its choices",
                f"did you mean {found}?"
                if (found := _like(value, known[key].choices))
                else choices,
            )
    for one in known.values():
        if one.needed and one.name not in given:
            raise UsageError(f"{name} needs {one.name}", f"give it {_MEANT[one.kind]}")


def _renamed(key: str, known: Mapping[str, Parameter]) -> str:
    """The name that a parameter of another version has in this one, or ''."""
    guesses = (key.replace("_in_db", "_db"), _RENAMED_PARAMETERS.get(key, ""))
    snr = key.casefold().replace("_in_db", "") + "_db"
    return next((guess for guess in (*guesses, snr) if guess in known), "")


def _like(value: Any, choices: tuple[str, ...]) -> str:
    return most_like(value, choices) if isinstance(value, str) else ""


def _number(value: Any) -> bool:
    return (_whole(value) or isinstance(value, float)) and math.isfinite(value)


def _list_of(value: Any, of: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(of, value))


_WANTED: dict[str, tuple[Any, str]] = {
    "number": (_number, "a number"),
    "integer": (_whole, "a whole number"),
    "flag": (lambda value: isinstance(value, bool), "true or false"),
    "table": (lambda value: isinstance(value, dict), "a table"),
    "numbers": (lambda value: _list_of(value, _number), "a list of numbers"),
    "count": (
        lambda value: _whole(value) or (_list_of(value, _whole) and len(value) == 2),
        "a whole number or two, such as [1, 3]",
    ),
}
_MEANT = {
    "sounds": "a sound file or a folder of them",
    "transform": "a table with a transform of its own",
    "transforms": "tables with a transform each",
    "count": "how many of the transforms are to be drawn",
}


def made(name: str, given: Mapping[str, Any]) -> Any:
    """A new object of a transform.

    Parameters
    ----------
    given : its parameters as audiomentations takes them: sounds as paths, transforms as objects.

    Raises
    ------
    UsageError : audiomentations refuses their values, with what it says.
    """
    given = dict(given)
    if name == "Lambda":
        given["transform"] = given.pop(FUNCTION)
    if isinstance(given.get("num_transforms"), list):
        given["num_transforms"] = tuple(given["num_transforms"])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return find(name)(**given)
    except (AssertionError, ValueError, TypeError) as error:
        raise UsageError(f"{name}: impossible parameters: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    if str(error):
        return " ".join(str(error).split())
    line = traceback.extract_tb(error.__traceback__)[-1].line or type(error).__name__
    return line.replace("assert ", "this does not hold: ", 1)
