"""``mgrkit spectrograms --presets``: how others draw sound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mgrkit.cli.terminal.printing import print_json, print_table
from mgrkit.commands.spectrograms import SpectrogramsSettings
from mgrkit.frontend.presets import PRESETS

if TYPE_CHECKING:
    from mgrkit.frontend.presets import Preset


def show_presets(*, as_json: bool) -> int:
    """Print all presets: what each draws, by which options, and where it comes from."""
    if as_json:
        print_json([_as_json(one) for one in PRESETS.values()])
    else:
        print_table(("preset", "about"), [(one.name, _about(one)) for one in PRESETS.values()])
    return 0


def _as_json(one: Preset) -> dict[str, Any]:
    settings = SpectrogramsSettings.of_preset(one.name)
    return {
        "name": one.name,
        "origin": one.origin,
        "about": one.about,
        "options": {name.replace("_", "-"): value for name, value in one.options.items() if value},
        "frames": one.frames or None,
        "piece_seconds": settings.piece_seconds,
        "leaves_open": one.leaves_open,
    }


def _about(one: Preset) -> str:
    words = [f"--{name.replace('_', '-')} {value}" for name, value in one.options.items() if value]
    cut = f", pieces of {one.frames} frames" if one.frames else ""
    lines = one.about, f"of: {one.origin}", f"sets: {' '.join(words)}{cut}"
    return "\n".join((*lines, f"open, here as usual: {one.leaves_open}"))
