"""Maps, relations of columns and importance, on numbers whose answer is known."""

from __future__ import annotations

import sys
import types
from typing import Any

import numpy as np
import pytest

from mgrkit.learning import explaining
from mgrkit.learning.explaining import Standard, clusters, discriminant, principal, sample


def made(genres: int = 3, artists: int = 6, songs: int = 5) -> tuple[Any, Any, Any]:
    """Two columns that tell genres, two of noise; rows, genres and artists."""
    random = np.random.default_rng(1)
    y = np.repeat(np.arange(genres), artists * songs)
    artist = np.repeat(np.arange(genres * artists), songs)
    z = random.normal(size=(len(y), 4)).astype(np.float32)
    z[:, :2] += 3 * np.stack([y, (y * 2) % genres], 1)
    return z, y, artist


def test_columns_are_standardised_by_train_and_filled_by_its_median() -> None:
    nan = np.nan
    train = np.array([[1, 5, nan, 0], [2, 5, nan, nan], [6, 5, nan, 4]], np.float32)
    standard = Standard.of(train)
    assert standard.kept.tolist() == [0, 3]
    z = standard(train)
    assert np.allclose(z.mean(0), 0, atol=1e-6)
    assert np.allclose(z.std(0), 1, atol=1e-6)
    far = standard(np.array([[1e9, 0, 0, nan]], np.float32))
    assert far[0].tolist() == [10, 0], "the median of 0 and 4 is their mean"


def test_a_sample_has_of_each_genre_its_share_and_is_the_same_for_a_seed() -> None:
    y = np.repeat([0, 1, 2], [800, 197, 3])
    rows = sample(y, 100, 0, "maps")
    assert np.bincount(y[rows]).tolist() == [80, 19, 2]
    assert (np.diff(rows) > 0).all()
    assert np.array_equal(rows, sample(y, 100, 0, "maps"))
    assert not np.array_equal(rows, sample(y, 100, 1, "maps"))
    assert sample(y, 1000, 0, "maps").tolist() == list(range(1000))


def test_columns_that_go_together_stand_together() -> None:
    random = np.random.default_rng(0)
    first, second = random.normal(size=(2, 200))
    noise = random.normal(0, 0.1, (5, 200))
    columns = np.stack([first, second, -first, second, first]) + noise
    order, r = clusters(columns.T.astype(np.float32))
    places = {int(column): at for at, column in enumerate(order)}
    assert {abs(places[0] - places[4]), abs(places[1] - places[3])} <= {1, 2}
    assert abs(np.mean([places[k] for k in (0, 2, 4)]) - np.mean([places[1], places[3]])) > 2
    assert r[0, 2] == pytest.approx(-1, abs=0.05)


