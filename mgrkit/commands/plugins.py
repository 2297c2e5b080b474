"""``mgrkit plugins`` and ``mgrkit classifiers``: what is installed, as JSON values."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from mgrkit.errors import UsageError
from mgrkit.registry import Choice, Range
from mgrkit.registry.catalogue import Provider
from mgrkit.registry.loader import how_to_install, installed, missing

_FEATURES = "features:"


def list_plugins() -> list[dict[str, Any]]:
    """One object for each distribution, mgrkit's first."""
    return [
        {
            "distribution": plugin.distribution,
            "version": plugin.version,
            "status": plugin.status,
            "error": plugin.error,
            "classifiers": [spec.name for spec in plugin.classifiers],
            "feature_sets": [spec.name for spec in plugin.feature_sets],
        }
        for plugin in installed().plugins
    ]


def broken_plugins() -> list[str]:
    """The distributions, with versions, with which something is wrong."""
    plugins = installed().plugins
    return [f"{p.distribution} {p.version}".strip() for p in plugins if p.status == "broken"]


def list_classifiers() -> list[dict[str, Any]]:
    """One object for each classifier, by name; imports no code of a model."""
    return [_row(entry) for entry in installed().classifiers()]


def describe_classifier(name: str) -> dict[str, Any]:
    """The object of `list_classifiers` for one name; UsageError names the nearest."""
    return _row(installed().classifier(name))


def _row(entry: Provider) -> dict[str, Any]:
    spec = entry.spec
    lacking = _lacking(entry)
    return {
        "name": spec.name,
        "summary": spec.summary,
        "eats": spec.eats,
        "distribution": entry.distribution,
        "version": entry.version,
        "status": "broken" if entry.error else "unavailable" if lacking else "ok",
        "error": entry.error or lacking,
        "reference": spec.reference,
        "devices": list(spec.devices),
        "requires": list(spec.requires),
        "parameters": [_parameter(field) for field in dataclasses.fields(spec.parameters)],
    }


def _lacking(entry: Provider) -> str:
    """What must be installed before the classifier can be used; empty if nothing."""
    lacking = missing(entry.spec.requires)
    if lacking:
        return f"needs {', '.join(lacking)} ({how_to_install(lacking)})"
    eats = entry.spec.eats
    if eats.startswith(_FEATURES):
        try:
            installed().feature_set(eats.removeprefix(_FEATURES))
        except UsageError as error:
            return str(error)
    return ""


def _parameter(field: dataclasses.Field[Any]) -> dict[str, Any]:
    about = field.metadata
    row = {
        "name": field.name,
        "type": type(field.default).__name__,
        "default": field.default,
        "help": about["help"],
    }
    row |= {end: about[end] for end in ("low", "high") if math.isfinite(about[end])}
    row |= {"choices": list(about["choices"])} if about["choices"] else {}
    search = about.get("search")
    return row | ({"search": searched(search)} if search else {})


def searched(search: Range | Choice) -> dict[str, Any]:
    """The values of a parameter that ``mgrkit tune`` tries."""
    if isinstance(search, Choice):
        return {"values": list(search.values)}
    return {"low": search.low, "high": search.high, "log": search.log}
