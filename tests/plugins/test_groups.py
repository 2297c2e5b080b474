"""Artists that count alike, and directions in which one artist's tracks differ."""

from __future__ import annotations

import numpy as np
import pytest
from mgrkit_classical import groups
from sklearn.utils.class_weight import compute_sample_weight

from tests.plugins.classical import examples, fitted, learnable

Y = np.array([0, 0, 0, 0, 0, 2, 2])
ARTISTS = np.array([7, 7, 7, 7, -3, 5, 5])


def test_all_examples_or_all_artists_count_alike() -> None:
    assert np.allclose(groups.weights(Y, ARTISTS, 0, False), 1)
    weight = groups.weights(Y, ARTISTS, 1, False)
    totals = [weight[artist == ARTISTS].sum() for artist in (7, -3, 5)]
    assert np.allclose(totals, 7 / 3)
    between = groups.weights(Y, ARTISTS, 0.5, False)
    assert between[0] / between[4] == pytest.approx(1 / 2)
    assert between.mean() == pytest.approx(1)


@pytest.mark.parametrize("even", [0.0, 0.5, 1.0])
def test_balanced_genres_count_alike(even: float) -> None:
    weight = groups.weights(Y, ARTISTS, even, True)
    assert weight[Y == 0].sum() == pytest.approx(weight[Y == 2].sum())
    if not even:
        assert np.allclose(weight, compute_sample_weight("balanced", Y))


def clouds() -> tuple[np.ndarray, np.ndarray]:
    """Artists that differ in column 0, whose tracks differ in column 1; column 2 is constant."""
    rng = np.random.default_rng(0)
    artists = np.arange(60) // 6
    z = rng.normal(size=(60, 3)) * [0.3, 1.0, 0.0]
    z[:, 0] += rng.normal(size=10)[artists]
    return (z - z.mean(0)) / np.where(z.std(0) > 0, z.std(0), 1), artists


def test_what_differs_within_an_artist_counts_less() -> None:
    z, artists = clouds()
    assert np.array_equal(groups.whitening(z, artists, 0), np.eye(3))
    mapped = z @ groups.whitening(z, artists, 0.8)
    assert np.square(mapped).sum() == pytest.approx(np.square(z).sum())

    def within(values: np.ndarray) -> float:
        means = np.stack([values[artists == artist].mean(0) for artist in range(10)])
        return float(np.square(values - means[artists]).sum() / np.square(values).sum())

    assert within(mapped) < 0.8 * within(z)


def test_whitening_is_that_of_the_shrunken_covariance() -> None:
    z, artists = clouds()
    z = z[:, :2]
    apart = np.concatenate([z[artists == a] - z[artists == a].mean(0) for a in range(10)])
    covariance = apart.T @ apart
    mixed = 0.4 * covariance / (np.trace(covariance) / 2) + 0.6 * np.eye(2)
    matrix = groups.whitening(z, artists, 0.4)
    same = matrix.T @ mixed @ matrix
    assert np.allclose(same, same[0, 0] * np.eye(2))


def test_artists_of_one_track_each_say_nothing() -> None:
    z, _ = clouds()
    assert np.array_equal(groups.whitening(z, np.arange(60), 0.5), np.eye(3))
    assert np.array_equal(groups.whitening(np.zeros((9, 4)), np.zeros(9), 0.5), np.eye(4))


@pytest.mark.parametrize("name", ["svm", "random_forest"])
def test_names_of_artists_do_not_matter_but_artists_do(name: str) -> None:
    train = examples()
    probabilities = fitted(name, train).predict_proba(train.x)
    renamed = type(train)(train.x, train.y, train.tracks, 10**15 - 7 * train.groups)
    assert abs(fitted(name, renamed).predict_proba(train.x) - probabilities).max() < 1e-6
    uneven = np.where(np.arange(len(train)) < 20, 0, train.groups)
    other = type(train)(train.x, train.y, train.tracks, uneven)
    assert abs(fitted(name, other).predict_proba(train.x) - probabilities).max() > 1e-3
    assert learnable(train.x, train.y).groups.tolist() == train.groups.tolist()
