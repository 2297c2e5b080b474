"""``mgrkit augment --transforms``: the transforms that a recipe can name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mgrkit.cli.terminal.printing import print_json, print_table, printable, wrapped
from mgrkit.cli.terminal.stdout import results

if TYPE_CHECKING:
    from mgrkit.augment.recipes import TransformInfo
    from mgrkit.augment.recipes.transforms import Parameter

_NESTED = {
    "transform": "a table with a transform of its own",
    "transforms": "transforms of its own",
}


def show_transforms(name: str, *, as_json: bool) -> int:
    """Print all transforms, or the one of this name."""
    from mgrkit.commands.recipes import transforms

    found = transforms(name)
    if as_json:
        listed = [_as_json(one) for one in found]
        print_json(listed[0] if name else listed)
    elif name:
        _show_one(found[0])
    else:
        rows = [(one.name, _stays(one), _needs(one)) for one in found]
        print_table(("transform", "what stays", "needs"), rows)
    return 0


def _stays(one: TransformInfo) -> str:
    kept = [
        word
        for word, stays in (("length", one.keeps_length), ("place", one.stays_aligned))
        if stays
    ]
    return ", ".join(kept) or "nothing"


def _needs(one: TransformInfo) -> str:
    return "\n".join(
        f"not here: {need.how}" if need.missing else need.name for need in one.requires
    )


def _as_json(one: TransformInfo) -> dict[str, Any]:
    return {
        "name": one.name,
        "help": one.help,
        "keeps_length": one.keeps_length,
        "stays_aligned": one.stays_aligned,
        "mono_only": one.mono_only,
        "requires": [
            {"name": need.name, "how": need.how, "missing": need.missing} for need in one.requires
        ],
        "parameters": [
            {
                "name": each.name, "default": each.default, "kind": each.kind,
                "needed": each.needed, "choices": list(each.choices),
            }
            for each in one.parameters
        ],
    }  # fmt: skip


def _show_one(one: TransformInfo) -> None:
    """What it does, what stays, what it needs, and a step with all its defaults."""
    lines = [f"{one.name}: {one.help.partition('Usage example')[0].strip()}"]
    channels = "one by one, under the same draw" if one.mono_only else "together"
    lines += ["", f"what stays: {_stays(one)}", f"several channels: {channels}"]
    lines += [f"needs: {need}" for need in _needs(one).splitlines()]
    lines += ["", "[[step]]", f"transform = {json.dumps(one.name)}"]
    for each in one.parameters:
        lines += _parameter(each)
    for line in lines:
        print("\n".join(wrapped(printable(line))), file=results())


def _parameter(one: Parameter) -> list[str]:
    """A parameter as a line of TOML with its default; as a comment where it has none."""
    if one.needed or one.default is None or one.kind in _NESTED:
        kind = _NESTED.get(one.kind, one.kind)
        return [f"# {one.name} = ... ({'must be given, ' if one.needed else ''}{kind})"]
    line = f"{one.name} = {json.dumps(one.default)}"
    choices = ", ".join(json.dumps(choice) for choice in one.choices)
    return [line, f"# one of {choices}"] if choices else [line]
