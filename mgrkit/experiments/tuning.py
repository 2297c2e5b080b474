"""A classifier's parameters, searched on the train part alone; then a model that has the best.

The score that a search ends with is too high, for it was chosen as the highest. What it is worth
on artists that it has not seen is measured by searching anew on a part of the artists and judging
by the others: nested cross-validation (Varma, Simon 2006, "Bias in error estimation when using
cross-validation for model selection"; Cawley, Talbot 2010).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mgrkit.classifiers import Run, load_bundle
from mgrkit.classifiers.base import silent
from mgrkit.classifiers.bundle import SUFFIX
from mgrkit.compute.stopping import stop_signals
from mgrkit.datasets.dataset import Dataset
from mgrkit.errors import BundleError, RunError, Stopped
from mgrkit.experiments.nesting import Nesting
from mgrkit.experiments.parts import Parts
from mgrkit.experiments.records import digest, read_record, write_record
from mgrkit.experiments.search import Search, reason, row, score
from mgrkit.experiments.space import Space
from mgrkit.experiments.studyfolder import StudyFolder, telling
from mgrkit.experiments.training import Recipe, fit_model
from mgrkit.learning.fitting import Folded
from mgrkit.learning.metrics import interval
from mgrkit.tracks.splits import Split

RESULT = "tune.json"
_WAIT = 0.1
"""Seconds until it looks again whether another process has finished."""
_HELD = "held back"


@dataclass(frozen=True)
class Plan:
    """How long, and how well measured.

    Parameters
    ----------
    trials : of each search, those of all processes together.
    folds : that a trial is scored by.
    outer : folds of the nested estimate, each with a search of its own; 0 for none.
    timeout : seconds after which no trial goes on; None for no limit.
    """

    trials: int
    folds: int
    outer: int
    timeout: float | None = None


@dataclass(frozen=True)
class Step:
    """How far it is.

    Parameters
    ----------
    done, total : trials of all searches and processes.
    best : the highest score of the search; None before the first.
    name : of the search in work.
    """

    done: int
    total: int
    best: float | None
    name: str


@dataclass(frozen=True)
class Tuned:
    """What a search gave.

    Parameters
    ----------
    path : the bundle that was fit with the best parameters.
    result : plain JSON; see ``as_json``.
    rows : one for each trial that is done, of all searches.
    """

    path: Path
    result: Mapping[str, Any]
    rows: Sequence[Mapping[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return dict(self.result)


@dataclass
class _Limit:
    """When to end."""

    stopped: Callable[[], bool]
    timeout: float | None
    began: float = field(default_factory=time.monotonic)

    def check(self) -> None:
        if self.stopped():
            raise Stopped("stopped")

    def late(self) -> bool:
        return self.timeout is not None and time.monotonic() - self.began >= self.timeout

    def over(self) -> bool:
        return self.stopped() or self.late()


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
        limit = _Limit(asked, plan.timeout)
        folder = StudyFolder(out, limit.check)
        try:
            folder.begin(_settings(recipe, space, parts, nesting.inner))
            work = _Work(folder, space, recipe, parts, nesting, plan, limit, watch)
            work.search()
            with telling(out), folder.ending():
                return work.finish(dataset, split, source, progress)
        except Stopped as stop:
            if stop.message != "stopped":
                raise
            message = "stopped at the last fit; the same command goes on from there"
            raise Stopped(message, code=stop.exit_code) from None
        finally:
            folder.close()


def _settings(recipe: Recipe, space: Space, parts: Parts, folded: Folded) -> dict[str, Any]:
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


@dataclass
class _Work:
    """The search, and those of the outer folds."""

    folder: StudyFolder
    space: Space
    recipe: Recipe
    parts: Parts
    nesting: Nesting
    plan: Plan
    limit: _Limit
    watch: Callable[[Step], None]

    def __post_init__(self) -> None:
        self.main = self._new("search", self.nesting.inner)
        within = self.nesting.within
        self.outer = [
            self._new(f"outer fold {number} of {len(within)}", folded)
            for number, folded in enumerate(within, 1)
        ]

    def _new(self, name: str, folded: Folded) -> Search:
        return Search(
            name, self.folder, self.space, self.recipe, self.parts, folded, self.plan.trials
        )

    @property
    def every(self) -> list[Search]:
        """The search that is asked for first."""
        return [self.main, *self.outer]

    def search(self) -> None:
        """Take trials until all are done or the time is up; raises Stopped when asked to."""
        left = self.every
        try:
            while left and not self.limit.late():
                self.limit.check()
                search = left[0]
                trial = search.take()
                if trial:
                    self._watched(search)()
                    search.run(trial, self.limit.over, self._watched(search))
                elif len(left) > 1 or search.done:
                    left = left[1:]
                else:
                    time.sleep(_WAIT)  # another process is at its last trial, or dies in it
                left = left or [one for one in self.every if not one.done]
        except Stopped as stop:
            if self.limit.stopped():
                raise Stopped(self._how_far(), code=stop.exit_code) from None

    def _how_far(self) -> str:
        done, total = self._done()
        return f"stopped after {done} of {total} trials; the same command goes on from there"

    def _done(self) -> tuple[int, int]:
        done = [min(len(one.finished), one.trials) for one in self.every]
        return sum(done), sum(one.trials for one in self.every)

    def _watched(self, search: Search) -> Callable[[], None]:
        done, total = self._done()
        best = score(self.main.best) if self.main.best else None
        step = Step(done, total, best, search.name)
        return lambda: self.watch(step)

    def finish(
        self,
        dataset: Dataset,
        split: Split,
        source: Path,
        progress: Callable[[int, int, Mapping[str, float]], None],
    ) -> Tuned:
        """The bundle and the result, or those that another process has made."""
        best = self.main.best
        if best is None:
            late = self.limit.late()
            why = f"in {self.plan.timeout:g} s" if late else "to the end"
            raise RunError(f"no trial was finished {why}", "a longer --timeout" if late else "")
        rows = [
            {"search": search.name, **row(number, one, self.space)}
            for search in self.every
            for number, one in enumerate(search.finished)
        ]
        out = self.folder.path / f"{self.recipe.spec.name}{SUFFIX}"
        given = self.space.given(best.params)
        state = [len(one.finished) for one in self.every]
        kept = read_record(self.folder.path / RESULT)
        if kept and kept.get("state") == state and _is_bundle(out):
            return Tuned(out, kept, rows)
        recipe = self.main.tuned(given)
        trained = fit_model(
            dataset, split, recipe, out, source=source, replace=True, progress=progress
        )
        measured = trained.as_json()
        result = {
            "classifier": self.recipe.spec.name,
            "bundle": str(out),
            "parameters": given,
            "searched": list(self.space.searched),
            "inner": self._inner(),
            "nested": self._nested(),
            "outer": len(self.outer),
            "metrics": measured["metrics"],
            "chose": trained.chose,
            "importance": self._importance(),
            "tracks": measured["tracks"],
            "notes": [*measured["notes"], *self._notes()],
            "failed": measured["failed"],
            "state": state,
        }
        write_record(self.folder.path / RESULT, result)
        return Tuned(out, result, rows)

    def _inner(self) -> dict[str, Any]:
        """The score that was chosen as the highest, and that of the defaults by the same folds."""
        best, done, folded = self.main.best, self.main.finished, self.nesting.inner
        assert best is not None
        usual = {**self.space.usual()}
        defaults = [one for one in done if one.params == usual and score(one) is not None]
        states = [one.state.name for one in done]
        return {
            "accuracy": best.value,
            "trial": [one.number for one in done].index(best.number),
            "defaults": defaults[0].value if defaults else None,
            "folds": len(folded),
            "tracks": sum(len(folded.held(number)) for number in range(len(folded))),
            "trials": len(done),
            "ended_early": states.count("PRUNED"),
            "failed": states.count("FAIL"),
        }

    def _nested(self) -> dict[str, Any] | None:
        """What the whole search is worth; None without outer folds, or where some are not done."""
        if not self.outer or not all(one.done and one.best for one in self.outer):
            return None
        groups, right, every = self.nesting.outer.tracks.groups, [], []
        for number, search in enumerate(self.outer):
            held = self.nesting.outer.held(number)
            right += self._right(number, search)
            every += groups[held].tolist()
        low, high = interval(np.array(right, bool), every, self.recipe.seed)
        return {
            "accuracy": float(np.mean(right)),
            "accuracy_low": low,
            "accuracy_high": high,
            "folds": len(self.outer),
            "tracks": len(right),
            "parameters": [self.space.given(one.best.params) for one in self.outer if one.best],
        }

    def _notes(self) -> list[str]:
        failed = [one for one in self.main.finished if one.state.name == "FAIL"]
        notes = [f"{len(failed)} trials failed: {reason(failed[0])}"] if failed else []
        if any(not one.done for one in self.every):
            done, total = self._done()
            notes.append(
                f"the time was up after {done} of {total} trials; the same command goes on"
            )
        return notes

    def _right(self, number: int, search: Search) -> list[int]:
        """Which tracks of an outer fold are right, by the best that was found without them."""
        best = search.best
        assert best is not None
        kept = search.study.user_attrs.get(_HELD)
        if kept and kept["trial"] == best.number:
            return list(kept["right"])
        recipe = self.recipe
        run = Run(recipe.seed, recipe.device, recipe.precision, stop_requested=self.limit.stopped)
        make = search.maker(self.space.given(best.params))
        outer, labels = self.nesting.outer, len(self.parts.labels)
        predicted = outer.predicted(number, make, recipe.spec, labels, run)
        truth = outer.tracks.y[outer.held(number)]
        right = [int(one) for one in predicted.argmax(1) == truth]
        search.study.set_user_attr(_HELD, {"trial": best.number, "right": right})
        return right

    def _importance(self) -> dict[str, float]:
        """How much of what differs between the scores each parameter explains, 0 to 1.

        Functional analysis of variance of a forest (Hutter, Hoos, Leyton-Brown 2014, "An
        efficient approach for assessing hyperparameter importance"), over the trials that were
        not ended early. Empty where their scores say nothing.
        """
        from optuna.importance import FanovaImportanceEvaluator, get_param_importances

        scores = {one.value for one in self.main.finished if score(one) is not None}
        if len(scores) < 2:
            return {}
        found = get_param_importances(self.main.study, evaluator=FanovaImportanceEvaluator(seed=0))
        return {name: round(float(value), 6) for name, value in found.items()}


def _is_bundle(path: Path) -> bool:
    try:
        load_bundle(path)
    except BundleError:
        return False
    return True
