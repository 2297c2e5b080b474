"""One function fits and measures a model, whoever calls it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from mgrkit.commands.train import TrainSettings, train
from mgrkit.datasets.dataset import Dataset
from mgrkit.datasets.reading import read_dataset
from mgrkit.errors import RunError, UsageError
from mgrkit.experiments.training import Recipe, fit_model
from mgrkit.inputs.kinds import input_of
from mgrkit.registry import installed
from mgrkit.tracks.splits import Split, make_split
from tests.datasets.made_tables import rows, write

SVM = installed().classifier("svm")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("training") / "features.csv", rows())


def read(table: Path) -> tuple[Dataset, Split]:
    dataset = read_dataset(table, input_of(SVM.spec.eats, "svm"))
    return dataset, make_split(dataset.labelled, None, 1)


def test_it_gives_what_the_command_gives(table: Path, tmp_path: Path) -> None:
    one, other = tmp_path / "one.safetensors", tmp_path / "other.safetensors"
    recipe = Recipe.of(SVM, {"C": "3"}, 1)
    made = fit_model(*read(table), recipe, one, source=table)
    found = train("svm", table, other, TrainSettings(1, {"C": 3.0}))
    assert one.read_bytes() == other.read_bytes()
    assert (made.counts, made.notes) == (found.counts, found.notes)


def test_precision_follows_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mgrkit.experiments.training.resolve_device", lambda asked, _: asked)
    assert Recipe.of(SVM, {}, device="cpu").precision == "float32"
    assert Recipe.of(SVM, {}, device="cuda:1").precision == "mixed"
    assert Recipe.of(SVM, {}, device="cuda", precision="float32").precision == "float32"


def test_all_that_is_cheap_is_checked_before_a_device_is_sought(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To look for one may import torch, which takes seconds."""
    sought = "mgrkit.experiments.training.resolve_device"
    monkeypatch.setattr(sought, lambda *_: pytest.fail("a device is sought"))
    out = tmp_path / "m.safetensors"
    for path, settings in (
        (tmp_path / "m.pt", TrainSettings()),
        (tmp_path / "none" / "m.safetensors", TrainSettings()),
        (out, TrainSettings(split="halves")),
        (out, TrainSettings(parameters={"C": "much"})),
        (out, TrainSettings(precision="double")),
        (out, TrainSettings(frontend="cqt")),
    ):
        with pytest.raises(UsageError):
            train("svm", table, path, settings)
    lacking = dataclasses.replace(SVM.spec, requires=("no_such_module",))
    with pytest.raises(RunError, match="no_such_module"):
        Recipe.of(dataclasses.replace(SVM, spec=lacking), {})
