"""One fit of a comparison: trained, judged and kept, so that it need not be done again.

``OUT/runs/<classifier>-<seed>.json`` says how it was made and what it cost; beside it the CSV of
the same name holds the probabilities of the judged tracks, which all tables are made from. The
bundle is ``OUT/<classifier>-<seed>.safetensors``. Of a fold all three end in ``-fold<n>``.
"""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.classifiers import Bundle, load_bundle, provider, restored
from mgrkit.classifiers.bundle import SUFFIX
from mgrkit.errors import RunError, Stopped
from mgrkit.experiments.common import Common, Eaten
from mgrkit.experiments.configurations import Configuration
from mgrkit.experiments.records import damaged, read_record, refuse_other, write_record
from mgrkit.experiments.training import Recipe, check_out, fit_model
from mgrkit.files.replacing import replacing
from mgrkit.learning.calibration import Calibration
from mgrkit.learning.fitting import predict_tracks

if TYPE_CHECKING:
    from numpy.typing import NDArray

RUNS = "runs"
_MEASURES = {"training_seconds": float, "prediction_ms": float, "numbers": int, "bytes": int}
_HEADS = ("track", "genre", "artist")


@dataclass(frozen=True)
class Judged:
    """The tracks that all are judged by.

    Parameters
    ----------
    which : their places among the common tracks.
    ids, genres, groups : of each.
    labels : the genres of train, the columns of all probabilities.
    """

    which: Sequence[int]
    ids: Sequence[str]
    genres: Sequence[str]
    groups: Sequence[str]
    labels: tuple[str, ...]

    @classmethod
    def of(cls, common: Common, which: Sequence[int], labels: Iterable[str]) -> Judged:
        """Of the common tracks at these places."""
        tracks = [common.tracks[i] for i in which]
        ids, genres = [track.id for track in tracks], [track.genre for track in tracks]
        return cls(which, ids, genres, common.groups(which), tuple(sorted(labels)))

    @property
    def y(self) -> NDArray[np.int64]:
        """The true genres ``(n,)`` as indices of ``labels``."""
        index = {label: i for i, label in enumerate(self.labels)}
        return np.array([index[genre] for genre in self.genres], np.int64)


@dataclass(frozen=True)
class Outcome:
    """What a run gave.

    Parameters
    ----------
    probabilities : float32 ``(n, labels)`` of the judged tracks.
    training_seconds : of all that ``mgrkit train`` does once DATA is read.
    prediction_ms : per track, from its examples to its genre.
    numbers : in the arrays of the bundle.
    bytes : size of the bundle.
    device : that it was trained on and predicted with.
    """

    probabilities: NDArray[np.float32]
    training_seconds: float
    prediction_ms: float
    numbers: int
    bytes: int
    device: str


@dataclass(frozen=True)
class Trial:
    """One classifier with one seed, of one fold where there are some.

    Parameters
    ----------
    folder : OUT.
    settings : what decides the result, for the comparison with what is kept.
    fold : its number; 0 without folds.
    """

    folder: Path
    configuration: Configuration
    seed: int
    device: str
    settings: Mapping[str, Any]
    fold: int = 0

    @property
    def name(self) -> str:
        """Of its files."""
        fold = f"-fold{self.fold}" if self.fold else ""
        return f"{self.configuration.stem}-{self.seed}{fold}"

    @property
    def words(self) -> str:
        """For people."""
        fold = f", fold {self.fold}" if self.fold else ""
        return f"{self.configuration.name}, seed {self.seed}{fold}"

    @property
    def _bundle(self) -> Path:
        return self.folder / f"{self.name}{SUFFIX}"

    def kept(self, judged: Judged) -> Outcome | None:
        """What the run gave, if it was finished before.

        Raises
        ------
        UsageError : it was made with other settings.
        RunError : its files cannot be read.
        """
        record = read_record(self._record)
        if record is None:
            return None
        refuse_other(self._record, record.get("settings"), self.settings)
        if not record.get("finished") or not self._record.with_suffix(".csv").exists():
            return None
        try:
            load_bundle(self._bundle)
        except RunError:  # deleted, or damaged: to be made again
            return None
        measured = {name: record.get(name) for name in _MEASURES}
        if not all(isinstance(value, int | float) for value in measured.values()):
            raise damaged(self._record)
        numbers = {name: kind(measured[name]) for name, kind in _MEASURES.items()}
        return Outcome(self._read(judged), **numbers, device=str(record.get("device", "")))

    def make(
        self,
        eaten: Eaten,
        judged: Judged,
        progress: Callable[[int, int, Mapping[str, float]], None],
    ) -> Outcome:
        """Train, judge and keep; a run that was stopped goes on where its classifier can.

        Raises
        ------
        MgrkitError : whatever `Recipe.of` and `fit_model` raise.
        """
        before = read_record(self._record)
        spent = float(before.get("training_seconds", 0.0)) if before else 0.0
        self._write_record(finished=False, training_seconds=spent)
        asked = self.configuration
        recipe = Recipe.of(asked.entry, asked.given, self.seed, device=self.device)
        check_out(self._bundle, replace=True)
        began = time.monotonic()
        try:
            trained = fit_model(
                eaten.dataset, eaten.split, recipe, self._bundle,
                source=eaten.source, replace=True, progress=progress,
            )  # fmt: skip
        except (Stopped, KeyboardInterrupt):
            spent += time.monotonic() - began
            self._write_record(finished=False, training_seconds=spent)
            raise
        spent += time.monotonic() - began
        probabilities, seconds = judge(trained.bundle, eaten, judged, recipe.device)
        self._write_probabilities(probabilities, judged)
        arrays = trained.bundle.state.values()
        done = Outcome(
            probabilities,
            training_seconds=round(spent, 3),
            prediction_ms=round(1000 * seconds / len(probabilities), 4),
            numbers=sum(int(array.size) for array in arrays),
            bytes=self._bundle.stat().st_size,
            device=recipe.device,
        )
        measured = {name: getattr(done, name) for name in (*_MEASURES, "device")}
        self._write_record(finished=True, **measured)
        return done

    @property
    def _record(self) -> Path:
        return self.folder / RUNS / f"{self.name}.json"

    def _write_record(self, **measured: object) -> None:
        known = {"classifier": self.configuration.name, "settings": dict(self.settings)}
        write_record(self._record, {**known, **measured})

    def _write_probabilities(self, probabilities: NDArray[np.float32], judged: Judged) -> None:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([*_HEADS, *(f"p:{label}" for label in judged.labels)])
        of_track = zip(judged.ids, judged.genres, judged.groups, strict=True)
        for track, row in zip(of_track, probabilities, strict=True):
            writer.writerow([*track, *map(str, row)])
        with replacing(self._record.with_suffix(".csv")) as temp:
            temp.write_text(text.getvalue(), encoding="utf-8")

    def _read(self, judged: Judged) -> NDArray[np.float32]:
        path = self._record.with_suffix(".csv")
        try:
            with path.open(encoding="utf-8", newline="") as file:
                head, *rows = list(csv.reader(file))
            first = len(_HEADS)
            values = np.array([row[first:] for row in rows], np.float32)
        except (OSError, ValueError):
            raise damaged(path) from None
        shape = (len(judged.ids), len(judged.labels))
        complete = values.shape == shape and np.isfinite(values).all()
        if not complete or [row[0] for row in rows] != list(judged.ids):
            raise damaged(path)
        if head[first:] != [f"p:{label}" for label in judged.labels]:
            raise damaged(path)
        return values


