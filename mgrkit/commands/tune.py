"""``mgrkit tune``: the parameters of a classifier, searched on the train part of DATA."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgrkit.classifiers.base import silent, unheard
from mgrkit.compute.ranks import Ranks
from mgrkit.datasets.genres import AS_SPELT, GenreMap
from mgrkit.datasets.labels import Labels
from mgrkit.datasets.reading import read_dataset
from mgrkit.errors import RunError, UsageError
from mgrkit.experiments.crews import device_here
from mgrkit.experiments.searches import Plan, Step, Tuned
from mgrkit.experiments.space import Space
from mgrkit.experiments.training import MOST_FOLDS, Recipe
from mgrkit.experiments.tuning import tune_model
from mgrkit.experiments.tuning_crew import Bench, tune_there
from mgrkit.files.outputs import check_folder
from mgrkit.frontend import front_end
from mgrkit.inputs.columns import ALL, TableChoice, check_choice
from mgrkit.inputs.kinds import input_of
from mgrkit.inputs.wording import check_drawing
from mgrkit.registry.loader import installed, missing
from mgrkit.tracks.leaks import checked
from mgrkit.tracks.splits import Split, check_split, make_split

if TYPE_CHECKING:
    from mgrkit.batch import Options, Report
    from mgrkit.compute.cluster import Cluster
    from mgrkit.datasets.dataset import Dataset
    from mgrkit.registry import ClassifierSpec

FOLDS = 5
OUTER = 3
"""Outer folds where the classifier is cheap."""
MOST_TRIALS = 100_000


@dataclass(frozen=True)
class TuneSettings:
    """What to search, and how.

    Parameters
    ----------
    trials : 1 to 100,000, those of all processes in ``out`` together.
    space : what a space file says, as `read_space` gives it.
    parameters : those that are not searched, by name.
    folds : 2 to 20 that a trial is scored by.
    outer : folds of the nested estimate, each with a search of its own: 0 for none, else 2 to 20;
        None for three, and for none where a fit is dear (a spec that calibrates on 'valid').
    timeout : seconds after which no trial goes on; None for no limit.
    seed, split, device, frontend, precision, feature_set, genres, table, choice, label_from :
        as for `mgrkit.commands.train.TrainSettings`.
    """

    trials: int
    space: Mapping[str, object] = field(default_factory=dict)
    parameters: Mapping[str, object] = field(default_factory=dict)
    folds: int = FOLDS
    outer: int | None = None
    timeout: float | None = None
    seed: int = 0
    split: str | None = None
    device: str = "auto"
    frontend: str | None = None
    precision: str = "auto"
    feature_set: str | None = None
    genres: GenreMap = AS_SPELT
    table: Path | None = None
    choice: TableChoice = ALL
    label_from: str = ""

    def plan(self, spec: ClassifierSpec) -> Plan:
        """How long; raises UsageError for numbers out of range."""
        outer = (OUTER if spec.calibrate == "folds" else 0) if self.outer is None else self.outer
        if not 1 <= self.trials <= MOST_TRIALS:
            raise UsageError(f"--trials must be from 1 to {MOST_TRIALS}, not {self.trials}")
        least, most = MOST_FOLDS
        if not least <= self.folds <= most:
            raise UsageError(f"--folds must be from {least} to {most}, not {self.folds}")
        if outer and not least <= outer <= most:
            raise UsageError(f"--outer must be 0 or from {least} to {most}, not {outer}")
        if self.timeout is not None and not self.timeout > 0:
            raise UsageError(f"--timeout must be above 0, not {self.timeout:g}")
        return Plan(self.trials, self.folds, outer, self.timeout)


def unwatched(step: Step) -> None:
    """How far it is, for nobody."""
    del step


def tune(
    classifier: str,
    data: Path,
    out: Path,
    settings: TuneSettings,
    *,
    options: Options | None = None,
    report: Report | None = None,
    watch: Callable[[Step], None] = unwatched,
    progress: Callable[[int, int, Mapping[str, float]], None] = silent,
    cluster: Cluster | None = None,
    say: Callable[[str], None] = unheard,
) -> Tuned:
    """Search the parameters of a classifier, and fit a model that has the best.

    Trials are scored by folds of the train part that share no artist; neither valid nor test is
    looked at before the model is there.

    Parameters
    ----------
    classifier, data : as for `mgrkit.commands.train.train`.
    out : a new folder, or one of the same search, which goes on; several processes may share it.
    watch : told how far the searches are, ``progress`` how far the last fit is.
    cluster : whose workers run the trials; they see ``out``, and 'auto' precision is float32.
    say : told which worker is left out, or has died.

    Raises
    ------
    UsageError : the call is wrong, DATA cannot be split so or learnt from, the classifier has
        nothing to search, or ``out`` holds something else.
    RunError : DATA cannot be read, ``out`` not written, the classifier fails, Optuna is not
        installed, no trial was finished in time, or the cluster is lost or of no use.
    Stopped : a person ended it; the message says how far it got.
    """
    entry = installed().classifier(classifier)
    spec = entry.spec
    space = Space.of(spec, settings.parameters, settings.space)
    plan = settings.plan(spec)
    _check(out, settings)
    recipe = Recipe.of(
        entry, dict(space.fixed), settings.seed, device="cpu" if cluster else settings.device,
        precision=settings.precision,
    )  # fmt: skip
    dataset, split = _read(spec, data, settings, cluster, options, report)
    if cluster:
        bench = Bench(dataset, split, recipe, space, plan, out.absolute(), data, settings.device)
        return tune_there(cluster, bench, out, watch=watch, progress=progress, say=say)
    return tune_model(
        dataset, split, recipe, space, plan, out, source=data, watch=watch, progress=progress
    )


def _check(out: Path, settings: TuneSettings) -> None:
    check_folder(out, "--out")
    check_split(settings.split)
    if missing(["optuna"]):
        raise RunError("mgrkit tune needs Optuna, not installed here", "pip install 'mgrkit[tune]'")
    if Ranks.here().world_size > 1:
        hint = "start it several times in one --out instead of by torchrun"
        raise UsageError("a search is one process", hint)


def _read(
    spec: ClassifierSpec,
    data: Path,
    settings: TuneSettings,
    cluster: Cluster | None,
    options: Options | None,
    report: Report | None,
) -> tuple[Dataset, Split]:
    """DATA as the classifier eats it, and its parts."""
    front = front_end(settings.frontend) if settings.frontend else None
    device = device_here(settings.device, cluster)
    wanted = input_of(spec.eats, spec.name, front, settings.feature_set, device)
    check_choice(settings.choice, spec.eats, spec.name)
    labels = Labels(settings.label_from, settings.genres.names, learns=True)
    dataset = read_dataset(data, wanted, options, report, settings.table, settings.choice, labels)
    [dataset] = settings.genres.applied(dataset)
    if front:
        check_drawing(data, dataset.input, wanted)
    split = make_split(dataset.labelled, settings.split, settings.seed)
    return dataset, checked(dataset.labelled, split)


def read_space(path: Path) -> dict[str, Any]:
    """What a space file says, by name of parameter.

    Raises
    ------
    UsageError : it is no TOML.
    RunError : it cannot be read.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} is no TOML: {error}", "as in C = {low = 0.1, high = 10}"
        ) from None
