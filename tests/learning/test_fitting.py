"""Fitting, calibrating and judging with toy classifiers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mgrkit.classifiers import Classifier, Examples, Run, Task
from mgrkit.errors import BundleError, RunError, Stopped, UsageError
from mgrkit.learning.calibration import Calibration
from mgrkit.learning.fitting import fit_classifier, predict_tracks
from mgrkit.learning.metrics import expected_calibration_error
from mgrkit.registry.specs import ClassifierSpec, NoParameters

LABELS = ("blues", "jazz", "pop")
SPEC = ClassifierSpec("nearest", "nearest mean", "nowhere:Nearest", batch_size=7)


class Nearest(Classifier):
    """The nearest mean of a label; keeps what it was given."""

    made: list[Nearest]

    def fit(self, train: Examples, valid: Examples | None, run: Run) -> None:
        self.made.append(self)
        self.train, self.valid, self.run = train, valid, run
        self.largest = 0
        if len(np.unique(train.y)) < 2:
            raise UsageError("one genre only")
        run.progress(1, 2, {"loss": 1.0})
        self.means = {int(y): train.x[train.y == y].mean(0) for y in np.unique(train.y)}
        run.progress(2, 2, {})

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        self.largest = max(self.largest, len(x))
        p = np.zeros((len(x), len(self.task.labels)))
        for y, mean in self.means.items():
            p[:, y] = np.exp(-((x - mean) ** 2).sum(1))
        return (p / p.sum(1, keepdims=True)).astype(np.float32)

    def state(self) -> Mapping[str, np.ndarray]:
        labels = sorted(self.means)
        means = np.array([self.means[label] for label in labels])
        return {"labels": np.array(labels), "means": means}

    def restore(self, state: Mapping[str, np.ndarray], device: str = "cpu") -> None:
        self.means = dict(zip(state["labels"].tolist(), state["means"], strict=True))


@pytest.fixture
def made() -> list[Nearest]:
    return []


@pytest.fixture
def make(made: list[Nearest]) -> Any:
    """Gives classifiers, and keeps those that are fit in ``made``."""

    def one() -> Nearest:
        one = Nearest(Task(LABELS, (2,)), NoParameters())
        one.made = made
        return one

    return one


def examples(artists: int = 12, seed: int = 0, first: int = 0, noise: float = 0.7) -> Examples:
    """Three pieces a track, two tracks an artist, artists of one label each, mixed up."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(first, first + artists), 6)
    tracks = np.repeat(np.arange(2 * first, 2 * (first + artists)), 3) * 10
    y = groups % 3
    centres = np.array([[0, 0], [2, 0], [0, 2]])
    x = (centres[y] + noise * rng.standard_normal((len(y), 2))).astype(np.float32)
    order = rng.permutation(len(y))
    return Examples(x[order], y[order], tracks[order], groups[order])


def test_folds_calibrate_and_valid_judges(make: Any, made: list[Nearest]) -> None:
    train, valid = examples(15), examples(6, 1)
    fit = fit_classifier(make, SPEC, LABELS, train, valid, Run(3))
    assert len(made) == 6
    assert fit.model is made[-1]
    assert fit.model.train is train
    assert fit.model.valid is valid
    held: list[int] = []
    for one in made[:5]:
        assert one.valid is None
        inside = set(one.train.groups.tolist())
        assert one.largest <= SPEC.batch_size
        held += sorted(set(range(15)) - inside)
        assert len(one.train) == 6 * len(inside)
    assert sorted(held) == list(range(15))
    assert fit.calibration.method == "folds"
    assert fit.out_of_fold["part"] == "folds"
    assert fit.out_of_fold["tracks"] == 30
    assert fit.out_of_fold["accuracy"] > 0.8
    assert fit.out_of_fold["ece"] == fit.calibration.ece
    assert fit.valid is not None
    assert (fit.valid["part"], fit.valid["tracks"]) == ("valid", 12)
    assert fit.valid["labels"] == list(LABELS)


