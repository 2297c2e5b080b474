"""As toy_specs, but NumPy comes with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mgrkit.registry import parameter


@dataclass(frozen=True)
class HeavyParameters:
    sharpness: float = parameter(float(np.exp(0)), "of the fall", low=0.01, high=100.0)
    steps: int = parameter(8, "parts in which the sums are made", low=1, high=1000)
