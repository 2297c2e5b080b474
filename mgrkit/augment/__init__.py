"""Noise sources and their mixing into a sound at an exact signal-to-noise ratio.

Blocks in, blocks out: nothing here opens the sound itself. Importing this package imports
neither NumPy nor a decoder; the first use of a name does.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mgrkit.augment.adding import Times, add
    from mgrkit.augment.colours import COLOURS, Colour
    from mgrkit.augment.excerpts import Excerpt
    from mgrkit.augment.material import Mixed
    from mgrkit.augment.mixing import check_snr, mix
    from mgrkit.augment.recordings import Recordings, Spooled
    from mgrkit.augment.sources import Noise, parse_noise

__all__ = [
    "COLOURS",
    "Colour",
    "Excerpt",
    "Mixed",
    "Noise",
    "Recordings",
    "Spooled",
    "Times",
    "add",
    "check_snr",
    "mix",
    "parse_noise",
]

_HOMES = {
    "COLOURS": "colours",
    "Colour": "colours",
    "Excerpt": "excerpts",
    "Mixed": "material",
    "Times": "adding",
    "add": "adding",
    "check_snr": "mixing",
    "mix": "mixing",
    "Recordings": "recordings",
    "Spooled": "recordings",
    "Noise": "sources",
    "parse_noise": "sources",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