def test_what_many_folds_note_is_said_once_and_as_of_a_fold(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit = Nearest.fit

    def noting(self: Nearest, train: Examples, valid: Examples | None, run: Run) -> None:
        fit(self, train, valid, run)
        run.note(f"{len(train)} pieces")

    monkeypatch.setattr(Nearest, "fit", noting)
    notes: list[str] = []
    fit_classifier(make, SPEC, LABELS, examples(15), examples(6, 1), Run(0, note=notes.append))
    assert notes == ["in a fold: 72 pieces", "90 pieces"]


def test_out_of_fold_probabilities_are_those_of_other_artists(make: Any) -> None:
    # An artist of each label lies where another label does: only itself could know that.
    train = examples(15, noise=0.05)
    odd = np.isin(train.groups, [0, 1, 2])
    x = train.x.copy()
    x[odd] = np.array([[2, 0], [0, 2], [0, 0]])[train.y[odd]]
    fit = fit_classifier(make, SPEC, LABELS, replace(train, x=x), None, Run(0))
    assert fit.out_of_fold["accuracy"] == pytest.approx(24 / 30)
    assert fit.valid is None


def test_valid_is_scored_with_calibrated_probabilities(make: Any) -> None:
    train, valid = examples(15), examples(6, 1)
    fit = fit_classifier(make, SPEC, LABELS, train, valid, Run(0))
    number = np.unique(valid.tracks, return_inverse=True)[1]
    p = predict_tracks(fit.model, SPEC, fit.calibration, valid.x, number)
    assert p.shape == (12, 3)
    assert p.dtype == np.float32
    np.testing.assert_allclose(p.sum(1), 1, rtol=1e-5)
    truth = np.array([valid.y[number == track][0] for track in range(12)])
    assert fit.valid is not None
    assert fit.valid["accuracy"] == pytest.approx((p.argmax(1) == truth).mean())
    raw = predict_tracks(fit.model, SPEC, Calibration(), valid.x, number)
    np.testing.assert_allclose(p, fit.calibration.apply(raw), rtol=1e-6)
    assert fit.valid["ece"] == pytest.approx(expected_calibration_error(p, truth))
    assert fit.valid["ece"] != pytest.approx(expected_calibration_error(raw, truth))
    by_hand = fit.model.predict_proba(valid.x[number == 4]).mean(0)
    np.testing.assert_allclose(raw[4], by_hand, rtol=1e-5)


def test_what_is_too_dear_is_calibrated_on_valid(make: Any, made: list[Nearest]) -> None:
    spec = replace(SPEC, calibrate="valid")
    fit = fit_classifier(make, spec, LABELS, examples(), examples(9, 1), Run(0))
    assert len(made) == 1
    assert fit.calibration.method == "valid"
    assert fit.out_of_fold == {}
    assert fit_classifier(make, spec, LABELS, examples(), None, Run(0)).calibration == Calibration()


def test_refit_learns_from_all_and_keeps_the_scores(make: Any, made: list[Nearest]) -> None:
    train, valid = examples(15), examples(6, 1)
    plain = fit_classifier(make, SPEC, LABELS, train, valid, Run(0))
    made.clear()
    fit = fit_classifier(make, SPEC, LABELS, train, valid, Run(0), refit=True)
    assert fit.valid
    assert plain.valid
    assert fit.valid["confusion"] == plain.valid["confusion"]
    assert len(made) == 7
    folds = [len(one.train) for one in made[:5]]
    assert sum(folds) == 4 * len(train) + 5 * len(valid)  # like the model that is kept
    assert fit.model is made[-1]
    both = made[-1].train
    assert made[-1].valid is None
    assert len(both) == len(train) + len(valid)
    assert len(np.unique(both.tracks)) == 30 + 12
    assert len(np.unique(both.groups)) == 15 + 6
    assert not np.allclose(fit.model.means[0], plain.model.means[0])
    again = both.tracks[: len(train)]
    assert (again == train.tracks).all()


@pytest.mark.parametrize("valid", [None, examples(0)])
def test_refit_without_valid_is_refused(make: Any, made: list[Nearest], valid: Any) -> None:
    with pytest.raises(UsageError, match="no valid part"):
        fit_classifier(make, SPEC, LABELS, examples(), valid, Run(0), refit=True)
    assert not made


def test_one_artist_only_leaves_it_uncalibrated(make: Any, made: list[Nearest]) -> None:
    train = replace(examples(), groups=np.zeros(72, np.int64))
    fit = fit_classifier(make, SPEC, LABELS, train, examples(6, 1), Run(0))
    assert len(made) == 1
    assert (fit.calibration, fit.out_of_fold) == (Calibration(), {})
    assert fit.valid is not None


def test_a_label_of_one_artist_is_judged_by_nobody(make: Any) -> None:
    train = examples(15)
    keep = ~np.isin(train.groups, [5, 8, 11, 14])  # of pop, artist 2 is left
    train = Examples(*(getattr(train, name)[keep] for name in ("x", "y", "tracks", "groups")))
    fit = fit_classifier(make, SPEC, LABELS, train, None, Run(0))
    assert fit.out_of_fold["tracks"] == 20
    assert fit.out_of_fold["per_genre"]["pop"]["tracks"] == 0
    assert fit.out_of_fold["accuracy"] > 0.7


def test_two_artists_of_a_genre_each_cannot_be_calibrated(make: Any) -> None:
    fit = fit_classifier(make, SPEC, LABELS, examples(2), None, Run(0))
    assert (fit.calibration.method, fit.out_of_fold) == ("none", {})


def test_an_error_that_nobody_else_can_measure_is_that_of_what_was_calibrated(make: Any) -> None:
    # Of three artists one is alone in its genre, so the tracks of the others are all there is.
    train = examples(3)
    train = replace(train, y=np.where(train.groups == 2, 1, 0))
    fit = fit_classifier(make, SPEC, LABELS, train, None, Run(0))
    assert fit.out_of_fold["tracks"] == 4
    assert fit.calibration.ece is None
    assert 0 <= fit.out_of_fold["ece"] <= 1


def test_nothing_and_one_genre_are_usage_errors(make: Any) -> None:
    with pytest.raises(UsageError, match="nothing in the train part"):
        fit_classifier(make, SPEC, LABELS, examples(0), None, Run(0))
    train = replace(examples(), y=np.zeros(72, np.int64))
    with pytest.raises(UsageError, match="one genre only"):
        fit_classifier(make, SPEC, LABELS, train, None, Run(0))


def test_progress_rises_over_all_fits(make: Any) -> None:
    done: list[float] = []
    metrics: list[Mapping[str, float]] = []

    def progress(step: int, total: int, named: Mapping[str, float]) -> None:
        done.append(step / total)
        metrics.append(named)

    run = Run(0, progress=progress)
    fit_classifier(make, SPEC, LABELS, examples(15), examples(6, 1), run, refit=True)
    assert done == sorted(done)
    assert done[-1] == 1
    assert len(set(done)) == 14
    assert {"loss": 1.0} in metrics


def test_it_stops_between_folds(make: Any, made: list[Nearest]) -> None:
    run = Run(0, stop_requested=lambda: len(made) == 2 and hasattr(made[1], "means"))
    with pytest.raises(Stopped):
        fit_classifier(make, SPEC, LABELS, examples(15), None, run)
    assert len(made) == 2


def test_every_fit_has_a_folder_of_its_own(make: Any, made: list[Nearest], tmp_path: Path) -> None:
    run = Run(0, folder=tmp_path / "run")
    fit_classifier(make, SPEC, LABELS, examples(15), examples(6, 1), run, refit=True)
    folders = [one.run.folder for one in made]
    assert len(set(folders)) == 7
    assert all(folder and folder.is_dir() for folder in folders)
    assert [one.run.seed for one in made] == [0] * 7


def test_the_same_seed_gives_the_same_answer_and_input_stays(make: Any) -> None:
    train, valid = examples(15), examples(6, 1)
    for array in (train.x, train.y, train.tracks, train.groups, valid.x, valid.y):
        array.setflags(write=False)
    one, two = (fit_classifier(make, SPEC, LABELS, train, valid, Run(5)) for _ in range(2))
    assert (one.calibration, one.out_of_fold, one.valid) == (
        two.calibration, two.out_of_fold, two.valid,
    )  # fmt: skip


# --- classifiers that break their contract


class Odd(BaseException):
    pass


class AcceleratorError(RuntimeError):
    """As torch calls what a device that disappears makes it raise."""


def raising(error: BaseException) -> Any:
    def call(*_: object) -> None:
        raise error

    return call


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (SystemExit(3), "SystemExit: 3 (please tell its author)"),
        (Odd(), "Odd (please tell its author)"),
        (GeneratorExit(), "GeneratorExit (please tell its author)"),
        (StopIteration(), "StopIteration (please tell its author)"),
        (ValueError("two\nlines"), "ValueError: two lines (please tell its author)"),
        (AcceleratorError("bus"), "AcceleratorError: bus (give --device cpu)"),
        (OSError(28, "No space left"), "OSError: [Errno 28] No space left"),
        (MemoryError(), "MemoryError"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "predict_proba", "state", "restore", "__init__"])