@pytest.mark.parametrize("shape", [(50, 6), (4, 30)])
def test_components_hold_the_variance_and_place_others_as_train(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    z = (random.normal(size=shape) * np.arange(shape[1], 0, -1)).astype(np.float32)
    found = principal(z, z[:2])
    assert found.shares.sum() == pytest.approx(1, abs=1e-5)
    assert (np.diff(found.shares) <= 1e-6).all()
    assert np.allclose(found.train[:2], found.others, atol=1e-4)
    largest = np.abs(found.loadings).argmax(0)
    assert (found.loadings[largest, np.arange(found.loadings.shape[1])] > 0).all()


def test_discriminants_tell_genres_apart_and_others_take_no_part() -> None:
    z, y, _ = made()
    found = discriminant(z, y, z[:5])
    assert found.train.shape == (len(y), 2)
    means = np.array([found.train[y == genre].mean(0) for genre in range(3)])
    within = np.mean([found.train[y == genre].std(0) for genre in range(3)])
    assert np.linalg.norm(means[0] - means[1]) > 3 * within
    assert np.array_equal(found.loadings, discriminant(z, y, z[:0]).loadings)


def test_shares_of_discriminants_are_those_of_the_centres_of_genres() -> None:
    random = np.random.default_rng(0)
    centres = np.zeros((6, 40))
    centres[:, 0] = 4 * np.arange(6)
    centres[1::2, 1] = 2
    z = np.concatenate([random.normal(one, 1, (20, 40)) for one in centres]).astype(np.float32)
    y = np.repeat(np.arange(6), 20)
    found = discriminant(z, y, z[:0])
    of_genres = np.array([found.train[y == genre].mean(0) for genre in range(6)]).var(0)
    assert np.allclose(found.shares, of_genres / of_genres.sum(), atol=1e-4)
    assert found.shares[0] > 0.95


def test_discriminants_of_few_tracks_that_are_alike() -> None:
    z, y, _ = made(3, 1, 3)
    z[3:6] = z[3]
    wide = np.hstack([z, z, z])
    for which in (np.arange(9), np.array([0, 3, 6, 7])):
        found = discriminant(wide[which], y[which], wide)
        assert np.isfinite(found.others).all()
        assert np.isfinite(explaining.distances(wide[which], y[which])).all()


def test_genres_that_lie_near_are_alike() -> None:
    random = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], 60)
    z = random.normal(size=(180, 3)).astype(np.float32)
    z[:, 0] += np.array([0, 1, 8])[y]
    apart = explaining.distances(z, y)
    assert apart[0, 1] == pytest.approx(1, abs=0.5)
    assert apart[0, 2] == pytest.approx(8, abs=1.5)
    assert np.allclose(apart, apart.T)


def test_forests_judge_by_other_artists_and_find_the_columns_that_tell() -> None:
    z, y, artist = made()
    found = explaining.forests(z, y, artist, z[:3], 0)
    assert found.accuracy > 0.9
    assert np.allclose(found.probabilities.sum(1), 1, atol=1e-5)
    assert np.allclose(found.others.sum(1), 1, atol=1e-5)
    assert min(found.permuted[:2]) > max(found.permuted[2:]) + 0.05
    assert set(np.argsort(-found.own)[:2].tolist()) == {0, 1}
    again = explaining.forests(z, y, artist, z[:3], 0)
    assert np.array_equal(found.probabilities, again.probabilities)


def test_a_column_that_names_the_artist_is_worth_nothing() -> None:
    """Folds that tear artists apart would be right on nearly all tracks."""
    random = np.random.default_rng(0)
    y = np.repeat(np.arange(3), 60)
    artist = np.repeat(np.arange(18), 10)
    z = random.normal(0, 0.01, (180, 3)).astype(np.float32)
    z += random.permutation(18)[artist][:, None]
    assert explaining.forests(z, y, artist, z[:0], 0).accuracy < 0.6


def test_t_sne_keeps_groups_and_is_the_same_for_a_seed() -> None:
    z, y, _ = made(2, 4, 4)
    z[:, 0] += 20 * y
    found = explaining.neighbours(z, 2, 0)
    assert found.train.shape == (32, 2)
    assert len(found.others) == 0
    assert np.array_equal(found.train, explaining.neighbours(z, 2, 0).train)


def test_umap_learns_from_train_and_places_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a stand-in: the real one takes half a minute to compile itself."""
    calls: list[tuple[str, int]] = []

    class Umap:
        def __init__(self, n_neighbors: int, random_state: int, n_jobs: int) -> None:
            assert (n_neighbors, n_jobs) == (9, 1)
            calls.append(("seed", random_state))

        def fit_transform(self, x: Any) -> Any:
            calls.append(("fit", len(x)))
            return x[:, :2]

        def transform(self, x: Any) -> Any:
            calls.append(("place", len(x)))
            return x[:, :2]

    stand_in = types.ModuleType("umap")
    stand_in.UMAP = Umap  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "umap", stand_in)
    z = np.zeros((14, 3), np.float32)
    found = explaining.manifold(z[:10], z[10:], 3)
    assert [what for what, _ in calls] == ["seed", "fit", "place"]
    assert [count for _, count in calls[1:]] == [10, 4]
    assert found.others.shape == (4, 2)
