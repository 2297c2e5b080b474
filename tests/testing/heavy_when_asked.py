"""As toy_specs, but NumPy comes once its hook is asked."""

from __future__ import annotations

from dataclasses import dataclass

from mgrkit.registry import ClassifierSpec, hookimpl, parameter


@dataclass(frozen=True)
class HeavyWhenAsked:
    sharpness: float = parameter(1.0, "of the fall", low=0.01, high=100.0)
    steps: int = parameter(8, "parts in which the sums are made", low=1, high=1000)


@hookimpl
def mgrkit_classifiers() -> list[ClassifierSpec]:
    import numpy  # noqa: F401

    return []
