"""Files to samples and back: probing, reading in blocks, resampling, pieces, writing.

Samples are float32 ``(channels, frames)`` in [-1, 1], mono ``(frames,)``. Importing this
package imports neither NumPy nor a decoder; the first use of a name does.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from mgrkit.audio.probe import SUFFIXES

if TYPE_CHECKING:
    from mgrkit.audio.cutting import Blocks, Piece, pieces
    from mgrkit.audio.reading import SHORTFALLS, Mixdown, Sound, check_audible, mono, open_sound
    from mgrkit.audio.resampling import Resampler
    from mgrkit.audio.writing import Writer, lsb, quantise

__all__ = [
    "SHORTFALLS",
    "SUFFIXES",
    "Blocks",
    "Mixdown",
    "Piece",
    "Resampler",
    "Sound",
    "Writer",
    "check_audible",
    "lsb",
    "mono",
    "open_sound",
    "pieces",
    "quantise",
]

_HOMES = {
    "Blocks": "cutting",
    "Piece": "cutting",
    "pieces": "cutting",
    "SHORTFALLS": "reading",
    "Mixdown": "reading",
    "Sound": "reading",
    "check_audible": "reading",
    "mono": "reading",
    "open_sound": "reading",
    "Resampler": "resampling",
    "Writer": "writing",
    "lsb": "writing",
    "quantise": "writing",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
