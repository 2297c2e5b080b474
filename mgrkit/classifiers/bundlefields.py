"""What the fields of a bundle may be: a digest can be made anew for any lie."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mgrkit.classifiers.base import Task
from mgrkit.errors import BundleError, UsageError
from mgrkit.frontend import FrontEnd

if TYPE_CHECKING:
    from numpy.typing import NDArray

TYPES = {
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "float32", "float64",
}  # fmt: skip
"""The types of array that a bundle keeps."""

TEMPERATURES = (0.01, 100.0)
"""The temperatures that a calibration may have."""

LONGEST, LONGEST_CARD = 500, 100_000
"""Characters of a text; of one in the card, which may be of several lines."""

MOST_SEEN, SEEN_BYTES = 2_000_000, 1 << 26
"""Ids of seen tracks, and their bytes: as texts they take some hundred bytes each."""

HIGHEST_BANDWIDTH = 11_025
"""Half the rate at which the height of sound is measured."""

_LARGEST_SIDE = 1 << 31
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What moves a terminal or turns text around, and lone surrogates, which cannot be printed."""


def check(fields: Mapping[str, Any]) -> Task:
    """The task that the fields describe; BundleError for the first that cannot be."""
    for name in sorted(fields.keys() - _FIELDS.keys()):
        raise BundleError(f"unknown field {_shown(name)}")
    for name, (fits, words) in _FIELDS.items():
        if name not in fields and name in _MAY_LACK:
            continue
        if name not in fields:
            raise BundleError(f"field {name!r} is missing")
        if not fits(fields[name]):
            raise BundleError(f"{name} must be {words}, not {_shown(fields[name])}")
    for part, numbers in (("calibration", _CALIBRATION), ("metrics", _METRICS)):
        for name, (fits, words) in numbers.items():
            value = fields[part].get(name)
            if value is not None and not fits(value):
                raise BundleError(f"{part}: {name} must be {words}, not {_shown(value)}")
    _check_texts(fields)
    _check_shape(fields["eats"], fields["shape"], fields["columns"])
    return Task(
        tuple(fields["labels"]), tuple(fields["shape"]), tuple(fields["columns"]), _front(fields)
    )


def check_arrays(arrays: Mapping[str, NDArray[Any]], begins: tuple[str, ...], seen: str) -> None:
    """BundleError for a tensor that is missing, not known, or of a type that is not kept."""
    if seen not in arrays:
        raise BundleError(f"tensor {seen!r} is missing")
    for name, array in arrays.items():
        if name != seen and (name in begins or not name.startswith(begins)):
            raise BundleError(f"unknown tensor {_shown(name)}")
        if array.dtype.name not in TYPES:
            raise BundleError(f"tensor {_shown(name)} is of type {array.dtype}, which is not kept")


def lines(array: NDArray[Any], what: str = "seen tracks") -> tuple[str, ...]:
    """The ids in a tensor, that of the tracks seen by default."""
    if array.dtype.name != "uint8" or array.ndim != 1:
        raise BundleError(f"the ids of the {what} are not bytes")
    content = array.tobytes() if array.nbytes <= SEEN_BYTES else None
    if content is None or content.count(b"\n") >= MOST_SEEN:
        raise BundleError(
            f"the ids of the {what} are more than {MOST_SEEN} or {SEEN_BYTES >> 20} MiB"
        )
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise BundleError(f"the ids of the {what} are not UTF-8") from None
    ids = tuple(text.split("\n")) if text else ()
    if "" in ids:
        raise BundleError(f"an id of the {what} is empty")
    return ids


def printable_text(text: str) -> str:
    """The text as a bundle may hold it: escapes for what does not belong on a terminal."""
    escaped = _UNPRINTABLE.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
    return escaped if len(escaped) <= LONGEST else f"{escaped[: LONGEST - 3]}..."


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _check_texts(fields: Mapping[str, Any]) -> None:
    """BundleError for a text that does not belong on a terminal: all of them may be shown."""
    for name, value in fields.items():
        if name == "card":
            for heading, text in value.items():
                _check_text(name, heading, LONGEST)
                _check_text(name, text.replace("\n", ""), LONGEST_CARD)
        else:
            for text in _texts(value):
                _check_text(name, text, LONGEST)


def _check_text(field: str, text: str, longest: int) -> None:
    if len(text) > longest:
        raise BundleError(f"{field} holds a text of more than {longest} characters")
    if _UNPRINTABLE.search(text):
        raise BundleError(f"{field} holds control characters: {_shown(text)}")


