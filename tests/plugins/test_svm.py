"""The support vector machine against scikit-learn's, and arrays that cannot be one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mgrkit_classical import groups, kernels, scaling
from mgrkit_classical.arrays import Place
from sklearn.preprocessing import PowerTransformer, StandardScaler
from sklearn.svm import SVC

from mgrkit.classifiers import Run
from mgrkit.errors import BundleError, UsageError
from tests.plugins.classical import examples, fitted, learnable, make

HERE = Place.of("cpu")


def scaled(x: Any, power: bool) -> Any:
    """scikit-learn's own two steps."""
    z = StandardScaler().fit_transform(x.astype(np.float64))
    return PowerTransformer().fit_transform(z) if power else z


@pytest.mark.parametrize("labels", [2, 3, 8])
@pytest.mark.parametrize("power", [False, True])
@pytest.mark.parametrize("weight", ["none", "balanced"])
@pytest.mark.parametrize(
    "options",
    [
        {"kernel": "rbf", "gamma": 1.0},
        {"kernel": "rbf", "C": 30.0, "gamma": 0.2},
        {"kernel": "linear", "C": 0.3},
        {"kernel": "poly", "degree": 2, "coef0": 0.0},
        {"kernel": "poly", "degree": 4, "coef0": 2.0, "C": 0.5},
    ],
    ids=lambda o: "-".join(str(v) for v in o.values()),
)
def test_decisions_are_those_of_scikit_learn(
    labels: int, power: bool, weight: str, options: dict[str, Any]
) -> None:
    train = examples(labels, columns=5, each=14)
    few = np.flatnonzero((train.y != 0) | (np.arange(len(train)) % 3 == 0))
    x, y = train.x[few], train.y[few]
    plain = {"even_groups": 0, "whiten": 0, "gamma": 1.0, "power": power, "class_weight": weight}
    model = fitted("svm", learnable(x, y), labels, **{**plain, **options})
    # One order of rows and one scaling, as the solver's last digits depend on them.
    order = np.argsort(y, kind="stable")
    z = scaling.apply(HERE, scaling.fit(x[order], power, Run(0)), x)
    settings = {"C": 3.0, "coef0": 1.0, **options, "gamma": options.get("gamma", 1.0) / 5}
    counted = groups.weights(y[order], order, 0, weight == "balanced")
    rival = SVC(decision_function_shape="ovo", **settings)
    rival.fit(z[order], y[order], sample_weight=counted)
    expected = rival.decision_function(z).reshape(len(x), -1)
    upper = np.triu_indices(labels, 1)
    decided = model.decide(x)[:, *upper]
    # For two classes alone, scikit-learn's value is for the second.
    expected = -expected if labels == 2 else expected
    assert abs(decided - expected).max() < 1e-6


@pytest.mark.parametrize("columns", [1, 5, 57])
def test_scaling_is_that_of_scikit_learn(columns: int) -> None:
    x = examples(3, columns).x
    for power in (False, True):
        fit = scaling.fit(x, power, Run(0))
        assert abs(scaling.apply(HERE, fit, x) - scaled(x, power)).max() < 1e-6


@pytest.mark.parametrize("exponent", [-3.0, 0.0, 1e-12, 0.5, 1.0, 2.0, 2 - 1e-12, 4.0])
def test_the_power_transform_is_that_of_scipy(exponent: float) -> None:
    from scipy.stats import yeojohnson

    z = np.linspace(-8, 8, 101)[:, None]
    fit = {
        "centre": np.zeros(1),
        "factor": np.ones(1),
        "lambda": np.full(1, exponent),
        "power_centre": np.zeros(1),
        "power_factor": np.full(1, 1e-5),
    }
    scaled = scaling.apply(HERE, fit, z) * 1e5
    assert np.allclose(scaled[:, 0], yeojohnson(z[:, 0], exponent), rtol=1e-9, atol=1e-9)


def test_what_lies_far_out_stays_bounded() -> None:
    x = examples(3).x
    fit = scaling.fit(x, True, Run(0))
    far = scaling.apply(HERE, fit, np.array([[3e38] * 6, [-3e38] * 6], np.float32))
    assert np.isfinite(far).all()
    assert abs(far).max() <= scaling.LIMIT
    # The steepest scaling that a bundle may hold.
    fit = {**fit, "factor": np.full(6, 1e30), "lambda": np.full(6, 5.0)}
    assert np.isfinite(scaling.apply(HERE, fit, np.full((1, 6), 3e38, np.float32))).all()


