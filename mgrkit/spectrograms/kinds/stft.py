"""Kind ``stft``: the frequencies of the transform as they are, 0 Hz to half the rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgrkit.spectrograms.kinds import Code

if TYPE_CHECKING:
    from mgrkit.frontend import FrontEnd
    from mgrkit.spectrograms.transform import Floats


def _project(power: Floats, frontend: FrontEnd) -> Floats:
    del frontend
    return power


def _place(hertz: float, frontend: FrontEnd) -> float:
    return hertz * frontend.transform.n_fft / frontend.rate


CODE = Code(_project, _place)
