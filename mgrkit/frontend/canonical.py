"""Records as JSON values and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Any

from mgrkit.errors import UsageError
from mgrkit.frontend.parts import LATER


def as_values(record: Any) -> dict[str, Any]:
    """A record as JSON values; a float field is a float even where 0 was given for 0.0.

    A field of `parts.LATER` that has its default is left out.
    """
    values: dict[str, Any] = {}
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if field.metadata == LATER and value == field.default:
            continue
        if dataclasses.is_dataclass(value):
            value = as_values(value)
        values[field.name] = float(value) if field.type == "float" else value
    return values


def build(record: Any, values: object, prefix: str, unset: Collection[str] = ()) -> Any:
    """A record from a JSON object that has exactly its fields, without those that are unset.

    Raises
    ------
    UsageError : a field is unknown or missing; the message names it.
    """
    if not isinstance(values, dict):
        raise UsageError(f"front end: {prefix.rstrip('.')} is not a JSON object")
    fields = {field.name: field for field in dataclasses.fields(record)}
    names = fields.keys() - set(unset)
    for name in sorted(values.keys() - names):
        raise UsageError(f"front end has an unknown field {prefix}{name}")
    for name in sorted(names - values.keys()):
        if fields[name].metadata != LATER:
            raise UsageError(f"front end lacks the field {prefix}{name}")
    return record(**values, **dict.fromkeys(unset))