def test_whatever_a_classifier_raises_names_it(
    make: Any, monkeypatch: pytest.MonkeyPatch, method: str, error: BaseException, message: str
) -> None:
    monkeypatch.setattr(Nearest, method, raising(error))
    with pytest.raises(RunError) as caught:
        fit_classifier(make, SPEC, LABELS, examples(), examples(6, 1), Run(0))
    assert str(caught.value) == f"the classifier nearest failed: {message}"
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), UsageError("no"), Stopped("stopped")])
def test_what_a_classifier_may_raise_stays_what_it_is(
    make: Any, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    monkeypatch.setattr(Nearest, "fit", raising(error))
    with pytest.raises(type(error)) as caught:
        fit_classifier(make, SPEC, LABELS, examples(), None, Run(0))
    assert caught.value is error


def even(x: np.ndarray) -> np.ndarray:
    return np.full((len(x), 3), 1 / 3, np.float32)


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (lambda x: None, "are NoneType, not an array of float32"),
        (lambda x: even(x).tolist(), "are list, not an array"),
        (lambda x: np.ones((len(x), 3), int), "are int64, not an array of float32"),
        (lambda x: even(x)[:, :2], "have the shape (7, 2), not (7, 3)"),
        (lambda x: even(x)[1:], "have the shape (6, 3), not (7, 3)"),
        (lambda x: even(x)[0], "have the shape (3,), not (7, 3)"),
        (lambda x: even(x) * np.nan, "are not finite"),
        (lambda x: even(x) * np.inf, "are not finite"),
        (lambda x: even(x) - np.eye(3)[0], "are below 0"),
        (lambda x: even(x) * 1.01, "do not sum to 1 in each row"),
    ],
)
def test_what_are_no_probabilities_is_said(
    make: Any, monkeypatch: pytest.MonkeyPatch, outputs: Any, message: str
) -> None:
    monkeypatch.setattr(Nearest, "predict_proba", lambda self, x: outputs(x))
    with pytest.raises(RunError) as caught:
        fit_classifier(make, SPEC, LABELS, examples(), None, Run(0))
    expected = f"the classifier nearest gave probabilities that {message}"
    assert str(caught.value).startswith(expected)
    assert str(caught.value).endswith("(please tell its author)")


