"""``mgrkit train --folds N``: what fits on other artists said of train, by any classifier."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mgrkit.classifiers import Bundle, HeldOut, load_bundle
from mgrkit.cli.app import app
from mgrkit.cli.terminal.errors import guarded
from mgrkit.commands.train import TrainSettings, train
from mgrkit.datasets.reading import read_dataset
from mgrkit.errors import Stopped, UsageError
from mgrkit.inputs.kinds import input_of
from mgrkit.learning.calibration import calibrate
from mgrkit.learning.metrics import scores
from tests.datasets.made_tables import rows, write
from tests.experiments.test_noisy import clean, copies
from tests.registry.fakes import installed_site
from tests.testing import toy_classifiers

CODE = """\
from dataclasses import replace
from mgrkit.registry import hookimpl
from tests.testing.toy_specs import GOOD

@hookimpl
def mgrkit_classifiers():
    toy = replace(GOOD, name="toy", eats="features:gtzan57", calibrate="valid",
                  factory="tests.testing.toy_classifiers:Centroid")
    return [toy, replace(toy, name="plain", resumable=False)]
"""


@pytest.fixture(autouse=True)
def _plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "site").mkdir()
    with installed_site(tmp_path / "site", monkeypatch) as site:
        site.install("toys", CODE)
        yield


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings and three noisy copies of each."""
    made = rows(artists=6, songs=3, spread=6.0)
    return write(tmp_path_factory.mktemp("folds") / "t.csv", [*clean(made), *copies(made)])


def fit(table: Path, out: Path, name: str = "toy", **settings: Any) -> Bundle:
    return load_bundle(train(name, table, out, TrainSettings(**settings)).path)


def held(bundle: Bundle) -> HeldOut:
    assert bundle.held_out
    return bundle.held_out


@pytest.mark.parametrize(
    ("name", "folds", "count"), [("svm", None, 5), ("svm", 3, 3), ("toy", 4, 4), ("plain", 2, 2)]
)
def test_tracks_of_train_are_held_back_by_artist(
    table: Path, tmp_path: Path, name: str, folds: int | None, count: int
) -> None:
    bundle = fit(table, tmp_path / "m.safetensors", name, folds=folds)
    out = held(bundle)
    assert set(out.folds.tolist()) == set(range(count))
    assert len(set(out.ids)) == len(out.ids)
    assert set(out.ids) <= set(bundle.seen)
    assert not any("dB" in one for one in out.ids), "copies are in train, and not among them"
    of_artist: dict[str, set[int]] = {}
    for group, fold in zip(out.groups, out.folds.tolist(), strict=True):
        assert group.startswith("artist:")
        of_artist.setdefault(group, set()).add(fold)
    assert all(len(folds) == 1 for folds in of_artist.values())
    assert len(of_artist) > count
    genres = [bundle.task.labels[label] for label in out.y]
    assert all(genre in one for one, genre in zip(out.ids, genres, strict=True))
    assert bundle.calibration["method"] == "folds"


def test_they_are_what_a_fit_on_the_other_artists_says(table: Path, tmp_path: Path) -> None:
    made = write(tmp_path / "clean.csv", rows(artists=6, songs=3, spread=6.0))
    fits: list[tuple[set[bytes], Any]] = []
    real = toy_classifiers.Centroid.fit

    def spy(self: Any, train: Any, valid: Any, run: Any) -> None:
        fits.append(({row.tobytes() for row in train.x}, self))
        real(self, train, valid, run)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(toy_classifiers.Centroid, "fit", spy)
        bundle = fit(made, tmp_path / "m.safetensors", "plain", folds=3,
                     parameters={"sharpness": 0.01})  # fmt: skip
    out = held(bundle)
    assert len(fits) == 4
    data = read_dataset(made, input_of("features:gtzan57", "plain"))
    place = {one.id: i for i, one in enumerate(data.labelled)}
    for number, (learnt, model) in enumerate(fits[:3]):
        of_fold = [i for i in range(len(out.ids)) if out.folds[i] == number]
        x = data.take([place[out.ids[i]] for i in of_fold]).x
        assert not any(row.tobytes() in learnt for row in x)
        expected = model.predict_proba(x)
        np.testing.assert_allclose(out.rows(of_fold), expected, atol=1e-3)


