"""``mgrkit augment --presets``: how others make noisy copies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mgrkit.augment.presets import PRESETS, said
from mgrkit.cli.terminal.printing import print_json, print_table

if TYPE_CHECKING:
    from mgrkit.augment.presets import Preset


def show_presets(*, as_json: bool) -> int:
    """Print all presets: what each makes, by which options, and where it comes from."""
    if as_json:
        print_json([_as_json(one) for one in PRESETS.values()])
    else:
        print_table(("preset", "about"), [(one.name, _about(one)) for one in PRESETS.values()])
    return 0


def _as_json(one: Preset) -> dict[str, Any]:
    return {
        "name": one.name,
        "origin": one.origin,
        "about": one.about,
        "options": {name.removeprefix("--"): value for name, value in one.options.items()},
        "leaves_open": one.leaves_open,
    }


def _about(one: Preset) -> str:
    words = " ".join(said(name, value) for name, value in one.options.items())
    lines = one.about, f"of: {one.origin}", f"sets: {words}"
    return "\n".join((*lines, f"open, here as usual: {one.leaves_open}"))