def judge(
    bundle: Bundle, eaten: Eaten, judged: Judged, device: str
) -> tuple[NDArray[np.float32], float]:
    """Calibrated probabilities of the judged tracks ``(n, labels)``, and the seconds they took.

    The model is that which the bundle gives back, and it has predicted once before the clock
    runs: what loads or compiles on the first call is not counted.
    """
    classifier, spec = restored(bundle, device), provider(bundle).spec
    calibration = Calibration.from_dict(bundle.calibration)
    tracks = eaten.dataset.take(judged.which)
    predict_tracks(classifier, spec, calibration, tracks.x[:1], np.zeros(1, np.int64))
    began = time.perf_counter()
    probabilities = predict_tracks(classifier, spec, calibration, tracks.x, tracks.tracks)
    return probabilities, time.perf_counter() - began


@dataclass(frozen=True)
class KeptRun:
    """A finished run as a comparison's folder keeps it, read without its bundle.

    Parameters
    ----------
    classifier : the name of its row.
    settings : ``version``, ``parameters``, ``seed`` and what it was made from.
    outcome : what it gave.
    judged : the tracks, whose places nobody knows any more: they are empty.
    """

    classifier: str
    seed: int
    fold: int
    settings: Mapping[str, Any]
    outcome: Outcome
    judged: Judged


def kept_runs(folder: Path) -> list[KeptRun]:
    """The finished runs of a comparison, by classifier, seed and fold.

    Raises
    ------
    RunError : the files of one cannot be read.
    """
    found = []
    for path in sorted((folder / RUNS).glob("*.json")):
        record = read_record(path) or {}
        name = _NAME.fullmatch(path.stem)
        if name and record.get("finished"):
            found.append(_kept_run(path, record, *name.groups()))
    return sorted(found, key=lambda run: (run.classifier, run.seed, run.fold))


_NAME = re.compile(r"(.+)-(\d+?)(?:-fold(\d+))?")
"""Of the record of a run: its stem, seed and fold."""


def _kept_run(
    path: Path, record: Mapping[str, Any], stem: str, seed: str, fold: str | None
) -> KeptRun:
    try:
        with path.with_suffix(".csv").open(encoding="utf-8", newline="") as file:
            head, *rows = list(csv.reader(file))
        first = len(_HEADS)
        labels = tuple(name.removeprefix("p:") for name in head[first:])
        ids, genres, groups = zip(*(row[:first] for row in rows), strict=True)
        values = np.array([row[first:] for row in rows], np.float32)
        judged = Judged((), ids, genres, groups, labels)
        numbers = {name: kind(record[name]) for name, kind in _MEASURES.items()}
        if values.shape != (len(ids), len(judged.labels)) or not np.isfinite(values).all():
            raise ValueError
        judged.y  # noqa: B018 - each genre is one of the labels
    except (OSError, ValueError, KeyError, TypeError):
        raise damaged(path) from None
    outcome = Outcome(values, **numbers, device=str(record.get("device", "")))
    name = str(record.get("classifier", stem))  # an earlier mgrkit did not note it
    return KeptRun(name, int(seed), int(fold or 0), dict(record["settings"]), outcome, judged)
