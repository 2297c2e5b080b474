"""``mgrkit classifiers``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from mgrkit.cli.options import Json
from mgrkit.cli.plugins import tell_broken


def classifiers(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Show all of one classifier.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the classifiers, or show one with its parameters.

    \b
    mgrkit classifiers
    mgrkit classifiers random_forest
    """
    from mgrkit.cli.terminal.printing import print_json, print_table
    from mgrkit.commands.plugins import describe_classifier, list_classifiers

    found: Any = list_classifiers() if name is None else describe_classifier(name)
    if as_json:
        print_json(found)
    elif name is None:
        rows = [
            (one["name"], one["distribution"], one["status"], _lines(one["summary"], one["error"]))
            for one in found
        ]
        print_table(("classifier", "plugin", "status", "about"), rows)
    else:
        _page(found)
    tell_broken("mgrkit plugins says why")


def _page(one: dict[str, Any]) -> None:
    from mgrkit.cli.terminal.printing import print_table

    status = f"{one['status']}: {one['error']}" if one["error"] else one["status"]
    about = {
        "about": one["summary"],
        "plugin": f"{one['distribution']} {one['version']}",
        "status": status,
        "eats": one["eats"],
        "devices": ", ".join(one["devices"]),
        "paper": one["reference"],
    }
    print_table(("classifier", one["name"]), [pair for pair in about.items() if pair[1]])
    print()
    parameters = one["parameters"]
    rows = [
        (p["name"], p["type"], f"{p['default']}", _lines(p["help"], _range(p), _search(p)))
        for p in parameters
    ]
    if rows:
        print_table(("--param", "type", "default", "meaning"), rows)
    else:
        print("no parameters")


def _range(parameter: dict[str, Any]) -> str:
    """The values that are allowed, in words."""
    if "choices" in parameter:
        return f"one of {', '.join(parameter['choices'])}"
    ends = [f"{word} {parameter[end]:g}" for word, end in (("from", "low"), ("to", "high"))
            if end in parameter]  # fmt: skip
    return " ".join(ends)


def _search(parameter: dict[str, Any]) -> str:
    """The values that ``mgrkit tune`` tries, in words."""
    search = parameter.get("search")
    if not search:
        return ""
    if "values" in search:
        return f"tune: {', '.join(map(_value, search['values']))}"
    return f"tune: {search['low']:g} to {search['high']:g}{' (log)' if search['log'] else ''}"


def _value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _lines(*texts: str) -> str:
    return "\n".join(text for text in texts if text)