def _texts(value: object) -> Iterator[str]:
    """Every text in a value of JSON, keys too."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, list):
            left += one
        elif isinstance(one, dict):
            left += [*one, *one.values()]


def _check_shape(eats: str, shape: list[int], columns: list[str]) -> None:
    sides = {"image": 2, "vote": 0}.get(eats, 1)
    of_planes = eats == "image" and len(shape) == 3 and shape[0] == 3
    if len(shape) != sides and not of_planes:
        numbers = f"{sides} number{'' if sides == 1 else 's'}"
        raise BundleError(f"shape must have {numbers} for {eats}: {shape}")
    expected = shape[0] if eats.startswith("features:") else 0
    if len(columns) != expected:
        raise BundleError(f"columns must be {expected} names for {eats}, not {len(columns)}")


def _front(fields: Mapping[str, Any]) -> FrontEnd | None:
    if fields["frontend"] is None:
        return None
    try:
        front = FrontEnd.from_json(json.dumps(fields["frontend"]))
        return front if fields["eats"].startswith("features:") else front.of_pictures()
    except UsageError as error:
        raise BundleError(error.message, error.hint) from None


def _integer(value: object) -> bool:
    return type(value) is int


def _number(low: float, high: float) -> Callable[[object], bool]:
    return lambda v: type(v) in (int, float) and low <= v <= high  # type: ignore[operator]


def _text(value: object) -> bool:
    return isinstance(value, str)


def _matches(pattern: str) -> Callable[[object], bool]:
    return lambda v: isinstance(v, str) and re.fullmatch(pattern, v) is not None


def _names(least: int) -> Callable[[object], bool]:
    def fits(value: object) -> bool:
        if not isinstance(value, list) or not all(isinstance(v, str) and v for v in value):
            return False
        return len(value) >= least and len(set(value)) == len(value)

    return fits


def _sides(value: object) -> bool:
    return isinstance(value, list) and all(_integer(v) and 0 < v < _LARGEST_SIDE for v in value)


def _object(*kinds: type) -> Callable[[object], bool]:
    """An object whose values are of these types; of any where none is named."""

    def fits(value: object) -> bool:
        return isinstance(value, dict) and (
            not kinds or all(type(v) in kinds for v in value.values())
        )

    return fits


_SHARE = (_number(0, 1), "a number from 0 to 1")
_ANY_TEXT = (_text, "a text")

_FIELDS: dict[str, tuple[Callable[[object], bool], str]] = {
    "format": (lambda v: type(v) is int and v in (1, 2), "1 or 2"),
    "classifier": (_matches(r"[a-z][a-z0-9_]*"), "the name of a classifier"),
    "distribution": _ANY_TEXT,
    "version": _ANY_TEXT,
    "parameters": (_object(bool, int, float, str), "an object of texts and numbers"),
    "eats": (
        _matches(r"features:[a-z][a-z0-9_-]*(:mean(-sd)?)?|image|samples|vote"),
        "features:<set>, image, samples or vote",
    ),
    "labels": (_names(2), "at least two different names"),
    "shape": (_sides, "a list of whole numbers above 0"),
    "columns": (_names(0), "a list of different names"),
    "frontend": (lambda v: v is None or isinstance(v, dict), "an object or null"),
    "calibration": (_object(), "an object"),
    "metrics": (_object(), "an object"),
    "seed": (_integer, "a whole number"),
    "card": (_object(str), "an object of texts"),
    "bandwidth": (_number(0, HIGHEST_BANDWIDTH), f"a number up to {HIGHEST_BANDWIDTH}"),
    "input_digest": (_matches(r"[0-9a-f]{16}"), "16 hexadecimal digits"),
}
_MAY_LACK = frozenset({"input_digest", "bandwidth"})
_CALIBRATION: dict[str, tuple[Callable[[object], bool], str]] = {
    "temperature": (_number(*TEMPERATURES), "a number from {:g} to {:g}".format(*TEMPERATURES)),
    "unsure_below": _SHARE,
    "ece": _SHARE,
    "method": _ANY_TEXT,
}
_METRICS: dict[str, tuple[Callable[[object], bool], str]] = {
    "part": _ANY_TEXT,
    "split": _ANY_TEXT,
    **dict.fromkeys(
        ("accuracy", "accuracy_low", "accuracy_high", "macro_f1", "top3", "ece"), _SHARE
    ),
    "tracks": (lambda v: type(v) is int and v >= 0, "a whole number"),
    "refit": (lambda v: isinstance(v, bool), "true or false"),
}