def test_double_precision_is_taken(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Nearest, "predict_proba", lambda self, x: even(x).astype(np.float64))
    model = fit_classifier(make, SPEC, LABELS, examples(), None, Run(0)).model
    probabilities = predict_tracks(model, SPEC, Calibration(), np.zeros((3, 2)), np.arange(3))
    assert probabilities.dtype == np.float32
    monkeypatch.setattr(Nearest, "predict_proba", lambda self, x: None)
    with pytest.raises(RunError, match="nearest gave probabilities that"):
        predict_tracks(model, SPEC, Calibration(), np.zeros((3, 2)), np.arange(3))


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (None, "gave a state that is a NoneType, not arrays by name"),
        ([np.zeros(3)], "gave a state that is a list, not arrays by name"),
        ({}, "gave a state that holds nothing"),
        ({1: np.zeros(3)}, "gave a state that has the name 1"),
        ({"": np.zeros(3)}, "gave a state that has the name ''"),
        ({"a": [1.0]}, "gave a state that has 'a' as list, which a bundle does not keep"),
        ({"a": np.array([None])}, "gave a state that has 'a' as object, which"),
        ({"a": np.array(["x"])}, "gave a state that has 'a' as <U1, which"),
        ({"means": np.zeros(3)}, "failed: KeyError: 'labels'"),
    ],
)
def test_a_state_that_cannot_be_kept_is_said(
    make: Any, monkeypatch: pytest.MonkeyPatch, state: Any, message: str
) -> None:
    monkeypatch.setattr(Nearest, "state", lambda self: state)
    with pytest.raises(RunError, match="tell its author") as caught:
        fit_classifier(make, SPEC, LABELS, examples(), None, Run(0))
    assert message in str(caught.value)


