"""Tracks are chosen first; arrays are built once, of those that were chosen."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mgrkit.commands.train import train
from mgrkit.datasets.building import OfPieces, of_rows
from mgrkit.datasets.dataset import Dataset
from mgrkit.datasets.entries import DataTrack
from mgrkit.frontend import front_end
from mgrkit.inputs.kinds import Features, Input, Pictures, Samples
from mgrkit.registry import installed
from mgrkit.registry.specs import SummarySpec
from tests.datasets.made_tables import rows, write

GTZAN57 = installed().feature_set("gtzan57")
DRAWN = Pictures(front_end(n_mels=8), 10)


class Values:
    """A picture for each track, its number in every pixel; notes which are asked for."""

    def __init__(self, sizes: list[list[int]]) -> None:
        self.asked: list[int] = []
        self.held = {
            n: [np.full((size, 8), n, np.uint8) for size in own] for n, own in enumerate(sizes)
        }

    def __call__(self, number: int) -> list[Any]:
        self.asked.append(number)
        return self.held.pop(number)


def dataset(sizes: list[list[int]], values: Values) -> Dataset:
    entries = tuple(DataTrack(f"{n}.png", f"{n}.png", "ab"[n % 2]) for n in range(len(sizes)))
    labelled = tuple(entry.labelled() for entry in entries)
    build = OfPieces(DRAWN, sizes, values)
    return Dataset(entries, DRAWN, build, np.arange(len(entries)), labelled=labelled)


def test_what_is_not_chosen_is_not_made_and_nothing_is_made_twice() -> None:
    sizes = [[10], [25, 4], [10], [10]]
    values = Values(sizes)
    every = dataset(sizes, values)
    held = weakref.ref(values.held[1][0])
    chosen = every.take([3, 0, 1]).take([0, 2])
    assert not values.asked
    assert chosen.x.shape == (5, 8, 10)
    assert values.asked == [1, 3]
    assert held() is None
    assert chosen.x is chosen.x
    assert chosen.x[:, 0, 0].tolist() == [1, 1, 1, 1, 3]  # in the order in which they were read
    assert chosen.tracks.tolist() == [1, 1, 1, 1, 0]
    again = every.take([1, 2])
    assert again.x[:, 0, 0].tolist() == [1, 1, 1, 1, 2]
    assert again.tracks.tolist() == [0, 0, 0, 0, 1]
    assert values.asked == [1, 3, 2]


def test_examples_lie_in_the_first_array_that_they_are_built_for() -> None:
    sizes = [[10], [10]]
    every = dataset(sizes, Values(sizes))
    one = every.take([1]).examples(["b"])
    one.x[:] = 9
    assert every.x[:, 0, 0].tolist() == [0, 9]
    every.x[:] = 5
    assert every.take([1]).x[0, 0, 0] == 9
    assert not len(every.take([]).x)


def test_rows_that_are_all_chosen_are_not_copied() -> None:
    x = np.arange(6.0).reshape(3, 2)
    build = of_rows(x, np.array([0, 1, 0]))
    whole, tracks = build(np.array([1, 0]))
    assert whole is x
    assert tracks.tolist() == [1, 0, 1]
    some, tracks = build(np.array([0, -1]))
    assert some.tolist() == [[0, 1], [4, 5]]
    assert tracks.tolist() == [0, 0]


@pytest.mark.parametrize(
    "wanted",
    [DRAWN, Samples(front_end(), 10), Features(GTZAN57)]
    + [Features(SummarySpec.of(GTZAN57, form)) for form in ("mean", "mean-sd")],
    ids=lambda one: one.name,
)
@pytest.mark.parametrize("size", [1, 9, 10, 14, 15, 16, 24, 25, 60])
def test_how_many_examples_there_will_be_is_known(wanted: Input, size: int) -> None:
    made = wanted.examples(np.ones((size, *wanted.breadth), wanted.dtype))
    assert (len(made), made.dtype) == (wanted.count(size), wanted.dtype)


def test_training_builds_each_part_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[int] = []
    real = Dataset._arrays.func  # type: ignore[attr-defined]

    def counted(self: Dataset) -> Any:
        built.append(len(self.entries))
        return real(self)

    monkeypatch.setattr(Dataset._arrays, "func", counted)
    trained = train("svm", write(tmp_path / "t.csv", rows()), tmp_path / "m.safetensors")
    assert built == [trained.counts["train"], trained.counts["valid"]]
