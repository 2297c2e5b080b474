"""``mgrkit models``."""

from __future__ import annotations

from typing import Any

from mgrkit.cli.options import Json


def models(as_json: Json = False) -> None:
    """List the trained models that come with plugins and those in the cache folder.

    \b
    mgrkit models
    mgrkit predict song.mp3 --model NAME

    How good a model is was measured on the tracks and by the split that stand beside it.
    """
    from mgrkit.cli.tables import print_json, print_table
    from mgrkit.commands.models import list_models

    listed = list_models()
    if as_json:
        print_json(listed)
    elif not listed:
        print("no models: mgrkit train makes one")
    else:
        rows = [
            (
                one["name"],
                one["classifier"] if one["status"] == "ok" else one["status"],
                _about(one),
            )
            for one in listed
        ]
        print_table(("model", "classifier", "about"), rows)


def _about(one: dict[str, Any]) -> str:
    origin = f"comes with {one['distribution']}" if one["distribution"] else "cached"
    if one["default"]:
        origin += ", the default"
    size = f", {one['bytes'] / 1e6:.2f} MB" if one["bytes"] is not None else ""
    if one["error"]:
        return f"{origin}{size}\n{one['error']}"
    lines = [f"{one['labels']} genres by {one['feature_set'] or one['eats']}{size}, {origin}"]
    if one["accuracy"] is not None:
        lines.append(f"accuracy {one['accuracy']:.2f}{_interval(one)}{_measured(one)}")
    return "\n".join([*lines, one["path"]])


def _interval(one: dict[str, Any]) -> str:
    low, high = one["accuracy_low"], one["accuracy_high"]
    return f" (95 %: {low:.2f} to {high:.2f})" if None not in (low, high) else ""


def _measured(one: dict[str, Any]) -> str:
    words = [one["part"] or "", one["split"] or ""]
    return f", {', '.join(word for word in words if word)}" if any(words) else ""
