"""``mgrkit train``: from DATA to a bundle."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgrkit.classifiers import Bundle, Classifier, Run, Task, looks_like_bundle, save_bundle
from mgrkit.classifiers.base import silent
from mgrkit.classifiers.bundle import SUFFIX
from mgrkit.classifiers.bundlefields import plain_text
from mgrkit.compute.device import resolve_device
from mgrkit.compute.ranks import Ranks
from mgrkit.compute.stopping import stop_signals
from mgrkit.datasets.dataset import Dataset, parts_with_copies
from mgrkit.datasets.genres import AS_SPELT, GenreMap
from mgrkit.datasets.reading import read_dataset
from mgrkit.errors import RunError, UsageError
from mgrkit.experiments.runfolder import RunFolder, digest
from mgrkit.frontend import front_end
from mgrkit.inputs.kinds import input_of
from mgrkit.learning.fitting import Fit, fit_classifier
from mgrkit.registry import with_parameters
from mgrkit.registry.loader import registry, require, resolve
from mgrkit.tracks.identity import FILE, NAME, SOUND, artist_id, track_id
from mgrkit.tracks.splits import PARTS, UNKNOWN, Split, check_split, make_split

if TYPE_CHECKING:
    from mgrkit.batch import Options, Report
    from mgrkit.registry import ClassifierSpec

KEPT = ("accuracy", "accuracy_low", "accuracy_high", "macro_f1", "top3", "ece", "tracks")
"""The scores that a bundle keeps."""

LIMITS = (
    "It knows these genres only and gives one of them to every sound; 'unsure' marks verdicts "
    "that are more likely wrong than right. It was measured on tracks of artists it had not "
    "heard only where the words of the split say so."
)


@dataclass(frozen=True)
class Trained:
    """What a training run gave.

    Parameters
    ----------
    bundle : what was written to ``path``; its ``metrics`` are the result.
    counts : tracks by part, those left out under 'none'.
    notes : what a person should know of the data.
    failed : files that could not be used.
    """

    path: Path
    bundle: Bundle
    counts: Mapping[str, int]
    notes: tuple[str, ...]
    failed: int = 0

    def plain(self) -> dict[str, Any]:
        """For ``--json``."""
        bundle = self.bundle
        return {
            "bundle": str(self.path),
            "classifier": bundle.classifier,
            "parameters": dict(bundle.parameters),
            "seed": bundle.seed,
            "labels": list(bundle.task.labels),
            "tracks": dict(self.counts),
            "metrics": dict(bundle.metrics),
            "calibration": dict(bundle.calibration),
            "notes": list(self.notes),
            "failed": self.failed,
        }


@dataclass(frozen=True)
class Settings:
    """How to train.

    Parameters
    ----------
    split : 'published', 'grouped', 'random', or None for the first of them that DATA allows.
    refit : whether to fit again on train + valid once everything is measured.
    frontend : how sound becomes pictures: 'mel', 'stft', 'kaggle-images'; None for mel, or for
        what pictures are.
    precision : 'float32', 'mixed', or 'auto': mixed on CUDA.
    feature_set : what sound becomes for a classifier that eats features, and what a table is
        read as that does not say so itself; None for the classifier's usual one.
    genres : what genres of DATA count as.
    """

    seed: int = 0
    parameters: Mapping[str, object] = field(default_factory=dict)
    split: str | None = None
    refit: bool = False
    device: str = "auto"
    frontend: str | None = None
    precision: str = "auto"
    feature_set: str | None = None
    genres: GenreMap = AS_SPELT


def train(
    classifier: str,
    data: Path,
    out: Path,
    settings: Settings | None = None,
    *,
    replace: bool = False,
    given: tuple[Dataset, Split] | None = None,
    options: Options | None = None,
    report: Report | None = None,
    progress: Callable[[int, int, Mapping[str, float]], None] = silent,
) -> Trained:
    """Fit a classifier on DATA's train part and write the bundle ``out``.

    Parameters
    ----------
    classifier : a name of ``mgrkit classifiers``.
    data : a feature table, a track table, or a folder of sound or pictures by genre.
    out : a new file NAME.safetensors; an existing one only with ``replace``.
    given : what ``data`` holds and how it is split, where the caller has read it already.

    Raises
    ------
    UsageError : an unknown classifier or parameter, a value out of range, or DATA that cannot be
        split so or learnt from.
    RunError : DATA cannot be read or ``out`` not written, or a module that the classifier needs
        is not installed.
    Stopped : a person ended it; ``out`` was not written.
    """
    settings = settings or Settings()
    entry = registry().classifier(classifier)
    parameters = with_parameters(entry.spec, settings.parameters)
    require(f"the classifier {classifier}", entry.spec.requires)
    ranks = Ranks.here()
    if ranks.world_size > 1 and not entry.spec.parallel:
        raise UsageError(f"{classifier} is fit by one process", "start it without torchrun")
    device = ranks.device(resolve_device(settings.device, entry.spec.devices))
    precision = _precision(settings.precision, device)
    front = front_end(settings.frontend) if settings.frontend else None
    wanted = input_of(
        entry.spec.eats, entry.spec.name, front, settings.feature_set, settings.device
    )
    _check_out(out, replace)
    check_split(settings.split)
    with ranks.together(device):
        with ranks.first_alone():
            dataset = given[0] if given else read_dataset(data, wanted, options, report)
        [dataset] = settings.genres.applied(dataset)
        if front and dataset.input.digest != wanted.digest:
            raise UsageError(
                f"{data} holds {dataset.input.name}, --front-end asks for {wanted.name}",
                "leave out --front-end, or give sound",
            )
        split = given[1] if given else None
        parts = _Parts.of(
            dataset, split or make_split(dataset.labelled, settings.split, settings.seed)
        )
        for label in parts.labels:
            if plain_text(label) != label:
                what = f"no model can keep the genre {label!r:.80}"
                raise UsageError(what, "give it a plain name")
        eaten = dataset.input
        task = Task(parts.labels, eaten.shape, eaten.columns, eaten.frontend)
        run = Run(
            settings.seed, device, precision, None, progress,
            rank=ranks.rank, world_size=ranks.world_size,
        )  # fmt: skip
        model = _Model(entry.spec, task, parameters, settings.refit)
        folder = RunFolder(out.with_suffix(".run")) if entry.spec.resumable else None
        notes: list[str] = []
        with folder or contextlib.nullcontext():
            fit = model.fit(parts, run, ranks, folder, notes, replace)
            bundle = Bundle(
                classifier=entry.spec.name,
                distribution=entry.distribution,
                version=entry.version,
                parameters=dataclasses.asdict(parameters),
                eats=eaten.eats,
                task=task,
                state=fit.state,
                calibration=fit.calibration.to_dict(),
                metrics=_metrics(fit, parts, settings.refit),
                seed=settings.seed,
                card=_card(data, parts, settings.refit),
                seen=parts.seen,
                input_digest=eaten.digest if eaten.columns else "",
            )
            if not ranks.rank:
                save_bundle(out, bundle)
                if folder:
                    folder.finish()
    every = (*dataset.notes, *parts.notes, *notes)
    return Trained(out, bundle, parts.counts, every, dataset.failed)


@dataclass(frozen=True)
class _Model:
    """What is fit, beside the examples."""

    spec: ClassifierSpec
    task: Task
    parameters: Any
    refit: bool

    def make(self) -> Classifier:
        made: Classifier = resolve(self.spec.factory)(self.task, self.parameters)
        return made

    def fit(
        self,
        parts: _Parts,
        run: Run,
        ranks: Ranks,
        folder: RunFolder | None,
        notes: list[str],
        replace: bool,
    ) -> Fit:
        """The fit, in the run's folder where the classifier goes on from one; adds to ``notes``."""
        train = parts.train.examples(parts.labels)
        valid = parts.valid.examples(parts.labels) if parts.valid.entries else None
        if folder:
            told = {
                "classifier": self.spec.name,
                **{f"--param {n}": v for n, v in dataclasses.asdict(self.parameters).items()},
                "seed": run.seed,
                "split": parts.split.words,
                "refit": self.refit,
                "precision": run.precision,
                "tracks of train and valid": [len(parts.train.entries), len(parts.valid.entries)],
                "DATA's digest": digest(train, valid),
            }
            with ranks.first_alone():
                if not run.rank:
                    folder.begin(told, replace=replace)

        def note(text: str) -> None:
            notes.append(text)
            if folder and not run.rank:
                folder.log(text)

        place = folder.path if folder else None
        # Not sooner: the engine that prepares DATA hears the signals in its own way.
        with stop_signals() as asked:
            run = dataclasses.replace(run, folder=place, note=note, stop_requested=asked)
            try:
                fit = fit_classifier(
                    self.make, self.spec, parts.labels, train, valid, run, self.refit
                )
            except UsageError:
                if folder and not run.rank:
                    folder.forget()
                raise
        if fit.calibration.method == "none":
            folds = self.spec.calibrate == "folds"
            why = "no genre has two artists in train" if folds else "there is no valid part"
            note(f"probabilities are not calibrated: {why}")
        return fit


