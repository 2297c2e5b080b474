"""Temperature scaling of probabilities, and the threshold below which a verdict is unsure."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.classifiers.bundlefields import TEMPERATURES
from mgrkit.errors import BundleError
from mgrkit.learning.folds import group_folds
from mgrkit.learning.metrics import expected_calibration_error

if TYPE_CHECKING:
    from numpy.typing import NDArray

METHODS = ("folds", "valid", "none")
_LOWEST, _HIGHEST = TEMPERATURES
_FLOOR = 1e-7
_STEPS = 50


@dataclass(frozen=True)
class Calibration:
    """How raw probabilities of tracks become those that a person is shown.

    Parameters
    ----------
    temperature : above 1 makes them more even, below 1 more decided; 0.01 to 100.
    unsure_below : a verdict whose probability is lower than this is likelier wrong than right.
    ece : expected calibration error of tracks that the temperature was not chosen on; None
        where there were none.
    method : what it was chosen on: 'folds' (out-of-group folds of train), 'valid', or 'none'.
    """

    temperature: float = 1.0
    unsure_below: float = 0.0
    ece: float | None = None
    method: str = "none"

    def apply(self, probabilities: NDArray[Any]) -> NDArray[np.float32]:
        """p^(1/temperature), divided by the row's sum: float32 ``(n, labels)``.

        The order of a row does not change, and zeros stay zero.
        """
        return _tempered(probabilities, self.temperature).astype(np.float32)

    def to_dict(self) -> dict[str, Any]:
        """As a bundle keeps it: JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Calibration:
        """What `to_dict` gave, or nothing for no calibration.

        Raises
        ------
        BundleError : a value is missing, unknown, of another type or out of range.
        """
        if not values:
            return cls()
        fields = {field.name for field in dataclasses.fields(cls)}
        if odd := fields ^ set(values):
            names = ", ".join(sorted(odd))
            raise BundleError(f"the calibration lacks, or should not have: {names}")
        if values["method"] not in METHODS:
            raise BundleError(f"the calibration's method {values['method']!r} is unknown")
        ece = values["ece"]
        return cls(
            _number(values, "temperature", _LOWEST, _HIGHEST),
            _number(values, "unsure_below", 0, 1),
            None if ece is None else _number(values, "ece", 0, 1),
            values["method"],
        )


def calibrate(
    probabilities: NDArray[Any], y: NDArray[Any], groups: NDArray[Any], method: str
) -> Calibration:
    """Calibrate on tracks that the model did not see while it was fit.

    The temperature minimises the log loss (Guo et al. 2017, "On calibration of modern neural
    networks"), held towards 1 by a standard normal prior on its logarithm, which a few dozen
    tracks outweigh. Tracks whose genre got probability zero, which no temperature mends, do
    not count. Error and threshold are measured with the temperature of other groups: the
    threshold is the one that takes the fewest right verdicts for unsure and wrong ones for
    sure, the lowest of several.

    Parameters
    ----------
    probabilities : ``(n, labels)``, of tracks.
    y : integers ``(n,)``, the true labels.
    groups : ``(n,)``, the artist of each track.
    method : 'folds' or 'valid', to be kept.
    """
    if not len(y):
        return Calibration()
    temperature = _temperature(probabilities, y)
    tempered = _tempered(probabilities, temperature)
    folds = group_folds(y, groups)
    for others, held in folds:
        fitted = _temperature(probabilities[others], y[others])
        tempered[held] = _tempered(probabilities[held], fitted)
    error = None
    if folds:
        tested = np.concatenate([held for _, held in folds])
        error = expected_calibration_error(tempered[tested], y[tested])
    threshold = _threshold(tempered.max(1), tempered.argmax(1) == y)
    return Calibration(temperature, threshold, error, method)


def _temperature(probabilities: NDArray[Any], y: NDArray[Any]) -> float:
    likelihood = probabilities[np.arange(len(y)), y]
    rows = probabilities[likelihood > 0].astype(np.float64)
    truth = y[likelihood > 0]
    logs = np.where(rows > 0, np.log(np.maximum(rows, _FLOOR)), -np.inf)
    logs -= logs.max(1, keepdims=True, initial=-np.inf)
    right = logs[np.arange(len(truth)), truth]

    def loss(log_temperature: float) -> float:
        beta = math.exp(-log_temperature)
        total = np.log(np.exp(beta * logs).sum(1)) - beta * right
        return float(total.sum()) + log_temperature**2 / 2

    return math.exp(_lowest(loss, math.log(_LOWEST), math.log(_HIGHEST)))


def _lowest(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function with one valley is lowest (golden section)."""
    ratio = (math.sqrt(5) - 1) / 2
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = function(left), function(right)
    for _ in range(_STEPS):
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - ratio * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + ratio * (high - low)
            at_right = function(right)
    return (low + high) / 2


def _tempered(probabilities: NDArray[Any], temperature: float) -> NDArray[np.float64]:
    rows = np.asarray(probabilities, np.float64)
    powers = (rows / rows.max(1, keepdims=True)) ** (1 / temperature)
    tempered: NDArray[np.float64] = powers / powers.sum(1, keepdims=True)
    return tempered


def _threshold(top: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    order = np.argsort(top, kind="stable")
    top, right = top[order], right[order]
    # Errors when the first i are called unsure.
    errors = np.concatenate([[0], np.cumsum(right)]) + (~right).sum()
    errors = errors - np.concatenate([[0], np.cumsum(~right)])
    cut = np.concatenate([[True], top[1:] > top[:-1], [True]])  # equal ones share their fate
    best = int(np.flatnonzero(cut)[np.argmin(errors[cut])])
    if best == 0:
        return 0.0
    return 1.0 if best == len(top) else float((top[best - 1] + top[best]) / 2)


def _number(values: Mapping[str, Any], name: str, low: float, high: float) -> float:
    value = values[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise BundleError(f"the calibration's {name} {value!r} is no number from {low} to {high}")
    return float(value)
