"""The kinds of spectrograms, a file each, which a line of `mgrkit.frontend.kinds` names.

A file has one name for others, ``CODE``.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mgrkit.frontend import KINDS

if TYPE_CHECKING:
    from mgrkit.frontend import FrontEnd
    from mgrkit.spectrograms.transform import Floats


def _unchanged(logs: Floats, peak: float, frontend: FrontEnd) -> tuple[Floats, float]:
    del frontend
    return logs, peak


@dataclass(frozen=True)
class Code:
    """How a kind is computed and marked.

    Parameters
    ----------
    project : power of the transform ``(n, n_fft // 2 + 1)`` to that of the bands ``(n, bands)``,
        valid until the next call.
    place : where a frequency in Hz lies on an axis of bands, whose first is at 0.
    columns : the natural logarithms of the power ``(frames, bands)``, and their peak, as the
        picture takes them ``(columns, bands)``.
    steps : what the lowest and the highest level become before the fraction is cut off; half a
        step more makes that round.
    decibels : how many real ones a decibel of the picture is.
    """

    project: Callable[[Floats, FrontEnd], Floats]
    place: Callable[[float, FrontEnd], float]
    columns: Callable[[Floats, float, FrontEnd], tuple[Floats, float]] = _unchanged
    steps: tuple[float, float] = (0.5, 255.5)
    decibels: float = 1.0


@functools.cache
def code_of(kind: str) -> Code:
    """The code of a kind, by the name that a front end has."""
    code: Code = importlib.import_module(f"{__name__}.{KINDS[kind].code}").CODE
    return code
