"""The classifier on statistics of pictures, and the statistics themselves."""

from __future__ import annotations

import numpy as np
import pytest
from mgrkit_classical.picture_statistics import PictureStatistics
from mgrkit_classical.statistics import COUNT, statistics

from mgrkit.classifiers import Examples, Run, Task
from mgrkit.errors import UsageError
from mgrkit.registry import installed, with_parameters
from mgrkit.testing.toys import toy

SECONDS = 0.09
LEVELS, CEPSTRUM, RHYTHM = slice(0, 163), slice(163, 223), slice(223, 319)


def pictures(count: int = 3, bands: int = 128, frames: int = 334) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, bands, frames)).astype(np.uint8)


@pytest.mark.parametrize(("bands", "frames"), [(64, 8), (128, 334), (100, 77), (1025, 1292)])
def test_any_size_gives_as_many_finite_numbers(bands: int, frames: int) -> None:
    found = statistics(pictures(2, bands, frames), SECONDS)
    assert found.shape == (2, COUNT)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


def test_a_picture_is_described_by_itself() -> None:
    x = pictures()
    np.testing.assert_array_equal(statistics(x, SECONDS)[1:2], statistics(x[1:2], SECONDS))


def test_what_the_numbers_say_of_an_even_picture() -> None:
    [found] = statistics(np.full((1, 128, 334), 51, np.uint8), SECONDS)
    levels = found[LEVELS]
    np.testing.assert_allclose(levels[:32], 0.2, atol=1e-6)  # means
    np.testing.assert_allclose(levels[32:96], 0, atol=1e-6)  # deviations and changes
    np.testing.assert_allclose(levels[96:161], 0.2, atol=1e-6)  # percentiles, and loudness
    cepstrum = found[CEPSTRUM]
    assert cepstrum[0] == pytest.approx(0.2 * 8, abs=1e-5)  # orthonormal: sqrt(64) times the mean
    np.testing.assert_allclose(cepstrum[1:], 0, atol=1e-5)
    np.testing.assert_allclose(found[319:], 0, atol=1e-6)  # contrast


@pytest.mark.parametrize("hertz", [0.5, 1.0, 2.0, 4.0])
def test_rhythm_is_found_at_its_rate(hertz: float) -> None:
    beat = 0.5 + 0.5 * np.sin(2 * np.pi * hertz * np.arange(334) * SECONDS)
    picture = np.repeat((255 * beat).astype(np.uint8)[None], 128, 0)[None]
    [found] = statistics(picture, SECONDS)
    strongest = found[RHYTHM].reshape(8, 12).mean(0).argmax()
    edges = np.geomspace(0.3, 5.5, 13)
    assert edges[strongest] * 0.9 <= hertz <= edges[strongest + 1] * 1.1


def fitted(novelty: float = 0.05) -> PictureStatistics:
    made = toy("image")
    parameters = with_parameters(
        installed().classifier("picture_statistics").spec, {"novelty": novelty}
    )
    model = PictureStatistics(made.task, parameters)
    model.fit(made.train, None, Run(0))
    return model


def test_it_is_as_sure_of_the_strange_but_says_that_it_is() -> None:
    model, held_out = fitted(), toy("image").held_out
    even = np.full((1, *model.task.shape), 128, np.uint8)
    assert model.strange(even).tolist() == [True]
    assert model.strange(held_out.x).mean() < 0.5
    assert model.predict_proba(even).max() > 0.5
    assert not fitted(novelty=0).strange(even).any()


def test_pictures_that_are_too_small_or_none() -> None:
    model = PictureStatistics(Task(("a", "b"), (32, 100)), fitted().parameters)
    x = pictures(4, 32, 100)
    number = np.arange(4)
    with pytest.raises(UsageError, match="too small to be described"):
        model.fit(Examples(x, number % 2, number, number), None, Run(0))
    with pytest.raises(UsageError, match="not pictures"):
        fitted().predict_proba(np.zeros((1, 64, 64)))
