"""What is asked of the specs that a plugin returns: everything that later code relies on."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterator
from typing import Any

from mgrkit.errors import MgrkitError
from mgrkit.frontend import FrontEnd
from mgrkit.registry.space import fault_of_search
from mgrkit.registry.specs import (
    TABLE,
    ClassifierSpec,
    FeatureSetSpec,
    Weights,
    with_parameters,
)

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_FACTORY = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")
_SET = re.compile(r"[a-z][a-z0-9_-]*")
_EATS = re.compile(r"features:[a-z][a-z0-9_-]*(:mean(-sd)?)?|image|samples")
_URL = re.compile(r"https://[^\s?#]+/[\w.-]+\.(pth|pt|safetensors)")
_HASH = re.compile(r"[0-9a-f]{64}")
_BUNDLE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:([^/\\.][^/\\]*/)*[^/\\.][^/\\]*\.safetensors")
RESERVED = {
    "path", "genre", "group", "split", "parent", "start", "seconds", "rate", "channels", "kind",
    "status", "reason", "source", "settings", "sound", "frontend", "filename", "label", "length",
    "piece_start",
}  # fmt: skip
"""Columns that tables have beside the features."""

_LONGEST_COLUMN = 100
_DEVICES = {"cpu", "cuda", "mps"}


def fault(spec: ClassifierSpec | FeatureSetSpec) -> str:
    """What is wrong with a spec, as ``name: field is ...``; empty if nothing is."""
    for field, wanted in _faults(spec):
        name = f"{spec.name}: " if field != "name" else ""
        return f"{name}{field} is {getattr(spec, field)!r:.80}, not {wanted}"
    if isinstance(spec, ClassifierSpec):
        wrong = _parameters(spec)
        return f"{spec.name}: {wrong}" if wrong else ""
    return ""


def _faults(spec: ClassifierSpec | FeatureSetSpec) -> Iterator[tuple[str, str]]:
    """Pairs of a field that cannot be used and what it should be."""
    if isinstance(spec, ClassifierSpec) and not _matches(_NAME, spec.name):
        yield "name", "lower-case letters, digits and underscores that begin with a letter"
    if isinstance(spec, FeatureSetSpec) and not _matches(_SET, spec.name):
        yield "name", "lower-case letters, digits, underscores and hyphens, a letter first"
    if isinstance(spec, FeatureSetSpec) and spec.name == TABLE:
        yield "name", f"another than {TABLE}, which stands for columns of tables"
    if not (_is_text(spec.summary) and spec.summary.isprintable()):
        yield "summary", "one line of text"
    if not _matches(_FACTORY, spec.factory):
        yield "factory", '"package.module:name"'
    if not isinstance(spec.reference, str):
        yield "reference", "a text"
    if not (_are_texts(spec.requires) and all(n.isidentifier() for n in spec.requires)):
        yield "requires", "a tuple of names of top-level modules"
    if not (_are_texts(spec.devices) and spec.devices and _DEVICES.issuperset(spec.devices)):
        yield "devices", 'a tuple of "cpu", "cuda", "mps"'
    if not (_are_texts(spec.bundles) and all(_BUNDLE.fullmatch(b) for b in spec.bundles)):
        yield "bundles", 'a tuple of "package:path/NAME.safetensors"'
    yield from _classifier(spec) if isinstance(spec, ClassifierSpec) else _feature_set(spec)


def _classifier(spec: ClassifierSpec) -> Iterator[tuple[str, str]]:
    if not _matches(_EATS, spec.eats):
        yield "eats", '"features:<set>", "image" or "samples"'
    if not (_are_texts(spec.predicting) and set(spec.predicting).issubset(spec.requires)):
        yield "predicting", "a tuple of names that requires holds"
    if not _is_count(spec.batch_size):
        yield "batch_size", "a whole number from 1"
    if spec.calibrate not in ("folds", "valid"):
        yield "calibrate", '"folds" or "valid"'
    for flag in ("resumable", "parallel", "compared"):
        if not isinstance(getattr(spec, flag), bool):
            yield flag, "True or False"


def _feature_set(spec: FeatureSetSpec) -> Iterator[tuple[str, str]]:
    if not isinstance(spec.frontend, FrontEnd):
        yield "frontend", "a FrontEnd"
    elif spec.frontend.sample_rate is None and spec.batch_size is not None:
        yield "frontend", "a FrontEnd with a sample rate, which a set with a batch_size needs"
    if not (_are_texts(spec.columns) and 0 < len(set(spec.columns)) == len(spec.columns)):
        yield "columns", "a tuple of different texts"
    elif not all(c.isprintable() and len(c) <= _LONGEST_COLUMN for c in spec.columns):
        yield "columns", f"names of one line and at most {_LONGEST_COLUMN} characters"
    elif taken := sorted(RESERVED.intersection(spec.columns)):
        yield "columns", f"names that tables leave free: {', '.join(taken)}"
    if not (spec.window is None or _is_length(spec.window)):
        yield "window", "a number of seconds or None"
    if _is_length(spec.window) != _is_length(spec.hop):
        yield "hop", "None exactly if window is, else a number of seconds"
    if not _is_count(spec.revision):
        yield "revision", "a whole number from 1"
    if not (spec.batch_size is None or _is_count(spec.batch_size)):
        yield "batch_size", "a whole number from 1, or None"
    if not (spec.weights is None or isinstance(spec.weights, Weights)):
        yield "weights", "Weights or None"
    elif spec.weights and (wrong := _weights(spec.weights)):
        yield "weights", wrong
    elif spec.weights and spec.batch_size is None:
        yield "batch_size", "a whole number from 1, which a set with weights needs"


def _weights(weights: Weights) -> str:
    """What the weights should have; empty if nothing is wrong with them."""
    texts = (weights.summary, weights.package, weights.version, weights.licence, weights.authors)
    if not (_matches(_SET, weights.name) and all(map(_is_text, texts))):
        return "Weights with texts, and a name of a-z, 0-9, _ and -, a letter first"
    if not (_matches(_HASH, weights.sha256) and _matches(_HASH, weights.wheel_sha256)):
        return "Weights with two SHA-256 of 64 hexadecimal digits"
    if weights.url:
        return _file(weights)
    if not (_matches(_FACTORY, weights.convert) and _is_count(weights.wheel_bytes)):
        return 'Weights with "package.module:function" and a number of bytes'
    return ""


def _file(weights: Weights) -> str:
    """What weights that are no wheel should have; empty if nothing is wrong with them."""
    if not (_matches(_URL, weights.url) and _is_count(weights.wheel_bytes)):
        return "Weights with an address such as https://host/net.pth and a number of bytes"
    if weights.convert or weights.sha256 != weights.wheel_sha256:
        return "Weights whose file is kept as it is: no convert, and twice the same SHA-256"
    return ""


def _parameters(spec: ClassifierSpec) -> str:
    """What is wrong with the parameter dataclass."""
    kind: Any = spec.parameters
    settings = getattr(kind, "__dataclass_params__", None)
    if not isinstance(kind, type) or settings is None or not settings.frozen:
        return "parameters are not a frozen dataclass"
    defaults = {}
    for field in dataclasses.fields(kind):
        if "help" not in field.metadata:
            return f"parameter {field.name} is not made by parameter()"
        if type(field.default) not in (bool, int, float, str):
            return f"parameter {field.name} has the default {field.default!r:.80}"
        if not _is_text(field.metadata["help"]):
            return f"parameter {field.name} has no help"
        defaults[field.name] = field.default
    try:
        with_parameters(spec, defaults)
    except MgrkitError as error:
        return f"a default is refused: {error}"
    return next(filter(None, (_search(spec, field) for field in dataclasses.fields(kind))), "")


def _search(spec: ClassifierSpec, field: dataclasses.Field[Any]) -> str:
    """What is wrong with the values of a parameter that a search tries."""
    search = field.metadata.get("search")
    if search is None:
        return ""

    def read(value: object) -> None:
        with_parameters(spec, {field.name: value})

    wrong = fault_of_search(search, type(field.default), read)
    if not wrong and field.default not in search:
        wrong = f"leaves out the default, {field.default!r}"
    return f"search of parameter {field.name} {wrong}" if wrong else ""


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _are_texts(value: object) -> bool:
    return isinstance(value, tuple) and all(_is_text(one) for one in value)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_length(value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and value > 0  # type: ignore[arg-type, operator]