def test_a_classifier_that_refuses_its_own_state_is_said(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Nearest, "restore", raising(BundleError("no means")))
    with pytest.raises(RunError, match=r"does not take its own state: no means \(please tell"):
        fit_classifier(make, SPEC, LABELS, examples(), None, Run(0))


def test_a_factory_that_makes_no_classifier_is_said() -> None:
    with pytest.raises(RunError, match="the factory of nearest gave a dict, not a Classifier"):
        fit_classifier(dict, SPEC, LABELS, examples(), None, Run(0))


def test_the_state_is_that_of_the_model(make: Any) -> None:
    fit = fit_classifier(make, SPEC, LABELS, examples(), None, Run(0))
    assert np.array_equal(fit.state["means"], fit.model.state()["means"])


# Altered copies.


def with_copies(train: Examples, far: float = 0.5) -> Examples:
    """Two copies of each piece, of the same track, that lie so far off."""
    every = np.arange(3).repeat(len(train))
    again = train.take(np.tile(np.arange(len(train)), 3))
    moved = again.x + np.float32(far) * every[:, None].astype(np.float32)
    return replace(again, x=moved, copies=every)


def test_copies_are_learnt_from_with_their_artists_and_never_predicted(
    make: Any, made: list[Nearest], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[np.ndarray] = []
    real = Nearest.predict_proba

    def noting(self: Nearest, x: np.ndarray) -> np.ndarray:
        asked.append(x)
        return real(self, x)

    monkeypatch.setattr(Nearest, "predict_proba", noting)
    train, valid = examples(15), examples(6, 1)
    fit = fit_classifier(make, SPEC, LABELS, with_copies(train), valid, Run(0), refit=True)
    for one in made[:5]:
        number = [int((one.train.copies == copy).sum()) for copy in range(3)]
        # Valid, which the refit learns from, has no copies.
        assert number[1] == number[2] == number[0] - len(valid) < len(train)
        copied = one.train.take(one.train.copies > 0)
        assert len(set(copied.groups.tolist())) == number[1] // 6, "with all of an artist"
    every = np.concatenate(asked)
    both = np.concatenate([train.x, valid.x])
    assert {tuple(row) for row in every.tolist()} == {tuple(row) for row in both.tolist()}
    assert made[-1].train.copies is not None
    assert fit.cross is not None
    assert np.array_equal(fit.cross.tracks, np.arange(30))


def test_calibration_and_out_of_fold_scores_are_of_the_sounds(make: Any) -> None:
    train = examples(15)
    plain = fit_classifier(make, SPEC, LABELS, train, None, Run(0))
    again = fit_classifier(make, SPEC, LABELS, with_copies(train, far=0.0), None, Run(0))
    assert again.out_of_fold["tracks"] == plain.out_of_fold["tracks"] == 30
    for name in ("accuracy", "accuracy_low", "macro_f1", "ece"):
        assert again.out_of_fold[name] == pytest.approx(plain.out_of_fold[name], rel=1e-5)
    assert again.calibration.temperature == pytest.approx(plain.calibration.temperature, rel=1e-5)


def test_filled_examples_keep_their_copies() -> None:
    from mgrkit.classifiers.filling import Filled

    inside = Nearest(Task(LABELS, (2,)), NoParameters())
    inside.made = []
    train = with_copies(examples())
    Filled(inside).fit(train, None, Run(0))
    assert inside.train.copies is not None
    assert np.array_equal(inside.train.copies, train.copies)
