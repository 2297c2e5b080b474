"""Kind ``cqt``: the power of a constant-Q transform, as ``librosa.cqt`` gives its magnitudes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mgrkit.spectrograms.constantq import constant_q
from mgrkit.spectrograms.kinds import Code

if TYPE_CHECKING:
    from mgrkit.frontend import ConstantQ, FrontEnd
    from mgrkit.spectrograms.transform import Floats


def shape_of(frontend: FrontEnd) -> ConstantQ:
    """The record that the kinds of constant Q have."""
    assert frontend.constant_q
    return frontend.constant_q


def _values(samples: Floats, frontend: FrontEnd) -> Floats:
    hop = frontend.transform.hop_length
    magnitude = constant_q(samples, frontend.rate, 0, shape_of(frontend), hop)
    return np.square(magnitude, out=magnitude)


def _place(hertz: float, frontend: FrontEnd) -> float:
    shape = shape_of(frontend)
    return shape.bins_per_octave * math.log2(hertz / shape.lowest_hertz())


def _full(frontend: FrontEnd) -> float:
    # A tone's magnitude is half the root of its filter's length, and the lowest is the longest.
    return math.log(shape_of(frontend).longest(frontend.rate) / 4)


CODE = Code(None, _place, _values, full=_full)
