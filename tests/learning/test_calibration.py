"""Folds by group, temperatures and thresholds."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from mgrkit.errors import BundleError
from mgrkit.learning.calibration import Calibration, calibrate
from mgrkit.learning.folds import group_folds


def honest(n: int = 3_000, labels: int = 5, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that mean what they say, and labels drawn from them."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet([0.5] * labels, n)
    return p, (rng.random((n, 1)) > p.cumsum(1)).sum(1).clip(max=labels - 1)


def sharpened(p: np.ndarray, power: float) -> np.ndarray:
    raised = p**power
    return (raised / raised.sum(1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_was_put_in_is_found(temperature: float) -> None:
    p, y = honest()
    raw = sharpened(p, temperature)
    found = calibrate(raw, y, np.arange(len(y)), "folds")
    assert found.temperature == pytest.approx(temperature, rel=0.1)
    assert found.ece is not None
    assert found.ece < 0.03
    np.testing.assert_allclose(found.apply(raw), p, atol=0.06)
    # Verdicts of honest probabilities are likelier wrong than right below one half.
    assert found.unsure_below == pytest.approx(0.5, abs=0.1)


def test_the_temperature_is_the_one_of_least_loss() -> None:
    from scipy.optimize import minimize_scalar

    p, y = honest()
    raw = sharpened(p, 2.0).astype(np.float64)

    def loss(temperature: float) -> float:
        return -np.log(sharpened(raw, 1 / temperature)[np.arange(len(y)), y]).mean()

    best = minimize_scalar(loss, bounds=(0.2, 10), method="bounded").x
    found = calibrate(raw, y, np.arange(len(y)), "folds").temperature
    assert found == pytest.approx(best, rel=5e-3)


def test_apply_keeps_order_zeros_and_sums() -> None:
    p = np.array([[0.5, 0.3, 0.2, 0], [1, 0, 0, 0], [1e-30, 1, 0, 0]], np.float32)
    for temperature in (0.01, 0.5, 1.0, 4.0, 100.0):
        tempered = Calibration(temperature).apply(p)
        assert tempered.dtype == np.float32
        np.testing.assert_allclose(tempered.sum(1), 1, rtol=1e-6)
        assert (tempered[p == 0] == 0).all()
        assert (tempered.argmax(1) == p.argmax(1)).all()
    np.testing.assert_allclose(Calibration().apply(p), p, rtol=1e-6)


def test_the_error_is_measured_with_the_temperature_of_other_groups() -> None:
    # Each half of the artists wants another temperature; none of them may see its own.
    p, y = honest(2_000)
    halves = np.arange(2_000) % 2
    raw = np.where(halves[:, None] == 0, sharpened(p, 4.0), sharpened(p, 0.25))
    apart = calibrate(raw, y, halves, "folds").ece
    mixed = calibrate(raw, y, np.arange(2_000), "folds").ece
    assert apart is not None
    assert mixed is not None
    assert apart > mixed + 0.05


def test_labels_that_got_no_chance_do_not_count() -> None:
    p, y = honest()
    raw = sharpened(p, 2.0)
    lost = raw.copy()
    lost[:300] = np.eye(5)[(y[:300] + 1) % 5]
    groups = np.arange(len(y))
    whole = calibrate(lost, y, groups, "folds")
    rest = calibrate(raw[300:], y[300:], groups[300:], "folds")
    assert whole.temperature == pytest.approx(rest.temperature, rel=1e-6)


@pytest.mark.parametrize("groups", [12, 1])
def test_all_right_is_never_unsure_and_stays_within_reason(groups: int) -> None:
    p = np.tile([[0.7, 0.3], [0.3, 0.7]], (20, 1))
    y = np.tile([0, 1], 20)
    found = calibrate(p, y, np.arange(40) % groups, "valid")
    assert found.unsure_below == 0
    assert 0.1 < found.temperature < 0.7
    assert (found.ece is None) == (groups == 1)


def test_all_wrong_is_always_unsure() -> None:
    p = np.tile([[0.7, 0.3], [0.3, 0.7]], (20, 1))
    y = np.tile([1, 0], 20)
    found = calibrate(p, y, np.arange(40), "valid")
    assert found.unsure_below == 1
    assert 2 < found.temperature <= 100


def test_the_threshold_tells_right_from_wrong() -> None:
    top = np.array([0.55, 0.6, 0.65, 0.8, 0.9, 0.95])
    p = np.repeat(np.stack([top, 1 - top], 1), 10, axis=0)
    y = np.repeat([1, 1, 0, 0, 0, 0], 10)
    found = calibrate(p, y, np.arange(60), "folds")
    unsure = found.apply(p).max(1) < found.unsure_below
    assert unsure.tolist() == [True] * 20 + [False] * 40


def test_nothing_to_calibrate_on() -> None:
    empty = calibrate(np.empty((0, 3)), np.empty(0, int), np.empty(0, int), "folds")
    assert empty == Calibration()
    hopeless = calibrate(np.array([[1.0, 0.0]]), np.array([1]), np.array([0]), "valid")
    assert hopeless.temperature == pytest.approx(1, abs=1e-3)
    assert hopeless.ece is None


def test_it_survives_the_bundle() -> None:
    p, y = honest(200)
    found = calibrate(p, y, np.arange(200), "folds")
    assert Calibration.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    assert Calibration.from_dict(Calibration().to_dict()) == Calibration()
    assert Calibration.from_dict({}) == Calibration()


def without(name: str) -> Callable[[dict], object]:
    return lambda values: values.pop(name)


def given(name: str, value: object) -> Callable[[dict], object]:
    return lambda values: values.update({name: value})


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (without("temperature"), "lacks, or should not have: temperature"),
        (without("ece"), "ece"),
        (given("spice", 1), "spice"),
        (given("temperature", 0), "temperature 0 is no number"),
        (given("temperature", float("nan")), "temperature nan"),
        (given("temperature", float("inf")), "temperature inf"),
        (given("temperature", -1.0), "temperature -1.0"),
        (given("temperature", "1"), "temperature '1'"),
        (given("temperature", True), "temperature True"),
        (given("temperature", None), "temperature None"),
        (given("temperature", [1.0]), "temperature"),
        (given("temperature", 10**400), "temperature"),
        (given("unsure_below", 1.5), "unsure_below 1.5"),
        (given("ece", -0.1), "ece -0.1"),
        (given("method", "magic"), "method 'magic' is unknown"),
        (given("method", ["folds"]), "method"),
    ],
)
def test_nonsense_in_a_bundle_is_refused(spoil: Callable[[dict], object], message: str) -> None:
    values = Calibration(1.5, 0.4, 0.05, "folds").to_dict()
    spoil(values)
    with pytest.raises(BundleError, match=message):
        Calibration.from_dict(values)


def folds_of(artists: int, labels: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    own = np.arange(artists) % labels
    groups = np.repeat(np.arange(artists), rng.integers(1, 9, artists))
    return own[groups], groups * 7 + 3


@pytest.mark.parametrize("k", [2, 5])
def test_folds_part_groups_and_hold_everything_once(k: int) -> None:
    y, groups = folds_of(60, 4)
    folds = group_folds(y, groups, k)
    assert len(folds) == k
    held = np.concatenate([held for _, held in folds])
    assert sorted(held) == list(range(len(y)))
    for fit, out in folds:
        assert not set(groups[fit]) & set(groups[out])
        assert sorted([*fit, *out]) == list(range(len(y)))
        assert (np.diff(fit) > 0).all()
        assert (np.diff(out) > 0).all()


def test_folds_have_the_labels_in_even_shares() -> None:
    y, groups = folds_of(100, 4)
    for _, out in group_folds(y, groups):
        share = np.bincount(y[out], minlength=4) / np.bincount(y)
        assert (np.abs(share - 0.2) < 0.08).all()


def test_folds_are_as_even_as_those_of_scikit_learn() -> None:
    from sklearn.model_selection import StratifiedGroupKFold

    y, groups = folds_of(100, 10)

    def unevenness(folds: list) -> float:
        share = [np.bincount(y[out], minlength=10) / np.bincount(y) for _, out in folds]
        return float(np.std(share))

    theirs = StratifiedGroupKFold(5, shuffle=True, random_state=0).split(y, y, groups)
    assert unevenness(group_folds(y, groups)) <= unevenness(list(theirs)) * 1.2


def test_folds_depend_on_the_seed_and_nothing_else() -> None:
    y, groups = folds_of(60, 4)
    first, again, other = (group_folds(y, groups, seed=seed) for seed in (1, 1, 2))
    assert all((a[1] == b[1]).all() for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a[1], b[1]) for a, b in zip(first, other, strict=True))


def test_fewer_groups_give_fewer_folds() -> None:
    y = np.array([0, 1, 0, 1, 0, 1])
    assert len(group_folds(y, np.array([0, 0, 1, 1, 2, 2]))) == 3
    assert group_folds(y, np.zeros(6)) == []
    assert group_folds(np.empty(0, int), np.empty(0)) == []
    # Two artists of one genre each: what is left is one genre.
    assert group_folds(y, y) == []
