"""One model, fit and measured: from labelled examples and a split to a bundle."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgrkit.classifiers import (
    Bundle,
    Classifier,
    Run,
    Task,
    looks_like_bundle,
    save_bundle,
)
from mgrkit.classifiers.base import silent
from mgrkit.classifiers.bundle import SUFFIX
from mgrkit.classifiers.bundlefields import HIGHEST_BANDWIDTH, printable_text
from mgrkit.classifiers.filling import Filled
from mgrkit.compute.device import resolve_device
from mgrkit.compute.ranks import Ranks
from mgrkit.compute.stopping import stop_signals
from mgrkit.datasets.dataset import Dataset
from mgrkit.errors import RunError, UsageError
from mgrkit.experiments.augmenting import Augmentation
from mgrkit.experiments.parts import Parts
from mgrkit.experiments.records import digest
from mgrkit.experiments.runfolder import RunFolder
from mgrkit.files.outputs import check_output
from mgrkit.learning.fitting import Fit, fit_classifier
from mgrkit.registry import with_parameters
from mgrkit.registry.loader import require, resolve
from mgrkit.tracks.splits import UNKNOWN, Split

if TYPE_CHECKING:
    from mgrkit.registry import ClassifierSpec, Provider

KEPT = ("accuracy", "accuracy_low", "accuracy_high", "macro_f1", "top3", "ece", "tracks")
"""The scores that a bundle keeps."""

MOST_FOLDS = (2, 20)
"""The fewest and the most folds that can be asked for."""

LIMITS = (
    "It knows these genres only and gives one of them to every sound; 'unsure' marks verdicts "
    "that are more likely wrong than right. It was measured on tracks of artists it had not "
    "heard only where the words of the split say so."
)


@dataclass(frozen=True)
class Recipe:
    """What is fit, and how.

    Parameters
    ----------
    entry : the classifier, and who provides it.
    parameters : of the classifier, as its spec makes them.
    refit : whether to fit again on train + valid once everything is measured.
    folds : fits on parts of train that predict the rest of it; None as the classifier does.
    bandwidth : Hz that a song must reach, else its verdict is unsure; 0 for any.
    device : resolved, never 'auto'.
    precision : 'float32' or 'mixed'.
    """

    entry: Provider
    parameters: Any
    seed: int = 0
    refit: bool = False
    device: str = "cpu"
    precision: str = "float32"
    folds: int | None = None
    bandwidth: float = 0.0

    @classmethod
    def of(
        cls,
        entry: Provider,
        parameters: Mapping[str, object],
        seed: int = 0,
        *,
        refit: bool = False,
        device: str = "auto",
        precision: str = "auto",
        folds: int | None = None,
        bandwidth: float = 0.0,
        ranks: Ranks | None = None,
    ) -> Recipe:
        """As a person asks for it; what is cheap to check is checked before the device is sought.

        Parameters
        ----------
        parameters : those that are not as usual.
        device : 'auto', 'cpu', 'cuda', 'cuda:1', 'mps'.
        precision : 'float32', 'mixed', or 'auto': mixed on CUDA.

        Raises
        ------
        UsageError : an unknown parameter, precision or device, a value out of range, or several
            processes for a classifier that is fit by one.
        RunError : a module that the classifier needs is not installed.
        """
        spec, ranks = entry.spec, ranks or Ranks()
        values = with_parameters(spec, parameters)
        require(f"the classifier {spec.name}", spec.requires)
        if ranks.world_size > 1 and not spec.parallel:
            raise UsageError(f"{spec.name} is fit by one process", "start it without torchrun")
        if precision not in ("auto", "float32", "mixed"):
            raise UsageError(f"--precision must be auto, float32 or mixed, not {precision!r}")
        if folds is not None and not MOST_FOLDS[0] <= folds <= MOST_FOLDS[1]:
            raise UsageError(f"--folds must be from 2 to {MOST_FOLDS[1]}, not {folds}")
        device = ranks.device(resolve_device(device, spec.devices))
        if precision == "auto":
            precision = "mixed" if device.startswith("cuda") else "float32"
        if not 0 <= bandwidth <= HIGHEST_BANDWIDTH:
            raise UsageError(
                f"--bandwidth must be from 0 to {HIGHEST_BANDWIDTH}, not {bandwidth:g}"
            )
        return cls(entry, values, seed, refit, device, precision, folds, bandwidth)

    @property
    def spec(self) -> ClassifierSpec:
        return self.entry.spec

    def maker(self, parts: Parts) -> Callable[[], Classifier]:
        """What gives a new classifier for these parts."""
        return partial(_made, self, parts.task, parts.train.input.fills)


@dataclass(frozen=True)
class Trained:
    """What a training run gave.

    Parameters
    ----------
    bundle : what was written to ``path``; its ``metrics`` are the result.
    counts : tracks by part, those left out under 'none'.
    notes : what a person should know of the data.
    chose : whether the tracks of valid were used to choose and to calibrate the model, so that
        its scores there are rather too high.
    failed : files that could not be used, and copies that could not be made.
    augmentation : of the copies that were learnt from; None without.
    """

    path: Path
    bundle: Bundle
    counts: Mapping[str, int]
    notes: tuple[str, ...]
    chose: bool
    failed: int = 0
    augmentation: Augmentation | None = None

    def as_json(self) -> dict[str, Any]:
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
            "augmentation": self.augmentation.settings() if self.augmentation else None,
            "notes": list(self.notes),
            "failed": self.failed,
        }


def fit_model(
    dataset: Dataset,
    split: Split,
    recipe: Recipe,
    out: Path,
    *,
    source: Path,
    replace: bool = False,
    ranks: Ranks | None = None,
    augmentation: Augmentation | None = None,
    progress: Callable[[int, int, Mapping[str, float]], None] = silent,
) -> Trained:
    """Fit on the train part, calibrate, measure, and write the bundle ``out``.

    Parameters
    ----------
    out : as `check_out` allows it.
    source : the DATA that the dataset was read from, for the model's card.
    ranks : this process among those that fit together; they have joined already.
    augmentation : what is done to copies of the sounds of train; None for no copies.

    Raises
    ------
    UsageError : a train part that cannot be learnt from, a genre that no bundle can keep, or
        an unfinished run of other settings beside ``out``; copies of what is no sound.
    RunError : the classifier failed, copies cannot be made, or ``out`` cannot be written.
    Stopped : a person ended it; ``out`` was not written.
    """
    ranks = ranks or Ranks()
    parts = Parts.of(dataset, split)
    work = _Work(recipe, parts, ranks, out.with_suffix(".run"), augmentation)
    with work.recorded(replace=replace):
        fit = work.fit(progress)
        bundle = _bundle(recipe, parts, fit, source, augmentation)
        if not ranks.rank:
            save_bundle(out, bundle)
            work.finish()
    notes = (*dataset.notes, *parts.notes, *work.notes)
    chose = recipe.spec.calibrate == "valid"
    failed = dataset.failed + work.failed
    return Trained(out, bundle, parts.counts, notes, chose, failed, augmentation)


def check_out(out: Path, *, replace: bool) -> None:
    """See, before hours of work and not after, that the bundle can be written.

    Raises
    ------
    UsageError : ``out`` is no name of a bundle, has no folder, or is there already: a bundle
        without ``replace``, or something else.
    RunError : nothing can be written there.
    """
    check_output(out, SUFFIX, "--out")
    if out.exists() and not replace:
        raise UsageError(f"{out} is there already", "give another --out, or --replace")
    if out.exists() and not looks_like_bundle(out):
        raise UsageError(f"{out} is there and is no bundle of mgrkit's", "give another --out")
    if not os.access(out.parent, os.W_OK):
        raise RunError(f"cannot write to {out.parent}", "give another --out")


@dataclass
class _Work:
    """One fit, with the folder of its run where the classifier goes on from one."""

    recipe: Recipe
    parts: Parts
    ranks: Ranks
    place: Path
    augmentation: Augmentation | None = None
    notes: list[str] = field(default_factory=list)
    folder: RunFolder | None = None
    failed: int = 0

    def __post_init__(self) -> None:
        labels = self.parts.labels
        self.train = self.parts.train.examples(labels)
        self.valid = self.parts.valid.examples(labels) if self.parts.valid.entries else None
        if self.augmentation:
            with self.ranks.first_alone():
                self.train, notes, self.failed = self.augmentation.augmented(
                    self.parts.train, self.train, self.recipe.seed
                )
            self.notes += notes

    @contextlib.contextmanager
    def recorded(self, *, replace: bool) -> Iterator[None]:
        """A block in which the run's folder is this process's; begun by rank 0."""
        if not self.recipe.spec.resumable:
            yield
            return
        with RunFolder(self.place) as self.folder:
            with self.ranks.first_alone():
                if not self.ranks.rank:
                    self.folder.begin(self._settings(), replace=replace)
            yield

    def fit(self, progress: Callable[[int, int, Mapping[str, float]], None]) -> Fit:
        """The fit; adds to the notes what a person should know of it."""
        recipe = self.recipe
        make = recipe.maker(self.parts)
        # Not sooner: the engine that prepares DATA handles the signals itself.
        with stop_signals() as asked:
            run = Run(
                recipe.seed, recipe.device, recipe.precision,
                self.folder.path if self.folder else None, progress, self._note, asked,
                self.ranks.rank, self.ranks.world_size,
            )  # fmt: skip
            try:
                fit = fit_classifier(
                    make, recipe.spec, self.parts.labels, self.train, self.valid, run,
                    recipe.refit, recipe.folds,
                )  # fmt: skip
            except (UsageError, RunError):
                if self.folder and not self.ranks.rank:
                    self.folder.forget()
                raise
        if fit.calibration.method == "none":
            folds = recipe.folds or recipe.spec.calibrate == "folds"
            why = "no genre has two artists in train" if folds else "there is no valid part"
            self._note(f"probabilities are not calibrated: {why}")
        return fit

    def finish(self) -> None:
        """Say in the folder that the bundle is written."""
        if self.folder:
            self.folder.finish()

    def _note(self, text: str) -> None:
        self.notes.append(text)
        if self.folder and not self.ranks.rank:
            self.folder.log(text)

    def _settings(self) -> dict[str, Any]:
        """What decides the result, by which the same call goes on and another does not."""
        recipe, parts = self.recipe, self.parts
        given = dataclasses.asdict(recipe.parameters)
        return {
            "classifier": recipe.spec.name,
            **{f"--param {name}": value for name, value in given.items()},
            "seed": recipe.seed,
            "split": parts.split.words,
            "refit": recipe.refit,
            **({"folds": recipe.folds} if recipe.folds else {}),
            **(self.augmentation.settings() if self.augmentation else {}),
            "precision": recipe.precision,
            "tracks of train and valid": [len(parts.train.entries), len(parts.valid.entries)],
            "DATA's digest": digest(self.train, self.valid),
        }


def _made(recipe: Recipe, task: Task, fills: bool) -> Classifier:
    made: Classifier = resolve(recipe.spec.factory)(task, recipe.parameters)
    return Filled(made) if fills else made


def _bundle(
    recipe: Recipe, parts: Parts, fit: Fit, source: Path, augmentation: Augmentation | None
) -> Bundle:
    eaten = parts.train.input
    return Bundle(
        classifier=recipe.spec.name,
        distribution=recipe.entry.distribution,
        version=recipe.entry.version,
        parameters=dataclasses.asdict(recipe.parameters),
        eats=eaten.eats,
        task=parts.task,
        state=fit.state,
        calibration=fit.calibration.to_dict(),
        metrics=_metrics(fit, parts, recipe.refit),
        seed=recipe.seed,
        card=_card(source, parts, recipe.refit, augmentation),
        seen=parts.seen,
        input_digest=eaten.digest if eaten.columns else "",
        held_out=parts.held_out(fit.cross),
        bandwidth=float(recipe.bandwidth),
    )


def _metrics(fit: Fit, parts: Parts, refit: bool) -> dict[str, Any]:
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


def _card(
    data: Path, parts: Parts, refit: bool, augmentation: Augmentation | None
) -> dict[str, str]:
    """What a person should know of the model."""
    both = refit and bool(parts.valid.entries)
    counts = f"{len(parts.train.entries)} tracks of train, {len(parts.valid.entries)} of valid"
    measured = "measured before that, fit on train alone" if both else "measured so"
    return {
        "data": f"{printable_text(data.name)}: {counts}; {parts.train.input.name}",
        "split": parts.split.words,
        "fit": f"on {'train and valid' if both else 'train'}; the metrics were {measured}",
        **({"augmentation": augmentation.words()} if augmentation else {}),
        "limits": LIMITS,
    }
