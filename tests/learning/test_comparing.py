"""Differences of classifiers by simulation: equals are told apart seldom, others mostly."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from mgrkit.learning.comparing import (
    Difference,
    Folds,
    Spread,
    difference,
    differences,
    letters,
    ranking,
)
from mgrkit.learning.folds import group_folds

TRACKS, ARTISTS = 200, 70


def world(
    rng: np.random.Generator,
    gain: float,
    seeds: int = 1,
    tracks: int = TRACKS,
    artists: int = ARTISTS,
    level: float = 0.6,
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Two classifiers; what is hard for one is hard for the other, most of all by artist.

    Each has a liking of its own for each artist, too, so tracks are no independent draws.
    """
    groups = np.concatenate([np.arange(artists), rng.integers(0, artists, tracks - artists)])
    hard = 0.15 * rng.standard_normal(artists)[groups] + 0.15 * rng.standard_normal(tracks)
    right = {}
    for name, more in (("a", gain / 2), ("b", -gain / 2)):
        own = 0.15 * rng.standard_normal(artists)[groups]
        chance = np.clip(level + more + hard + own, 0, 1)
        right[name] = rng.random((seeds, tracks)) < chance
    return right, groups


def told_apart(runs: int, gain: float, **more: float) -> float:
    rng = np.random.default_rng(5)
    apart = 0
    for _ in range(runs):
        right, groups = world(rng, gain, **more)  # type: ignore[arg-type]
        apart += not difference("a", "b", right, groups.tolist()).tied
    return apart / runs


@pytest.mark.parametrize(
    "case",
    [{}, {"seeds": 3}, {"tracks": 40, "artists": 8}, {"tracks": 60, "artists": 30, "level": 0.9}],
)
def test_equals_are_told_apart_in_a_twentieth_of_the_cases(case: dict[str, float]) -> None:
    assert told_apart(400, 0.0, **case) <= 0.07


def test_fifteen_points_are_mostly_found() -> None:
    assert told_apart(100, 0.15) >= 0.7
    assert told_apart(100, 0.15, seeds=3) >= 0.85


def test_the_interval_holds_the_truth() -> None:
    rng = np.random.default_rng(1)
    inside = 0
    for _ in range(300):
        right, groups = world(rng, 0.1, level=0.5)
        found = difference("a", "b", right, groups.tolist())
        inside += found.low <= 0.1 <= found.high
    assert inside / 300 >= 0.92


def test_tracks_of_one_artist_are_no_independent_witnesses() -> None:
    """Of ten artists who are each all right or all wrong, the number of tracks proves nothing."""
    rng = np.random.default_rng(0)
    gains = rng.choice([-1, 0, 1], 10, p=[0.2, 0.3, 0.5])
    widths = []
    for tracks in (2, 50):
        a = np.repeat(gains > 0, tracks)[None]
        b = np.repeat(gains < 0, tracks)[None]
        groups = np.repeat(np.arange(10), tracks).tolist()
        found = difference("a", "b", {"a": a, "b": b}, groups)
        widths.append(found.high - found.low)
    assert widths[0] == pytest.approx(widths[1])


def test_what_is_hard_for_both_cancels() -> None:
    """b is a with twenty verdicts more wrong: an unpaired test would see nothing."""
    rng = np.random.default_rng(2)
    a = rng.random((1, TRACKS)) < 0.5
    b = a.copy()
    b[0, np.flatnonzero(a[0])[:20]] = False
    found = difference("a", "b", {"a": a, "b": b}, list(range(TRACKS)))
    assert found.difference == pytest.approx(0.1)
    assert not found.tied
    assert found.high - found.low < 0.1


def test_seeds_are_pooled_and_no_further_tracks() -> None:
    right, groups = world(np.random.default_rng(3), 0.1)
    thrice = {name: np.repeat(one, 3, axis=0) for name, one in right.items()}
    names = groups.tolist()
    assert difference("a", "b", right, names) == difference("a", "b", thrice, names)
    mixed = {"a": right["a"], "b": thrice["b"]}
    assert difference("a", "b", mixed, names) == difference("a", "b", right, names)


