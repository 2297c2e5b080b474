"""How the values of a piece become examples of one shape."""

from __future__ import annotations

import numpy as np
import pytest

from mgrkit.classifiers import Task
from mgrkit.errors import UsageError
from mgrkit.frontend import front_end
from mgrkit.inputs.kinds import Features, Pictures, Samples, input_of, input_of_task
from mgrkit.inputs.windows import windows


@pytest.mark.parametrize(
    ("size", "starts"),
    [(10, [0]), (11, [0]), (14, [2]), (15, [0, 5]), (20, [0, 10]), (24, [0, 14]), (25, [0, 7, 15])],
)
def test_windows_are_spread_evenly(size: int, starts: list[int]) -> None:
    cut = windows(np.arange(size), 10)
    assert cut[:, 0].tolist() == starts
    assert cut.tolist() == [list(range(start, start + 10)) for start in starts]


@pytest.mark.parametrize("size", [1, 3, 9])
def test_what_is_too_short_is_repeated(size: int) -> None:
    assert windows(np.arange(size), 10).tolist() == [[k % size for k in range(10)]]


def test_pictures_are_windows_of_the_usual_length() -> None:
    fitted = Pictures(front_end(n_mels=4)).fitted([90, 100, 300])
    assert fitted.shape == (4, 100)
    assert fitted.fitted([7]) == fitted, "a trained model's windows stay what they are"
    piece = np.arange(4 * 300, dtype=np.uint8).reshape(4, 300)
    examples = fitted.examples(np.ascontiguousarray(piece.T))
    assert examples.shape == (3, 4, 100)
    assert examples.dtype == np.uint8
    assert np.array_equal(examples[1], piece[:, 100:200])


def test_a_picture_is_what_the_front_end_draws() -> None:
    from mgrkit.spectrograms import render

    front = front_end(n_mels=32)
    tone = np.sin(np.arange(22050) / 20).astype(np.float32)
    values = Pictures(front).piece(tone, 22050)
    assert np.array_equal(values.T, render(tone, front).values)


def test_samples_are_windows_of_sound() -> None:
    fitted = Samples(front_end()).fitted([100])
    tone = np.sin(np.arange(200, dtype=np.float32))
    assert np.array_equal(fitted.examples(fitted.piece(tone, 22050)), tone.reshape(2, 100))


def test_samples_of_another_rate_are_refused_and_both_named() -> None:
    with pytest.raises(UsageError, match="sound at 44100 Hz for a model of samples at 22050 Hz"):
        Samples(front_end()).piece(np.ones(9, np.float32), 44_100)


def test_what_a_spec_and_a_bundle_eat() -> None:
    linear = front_end("stft")
    assert input_of("image", "cnn") == Pictures(front_end())
    assert input_of("image", "cnn", linear).frontend == linear
    assert isinstance(input_of("samples", "raw"), Samples)
    assert isinstance(input_of("features:gtzan57", "svm"), Features)
    task = Task(("a", "b"), (1025, 70), (), linear)
    assert input_of_task("image", task) == Pictures(linear, 70)
    assert input_of_task("image", Task(("a", "b"), (99, 70))) == Pictures(None, 70, 99)
    assert input_of_task("samples", Task(("a", "b"), (99,), (), linear)).shape == (99,)
    with pytest.raises(UsageError, match="front end of their own"):
        input_of("features:gtzan57", "svm", linear)
    with pytest.raises(UsageError, match="no feature set"):
        input_of("features:gtzan75", "svm")


@pytest.mark.torch
def test_pictures_are_drawn_where_it_is_named() -> None:
    front = front_end(n_mels=16)
    task = Task(("a", "b"), (16, 40), frontend=front)
    for device, where in (("auto", "cpu"), ("cpu", "cpu"), ("mps", "cpu"), ("cuda:1", "cuda:1")):
        for wanted in (
            input_of("image", "net", front, None, device),
            input_of_task("image", task, device),
        ):
            assert isinstance(wanted, Pictures)
            assert wanted.device == where
    here, there = Pictures(front), Pictures(front, device="cuda")
    assert there.kept_under == f"{here.kept_under}-cuda"
    assert (here.digest, here.name) == (there.digest, there.name)
    sound = np.sin(np.arange(30_000) / 9).astype(np.float32)
    apart = Pictures(front, device="cpu:0").piece(sound, 22_050) - here.piece(sound, 22_050).astype(
        int
    )
    assert abs(apart).max() <= 1
