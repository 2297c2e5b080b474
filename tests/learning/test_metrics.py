"""Scores of tracks against scikit-learn, and intervals that cover."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from mgrkit.errors import UsageError
from mgrkit.learning.averaging import to_tracks
from mgrkit.learning.metrics import expected_calibration_error, interval, reliability, scores

LABELS = ["blues", "classical", "jazz", "metal", "pop"]


def table(
    n: int = 200, missing: int | None = 3, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Probabilities, truth and artists; one label occurs in neither truth nor verdicts."""
    rng = np.random.default_rng(seed)
    y = rng.choice([i for i in range(5) if i != missing], n)
    logits = rng.standard_normal((n, 5))
    logits[np.arange(n), y] += 1
    if missing is not None:
        logits[:, missing] = -30
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return p.astype(np.float32), y, [f"artist{i}" for i in rng.integers(0, 40, n)]


@pytest.mark.parametrize("missing", [None, 3])
def test_scores_are_those_of_scikit_learn(missing: int | None) -> None:
    from sklearn import metrics

    p, y, artists = table(missing=missing)
    result = scores(p, y, artists, LABELS)
    verdicts = p.argmax(1)
    present = np.unique(y)
    assert result["accuracy"] == pytest.approx(metrics.accuracy_score(y, verdicts))
    assert result["macro_f1"] == pytest.approx(
        metrics.f1_score(y, verdicts, labels=present, average="macro", zero_division=0)
    )
    assert result["top3"] == pytest.approx(metrics.top_k_accuracy_score(y, p, k=3, labels=range(5)))
    every = metrics.precision_recall_fscore_support(y, verdicts, labels=range(5), zero_division=0)
    for index, label in enumerate(LABELS):
        one = result["per_genre"][label]
        assert list(one) == ["precision", "recall", "f1", "tracks"]
        if index == missing:  # nothing can be said of it, where scikit-learn says 0
            assert list(one.values()) == [None, None, None, 0]
        else:
            assert list(one.values()) == pytest.approx([column[index] for column in every])
    assert result["macro_f1_genres"] == len(present)
    confusion = metrics.confusion_matrix(y, verdicts, labels=range(5))
    assert result["confusion"] == confusion.tolist()
    assert (result["labels"], result["tracks"]) == (LABELS, 200)


def test_scores_are_plain_json_and_complete() -> None:
    p, y, artists = table()
    result = scores(p, y.tolist(), artists, LABELS)
    assert list(result) == [
        "accuracy", "accuracy_low", "accuracy_high", "macro_f1", "macro_f1_genres", "top3", "ece",
        "reliability", "per_genre", "confusion", "labels", "tracks",
    ]  # fmt: skip
    assert json.loads(json.dumps(result)) == result
    assert {type(value) for value in result.values()} == {float, dict, list, int}
    assert result["accuracy_low"] < result["accuracy"] < result["accuracy_high"]
    assert scores(p, y, artists, LABELS) == result
    assert scores(p, y, artists, LABELS, seed=1)["accuracy_low"] != result["accuracy_low"]


def test_the_bins_of_the_calibration_curve_are_those_of_the_error() -> None:
    p, y, artists = table()
    bins = reliability(p, y)
    gaps = [one["tracks"] * abs(one["right"] - one["probability"]) for one in bins]
    assert sum(one["tracks"] for one in bins) == len(y)
    assert sum(gaps) / len(y) == pytest.approx(expected_calibration_error(p, y))
    assert scores(p, y, artists, LABELS)["reliability"] == bins
    sure = reliability(np.array([[0.9, 0.1], [0.9, 0.1], [0.2, 0.8]]), np.array([0, 1, 1]))
    assert sure == [
        {"probability": pytest.approx(0.8), "right": 1.0, "tracks": 1},
        {"probability": pytest.approx(0.9), "right": 0.5, "tracks": 2},
    ]


def test_nothing_is_said_of_a_label_that_was_told_but_never_true() -> None:
    result = scores(np.eye(3, dtype=np.float32)[[0, 1, 2]], [0, 1, 1], [1, 2, 3], ["a", "b", "c"])
    assert result["per_genre"]["c"] == {"precision": None, "recall": None, "f1": None, "tracks": 0}
    assert result["macro_f1_genres"] == 2
    assert result["macro_f1"] == pytest.approx((1 + 2 / 3) / 2)


def test_top3_of_two_labels_is_all() -> None:
    p = np.array([[0.3, 0.7], [0.6, 0.4]], np.float32)
    assert scores(p, [0, 1], ["a", "b"], ["x", "y"])["top3"] == 1


def test_calibration_error_of_tables_worked_out_by_hand() -> None:
    sure = np.array([[1.0, 0.0]] * 4)
    assert expected_calibration_error(sure, np.array([0, 0, 0, 0])) == 0
    assert expected_calibration_error(sure, np.array([0, 0, 0, 1])) == pytest.approx(0.25)
    # Two bins: .9 with one of two right, .6 with both right.
    mixed = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]])
    error = expected_calibration_error(mixed, np.array([0, 1, 0, 0]))
    assert error == pytest.approx((0.4 + 0.4) / 2)
    # Opposite gaps of one bin cancel out: they are one confidence.
    near = np.array([[0.61, 0.39], [0.65, 0.35]])
    assert expected_calibration_error(near, np.array([0, 1])) == pytest.approx(0.13)


