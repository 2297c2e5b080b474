"""Logistic regression in torch against scikit-learn's."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mgrkit_classical import solvers

from mgrkit.classifiers import Examples, Run
from mgrkit.errors import RunError, Stopped, UsageError
from tests.plugins.classical import examples, fitted, learnable, make

pytestmark = pytest.mark.torch
NAME = "logistic_regression"
CLOSE = 1e-4


def both(train: Examples, labels: int, **asked: object) -> tuple[object, ...]:
    return tuple(
        fitted(NAME, train, labels, solver=solver, **asked).state()
        for solver in ("sklearn", "torch")
    )


def assert_alike(train: Examples, labels: int, **asked: object) -> None:
    here, there = both(train, labels, **asked)
    assert here.keys() == there.keys()
    for name in here:
        assert here[name].dtype == there[name].dtype
        assert here[name].shape == there[name].shape
    # Directions that no example has may be turned in the whitening, and in the weights with it.
    for whole in (lambda state: state["whitening"] @ state["weights"], lambda state: state["bias"]):
        assert abs(whole(here) - whole(there)).max() < CLOSE


@pytest.mark.parametrize("labels", [2, 3, 8])
@pytest.mark.parametrize("price", [0.001, 0.03, 1.0])
@pytest.mark.parametrize("weight", ["none", "balanced"])
def test_coefficients_are_those_of_scikit_learn(labels: int, price: float, weight: str) -> None:
    assert_alike(examples(labels), labels, C=price, class_weight=weight)


def test_more_columns_than_rows() -> None:
    assert_alike(examples(4, columns=200), 4)


@pytest.mark.parametrize("price", [1e-3, 1e4])
def test_a_fit_ends_where_rounding_lets_it_go_no_farther(
    price: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mgrkit_classical.solvers.torch import logistic

    monkeypatch.setattr(logistic, "_EXACT", 0.0)
    assert fitted(NAME, examples(each=30), solver="torch", C=price).state()


def test_many_labels_and_labels_of_one_row() -> None:
    train = examples(161, each=2)
    kept = (train.y != 3) | (np.arange(len(train)) == np.flatnonzero(train.y == 3)[0])
    assert_alike(learnable(train.x[kept], train.y[kept]), 161)


def test_constant_duplicate_and_correlated_columns() -> None:
    train = examples()
    x = train.x
    wide = np.concatenate([x, np.ones_like(x[:, :1]), x[:, :2], x[:, :1] + x[:, 1:2]], axis=1)
    assert_alike(replace(train, x=wide), 4, power=False)


def test_a_real_table(data: Path) -> None:
    import polars

    table = polars.read_csv(data / "gtzan" / "features_30_sec.csv")
    y = np.unique(table["label"].to_numpy(), return_inverse=True)[1]
    x = table.drop("filename", "length", "label").to_numpy()
    assert_alike(learnable(x, y), 10)


def test_a_fit_asks_whether_to_stop_in_each_step() -> None:
    asked = []

    def stop() -> bool:
        asked.append(0)
        return len(asked) > 50  # the power transform has asked 37 times

    with pytest.raises(Stopped):
        make(NAME, solver="torch").fit(examples(), None, Run(0, stop_requested=stop))
    assert len(asked) == 51


def test_a_fit_that_does_not_settle_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from mgrkit_classical.solvers.torch import logistic

    monkeypatch.setattr(logistic, "_STRETCH", 2)
    monkeypatch.setattr(logistic, "_STRETCHES", 1)
    with pytest.raises(UsageError, match="did not settle"):
        fitted(NAME, examples(), solver="torch")


def test_the_device_decides_who_fits_unless_a_solver_is_named() -> None:
    import torch

    names = {
        (solver, device): solvers.place(solver, device).xp
        for solver in ("auto", "sklearn", "torch")
        for device in ("cpu", "cuda:1")
    }
    assert names == {
        ("auto", "cpu"): np, ("auto", "cuda:1"): torch, ("sklearn", "cpu"): np,
        ("sklearn", "cuda:1"): np, ("torch", "cpu"): torch, ("torch", "cuda:1"): torch,
    }  # fmt: skip
    assert solvers.place("torch", "cuda:1").device == "cuda:1"


def test_a_solver_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UsageError, match="solver=torch needs torch"):
        make(NAME, solver="torch").fit(examples(), None, Run(0))


def test_a_torch_that_cannot_be_loaded_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('no room for libtorch')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    with pytest.raises(RunError, match=r"^torch cannot be loaded: no room for libtorch"):
        make(NAME, solver="torch").fit(examples(), None, Run(0))
