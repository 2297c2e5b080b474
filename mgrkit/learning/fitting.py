"""Fit a classifier, calibrate it on what it has not seen, and judge it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mgrkit.classifiers import Classifier, Examples, Run
from mgrkit.classifiers.calls import blaming, learnt, made, probabilities
from mgrkit.errors import UsageError
from mgrkit.learning.averaging import to_tracks
from mgrkit.learning.calibration import Calibration, calibrate
from mgrkit.learning.folds import group_folds
from mgrkit.learning.metrics import scores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.registry.specs import ClassifierSpec

FOLDS = 5


@dataclass(frozen=True)
class Fit:
    """A fitted model and what is known of it.

    Parameters
    ----------
    model : fit on train, or on train and valid where that was asked for.
    state : all that it learnt, which a bundle keeps; it was seen to restore from it.
    calibration : of its probabilities of tracks.
    out_of_fold : `mgrkit.learning.metrics.scores` of the tracks of train, each predicted by a
        fit on other groups; empty where there were no folds.
    valid : the scores of the tracks of valid, before any refit; None without valid.
    cross : what ``out_of_fold`` was measured on; None without folds.
    """

    model: Classifier
    state: dict[str, NDArray[Any]]
    calibration: Calibration
    out_of_fold: dict[str, Any]
    valid: dict[str, Any] | None
    cross: CrossPredicted | None = None


class CrossPredicted(NamedTuple):
    """Tracks of train, each predicted by a fit on other groups.

    Parameters
    ----------
    probabilities : float32 ``(n, labels)``, before calibration.
    tracks : int64 ``(n,)``: which, rising.
    folds : int64 ``(n,)``: the fold that held each back.
    """

    probabilities: NDArray[np.float32]
    tracks: NDArray[np.int64]
    folds: NDArray[np.int64]


@dataclass(frozen=True)
class Folded:
    """Examples in folds of undivided groups, each to be predicted by a fit on the others.

    Parameters
    ----------
    train : with the pieces of all folds.
    tracks : of train.
    folds : of each the tracks to fit on and those that are held back.
    """

    train: Examples
    tracks: _Tracks
    folds: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]]

    @classmethod
    def of(cls, train: Examples, count: int, seed: int) -> Folded:
        """As many folds as `mgrkit.learning.folds.group_folds` makes of so many."""
        tracks = _Tracks.of(train)
        folds = group_folds(tracks.y, tracks.groups, count, seed) if count else []
        return cls(train, tracks, folds)

    def __len__(self) -> int:
        return len(self.folds)

    def held(self, number: int) -> NDArray[np.int64]:
        """The tracks of a fold that a fit on the others can know: their label is there, too."""
        others, held = self.folds[number]
        return held[np.isin(self.tracks.y[held], self.tracks.y[others])]

    def others(self, number: int) -> Examples:
        """What a fold is predicted from."""
        of_others = np.isin(self.tracks.of_piece, self.folds[number][0])
        return self.train.take(np.flatnonzero(of_others))

    def predicted(
        self,
        number: int,
        make: Callable[[], Classifier],
        spec: ClassifierSpec,
        labels: int,
        run: Run,
        *,
        also: Examples | None = None,
        choosing: bool = False,
    ) -> NDArray[np.float32]:
        """Probabilities ``(n, labels)`` of the tracks that `held` names, by a fit on the others.

        Altered copies are learnt from with their tracks, and never predicted.

        Parameters
        ----------
        also : learnt from too; shares no group with train.
        choosing : whether the classifier may choose by what is held back, its epoch for
            instance; then it has seen it, if not learnt from it.

        Raises
        ------
        UsageError, RunError, Stopped : as for `fit_classifier`.
        """
        held, seen = self.held(number), self.others(number)
        originals = self.train.originals
        pieces = originals[np.isin(self.tracks.of_piece[originals], held)]
        valid = self.train.take(pieces) if choosing and len(pieces) else None
        model = _fitted(make, spec, _together(seen, also) if also else seen, valid, run)
        if not len(pieces):
            return np.zeros((0, labels), np.float32)
        by_piece = predict_pieces(model, spec, self.train.x, pieces)
        return to_tracks(by_piece, np.searchsorted(held, self.tracks.of_piece[pieces]))


@dataclass(frozen=True)
class _Tracks:
    """The tracks of examples: their labels and groups, and the track (0..n-1) of each piece."""

    y: NDArray[np.int64]
    groups: NDArray[np.int64]
    of_piece: NDArray[np.int64]

    @classmethod
    def of(cls, examples: Examples) -> _Tracks:
        _, first, of_piece = np.unique(examples.tracks, return_index=True, return_inverse=True)
        return cls(examples.y[first], examples.groups[first], of_piece)


def fit_classifier(
    make: Callable[[], Classifier],
    spec: ClassifierSpec,
    labels: Sequence[str],
    train: Examples,
    valid: Examples | None,
    run: Run,
    refit: bool = False,
    folds: int | None = None,
) -> Fit:
    """Fit on train, calibrate on tracks that the fit has not seen, score on valid.

    A spec that calibrates on 'folds' is fit once more for each of five folds of train, whose
    groups it predicts from the others; one that calibrates on 'valid' sees valid for that
    instead. Where neither can be done (no valid; one group of each genre) nothing is
    calibrated.

    Parameters
    ----------
    make : gives a new classifier.
    refit : at the end fit anew on train and valid together, and keep that model; scores stay those
        from before. Folds are fit with valid, too, so that they are like the model that is kept.
    folds : fit once more for each of so many folds and calibrate on them, whatever the spec says;
        None for five where it says 'folds'.
    run : its progress is called with the steps of all fits together; each fit has a subfolder of
        its folder.

    Raises
    ------
    UsageError : ``refit`` without valid; train is empty, or the classifier cannot learn from
        it.
    RunError : the classifier failed, or what it gave breaks its contract; it is named.
    Stopped : the run was asked to end.
    """
    if not len(train):
        raise UsageError("there is nothing in the train part")
    if valid is not None and not len(valid):
        valid = None
    if refit and valid is None:
        raise UsageError("there is no valid part to refit with", "leave out --refit")
    count = folds or (FOLDS if spec.calibrate == "folds" else 0)
    folded = Folded.of(train, count, run.seed)
    tracks = folded.tracks
    runs = _Runs(run, len(folded) + 1 + refit)

    calibration, out_of_fold, cross = Calibration(), {}, None
    if folded:
        also = valid if refit else None
        cross = _cross_predicted(make, spec, len(labels), folded, also, runs)
        if len(cross.tracks):
            y, groups = tracks.y[cross.tracks], tracks.groups[cross.tracks]
            raw = cross.probabilities
            calibration = calibrate(raw, y, groups, "folds")
            measured = scores(calibration.apply(raw), y, groups.tolist(), labels, run.seed)
            honest = measured["ece"] if calibration.ece is None else calibration.ece
            out_of_fold = {"part": "folds", **measured, "ece": honest}

    model_run = runs.next("model")
    model = _fitted(make, spec, train, valid, model_run)
    measured_valid = None
    if valid is not None:
        seen = _Tracks.of(valid)
        raw = to_tracks(predict_pieces(model, spec, valid.x), seen.of_piece)
        if not count:
            calibration = calibrate(raw, seen.y, seen.groups, "valid")
        final = calibration.apply(raw)
        measured_valid = {
            "part": "valid",
            **scores(final, seen.y, seen.groups.tolist(), labels, run.seed),
        }
    if refit and valid is not None:
        refit_run = runs.next("refit")
        model = _fitted(make, spec, _together(train, valid), None, refit_run)
    state = learnt(model, make, spec.name)
    return Fit(model, state, calibration, out_of_fold, measured_valid, cross)


def predict_pieces(
    model: Classifier,
    spec: ClassifierSpec,
    x: NDArray[Any],
    which: NDArray[Any] | None = None,
) -> NDArray[np.float32]:
    """Probabilities of pieces ``(n, labels)``, never more at once than the classifier takes.

    Parameters
    ----------
    x : ``(pieces, *task.shape)``.
    which : the pieces that are wanted; all by default.

    Raises
    ------
    RunError : the classifier failed, or gave no probabilities.
    """
    count = len(x) if which is None else len(which)
    labels = len(model.task.labels)
    blocks = []
    for first in range(0, count, spec.batch_size):
        block = slice(first, first + spec.batch_size)
        part = x[block] if which is None else x[which[block]]
        blocks.append(probabilities(model, spec.name, labels, part))
    return np.concatenate(blocks)


def predict_tracks(
    model: Classifier,
    spec: ClassifierSpec,
    calibration: Calibration,
    x: NDArray[Any],
    tracks: NDArray[Any],
) -> NDArray[np.float32]:
    """Calibrated probabilities of tracks, float32 ``(n, labels)``.

    Parameters
    ----------
    x : pieces ``(pieces, *task.shape)``.
    tracks : integers ``(pieces,)``: the track of each, numbered 0..n-1.

    Raises
    ------
    RunError : the classifier failed, or gave no probabilities.
    """
    raw = predict_pieces(model, spec, x)
    return calibration.apply(to_tracks(raw, tracks))


class _Runs:
    """One run for each of several fits, which share its progress, folder and notes.

    A note that several folds have is said once.
    """

    def __init__(self, run: Run, fits: int) -> None:
        self._run = run
        self._fits = fits
        self._begun = 0
        self._said: set[str] = set()

    def next(self, name: str) -> Run:
        """The circumstances of the next fit; raises Stopped when asked to end."""
        self._run.check()
        before = self._begun
        self._begun += 1
        if before:
            self._run.progress(before, self._fits, {})

        def progress(step: int, total: int, metrics: Mapping[str, float]) -> None:
            self._run.progress(before * total + step, self._fits * total, metrics)

        def note(text: str) -> None:
            said = f"in a fold: {text}" if name.startswith("fold") else text
            if said not in self._said:
                self._said.add(said)
                self._run.note(said)

        folder = self._run.folder
        if folder is not None:
            folder = folder / name
            folder.mkdir(parents=True, exist_ok=True)
        return replace(self._run, folder=folder, progress=progress, note=note)


def _cross_predicted(
    make: Callable[[], Classifier],
    spec: ClassifierSpec,
    count: int,
    folded: Folded,
    also: Examples | None,
    runs: _Runs,
) -> CrossPredicted:
    """Each track by a fit on other groups, and on ``also``, which shares none with train.

    A track whose label no other group has is left out: its fold could not have known it.
    """
    raw = np.zeros((len(folded.tracks.y), count), np.float32)
    of_fold = np.full(len(folded.tracks.y), -1)
    for number in range(len(folded)):
        held, run = folded.held(number), runs.next(f"fold{number}")
        raw[held] = folded.predicted(number, make, spec, count, run, also=also)
        of_fold[held] = number
    predicted = np.flatnonzero(of_fold >= 0)
    return CrossPredicted(raw[predicted], predicted, of_fold[predicted])


def _fitted(
    make: Callable[[], Classifier],
    spec: ClassifierSpec,
    train: Examples,
    valid: Examples | None,
    run: Run,
) -> Classifier:
    model = made(make, spec.name)
    with blaming(spec.name):
        model.fit(train, valid, run)
    return model


def _together(train: Examples, valid: Examples) -> Examples:
    """Both, with numbers of tracks and groups that do not coincide; valid has no copies."""
    copies = train.copies
    if copies is not None:
        copies = np.concatenate([copies, np.zeros(len(valid), np.int64)])
    return Examples(
        np.concatenate([train.x, valid.x]),
        np.concatenate([train.y, valid.y]),
        np.concatenate([train.tracks, valid.tracks - valid.tracks.min() + train.tracks.max() + 1]),
        np.concatenate([train.groups, valid.groups - valid.groups.min() + train.groups.max() + 1]),
        copies,
    )
