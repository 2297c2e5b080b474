"""Networks hear another copy of each piece in the next epoch, and are judged by the sounds."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import itertools

from mgrkit_neural import augmentation, hearing
from mgrkit_neural.pictures import DEVIATION, MEAN
from torch import Tensor

from mgrkit.classifiers import Examples, Run
from mgrkit.errors import Stopped
from tests.plugins.small_network import SEED, TOY, Small, small

RNG = np.random.default_rng


def examples(*pieces: tuple[int, int]) -> Examples:
    """A piece for each (track, copy)."""
    track, copy = np.array(pieces).T
    return Examples(np.arange(len(pieces)), track % 2, track, track, copy)


def copied(copies: int, copy_of: Any) -> Examples:
    """The toys of train, then so many copies, made of their pixels and the copy's number."""
    train = TOY.train
    every = np.arange(copies + 1).repeat(len(train))
    x = np.concatenate([train.x, *(copy_of(train.x, k) for k in range(1, copies + 1))])
    again = train.take(np.tile(np.arange(len(train)), copies + 1))
    return dataclasses.replace(again, x=x, copies=every)


def fitted(train: Examples, model: Small, **run: Any) -> Small:
    model.fit(train, TOY.valid, Run(SEED, **run))
    return model


# Which pictures a piece may be heard by.


def test_without_copies_each_piece_is_heard_by_itself() -> None:
    plain = dataclasses.replace(examples((0, 0), (1, 0), (1, 0)), copies=None)
    assert hearing.variants(plain).tolist() == [[0], [1], [2]]


def test_pieces_and_copies_in_any_order_are_brought_together() -> None:
    found = hearing.variants(examples((1, 2), (0, 0), (1, 0), (0, 1), (1, 1), (0, 2)))
    assert found.tolist() == [[1, 3, 5], [2, 4, 0]]


def test_a_track_whose_copy_failed_has_fewer() -> None:
    found = hearing.variants(examples((0, 0), (1, 0), (0, 2), (1, 1), (1, 2)))
    assert found.tolist() == [[0, 2, -1], [1, 3, 4]]
    for epoch in range(6):
        heard = hearing.heard(found, epoch, RNG(0))
        assert heard[0] in (0, 2)
        assert heard[1] in (1, 3, 4)


@pytest.mark.parametrize(
    ("sound", "copy", "nearest"),
    [(2, 2, [0, 1]), (4, 2, [0, 0, 1, 1]), (2, 4, [1, 3]), (3, 2, [0, 1, 1]), (1, 3, [1]),
     (3, 1, [0, 0, 0])],
)  # fmt: skip
def test_a_copy_of_another_length_is_heard_at_the_same_share(
    sound: int, copy: int, nearest: list[int]
) -> None:
    found = hearing.variants(examples(*[(5, 0)] * sound, *[(5, 1)] * copy))
    assert found[:, 0].tolist() == list(range(sound))
    assert (found[:, 1] - sound).tolist() == nearest


def test_each_epoch_hears_another_and_all_are_heard_alike() -> None:
    table = np.arange(400).reshape(100, 4)
    epochs = [hearing.heard(table, epoch, RNG(3)) for epoch in range(9)]
    for one, other in itertools.pairwise(epochs):
        assert (one != other).all()
    assert np.array_equal(np.sort(np.stack(epochs[2:6]).T), table)
    assert len({tuple(one % 4) for one in epochs[:4]}) == 4
    assert len(set(epochs[0] % 4)) == 4, "one epoch mixes copies"


# The loop itself.


def heard_by_loop(train: Examples, **recipe: Any) -> list[list[int]]:
    """The pixel of each picture that was learnt from, epoch by epoch, as it was given."""
    seen: list[int] = []

    def call(x: Tensor) -> None:
        pixels = (x[:, 0, 0, 0] * DEVIATION + MEAN) * 255
        seen.extend(pixels.round().int().tolist())

    fitted(train, small(call, crop_seconds=0, **recipe))
    return np.array(seen).reshape(-1, len(train.originals)).tolist()


def marked(copies: int) -> Examples:
    """The number of each piece and its copy, in all its pixels: 3 x piece + copy."""
    train = dataclasses.replace(
        TOY.train, x=np.repeat(3 * np.arange(72, dtype=np.uint8), 64 * 64).reshape(72, 64, 64)
    )
    every = np.arange(copies + 1).repeat(72)
    again = train.take(np.tile(np.arange(72), copies + 1))
    x = again.x + every[:, None, None].astype(np.uint8)
    return dataclasses.replace(again, x=x, copies=every)