def _precision(asked: str, device: str) -> str:
    if asked not in ("auto", "float32", "mixed"):
        raise UsageError(f"--precision must be auto, float32 or mixed, not {asked!r}")
    if asked == "auto":
        return "mixed" if device.startswith("cuda") else "float32"
    return asked


@dataclass(frozen=True)
class _Parts:
    """DATA split: what is learnt from, what is chosen by, and what is said of the rest."""

    train: Dataset
    valid: Dataset
    labels: tuple[str, ...]
    split: Split
    counts: Mapping[str, int]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, dataset: Dataset, split: Split) -> _Parts:
        parts = parts_with_copies(dataset, split.parts)

        def of_part(name: str) -> list[int]:
            return [index for index, part in enumerate(parts) if part == name]

        train = dataset.take(of_part("train"))
        labels = tuple(sorted({entry.genre for entry in train.entries}))
        if len(labels) < 2:
            raise UsageError(
                f"the train part holds {f'one genre only, {labels[0]}' if labels else 'nothing'}",
                "at least two genres with two artists each, or another --split",
            )
        known = [i for i in of_part("valid") if dataset.entries[i].genre in labels]
        notes = split.notes
        if lost := len(of_part("valid")) - len(known):
            notes = (*notes, f"left out of valid, of genres that train lacks: {lost} tracks")
        counts = {part or "none": parts.count(part) for part in (*PARTS, "")}
        return cls(train, dataset.take(known), labels, split, counts, notes)

    @property
    def seen(self) -> tuple[str, ...]:
        """The ids of the tracks, which ``evaluate`` will not count, and of their artists.

        A track that is known by its sound is there by its name too, for a noisy copy tells no
        more than that of its recording.
        """
        tracks = (*self.train.labelled, *self.valid.labelled)
        entries = (*self.train.entries, *self.valid.entries)
        heard = (e for e, t in zip(entries, tracks, strict=True) if t.id.startswith(SOUND))
        names = {track_id(entry.parent).replace(NAME, FILE, 1) for entry in heard}
        artists = {artist_id(one.group) for one in tracks if one.group}
        return tuple(sorted({one.id for one in tracks} | names | artists))


