"""Kind ``stft``: the frequencies of the transform as they are, 0 Hz to half the rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mgrkit.frontend import FrontEnd
    from mgrkit.spectrograms.transform import Floats


def project(power: Floats, frontend: FrontEnd) -> Floats:  # noqa: ARG001 - as every kind's
    """Power ``(n, n_fft // 2 + 1)``, unchanged."""
    return power