def test_nothing_is_more_alike_than_itself() -> None:
    far = np.random.default_rng(0).normal(size=(50, 5)) * 1e9
    rbf = kernels.kernel(HERE, far, far, make("svm").parameters, 1.0)
    assert (rbf <= 1).all()


def test_two_genres_couple_to_the_odds_of_their_pair() -> None:
    margin = np.linspace(-3, 3, 7)
    decided = np.zeros((7, 2, 2))
    decided[:, 0, 1], decided[:, 1, 0] = margin, -margin
    probabilities = kernels.coupled(HERE, decided)
    assert np.allclose(probabilities[:, 0], 1 / (1 + np.exp(-kernels.SLOPE * margin)))


def test_pairs_that_agree_couple_to_the_probabilities_behind_them() -> None:
    p = np.random.default_rng(0).dirichlet(np.ones(6), 50).clip(1e-3)
    p /= p.sum(1, keepdims=True)
    odds = np.log(p[:, :, None] / p[:, None, :])
    assert np.allclose(kernels.coupled(HERE, odds / kernels.SLOPE), p, atol=1e-9)


@pytest.mark.parametrize("size", [0.1, 1.0, 1e3, 1e200])
def test_pairs_that_contradict_each_other_still_couple(size: float) -> None:
    decided = np.random.default_rng(0).normal(size=(300, 9, 9)) * size
    decided = np.triu(decided, 1) - np.swapaxes(np.triu(decided, 1), 1, 2)
    probabilities = kernels.coupled(HERE, decided)
    assert (probabilities >= 0).all()
    assert np.allclose(probabilities.sum(1), 1)


def test_coupling_finds_the_lowest_point() -> None:
    rng = np.random.default_rng(1)
    decided = np.triu(rng.normal(size=(1, 5, 5)), 1)
    decided = decided - np.swapaxes(decided, 1, 2)
    own = 1 / (1 + np.exp(-kernels.SLOPE * decided[0]))

    def cost(p: Any) -> float:
        """Wu, Lin and Weng 2004, equation 20."""
        gap = own.T * p[:, None] - own * p[None]
        return float((np.triu(gap, 1) ** 2).sum())

    best = kernels.coupled(HERE, decided)[0]
    for step in 0.01 * rng.normal(size=(200, 5)):
        near = np.maximum(best + step, 0)
        assert cost(near / near.sum()) >= cost(best)


def test_a_kernel_that_does_not_settle_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mgrkit_classical.solvers.sklearn.svc._STEPS", 3)
    with pytest.raises(UsageError, match="rbf kernel did not settle"):
        fitted("svm", examples())


def _set(name: str, place: Any, value: float) -> Callable[[dict[str, Any]], None]:
    def change(state: dict[str, Any]) -> None:
        state[name] = state[name].copy()
        state[name][place] = value

    return change


def _less_than_none(state: dict[str, Any]) -> None:
    first = state["counts"][0]
    state["counts"] = state["counts"] + [-first - 1, first + 1, 0, 0]


def _drop_a_vector(state: dict[str, Any]) -> None:
    state["vectors"], state["weights"] = state["vectors"][1:], state["weights"][1:]


def _one_label(state: dict[str, Any]) -> None:
    for name in ("labels", "counts"):
        state[name] = state[name][:1]
    state["bias"], state["weights"] = state["bias"][:1, :1], state["weights"][:, :1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_set("labels", 0, -1), "labels"),
        (_set("labels", 3, 4), "labels"),
        (_set("labels", 1, 0), "labels"),
        (_set("labels", -1, -(2**63)), "labels"),
        (_one_label, "labels"),
        (_set("counts", 0, -1), "counts"),
        (_set("counts", 0, 1), "counts"),
        (_set("counts", 0, 2**62), "counts"),
        (_less_than_none, "counts"),
        (_drop_a_vector, "counts"),
        (_set("vectors", (0, 0), 1e13), "vectors"),
        (_set("whitening", (0, 0), 1e7), "whitening"),
        (_set("weights", (0, 0), 1e31), "weights"),
        (_set("bias", (0, 1), 5), "bias is not antisymmetric"),
        (_set("bias", (2, 2), 5), "bias is not antisymmetric"),
        (_set("factor", 0, -1e31), "factor"),
        (_set("lambda", 0, 6), "lambda"),
        (_set("centre", 0, np.nan), "centre"),
    ],
)
def test_arrays_that_are_no_machine(change: Callable[[dict[str, Any]], None], said: str) -> None:
    state = dict(fitted("svm", examples()).state())
    change(state)
    with pytest.raises(BundleError, match=said):
        make("svm").restore(state)
