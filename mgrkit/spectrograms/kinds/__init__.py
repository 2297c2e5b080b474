"""The kinds of spectrograms, a file each, which a line of `mgrkit.frontend.kinds` names.

A file has one name for others, ``CODE``.
"""

from __future__ import annotations

import functools
import importlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mgrkit.frontend import KINDS
from mgrkit.spectrograms.transform import exact_window

if TYPE_CHECKING:
    from mgrkit.frontend import FrontEnd
    from mgrkit.spectrograms.transform import Floats


Marks = list[tuple[float, str]]


def _unchanged(logs: Floats, peak: float, frontend: FrontEnd) -> tuple[Floats, float]:
    del frontend
    return logs, peak


def full_scale(frontend: FrontEnd) -> float:
    """The natural logarithm of the power that a tone of full scale has in its bin."""
    window = exact_window(frontend.transform.n_fft, frontend.transform.window)
    return 2 * math.log(float(window.sum()) / 2)


@dataclass(frozen=True)
class Code:
    """How a kind is computed and marked. It has either ``project`` or ``values``.

    Parameters
    ----------
    project : magnitudes of the transform, to its power, ``(n, n_fft // 2 + 1)``, to those of the
        bands ``(n, bands)``, valid until the next call.
    place : where a frequency in Hz lies on an axis of bands, whose first is at 0; None where bands
        are no frequencies.
    values : of samples, checked as by `mgrkit.spectrograms.image.checked`, the power or the other
        values of a kind that is no projection: float32 ``(bands, frames)``.
    axis : what the bands are, where ``place`` is None.
    marks : then the places of some bands and what they are called.
    widest : of values of either sign ``(bands, frames)``, the magnitude ``(bands,)`` that the
        picture can show in each band.
    full : the natural logarithm of the power of a tone of full scale.
    columns : the natural logarithms of the power ``(frames, bands)``, and their peak, as the
        picture takes them ``(columns, bands)``.
    steps : what the lowest and the highest level become before the fraction is cut off; half a
        step more makes that round.
    decibels : how many real ones a decibel of the picture is.
    """

    project: Callable[[Floats, FrontEnd], Floats] | None = None
    place: Callable[[float, FrontEnd], float] | None = None
    values: Callable[[Floats, FrontEnd], Floats] | None = None
    axis: str = ""
    marks: Callable[[FrontEnd], Marks] | None = None
    widest: Callable[[Floats, FrontEnd], Floats] | None = None
    full: Callable[[FrontEnd], float] = full_scale
    columns: Callable[[Floats, float, FrontEnd], tuple[Floats, float]] = _unchanged
    steps: tuple[float, float] = (0.5, 255.5)
    decibels: float = 1.0


@functools.cache
def code_of(kind: str) -> Code:
    """The code of a kind, by the name that a front end has."""
    code: Code = importlib.import_module(f"{__name__}.{KINDS[kind].code}").CODE
    return code