def test_the_other_way_round_is_the_same_with_another_sign() -> None:
    right, groups = world(np.random.default_rng(4), 0.05)
    found = difference("a", "b", right, groups.tolist())
    back = difference("b", "a", right, groups.tolist())
    assert (back.difference, back.low, back.high) == pytest.approx(
        (-found.difference, -found.high, -found.low)
    )
    assert back.probability == pytest.approx(found.probability)
    assert found == difference("a", "b", right, groups.tolist())
    assert found.tied == (found.probability >= 0.025)


def test_few_artists_prove_nothing() -> None:
    """All right against all wrong: of one to three artists no proof, of six one."""
    for artists, tied in ((1, True), (2, True), (3, True), (6, False)):
        groups = np.repeat(np.arange(artists), 4).tolist()
        right = {"a": np.ones((1, len(groups))), "b": np.zeros((1, len(groups)))}
        found = difference("a", "b", right, groups)
        assert (found.difference, found.tied) == (1.0, tied), artists
        assert -1 <= found.low <= found.high <= 1
        assert 0 <= found.probability <= 0.5


def test_the_same_verdicts_are_a_tie() -> None:
    right, groups = world(np.random.default_rng(6), 0.0)
    found = difference("a", "b", {"a": right["a"], "b": right["a"]}, groups.tolist())
    assert found == Difference("a", "b", 0.0, 0.0, 0.0, 0.5)
    assert found.tied


def test_spread_over_seeds() -> None:
    each = np.array([1, 0.5, 0.75])
    assert Spread.of(each) == Spread(pytest.approx(0.25), 0.5, 1.0)  # type: ignore[arg-type]
    assert Spread.of(each[:1]) == Spread(0.0, 1.0, 1.0)


def test_every_pair_the_better_first() -> None:
    right = {"low": np.eye(1, 8), "high": np.ones((2, 8)), "same": np.eye(1, 8, 3)}
    assert ranking(right) == ["high", "low", "same"]
    found = [(one.first, one.second) for one in differences(right, list(range(8)))]
    assert found == [("high", "low"), ("high", "same"), ("low", "same")]


def folded(accuracies: list[float], tracks: int = 20) -> tuple[Folds, np.ndarray]:
    """Even folds with these accuracies, and which tracks were right."""
    right = [np.arange(tracks) < round(tracks * share) for share in accuracies]
    k = len(accuracies)
    return Folds(np.repeat(np.arange(k), tracks), 1 / (k - 1)), np.concatenate(right)[None]


def test_the_interval_of_folds_is_that_of_nadeau_and_bengio() -> None:
    """By hand: t(9, .975) = 2.262157, and the variance of the mean is (1/10 + 1/9) s²."""
    each = [0.5, 0.6, 0.45, 0.7, 0.55, 0.5, 0.65, 0.6, 0.4, 0.55]
    folds, right = folded(each)
    half = 2.2621572 * np.sqrt((1 / 10 + 1 / 9) * np.var(each, ddof=1))
    found = folds.interval(right[0], range(200))
    assert found == pytest.approx((0.55, 0.55 - half, 0.55 + half), abs=1e-6)
    plain = 2.2621572 * np.std(each, ddof=1) / np.sqrt(10)
    assert found[2] - found[0] > 1.4 * plain, "wider than if the fits had nothing in common"


def test_differences_of_folds_are_paired_and_corrected() -> None:
    a, b = [0.5, 0.6, 0.45, 0.7], [0.4, 0.55, 0.4, 0.6]
    folds, right = folded(a)
    _, other = folded(b)
    gains = np.subtract(a, b)
    error = np.sqrt((1 / 4 + 1 / 3) * np.var(gains, ddof=1))
    found = difference("a", "b", {"a": right, "b": other}, list(range(80)), folds=folds)
    assert found.difference == pytest.approx(0.075)
    assert (found.low, found.high) == pytest.approx(
        (0.075 - 3.1824463 * error, 0.075 + 3.1824463 * error)
    )
    assert found.tied == (found.probability >= 0.025)
    assert not found.tied, "unpaired, the folds would hide it"
    assert ranking({"b": other, "a": right}, folds) == ["a", "b"]