def test_the_loop_hears_each_piece_once_an_epoch_and_another_copy_in_the_next() -> None:
    epochs = heard_by_loop(marked(2), epochs=6)
    order = [dict(sorted((pixel // 3, pixel % 3) for pixel in epoch)) for epoch in epochs]
    for epoch in order:
        assert list(epoch) == list(range(72)), "each piece once"
    for one, other in itertools.pairwise(order):
        assert all(one[piece] != other[piece] for piece in one)
    for piece in range(72):
        assert {epoch[piece] for epoch in order[:3]} == {0, 1, 2}


def test_a_member_hears_the_copies_in_an_order_of_its_own() -> None:
    epochs = heard_by_loop(marked(2), epochs=1, members=2)
    assert sorted(epochs[0]) != sorted(epochs[1])


def test_what_is_mixed_in_is_heard_by_the_same_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []
    applied = augmentation.applied

    def noting(pictures: Tensor, draws: augmentation.Draws, *others: Any) -> Tensor:
        for rows in (draws.rows, draws.mixed_rows):
            seen.extend((len(seen) // (2 * 72), int(pictures[row, 0, 0])) for row in rows)
        return applied(pictures, draws, *others)

    monkeypatch.setattr(augmentation, "applied", noting)
    fitted(marked(2), small(crop_seconds=0, epochs=3, mixup=0.5))
    for epoch in range(3):
        pixels = [pixel for one, pixel in seen if one == epoch]
        assert len(pixels) == 2 * 72
        assert len(set(pixels)) == 72, "each piece by one copy, mixed in or not"
    assert {pixel % 3 for _, pixel in seen} == {0, 1, 2}


def test_rare_genres_are_counted_by_their_pieces_not_by_copies() -> None:
    from mgrkit_neural.material import material

    train = copied(1, lambda x, k: x)
    lost = (train.y == 1) & (train.copies == 1)
    counts = material(TOY.task, train.take(~lost), None, Run(0)).counts
    assert counts.tolist() == [24, 24, 24]


# What is judged, kept and gone on with.


def test_copies_that_are_the_sounds_give_the_network_that_is_made_without() -> None:
    plain, again = fitted(TOY.train, small()), fitted(copied(2, lambda x, k: x), small())
    kept = again.state()
    assert plain.state().keys() == kept.keys()
    for name, array in plain.state().items():
        if not name.startswith("far."):  # whose map may be turned
            np.testing.assert_array_equal(kept[name], array)
    np.testing.assert_allclose(kept["far.limit"], plain.state()["far.limit"], rtol=1e-6)
    np.testing.assert_array_equal(again.strange(TOY.asked), plain.strange(TOY.asked))


def test_pictures_altered_as_train_was_are_no_longer_strange() -> None:
    def noisy(x: np.ndarray, k: int) -> np.ndarray:
        noise = RNG(k).integers(-13, 14, x.shape)
        return np.clip(x + noise, 0, 255).astype(np.uint8)

    plain = fitted(TOY.train, small(epochs=1))
    again = fitted(copied(2, noisy), small(epochs=1))
    asked = noisy(TOY.held_out.x, 9)
    assert plain.strange(asked).mean() > 0.5
    assert again.strange(asked).mean() < 0.1
    for model in (plain, again):
        assert model.strange(TOY.held_out.x).mean() < 0.1
        assert model.strange(np.full((1, *TOY.task.shape), 128, np.uint8)).all()


def test_stopped_it_goes_on_with_the_same_copies(tmp_path: Path, undrawn: None) -> None:
    train = copied(2, lambda x, k: np.roll(x, 7 * k, 1))
    expected = fitted(train, small(epochs=5)).state()
    asked: list[int] = []
    with pytest.raises(Stopped):
        fitted(train, small(epochs=5), folder=tmp_path,
               stop_requested=lambda: len(asked) > 14 or bool(asked.append(0)))  # fmt: skip
    again = fitted(train, small(epochs=5), folder=tmp_path).state()
    for name, array in expected.items():
        np.testing.assert_array_equal(again[name], array)


def test_a_fit_of_other_copies_does_not_go_on(tmp_path: Path, undrawn: None) -> None:
    from mgrkit.errors import UsageError

    fitted(copied(1, lambda x, k: x), small(epochs=1), folder=tmp_path)
    with pytest.raises(UsageError):
        fitted(copied(2, lambda x, k: x), small(epochs=1), folder=tmp_path)
