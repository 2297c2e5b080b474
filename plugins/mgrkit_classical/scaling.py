"""Columns made comparable: standardised, and more normal by a power transform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit_classical.arrays import LARGEST, Place, stored

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.classifiers.base import Run, State
    from mgrkit_classical.arrays import Numbers

FAR, LIMIT = 100.0, 10.0
"""Standard deviations beyond which a value counts as this far, before and after the transform:
song that is like nothing in train does not overflow, and is still far away."""

_LAMBDA = 5.0
_GOLDEN = (5**0.5 - 1) / 2
_SECTIONS = 34
"""To within 1e-6: an exponent's likelihood is flat at its top."""

NAMES = ("centre", "factor", "lambda", "power_centre", "power_factor")
_LEAST = 1e-30
_CELLS = 1 << 24
"""Numbers that are fit or scaled at once: what is made of them on the way takes memory, too."""

_FURTHEST = 4e38
"""Beyond float32, and so beyond any mean of examples."""

HERE = Place(np, "cpu")


def fitted(
    x: NDArray[np.float32], power: bool, place: Place, run: Run
) -> tuple[dict[str, NDArray[Any]], Any]:
    """The scaling of these columns, and the columns scaled, float64 ``(n, columns)``, there."""
    state: dict[str, NDArray[Any]] = {**fit(x, power, run, place)}
    scales, step = restore(state, x.shape[1], place), max(1, _CELLS // max(1, x.shape[1]))
    parts = (place.put(x[start : start + step]) for start in range(0, len(x), step))
    return state, place.xp.concatenate([apply(place, scales, part) for part in parts])


def fit(x: NDArray[np.float32], power: bool, run: Run, place: Place = HERE) -> dict[str, Numbers]:
    """The scaling of these columns, one number for each: see `NAMES` and `apply`.

    The exponents are the most likely ones, those of scikit-learn's `PowerTransformer`, of
    standardised columns: on raw ones far from zero, such as a centroid in Hz, the transform loses
    all its digits.

    Parameters
    ----------
    x : ``(n, columns)``.
    place : where it is computed.
    """
    step = max(1, _CELLS // max(1, len(x)))
    blocks = [
        _fit(
            place.put(np.ascontiguousarray(x[:, start : start + step], np.float64)),
            power,
            place,
            run,
        )
        for start in range(0, x.shape[1], step)
    ]
    return {name: np.concatenate([block[name] for block in blocks]) for name in NAMES}


def _fit(x: Any, power: bool, place: Place, run: Run) -> dict[str, Numbers]:
    """See `fit`; of float64 columns that are there."""
    columns = x.shape[1]
    centre, factor = _standardising(x, place)
    exponents, power_centre, power_factor = np.ones(columns), np.zeros(columns), np.ones(columns)
    if power:
        z = place.xp.clip((x - place.put(centre)) * place.put(factor), -FAR, FAR)
        varying = factor > 0
        exponents[varying] = _exponents(z[:, place.put(varying)], place, run)
        bent = _yeo_johnson(place.xp, z, place.put(exponents))
        power_centre, power_factor = _standardising(bent, place)
    return dict(zip(NAMES, (centre, factor, exponents, power_centre, power_factor), strict=True))


def restore(state: State, columns: int, place: Place) -> dict[str, Any]:
    """The scaling among a state's arrays, on a device; BundleError if it cannot be one."""
    high = {"centre": _FURTHEST, "lambda": _LAMBDA}
    return {
        name: place.put(stored(state, name, np.float64, (columns,), high.get(name, LARGEST)))
        for name in NAMES
    }


def apply(place: Place, scaling: dict[str, Any], x: Any) -> Any:
    """Values within ±`LIMIT`, ``(n, columns)``; columns that were constant in train are 0."""
    xp = place.xp
    z = xp.clip((x - scaling["centre"]) * scaling["factor"], -FAR, FAR)
    bent = _yeo_johnson(xp, z, scaling["lambda"])
    return xp.clip((bent - scaling["power_centre"]) * scaling["power_factor"], -LIMIT, LIMIT)


def _standardising(x: Any, place: Place) -> tuple[Numbers, Numbers]:
    """Mean and 1 / standard deviation of each column, 0 for those that do not vary."""
    deviation = np.sqrt(_variance(x, place))
    factor = np.where(deviation > _LEAST, 1 / np.maximum(deviation, _LEAST), 0.0)
    return place.take(x.mean(0)), factor


def _variance(x: Any, place: Place) -> Numbers:
    apart = x - x.mean(0)
    variance: Numbers = place.take((apart * apart).mean(0))
    return variance


def _exponents(z: Any, place: Place, run: Run) -> Numbers:
    """The most likely exponent of each column, by golden section, all columns at once."""
    xp = place.xp
    slope = place.take((xp.sign(z) * xp.log1p(xp.abs(z))).mean(0))

    def likelihood(exponents: Numbers) -> Numbers:
        run.check()
        spread = _variance(_yeo_johnson(xp, z, place.put(exponents)), place)
        likelihoods: Numbers = (exponents - 1) * slope - np.log(np.maximum(spread, _LEAST)) / 2
        return likelihoods

    low, high = np.full(z.shape[1], -_LAMBDA), np.full(z.shape[1], _LAMBDA)
    a, b = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    of_a, of_b = likelihood(a), likelihood(b)
    for _ in range(_SECTIONS):
        left = of_a > of_b
        low, high = np.where(left, low, a), np.where(left, b, high)
        new = np.where(left, high - _GOLDEN * (high - low), low + _GOLDEN * (high - low))
        of_new = likelihood(new)
        a, b = np.where(left, new, b), np.where(left, a, new)
        of_a, of_b = np.where(left, of_new, of_b), np.where(left, of_a, of_new)
    most_likely: Numbers = (low + high) / 2
    return most_likely


def _yeo_johnson(xp: Any, z: Any, exponents: Any) -> Any:
    """Yeo and Johnson 2000: Box and Cox's transform of 1 + z, mirrored for z < 0."""
    # For z < 0 the exponent is 2 - lambda; expm1 and log1p keep the digits of small values.
    exponent = xp.where(z < 0, 2 - exponents, exponents)
    log = xp.log1p(xp.abs(z))
    flat = xp.abs(exponent) < 1e-9
    bent = xp.expm1(exponent * log) / xp.where(flat, 1.0, exponent)
    return xp.where(z < 0, -1.0, 1.0) * xp.where(flat, log, bent)