def test_folds_of_different_sizes_count_alike_and_seeds_are_pooled() -> None:
    folds = Folds(np.array([0, 0, 0, 0, 1, 1]), 0.5)
    right = np.array([[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 0]])
    assert folds.means(right.mean(0)).tolist() == [1.0, 0.25]
    assert folds.interval(right.mean(0), range(6))[0] == 0.625


def test_folds_that_are_all_alike_prove_nothing_of_artists_not_heard() -> None:
    folds, right = folded([1.0, 1.0, 1.0])
    mean, low, high = folds.interval(right[0], ["x", "y", "z"] * 20)
    assert (mean, high) == (1.0, 1.0)
    assert low < 0.1
    found = difference(
        "a", "b", {"a": right, "b": 0 * right}, ["x", "y", "z"] * 20, folds=folds
    )  # fmt: skip
    assert found.tied
    same = difference("a", "b", {"a": right, "b": right}, range(60), folds=folds)
    assert same == Difference("a", "b", 0.0, 0.0, 0.0, 0.5)


def told_apart_in_folds(runs: int, gain: float) -> float:
    """Nearest centroids on two sets of columns, fit and judged in ten folds of 30 artists."""
    rng = np.random.default_rng(3)
    y, artists = np.repeat(np.arange(30) % 2, 4), np.repeat(np.arange(30), 4)
    folds = group_folds(y, artists, 10)
    of = np.zeros(len(y), np.int64)
    for number, (_, held) in enumerate(folds):
        of[held] = number
    apart = 0
    for _ in range(runs):
        right = {}
        for name, more in (("a", gain), ("b", 0.0)):
            x = (y[:, None] - 0.5) * (0.8 + more) + 0.6 * rng.standard_normal((30, 6))[artists]
            x += rng.standard_normal(x.shape)
            hits = np.zeros(len(y))
            for others, held in folds:
                centres = np.stack([x[others][y[others] == label].mean(0) for label in (0, 1)])
                nearest = np.square(x[held][:, None] - centres).sum(2).argmin(1)
                hits[held] = nearest == y[held]
            right[name] = hits[None]
        found = difference("a", "b", right, artists.tolist(), folds=Folds(of, 1 / 9))
        apart += not found.tied
    return apart / runs


def test_in_folds_equals_are_told_apart_seldom_and_others_mostly() -> None:
    assert told_apart_in_folds(200, 0.0) <= 0.05
    assert told_apart_in_folds(50, 1.2) >= 0.7


def test_a_single_fold_says_nothing() -> None:
    folds = Folds(np.zeros(4, np.int64), 0.5)
    right = np.array([[1, 1, 0, 1]])
    assert folds.interval(right[0], range(4)) == (0.75, 0.0, 1.0)
    found = difference("a", "b", {"a": right, "b": 1 - right}, range(4), folds=folds)
    assert (found.low, found.high, found.probability) == (-1.0, 1.0, 0.5)


def pairs(names: str, tied: set[str]) -> list[Difference]:
    """Differences of which those in ``tied`` hold zero."""
    return [
        Difference(a, b, 0.1, -0.1 if a + b in tied else 0.05, 0.2, 0.2)
        for a, b in itertools.combinations(names, 2)
    ]


@pytest.mark.parametrize(
    ("tied", "expected"),
    [
        (set(), {"p": "a", "q": "b", "r": "c"}),
        ({"pq", "pr", "qr"}, {"p": "a", "q": "a", "r": "a"}),
        ({"pq", "qr"}, {"p": "a", "q": "ab", "r": "b"}),
        ({"pr"}, {"p": "a", "q": "b", "r": "a"}),
    ],
)
def test_letters(tied: set[str], expected: dict[str, str]) -> None:
    assert letters("pqr", pairs("pqr", tied)) == expected


def test_two_share_a_letter_exactly_when_tied() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        names = "abcdefg"
        all_pairs = [a + b for a, b in itertools.combinations(names, 2)]
        tied = {pair for pair in all_pairs if rng.random() < 0.5}
        shown = letters(names, pairs(names, tied))
        assert all(shown.values())
        for a, b in itertools.combinations(names, 2):
            assert bool(set(shown[a]) & set(shown[b])) == (a + b in tied)
