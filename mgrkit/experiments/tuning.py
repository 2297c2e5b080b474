"""A classifier's parameters, searched on the train part alone; then a model that has the best.

The score that a search ends with is too high, for it was chosen as the highest. What it is worth
on artists that it has not seen is measured by searching anew on a part of the artists and judging
by the others: nested cross-validation (Varma, Simon 2006, "Bias in error estimation when using
cross-validation for model selection"; Cawley, Talbot 2010).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mgrkit.classifiers.base import silent
from mgrkit.compute.stopping import stop_signals
from mgrkit.datasets.dataset import Dataset
from mgrkit.errors import Stopped
from mgrkit.experiments.nesting import Nesting
from mgrkit.experiments.parts import Parts
from mgrkit.experiments.records import digest
from mgrkit.experiments.searches import Limit, Plan, Searches, Step, Tuned
from mgrkit.experiments.space import Space
from mgrkit.experiments.studyfolder import StudyFolder, telling
from mgrkit.experiments.training import Recipe
from mgrkit.learning.fitting import Folded
from mgrkit.tracks.splits import Split

LAST_FIT = "stopped at the last fit; the same command goes on from there"


def tune_model(
    dataset: Dataset,
    split: Split,
    recipe: Recipe,
    space: Space,
    plan: Plan,
    out: Path,
    *,
    source: Path,
    watch: Callable[[Step], None],
    progress: Callable[[int, int, Mapping[str, float]], None] = silent,
) -> Tuned:
    """Search on the train part, and fit the best into ``out``.

    Parameters
    ----------
    out : a new folder, or one of the same search, which goes on. Several processes may work in it.
    source : the DATA that the dataset was read from, for the model's card.
    watch : told how far the searches are; ``progress`` how far the last fit is.

    Raises
    ------
    UsageError : a train part that cannot be learnt from or has no folds, or ``out`` is something
        else.
    RunError : the classifier fails, no trial was finished in time, or ``out`` cannot be written.
    Stopped : a person ended it; the message says how far it got.
    """
    parts = Parts.of(dataset, split)
    train = parts.train.examples(parts.labels)
    nesting = Nesting.of(train, plan.folds, plan.outer, recipe.seed)
    with stop_signals() as asked:
        limit = Limit(asked, plan.timeout)
        folder = StudyFolder(out, limit.check)
        try:
            folder.begin(study_settings(recipe, space, parts, nesting.inner))
            work = Searches(folder, space, recipe, parts, nesting, plan, limit, watch)
            work.search()
            with telling(out), folder.ending():
                return work.finish(dataset, split, source, progress)
        except Stopped as stop:
            if stop.message != "stopped":
                raise
            raise Stopped(LAST_FIT, code=stop.exit_code) from None
        finally:
            folder.close()


def study_settings(recipe: Recipe, space: Space, parts: Parts, folded: Folded) -> dict[str, Any]:
    """What decides a trial's score, by which the same call goes on and another does not."""
    return {
        "classifier": recipe.spec.name,
        "seed": recipe.seed,
        "split": parts.split.words,
        "folds": len(folded),
        "precision": recipe.precision,
        "DATA's digest": digest(folded.train),
        "version": f"{recipe.entry.distribution} {recipe.entry.version}",
        **space.settings(),
    }
