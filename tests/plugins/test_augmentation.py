"""Crops and what is done to them."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from mgrkit_neural import augmentation
from mgrkit_neural.augmentation import DEVIATION, MEAN, Draws
from mgrkit_neural.recipe import Recipe
from torch import Tensor

from mgrkit import seeds
from mgrkit.classifiers import Run
from tests.plugins.small_network import small

COUNT, BANDS, FRAMES, WIDTH = 400, 24, 60, 20
PICTURES = torch.from_numpy(
    np.random.default_rng(0).integers(0, 256, (COUNT, BANDS, FRAMES), dtype=np.uint8)
)


def recipe(**values: Any) -> Recipe:
    """A recipe of these methods and no others."""
    off = {"mixup": 0.0, "time_mask": 0.0, "band_mask": 0.0, "gain": 0.0, "contrast": 0.0}
    return Recipe(**{**off, **values})


def draws(width: int = WIDTH, seed: int = 0, **values: Any) -> Draws:
    rng = seeds.generator(seed, "augmentation")
    return augmentation.drawn(rng, COUNT, BANDS, FRAMES, width, recipe(**values))


def applied(drawn: Draws, width: int = WIDTH, **values: Any) -> Tensor:
    return augmentation.applied(PICTURES, drawn, width, recipe(**values), "cpu")


def plain(rows: Tensor, starts: Tensor) -> Tensor:
    """Crops by the definition, one at a time."""
    cuts = [PICTURES[r, :, s : s + WIDTH] for r, s in zip(rows, starts, strict=True)]
    return (torch.stack(cuts)[:, None].float() / 255 - 0.121) / 0.183


def test_an_epoch_has_each_picture_once_at_a_random_place() -> None:
    drawn = draws()
    assert sorted(drawn.rows.tolist()) == list(range(COUNT))
    assert drawn.rows.tolist() != list(range(COUNT))
    assert set(drawn.starts.tolist()) == set(range(FRAMES - WIDTH + 1))
    assert set(draws(width=FRAMES).starts.tolist()) == {0}
    assert not torch.equal(drawn.starts, draws(seed=1).starts)


def test_with_all_methods_off_a_crop_is_the_picture() -> None:
    drawn = draws()
    told = applied(drawn)
    assert told.dtype == torch.float32
    assert told.shape == (COUNT, 1, BANDS, WIDTH)
    torch.testing.assert_close(told, plain(drawn.rows, drawn.starts))


def test_what_is_done_to_a_piece_hangs_on_no_other() -> None:
    every = {"mixup": 0.4, "time_mask": 0.3, "band_mask": 0.3, "gain": 0.1, "contrast": 0.3}
    drawn = draws(**every)
    whole = applied(drawn, **every)
    for first, end in ((0, 1), (5, 40), (390, COUNT)):
        torch.testing.assert_close(applied(drawn[first:end], **every), whole[first:end])


def test_mixup_mixes_two_crops() -> None:
    drawn = draws(mixup=0.4)
    assert sorted(drawn.mixed_rows.tolist()) == list(range(COUNT))
    share = drawn.share[:, None, None, None]
    expected = share * plain(drawn.rows, drawn.starts)
    expected += (1 - share) * plain(drawn.mixed_rows, drawn.mixed_starts)
    torch.testing.assert_close(applied(drawn, mixup=0.4), expected)
    # Beta(a, a) has the variance 1 / (4 (2 a + 1)).
    for alpha in (0.2, 1.0):
        shares = draws(mixup=alpha).share
        assert 0 <= float(shares.min()) <= float(shares.max()) <= 1
        assert float(shares.mean()) == pytest.approx(0.5, abs=0.06)
        assert float(shares.var()) == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.2)


def test_mixed_pictures_have_mixed_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    from mgrkit_neural import epochs

    from tests.plugins.small_network import TOY, Quick

    told: list[tuple[Draws, Tensor]] = []
    targets = epochs.targets

    def noting(problem: Any, drawn: Draws) -> Any:
        result = targets(problem, drawn)
        told.append((drawn, result[0]))
        return result

    monkeypatch.setattr(epochs, "targets", noting)
    model = small(mixup=1.0, label_smoothing=0.3, epochs=1)
    model.fit(TOY.train, None, Run(0))
    ((drawn, given),) = told
    assert Quick().mixup == 0
    y = torch.from_numpy(TOY.train.y)
    for row, other, share, target in zip(
        drawn.rows, drawn.mixed_rows, drawn.share, given, strict=True
    ):
        expected = torch.full((3,), 0.1)
        expected[y[row]] += 0.7 * share
        expected[y[other]] += 0.7 * (1 - share)
        torch.testing.assert_close(target, expected)


@pytest.mark.parametrize(("name", "axis"), [("time_mask", 3), ("band_mask", 2)])
def test_masks_hide_a_part_that_is_at_most_so_wide(name: str, axis: int) -> None:
    told, same = applied(draws(**{name: 0.25}), **{name: 0.25}), applied(draws())
    length = told.shape[axis]
    hidden = (told == 0).all(2 if axis == 3 else 3).squeeze(1)
    widths = hidden.sum(1)
    assert set(widths.tolist()) == set(range(length // 4 + 1))
    for row, width in zip(hidden, widths, strict=True):
        first = int(row.int().argmax())
        assert row[first : first + width].all()
    # Wherever nothing is hidden, nothing is changed; and any place may be.
    drawn = draws(**{name: 0.25})
    kept = plain(drawn.rows, drawn.starts)
    shown = ~(hidden[:, None, None, :] if axis == 3 else hidden[:, None, :, None]).expand_as(told)
    torch.testing.assert_close(told[shown], kept[shown])
    assert hidden.any(0).all()
    assert same.shape == told.shape


def test_gain_shifts_within_the_range_of_pixels() -> None:
    drawn = draws(gain=0.1)
    told, before = applied(drawn, gain=0.1), plain(drawn.rows, drawn.starts)
    assert float(drawn.gain.abs().max()) == pytest.approx(0.1, abs=0.005)
    assert float(drawn.gain.mean()) == pytest.approx(0, abs=0.01)
    pixels = (before * 0.183 + 0.121 + drawn.gain[:, None, None, None]).clamp(0, 1)
    torch.testing.assert_close(told * 0.183 + 0.121, pixels, atol=1e-6, rtol=0)


def test_contrast_changes_the_spread_about_the_mean() -> None:
    drawn = draws(contrast=0.2)
    told, before = applied(drawn, contrast=0.2), plain(drawn.rows, drawn.starts)
    assert float(drawn.contrast.min()) == pytest.approx(0.8, abs=0.01)
    assert float(drawn.contrast.max()) == pytest.approx(1.2, abs=0.01)
    mean = before.mean((2, 3), keepdim=True)
    expected = mean + drawn.contrast[:, None, None, None] * (before - mean)
    expected = expected.clamp(-MEAN / DEVIATION, (1 - MEAN) / DEVIATION)
    torch.testing.assert_close(told, expected)


def test_draws_come_from_the_generator_alone() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    one = draws(mixup=0.2)
    applied(one, mixup=0.2)
    assert torch.equal(before, torch.get_rng_state())
    two = draws(mixup=0.2)
    for field in dataclasses.fields(one):
        assert torch.equal(getattr(one, field.name), getattr(two, field.name))
