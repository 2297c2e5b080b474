"""What the toy classifiers say of themselves; imports no NumPy, as a hooks module must."""

from __future__ import annotations

from dataclasses import dataclass

from mgrkit.registry import ClassifierSpec, parameter


@dataclass(frozen=True)
class Parameters:
    sharpness: float = parameter(1.0, "how fast probability falls off", low=0.01, high=100.0)
    steps: int = parameter(8, "parts in which the sums are made", low=1, high=1000)


@dataclass(frozen=True)
class Endless:
    sharpness: float = parameter(1.0, "how fast probability falls off", low=0.01)
    steps: int = parameter(8, "parts in which the sums are made", low=1, high=1000)


GOOD = ClassifierSpec(
    name="centroid",
    summary="nearest centroid",
    factory="tests.testing.toy_classifiers:Centroid",
    parameters=Parameters,
    eats="features:toy",
    resumable=True,
)
