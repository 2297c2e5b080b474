"""The search that is asked for and those of the outer folds, and what they give together."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.classifiers import Run, load_bundle
from mgrkit.classifiers.bundle import SUFFIX
from mgrkit.datasets.dataset import Dataset
from mgrkit.errors import BundleError, RunError, Stopped
from mgrkit.experiments.nesting import Nesting
from mgrkit.experiments.parts import Parts
from mgrkit.experiments.records import read_record, write_record
from mgrkit.experiments.search import Search, reason, row, score
from mgrkit.experiments.space import Space
from mgrkit.experiments.studyfolder import StudyFolder
from mgrkit.experiments.training import Recipe, fit_model
from mgrkit.learning.fitting import Folded
from mgrkit.learning.metrics import interval
from mgrkit.tracks.splits import Split

if TYPE_CHECKING:
    from optuna import Trial
    from optuna.trial import FrozenTrial

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
class Limit:
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


@dataclass
class Searches:
    """The search, and those of the outer folds."""

    folder: StudyFolder
    space: Space
    recipe: Recipe
    parts: Parts
    nesting: Nesting
    plan: Plan
    limit: Limit
    watch: Callable[[Step], None]

    def __post_init__(self) -> None:
        self.main = self._new("search", self.nesting.inner)
        within = self.nesting.within
        self.outer = [
            self._new(f"outer fold {number} of {len(within)}", folded)
            for number, folded in enumerate(within, 1)
        ]
        self._left = self.every

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
        try:
            while self._left and not self.limit.late():
                self.limit.check()
                if taken := self.take():
                    search, trial = taken
                    self.watched(search)()
                    search.run(trial, self.limit.over, self.watched(search))
                elif self._left:
                    time.sleep(_WAIT)  # another process is at its last trial, or dies in it
        except Stopped as stop:
            if self.limit.stopped():
                raise self.stopped(stop.exit_code) from None

    def take(self) -> tuple[Search, Trial] | None:
        """The next trial, which is this process's; None where all are taken."""
        while self._left:
            if trial := self._left[0].take():
                return self._left[0], trial
            self._left = self._left[1:]
        self._left = [one for one in self.every if not one.done]
        return None

    @property
    def waits(self) -> bool:
        """Whether other processes are at work on the last trials, as far as `take` has seen."""
        return bool(self._left)

    @property
    def done(self) -> bool:
        """Whether no trial of any search is left."""
        return all(one.done for one in self.every)

    def found(self) -> FrozenTrial:
        """The best trial of the search that is asked for; RunError where none has a score."""
        best = self.main.best
        if best is None:
            late = self.limit.late()
            why = f"in {self.plan.timeout:g} s" if late else "to the end"
            raise RunError(f"no trial was finished {why}", "a longer --timeout" if late else "")
        return best

    def stopped(self, code: int = 130) -> Stopped:
        """What is said where a person has ended the searches."""
        done, total = self._done()
        message = f"stopped after {done} of {total} trials; the same command goes on from there"
        return Stopped(message, code=code)

    def _done(self) -> tuple[int, int]:
        done = [min(len(one.finished), one.trials) for one in self.every]
        return sum(done), sum(one.trials for one in self.every)

    def watched(self, search: Search) -> Callable[[], None]:
        """What tells how far it is now, as often as it is called."""
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
        best = self.found()
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
        if not self.done:
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
