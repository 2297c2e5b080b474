"""A search whose trials, and last fit, are made by the workers of a cluster.

This process takes the trials, in the order in which it would run them itself, and each worker
runs one at a time: it reads the study's journal in OUT, and writes there what came of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgrkit.batch.engine import run_now
from mgrkit.classifiers.base import silent
from mgrkit.compute.cluster import Cluster
from mgrkit.compute.crew import DeadlyError
from mgrkit.compute.device import resolve_device
from mgrkit.compute.stopping import stop_signals
from mgrkit.datasets.dataset import Dataset
from mgrkit.errors import MgrkitError, Stopped
from mgrkit.experiments.crews import crew_at_work, question
from mgrkit.experiments.nesting import Nesting
from mgrkit.experiments.parts import Parts
from mgrkit.experiments.searches import Limit, Plan, Searches, Step, Tuned
from mgrkit.experiments.shelf import shelf
from mgrkit.experiments.space import Space
from mgrkit.experiments.studyfolder import StudyFolder, telling
from mgrkit.experiments.training import Recipe
from mgrkit.experiments.tuning import LAST_FIT, study_settings
from mgrkit.tracks.splits import Split

if TYPE_CHECKING:
    from optuna import Trial

    from mgrkit.compute.crewhand import Report
    from mgrkit.experiments.search import Search

_LAST = (-1, -1)
"""The job of fitting the best."""


@dataclass
class Bench:
    """What every trial of a search needs; on a worker it is built once.

    Parameters
    ----------
    recipe : but for the device.
    out : as an absolute path.
    source : the DATA that the dataset was read from.
    device : 'auto' for the best that a worker has.
    """

    dataset: Dataset
    split: Split
    recipe: Recipe
    space: Space
    plan: Plan
    out: Path
    source: Path
    device: str
    _built: Searches | None = field(default=None, init=False)

    def do(self, job: tuple[int, int], report: Report) -> Tuned | None:
        """Run a trial, the number of the search and its own, or make the last fit.

        Raises
        ------
        Stopped : it was to end; the trial is given back.
        MgrkitError : whatever `Search.run` and `Searches.finish` raise.
        """
        with stop_signals() as asked:
            searches = self.searches(asked)
            if job == _LAST:
                with telling(self.out), searches.folder.ending():
                    return searches.finish(self.dataset, self.split, self.source, report)
            search = searches.every[job[0]]
            search.run(search.taken(job[1]), asked, lambda: None)
            return None

    def searches(self, asked: Callable[[], bool]) -> Searches:
        """Of the study in ``out``, without a lease: whoever takes the trials has that."""
        limit = Limit(asked, None)
        if self._built is None:
            parts, nesting = divided(self.dataset, self.split, self.recipe, self.plan)
            device = resolve_device(self.device, self.recipe.spec.devices)
            recipe = replace(self.recipe, device=device)
            folder = StudyFolder(self.out, limit.check)
            self._built = Searches(
                folder, self.space, recipe, parts, nesting, self.plan, limit, lambda *_: None
            )
        self._built.limit, self._built.folder.check = limit, limit.check
        return self._built


def divided(dataset: Dataset, split: Split, recipe: Recipe, plan: Plan) -> tuple[Parts, Nesting]:
    """The parts of DATA, and the folds of its train part."""
    parts = Parts.of(dataset, split)
    train = parts.train.examples(parts.labels)
    return parts, Nesting.of(train, plan.folds, plan.outer, recipe.seed)


def tune_there(
    cluster: Cluster,
    bench: Bench,
    out: Path,
    *,
    watch: Callable[[Step], None],
    progress: Callable[[int, int, Mapping[str, float]], None] = silent,
    say: Callable[[str], None],
) -> Tuned:
    """`mgrkit.experiments.tuning.tune_model` on a cluster.

    Parameters
    ----------
    out : as a person calls it.
    say : told which worker is left out, or has died.

    Raises
    ------
    UsageError, RunError, Stopped : as for `tune_model`; RunError also where no worker can do it,
        or the cluster is lost.
    """
    parts, nesting = divided(bench.dataset, bench.split, bench.recipe, bench.plan)
    folder = StudyFolder(out, lambda: None)
    try:
        folder.begin(study_settings(bench.recipe, bench.space, parts, nesting.inner))
        with shelf(out) as kept:
            limit = Limit(lambda: False, bench.plan.timeout)
            searches = Searches(
                folder, bench.space, bench.recipe, parts, nesting, bench.plan, limit, watch
            )
            there = replace(bench, dataset=kept.put(bench.dataset))
            return run_now(_There(searches, there, out, progress, say).tuned(cluster))
    finally:
        folder.close()


@dataclass
class _There:
    """The searches, and what is at work on them."""

    searches: Searches
    bench: Bench
    out: Path
    progress: Callable[[int, int, Mapping[str, float]], None]
    say: Callable[[str], None]
    _taken: dict[tuple[int, int], tuple[Search, Trial]] = field(default_factory=dict)
    _tick: Callable[[], None] = lambda: None
    _last: Tuned | None = None

    async def tuned(self, cluster: Cluster) -> Tuned:
        bench = self.bench
        asked = question(str(bench.out), [bench.recipe.entry], bench.device, "optuna")
        async with crew_at_work(cluster, asked, bench, self.say) as (crew, stopped):
            searches = self.searches
            searches.limit = limit = Limit(stopped, bench.plan.timeout)
            await crew.work(
                self._take, self._ended, stopped=limit.over, heard=lambda *_: None,
                tick=lambda: self._tick(), waits=lambda: searches.waits,
            )  # fmt: skip
            if stopped() and not searches.done:
                raise searches.stopped()
            searches.found()
            last = iter([_LAST])
            await crew.work(
                lambda: next(last, None), self._ended, stopped=stopped,
                heard=lambda _, *how_far: self.progress(*how_far),
            )  # fmt: skip
            if self._last is None:
                raise Stopped(LAST_FIT)
        path = self.out / self._last.path.name
        return Tuned(path, {**self._last.result, "bundle": str(path)}, self._last.rows)

    def _take(self) -> tuple[int, int] | None:
        taken = self.searches.take()
        if taken is None:
            return None
        search, trial = taken
        self._tick = self.searches.watched(search)
        job = (self.searches.every.index(search), trial.number)
        self._taken[job] = taken
        return job

    def _ended(self, job: tuple[int, int], found: Any) -> None:
        if isinstance(found, Tuned):
            self._last = found
        elif isinstance(found, DeadlyError) and job != _LAST:
            search, trial = self._taken[job]
            with telling(self.out):
                search.fail(trial, found)
        elif isinstance(found, MgrkitError) and not isinstance(found, Stopped):
            raise found
        if job in self._taken:
            self._tick = self.searches.watched(self._taken.pop(job)[0])
