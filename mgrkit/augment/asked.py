"""From what a person asks for to conditions: those made here, and recipes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mgrkit.augment.conditions import FAMILIES, Condition, parse_conditions
from mgrkit.augment.recipes import Recipe, shipped
from mgrkit.errors import UsageError, nearest


def conditions_of(texts: Sequence[str]) -> list[Condition]:
    """The conditions of several texts, each a recipe or what `parse_conditions` takes.

    Raises
    ------
    UsageError : an unknown name (the nearest is named), a value that cannot be, or the same name
        twice.
    RunError : a recipe cannot be read.
    """
    found: dict[str, Condition] = {}
    for text in texts:
        for one in _of(text):
            if one.name in found:
                raise UsageError(f"two conditions are called {one.name}", "each once")
            found[one.name] = one
    return list(found.values())


def _of(text: str) -> list[Condition]:
    name = text.rpartition("@")[0] if "@" in text else text
    if text in shipped() or (text not in FAMILIES and "@" not in text and Path(text).is_file()):
        return [Recipe.load(text)]
    if name not in FAMILIES and not (name and Path(name).exists()):
        raise UsageError(
            f"no condition {text!r}", nearest(name, [*FAMILIES, *shipped()], "there are")
        )
    return parse_conditions(text)


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
