"""Logistic regression against scikit-learn's, what is far, and arrays that cannot be one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import pytest
from mgrkit_classical import arrays, groups, scaling
from mgrkit_classical.arrays import Place
from mgrkit_classical.solvers.sklearn import logistic
from sklearn.linear_model import LogisticRegression

from mgrkit.classifiers import Examples, Run
from mgrkit.errors import BundleError, UsageError
from tests.plugins.classical import examples, fitted, learnable, make

HERE = Place.of("cpu")
PLAIN = {"even_groups": 0, "whiten": 0, "novelty": 0}
NAME = "logistic_regression"


@pytest.mark.parametrize("labels", [2, 3, 8])
@pytest.mark.parametrize("power", [False, True])
@pytest.mark.parametrize("weight", ["none", "balanced"])
@pytest.mark.parametrize("price", [0.003, 0.1, 10.0])
def test_probabilities_are_those_of_scikit_learn(
    labels: int, power: bool, weight: str, price: float
) -> None:
    train = examples(labels, columns=5, each=14)
    few = np.flatnonzero((train.y != 0) | (np.arange(len(train)) % 3 == 0))
    x, y = train.x[few], train.y[few]
    options = {**PLAIN, "power": power, "class_weight": weight, "C": price}
    model = fitted(NAME, learnable(x, y), labels, **options)
    z = scaling.apply(HERE, scaling.fit(x, power, Run(0)), x)
    counted = groups.weights(y, np.arange(len(y)), 0, weight == "balanced")
    rival = LogisticRegression(C=price, tol=1e-9, max_iter=10_000).fit(z, y, counted)
    assert abs(model.predict_proba(x) - rival.predict_proba(z)).max() < 1e-4


def test_artists_are_weighed_and_whitened_before() -> None:
    train = examples()
    model = fitted(NAME, train, novelty=0, C=1.0)
    state = model.state()
    weight = groups.weights(train.y, train.groups, 0.5, True)
    z = scaling.apply(HERE, scaling.fit(train.x, True, Run(0)), train.x)
    matrix = groups.whitening(z, train.groups, 0.5)
    assert np.array_equal(state["whitening"], matrix)
    rival = LogisticRegression(tol=1e-9, max_iter=10_000).fit(z @ matrix, train.y, weight)
    assert abs(model.predict_proba(train.x) - rival.predict_proba(z @ matrix)).max() < 1e-4


@pytest.mark.parametrize("stretch", [2, 5])
def test_a_fit_in_stretches_ends_where_a_long_one_does(
    stretch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = examples()
    monkeypatch.setattr(logistic, "_STRETCH", 10_000)
    whole = fitted(NAME, train).predict_proba(train.x)
    monkeypatch.setattr(logistic, "_STRETCH", stretch)
    assert abs(fitted(NAME, train).predict_proba(train.x) - whole).max() < 1e-4


def test_a_fit_asks_whether_to_stop_in_each_stretch(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = []
    for stretch in (10_000, 2):
        asked: list[int] = []
        monkeypatch.setattr(logistic, "_STRETCH", stretch)
        run = Run(0, stop_requested=lambda asked=asked: bool(asked.append(0)))
        make(NAME).fit(examples(), None, run)
        counts.append(len(asked))
    assert counts[1] > counts[0] + 5


def test_a_fit_that_does_not_settle_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logistic, "_STRETCH", 2)
    monkeypatch.setattr(logistic, "_STRETCHES", 1)
    with pytest.raises(UsageError, match="did not settle"):
        fitted(NAME, examples())


def shared(x: np.ndarray, artists: int) -> Examples:
    """Four genres in turn, and so many artists."""
    n = np.arange(len(x))
    return Examples(x.astype(np.float32), n % 4, n, n % artists)


@pytest.mark.parametrize("whiten", [0.0, 0.8])
def test_the_limit_is_that_of_other_artists_tracks(whiten: float) -> None:
    random = np.random.default_rng(0)
    train = shared(random.normal(size=(80, 6)), 9)
    state = fitted(NAME, train, power=False, whiten=whiten, novelty=0.25).state()
    z = scaling.apply(HERE, state, train.x)
    distances = []
    for fold in range(5):
        held = train.groups % 5 == fold
        matrix = groups.whitening(z[~held], train.groups[~held], whiten)
        centres = [z[~held & (train.y == label)].mean(0) for label in range(4)]
        gaps = [[np.linalg.norm((row - c) @ matrix) for c in centres] for row in z[held]]
        distances += np.min(gaps, axis=1).tolist()
    assert state["limit"][0] == pytest.approx(np.quantile(distances, 0.75))
    centres = np.stack([z[train.y == label].mean(0) for label in range(4)])
    assert np.allclose(state["centres"], centres @ state["whitening"])


def test_far_from_everything_odds_are_nearly_even_and_their_order_stays() -> None:
    train = examples()
    linear, held = fitted(NAME, train, novelty=0), fitted(NAME, train, novelty=0.1)
    reach = np.ptp(train.x, axis=0)
    far = np.concatenate([train.x + 30 * reach, train.x - 30 * reach])
    sure, unsure = linear.predict_proba(far), held.predict_proba(far)
    assert sure.max(1).min() > 0.5
    assert unsure.max() < 0.26
    assert np.array_equal(sure.argsort(1)[:, -1], unsure.argsort(1)[:, -1])
    near = linear.predict_proba(train.x), held.predict_proba(train.x)
    same = abs(near[0] - near[1]).max(1) < 1e-6
    assert 0.8 < same.mean() <= 1


def test_beyond_the_limit_little_is_left_of_the_odds() -> None:
    train = examples()
    model = fitted(NAME, train, power=False, whiten=0.0, C=100.0)
    linear = fitted(NAME, train, power=False, whiten=0.0, C=100.0, novelty=0)
    state = model.state()
    # Straight out from each centre, where no other one is nearer.
    for out, left in ((0.9, 1.0), (1.0, 1.0), (1.03, 1.03**-32), (1.1, 1.1**-32), (3.0, 1e-3)):
        centre = state["centres"][0]
        away = centre - state["centres"][1:].mean(0)
        z = centre + away / np.linalg.norm(away) * out * state["limit"][0]
        x = (z / state["factor"] + state["centre"]).astype(np.float32)[None]
        raw, probabilities = linear.predict_proba(x)[0], model.predict_proba(x)[0]
        assert np.allclose(probabilities, left * raw + (1 - left) / 4, atol=1e-4), out


@pytest.mark.parametrize("artists", [1, 2])
def test_artists_too_few_to_hold_out(artists: int) -> None:
    train = shared(np.random.default_rng(0).normal(size=(40, 6)), artists)
    limit = fitted(NAME, train).state()["limit"][0]
    assert (limit == arrays.LARGEST) == (artists == 1)


def test_a_genre_of_one_artist_is_held_out_whole() -> None:
    random = np.random.default_rng(0)
    y = np.arange(40) % 4
    x = (random.normal(size=(40, 6)) + 5 * np.eye(6)[y]).astype(np.float32)
    train = Examples(x, y, np.arange(40), y)
    assert np.isfinite(fitted(NAME, train).state()["limit"]).all()


def test_far_is_measured_on_the_sounds_and_copies_only_shape_the_map() -> None:
    random = np.random.default_rng(0)
    train = shared(random.normal(size=(80, 6)), 9)
    copies = np.arange(2).repeat(80)
    twice = train.take(np.tile(np.arange(80), 2))
    moved = twice.x + copies[:, None] * np.array([9, 0, 0, 0, 0, 0]) * random.random((160, 1))
    both = replace(twice, x=moved.astype(np.float32), copies=copies)
    model = fitted(NAME, both, power=False, whiten=0.8, novelty=0.25)
    state = model.state()
    z, own = scaling.apply(HERE, state, both.x), copies == 0
    distances = []
    for fold in range(5):
        held = both.groups % 5 == fold
        matrix = groups.whitening(z[~held], both.groups[~held], 0.8)
        known = own & ~held
        centres = [z[known & (both.y == label)].mean(0) for label in range(4)]
        rows = z[own & held]
        gaps = [[np.linalg.norm((row - c) @ matrix) for c in centres] for row in rows]
        distances += np.min(gaps, axis=1).tolist()
    assert state["limit"][0] == pytest.approx(np.quantile(distances, 0.75))
    centres = np.stack([z[own & (both.y == label)].mean(0) for label in range(4)])
    assert np.allclose(state["centres"], centres @ state["whitening"])
    before = fitted(NAME, train, power=False, whiten=0.8, novelty=0.25)
    altered = both.x[~own]
    assert model.strange(altered).mean() < 0.5 < before.strange(altered).mean()


def _set(name: str, place: Any, value: float) -> Callable[[dict[str, Any]], None]:
    def change(state: dict[str, Any]) -> None:
        state[name] = state[name].copy()
        state[name][place] = value

    return change


def _one_label(state: dict[str, Any]) -> None:
    for name in ("labels", "bias", "centres"):
        state[name] = state[name][:1]
    state["weights"] = state["weights"][:, :1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_set("labels", 0, -1), "labels"),
        (_set("labels", 3, 4), "labels"),
        (_set("labels", 1, 0), "labels"),
        (_set("labels", -1, -(2**63)), "labels"),
        (_one_label, "labels"),
        (_set("whitening", (0, 0), 1e7), "whitening"),
        (_set("weights", (0, 0), 1e31), "weights"),
        (_set("bias", 0, np.nan), "bias"),
        (_set("centres", (0, 0), 1e13), "centres"),
        (_set("limit", 0, 0), "limit"),
        (_set("limit", 0, -1), "limit"),
        (_set("limit", 0, 1e31), "limit"),
        (_set("factor", 0, -1e31), "factor"),
        (_set("lambda", 0, 6), "lambda"),
    ],
)
def test_arrays_that_are_no_regression(change: Callable[[dict[str, Any]], None], said: str) -> None:
    state = dict(fitted(NAME, examples()).state())
    change(state)
    with pytest.raises(BundleError, match=said):
        make(NAME).restore(state)


def test_the_largest_arrays_that_are_let_in_give_probabilities() -> None:
    train = examples()
    state = dict(fitted(NAME, train).state())
    for name, value in (("weights", 1e30), ("bias", -1e30), ("centres", 1e12), ("limit", 1e-9)):
        state[name] = np.full_like(state[name], value)
    state["whitening"] = np.full_like(state["whitening"], 1e6)
    model = make(NAME)
    model.restore(state)
    probabilities = model.predict_proba(train.x)
    assert np.isfinite(probabilities).all()
    assert abs(probabilities.sum(1) - 1).max() < 1e-6


def test_three_of_four_tag_rows_are_told_by_other_artists(data: Path) -> None:
    from mgrkit.datasets.reading import read_dataset
    from mgrkit.inputs.kinds import Features
    from mgrkit.learning.fitting import fit_classifier
    from mgrkit.registry import installed

    wanted = Features(installed().feature_set("musicnn-tags:mean-sd"))
    dataset = read_dataset(data / "gtzan" / "msd_musicnn_tags_train.csv.gz", wanted)
    labels = sorted({entry.genre for entry in dataset.entries})
    spec, runs = installed().classifier(NAME).spec, []
    for seed in range(3):
        train = dataset.examples(labels)
        fit = fit_classifier(
            lambda: make(NAME, len(labels), len(wanted.columns)),
            spec,
            labels,
            train,
            None,
            Run(seed),
        )
        runs.append(fit.out_of_fold)
    assert mean(run["accuracy"] for run in runs) >= 0.76
    assert mean(run["ece"] for run in runs) <= 0.08
