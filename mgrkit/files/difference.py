"""What two calls differ in, in the words of whoever typed them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

_MOST = 3
_INTERNAL = {
    "augmentation's digest": "another recipe of that name",
    "bundle": "another file of that model",
    "DATA's digest": "other DATA",
    "examples": "other examples of DATA",
    "front-end": "another way of drawing",
    "network": "another network",
    "revision": "another release of the feature set",
    "settings": "another release of the feature set",
    "tracks' digest": "other tracks, genres, artists or parts",
    "version": "another version of the plugin",
}
"""Settings whose values mean nothing to a person, and what a difference in them is."""

_NO_OPTIONS = ("classifier", "genres", "tracks")


def difference(made: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    """In words what ``made`` has instead of ``asked``; empty where both are the same.

    Parameters
    ----------
    made, asked : settings by name, JSON values. A name in small letters is that of an option,
        one with a space or a capital is said as it is; a record holds parameters.
    """
    asked = json.loads(json.dumps(asked))
    names = [name for name in {**made, **asked} if made.get(name) != asked.get(name)]
    differences = [
        words
        for name in names
        if name not in _INTERNAL
        for words in _words(name, made.get(name), asked.get(name))
    ]
    differences = differences or list(dict.fromkeys(_INTERNAL[name] for name in names))
    others = len(differences) - _MOST
    more = f", and {others} more" if others > 0 else ""
    return ", ".join(differences[:_MOST]) + more


def _words(name: str, was: Any, now: Any) -> Iterator[str]:
    if isinstance(was, dict) and isinstance(now, dict):
        for key in {**was, **now}:
            if was.get(key) != now.get(key):
                yield f"--param {key}={_value(was.get(key))} instead of {_value(now.get(key))}"
    elif name == "split":  # in whole words already
        yield f"{was} instead of {now}"
    elif name.startswith("--param "):
        yield f"{name}={_value(was)} instead of {_value(now)}"
    elif name in _NO_OPTIONS or name != name.lower() or " " in name:
        yield (
            f"no {name} {now}" if was is None else f"{name} {_value(was)} instead of {_value(now)}"
        )
    elif was is None or was is False:
        yield f"no --{name} instead of {f'--{name}' if now is True else _value(now)}"
    else:
        yield f"--{name}{'' if was is True else f' {_value(was)}'} instead of {_value(now)}"


def _value(value: Any) -> str:
    if value is None or value is False:
        return "none"
    if isinstance(value, list):
        return f"{' and '.join(map(_value, value)):.60}"
    return f"{value:.15g}" if isinstance(value, float) else f"{value!s:.60}"