def test_calibration_error_of_honest_probabilities_is_small() -> None:
    rng = np.random.default_rng(0)
    p = rng.dirichlet([0.4] * 5, 20_000)
    y = np.array([rng.choice(5, p=row) for row in p[:4_000]])
    assert expected_calibration_error(p[:4_000], y) < 0.02
    assert expected_calibration_error(p[:4_000] ** 3 / (p[:4_000] ** 3).sum(1)[:, None], y) > 0.1


def simulated(
    rng: np.random.Generator, artists: int, accuracy: float, alike: float, one_each: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Right or wrong for each track, and its artist; ``alike``: the correlation within one."""
    sizes = np.ones(artists, int) if one_each else rng.integers(1, 21, artists)
    own = np.full(artists, accuracy)
    if alike:
        scale = (1 - alike) / alike
        own = rng.beta(accuracy * scale, (1 - accuracy) * scale, artists)
    groups = np.repeat(np.arange(artists), sizes)
    return rng.random(len(groups)) < own[groups], groups


@pytest.mark.parametrize("one_each", [False, True])
def test_intervals_cover_the_truth_as_often_as_they_say(one_each: bool) -> None:
    rng = np.random.default_rng(1)
    covered = []
    for _ in range(600):
        accuracy = rng.uniform(0.3, 0.95)
        alike = 0 if one_each else rng.uniform(0, 0.3)
        right, groups = simulated(rng, rng.integers(20, 151), accuracy, alike, one_each)
        low, high = interval(right, groups.tolist(), 0)
        assert 0 <= low <= right.mean() <= high <= 1
        covered.append(low <= accuracy <= high)
    assert 0.93 <= np.mean(covered) <= 0.97


def test_tracks_of_one_artist_count_for_less_than_as_many_artists() -> None:
    right = np.repeat([True, False, True, True, False, True, True, True, False, True], 20)
    by_artist = interval(right, np.repeat(np.arange(10), 20).tolist())
    by_track = interval(right, list(range(200)))
    assert by_artist[1] - by_artist[0] > 3 * (by_track[1] - by_track[0])


def test_one_track_per_artist_gives_about_wilson_s_interval() -> None:
    right = np.arange(200) < 140
    root = 1.972 * math.sqrt(0.7 * 0.3 / 200 + 1.972**2 / 4 / 200**2)
    middle, over = 0.7 + 1.972**2 / 400, 1 + 1.972**2 / 200
    wilson = [(middle - root) / over, (middle + root) / over]
    assert interval(right, list(range(200))) == pytest.approx(wilson, abs=0.006)


def test_intervals_of_degenerate_tables_stay_sane() -> None:
    every = interval(np.ones(20), list(range(20)))
    assert every[0] == pytest.approx(20 / (20 + 2.093**2), abs=1e-3)
    assert every[1] == pytest.approx(1)
    none = interval(np.zeros(20), list(range(20)))
    assert none == pytest.approx((1 - every[1], 1 - every[0]))
    assert interval(np.ones(50), ["one artist"] * 50) == (0, 1)
    assert interval(np.ones(1), ["one track"]) == (0, 1)
    low, high = interval(np.array([1, 0]), ["a", "b"])
    assert 0 <= low < 0.1 < 0.9 < high <= 1
    # Each artist right half of the time: no variance between them.
    low, high = interval(np.array([1, 0] * 10), [i // 2 for i in range(20)])
    assert 0.1 < low < 0.5 < high < 0.9


def test_groups_may_be_of_any_kind() -> None:
    right = np.arange(30) % 3 > 0
    numbers = [i // 3 % 7 for i in range(30)]
    names = [f"artist {n}" for n in numbers]
    assert interval(right, numbers) == interval(right, names)


def test_tracks_are_the_mean_of_their_pieces() -> None:
    p = np.array([[1, 0], [0.5, 0.5], [0.2, 0.8], [0, 1]], np.float32)
    tracks = to_tracks(p, np.array([1, 0, 1, 1]))
    assert tracks.dtype == np.float32
    np.testing.assert_allclose(tracks, [[0.5, 0.5], [0.4, 0.6]], rtol=1e-6)
    rows = np.random.default_rng(0).dirichlet([0.1] * 7, 999).astype(np.float32)
    means = to_tracks(rows, np.arange(999) % 100)
    np.testing.assert_allclose(means.sum(1), 1, atol=1e-6)


def test_a_track_without_pieces_is_an_error() -> None:
    p = np.full((2, 2), 0.5, np.float32)
    with pytest.raises(UsageError, match="track 1 has no piece"):
        to_tracks(p, np.array([0, 2]))
    with pytest.raises(UsageError, match="2 predictions for 3 pieces"):
        to_tracks(p, np.array([0, 1, 1]))