def test_scores_and_calibration_are_those_of_the_folds(tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", rows(artists=6, songs=3, spread=6.0))
    even = {"sharpness": 0.01}
    bundle = fit(table, tmp_path / "m.safetensors", folds=4, parameters=even)
    out, calibration = held(bundle), bundle.calibration
    again = calibrate(out.rows(), out.y, np.array(out.groups), "folds")
    assert calibration["temperature"] == pytest.approx(again.temperature, rel=0.02)
    measured = scores(again.apply(out.rows()), out.y, list(out.groups), bundle.task.labels)
    assert bundle.metrics["folds"]["accuracy"] == measured["accuracy"]
    assert bundle.metrics["folds"]["tracks"] == len(out.ids)
    assert bundle.metrics["part"] == "valid"
    without = fit(table, tmp_path / "n.safetensors")
    assert without.held_out is None
    assert without.calibration["method"] == "valid"
    assert without.metrics["folds"] == {}


def test_the_model_is_the_one_without_folds(table: Path, tmp_path: Path) -> None:
    one, other = (fit(table, tmp_path / f"{folds}.safetensors", folds=folds) for folds in (None, 3))
    for name, array in one.state.items():
        np.testing.assert_array_equal(array, other.state[name])
    assert one.metrics["accuracy"] == other.metrics["accuracy"]
    assert one.seen == other.seen


def test_refit_keeps_predictions_of_the_same_tracks(table: Path, tmp_path: Path) -> None:
    plain, refit = (
        fit(table, tmp_path / f"{again}.safetensors", folds=3, refit=again)
        for again in (False, True)
    )
    assert held(plain).ids == held(refit).ids
    np.testing.assert_array_equal(held(plain).folds, held(refit).folds)


def test_tracks_of_unknown_artists_are_groups_of_their_own(tmp_path: Path) -> None:
    made = write(tmp_path / "t.csv", [{**row, "group": ""} for row in rows()])
    out = held(fit(made, tmp_path / "m.safetensors", folds=2, split="random"))
    assert out.groups == out.ids


def test_where_no_genre_has_two_artists_nothing_is_kept_and_it_is_said(tmp_path: Path) -> None:
    made = write(tmp_path / "t.csv", [{**row, "group": row["genre"]} for row in rows()])
    trained = train("plain", made, tmp_path / "m.safetensors",
                    TrainSettings(folds=3, split="random"))  # fmt: skip
    assert trained.bundle.held_out is None
    assert any("not calibrated: no genre has two artists" in note for note in trained.notes)


@pytest.mark.parametrize("folds", [1, 0, -3, 21])
def test_folds_that_cannot_be(
    table: Path, tmp_path: Path, folds: int, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError, match=f"--folds must be from 2 to 20, not {folds}"):
        fit(table, tmp_path / "m.safetensors", folds=folds)
    words = ["train", "toy", str(table), "--out", str(tmp_path / "m.safetensors")]
    assert guarded(app, [*words, "--folds", str(folds)]) == 2
    assert "--folds must be from 2 to 20" in capfd.readouterr().err
    assert guarded(app, [*words, "--folds", "2", "--quiet"]) == 0


class Stops:
    """Counts the steps that each fit makes, and ends the run in the third of five folds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.steps: dict[str, int] = {}
        self.stops = False
        ask = toy_classifiers.Centroid.ask

        def counting(classifier: Any, run: Any) -> None:
            name = run.folder.name if run.folder else ""
            self.steps[name] = self.steps.get(name, 0) + 1
            if self.stops and name == "fold2" and self.steps[name] == 4:
                raise Stopped("ended")
            ask(classifier, run)

        monkeypatch.setattr(toy_classifiers.Centroid, "ask", counting)


def test_stopped_in_the_third_of_five_folds_it_goes_on_to_the_same_bytes(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, out = tmp_path / "whole.safetensors", tmp_path / "m.safetensors"
    fit(table, whole, folds=5)
    watch = Stops(monkeypatch)
    watch.stops = True
    with pytest.raises(Stopped):
        fit(table, out, folds=5)
    assert not out.exists()
    assert watch.steps == {"fold0": 8, "fold1": 8, "fold2": 4}
    watch.stops, watch.steps = False, {}
    fit(table, out, folds=5)
    assert watch.steps == {"fold2": 5, "fold3": 8, "fold4": 8, "model": 8}
    assert out.read_bytes() == whole.read_bytes()


def test_an_unfinished_run_of_other_folds_is_not_gone_on_with(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "m.safetensors"
    watch = Stops(monkeypatch)
    watch.stops = True
    with pytest.raises(Stopped):
        fit(table, out, folds=5)
    with pytest.raises(UsageError, match="unfinished run with other settings: --folds 5 instead"):
        fit(table, out, folds=4)
    with pytest.raises(UsageError, match="unfinished run with other settings: --folds 5 instead"):
        fit(table, out)
