"""Macro F1 and calibration error: intervals by artist, and paired differences."""

from __future__ import annotations

import numpy as np
import pytest

from mgrkit import seeds
from mgrkit.learning import shares
from mgrkit.learning.metrics import RESAMPLES, scores
from mgrkit.learning.shares import STATISTICS, differences, spans

LABELS = ["a", "b", "c", "never"]


def judged(n: int = 60, artists: int = 15, sharp: float = 2.0, seed: int = 0):  # type: ignore[no-untyped-def]
    random = np.random.default_rng(seed)
    y = random.integers(3, size=n)
    logits = random.normal(size=(n, 4)) + sharp * np.eye(4)[y]
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return probabilities.astype(np.float32), y, [f"artist {i % artists}" for i in range(n)]


def test_the_values_are_those_of_the_scores() -> None:
    for seed in range(5):
        probabilities, y, groups = judged(seed=seed)
        told = scores(probabilities, y, groups, LABELS)
        found = spans(probabilities, y, groups)
        for name in STATISTICS:
            assert found[name].value == pytest.approx(told[name], abs=1e-12)
            assert 0 <= found[name].low <= found[name].value <= found[name].high <= 1


def test_what_is_drawn_is_what_the_tracks_of_the_drawn_artists_score() -> None:
    """Sums of artists stand for their tracks, as often as each was drawn."""
    probabilities, y, groups = judged(n=24, artists=6)
    sums, _ = shares._by_artist(shares._sums(probabilities, y), groups)
    drawn = shares._drawn([sums], 4, 7)[0]
    weights = seeds.generator(7, "shares").multinomial(6, np.full(6, 1 / 6), RESAMPLES)
    for number in (0, 1, 500, 999):
        tracks = [i for i in range(24) for _ in range(weights[number][i % 6])]
        again = [groups[i] for i in tracks]
        told = scores(probabilities[tracks], y[tracks], again, LABELS)
        for name in STATISTICS:
            assert drawn[name][number] == pytest.approx(told[name], abs=1e-9)


def test_the_same_answers_differ_by_nothing() -> None:
    probabilities, y, groups = judged()
    for span in differences(probabilities, probabilities, y, groups).values():
        assert tuple(span) == (0, 0, 0)


def test_a_difference_that_all_artists_show_is_told_from_chance() -> None:
    good, y, groups = judged(n=200, artists=40, sharp=4.0)
    bad, _, _ = judged(n=200, artists=40, sharp=0.5)
    found = differences(bad, good, y, groups)["macro_f1"]
    told = [scores(one, y, groups, LABELS)["macro_f1"] for one in (bad, good)]
    assert found.value == pytest.approx(told[0] - told[1], abs=1e-12)
    assert found.low < found.value < found.high < 0
    # Paired: what is hard for both cancels, so it is narrower than both sides alone.
    near = np.float32(0.9) * good + np.float32(0.1) * bad
    paired = differences(near, good, y, groups)["ece"]
    alone = spans(near, y, groups)["ece"]
    assert paired.high - paired.low < alone.high - alone.low


def test_one_artist_says_nothing_of_others() -> None:
    probabilities, y, _ = judged()
    for span in spans(probabilities, y, ["one"] * 60).values():
        assert (span.low, span.high) == (0, 1)
    for span in differences(probabilities, probabilities, y, ["one"] * 60).values():
        assert (span.low, span.high) == (-1, 1)


def test_blocks_of_resamples_draw_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    probabilities, y, groups = judged()
    whole = spans(probabilities, y, groups)
    monkeypatch.setattr(shares, "_BLOCK", 100)
    parts = spans(probabilities, y, groups)
    for name in STATISTICS:
        np.testing.assert_allclose(parts[name], whole[name], atol=1e-12)
