"""From what a person asks for to conditions: those made here, and recipes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mgrkit.audio import SUFFIXES
from mgrkit.augment.conditions import FAMILIES, Condition, parse_conditions
from mgrkit.augment.recipes import Recipe, shipped
from mgrkit.errors import UsageError, nearest


def conditions_of(texts: Sequence[str]) -> list[Condition]:
    """The conditions of several texts, each a recipe or what `parse_conditions` takes.

    Raises
    ------
    UsageError : an unknown name (the nearest is named), a value that cannot be, the same name
        twice, or a file that is called as a condition.
    RunError : a recipe cannot be read.
    """
    found: dict[str, Condition] = {}
    for text in texts:
        for one in _of(text):
            if one.name in found:
                hint = "each once, files by other names"
                raise UsageError(f"two conditions are called {one.name}", hint)
            found[one.name] = one
    return list(found.values())


def _of(text: str) -> list[Condition]:
    if text in shipped():
        return [Recipe.load(text)]
    name = text.rpartition("@")[0] if "@" in text else text
    if name in FAMILIES:
        return parse_conditions(text)
    if _is_recipe(text):
        recipe = Recipe.load(text)
        _check_name(recipe.name, text, "recipe")
        return [recipe]
    if not (name and Path(name).exists()):
        if Path(name).suffix or Path(name).parent.name:
            raise UsageError(f"there is no file {name}", "is the path right?")
        raise UsageError(
            f"no condition {text!r}", nearest(name, [*FAMILIES, *shipped()], "there are")
        )
    mixed = parse_conditions(text)
    _check_name(axis_of(mixed[0].name).family, name, "file")
    return mixed


def _is_recipe(text: str) -> bool:
    """Whether it is a file, and no recording: of those one says how loud they are."""
    path = Path(text)
    may_be = path.suffix == ".toml" or ("@" not in text and path.suffix.lower() not in SUFFIXES)
    return may_be and path.is_file()


def _check_name(name: str, file: str, kind: str) -> None:
    """Else two curves would be one."""
    if name in FAMILIES:
        what = f"{file} is called as the condition {name}"
        raise UsageError(what, f"give the {kind} another name")


class Axis(NamedTuple):
    """What a condition is one of.

    Parameters
    ----------
    family : all that it is compared with along one axis.
    value : its place on it; None for one that has none.
    unit : of the value, for people.
    """

    family: str
    value: float | None = None
    unit: str = ""


_UNITS = {
    "mp3": "kbit/s", "opus": "kbit/s", "aac": "kbit/s", "vorbis": "quality", "reverb": "s RT60",
    "gain": "dB", "pitch": "semitones",
}  # fmt: skip


def axis_of(name: str) -> Axis:
    """Of a condition's name.

    >>> axis_of("white@10"), axis_of("gsm")
    (Axis(family='white', value=10.0, unit='dB SNR'), Axis(family='gsm', value=None, unit=''))
    """
    family, at, value = name.rpartition("@")
    return Axis(family, float(value), _UNITS.get(family, "dB SNR")) if at else Axis(name)