def _check_out(out: Path, replace: bool) -> None:
    """Before hours of work, not after."""
    if out.suffix != SUFFIX:
        raise UsageError(f"--out must end in {SUFFIX}, not {out.name}")
    if out.exists() and not replace:
        raise UsageError(f"{out} is there already", "give another --out, or --replace")
    if out.exists() and not looks_like_bundle(out):
        raise UsageError(f"{out} is there and is no bundle of mgrkit's", "give another --out")
    folder = out.parent
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", "make it, or give another --out")
    if not os.access(folder, os.W_OK):
        raise RunError(f"cannot write to {folder}", "give another --out")


def _metrics(fit: Fit, parts: _Parts, refit: bool) -> dict[str, Any]:
    """The scores of the model before any refit: on valid, else those of the folds of train."""
    folds = {name: fit.out_of_fold[name] for name in KEPT} if fit.out_of_fold else {}
    best = {name: fit.valid[name] for name in KEPT} if fit.valid else folds
    part, words = "valid" if fit.valid else "none", parts.split.words
    if folds and not fit.valid:
        part, tracks = "folds of train", parts.train.labelled
        unknown = sum(not track.group for track in tracks)
        # Of parts that others have made, folds can still tear an unknown artist's tracks apart.
        if unknown and UNKNOWN not in words:
            words += f", {UNKNOWN} for {unknown} of {len(tracks)} tracks"
    return {"part": part, "split": words, "refit": refit, **best, "folds": folds}


def _card(data: Path, parts: _Parts, refit: bool) -> dict[str, str]:
    """What a person should know of the model."""
    both = refit and bool(parts.valid.entries)
    counts = f"{len(parts.train.entries)} tracks of train, {len(parts.valid.entries)} of valid"
    measured = "measured before that, fit on train alone" if both else "measured so"
    return {
        "data": f"{plain_text(data.name)}: {counts}; {parts.train.input.name}",
        "split": parts.split.words,
        "fit": f"on {'train and valid' if both else 'train'}; the metrics were {measured}",
        "limits": LIMITS,
    }
