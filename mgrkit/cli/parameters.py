"""The texts of ``--param``."""

from __future__ import annotations

from collections.abc import Sequence

from mgrkit.errors import UsageError


def parameters(texts: Sequence[str], form: str = "name=value") -> dict[str, object]:
    """NAME=VALUE texts by name; ``form`` is what the error calls them.

    Raises
    ------
    UsageError : one is no such text, or a name is given twice.
    """
    pairs: dict[str, object] = {}
    for text in texts:
        left, equals, value = text.partition("=")
        name = "".join(left.split())
        if not equals:
            raise UsageError(f"--param must be {form}, not {text!r}")
        if name in pairs:
            raise UsageError(f"--param {name} is given twice", "give one value")
        pairs[name] = value.strip()
    return pairs


def of_classifiers(texts: Sequence[str]) -> dict[str, dict[str, object]]:
    """CLASSIFIER.NAME=VALUE texts by classifier and name.

    Raises
    ------
    UsageError : one is no such text, or a parameter is given twice.
    """
    form = "classifier.name=value"
    pairs: dict[str, dict[str, object]] = {}
    for both, value in parameters(texts, form).items():
        classifier, dot, name = both.partition(".")
        if not dot:
            raise UsageError(f"--param must be {form}, not {f'{both}={value}'!r}")
        pairs.setdefault(classifier, {})[name] = value
    return pairs
