"""Confident learning and outliers on numbers whose answer is known."""

from __future__ import annotations

import numpy as np

from mgrkit.learning.doubting import doubted, strangeness


def test_a_track_that_is_surely_of_another_genre_is_doubted() -> None:
    p = np.array(
        [[0.9, 0.1], [0.7, 0.3], [0.1, 0.9], [0.2, 0.8], [0.05, 0.95], [0.6, 0.4]], np.float32
    )
    y = np.array([0, 0, 1, 1, 0, 1])
    found = doubted(p, y)
    # The thresholds are the means of the tracks' own: of 0.9, 0.7, 0.05, and of 0.9, 0.8, 0.4.
    assert np.allclose(found.thresholds, [0.55, 0.7])
    assert found.likely.tolist() == [0, 0, 1, 1, 1, 0]
    assert found.joint.tolist() == [[2, 1], [1, 2]]
    assert np.allclose(found.margins[[0, 4, 5]], [0.8, -0.9, -0.2])


def test_a_rare_genre_needs_no_majority() -> None:
    """The threshold of a genre to which models give little is low, that of a large one high."""
    p = np.array([[0.85, 0.15], [0.95, 0.05], [0.7, 0.3], [0.72, 0.28], [0.7, 0.3]], np.float32)
    found = doubted(p, np.array([0, 0, 1, 1, 0]))
    assert found.thresholds[1] < 0.3 < found.thresholds[0]
    assert found.joint[0, 1] == 1, "70 % for the own genre is less than others of it have"
    assert found.likely.tolist() == [0, 0, 1, 1, 0], "but the own genre is still the likeliest"


def test_what_was_not_judged_is_neither_doubted_nor_counted() -> None:
    p = np.array([[np.nan, np.nan], [0.9, 0.1], [0.2, 0.8], [0.1, 0.9]], np.float32)
    found = doubted(p, np.array([0, 0, 1, -1]))
    assert found.likely.tolist() == [-1, 0, 1, -1]
    assert found.joint.tolist() == [[1, 0], [0, 1]]
    none = doubted(p[:1], np.array([0]))
    assert none.likely.tolist() == [-1]
    assert not none.joint.any()


def test_the_thresholds_of_train_judge_other_tracks() -> None:
    p = np.array([[0.4, 0.6]], np.float32)
    y = np.array([0])
    assert doubted(p, y, np.array([0.7, 0.9], np.float32)).likely.tolist() == [0]
    assert doubted(p, y, np.array([0.7, 0.5], np.float32)).likely.tolist() == [1]


def test_what_lies_alone_is_the_strangest_wherever_it_is() -> None:
    random = np.random.default_rng(0)
    train, others = random.normal(size=(2, 300, 5)).astype(np.float32)
    train[17], others[4] = 8, -9
    first, second = strangeness(train, others, 0)
    assert (first.argmax(), second.argmax()) == (17, 4)
    assert np.array_equal(first, strangeness(train, others[:0], 0)[0]), "others have no part in it"
