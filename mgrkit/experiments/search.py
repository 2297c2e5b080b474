"""One search: trials of parameters, scored by folds of undivided artists, shared by processes.

Trials are Optuna's: suggested by its TPE sampler (Bergstra et al. 2011, "Algorithms for
hyper-parameter optimization"; all parameters together, Falkner, Klein, Hutter 2018), and ended
early by its median rule (Golovin et al. 2017, "Google Vizier"). The sampler of each trial has a
seed of its own, made of the run's seed and of how many trials were begun before: a search that
was stopped goes on as if it had not been.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from mgrkit import seeds
from mgrkit.classifiers import Run
from mgrkit.errors import MgrkitError, RunError, Stopped, UsageError
from mgrkit.experiments.parts import Parts
from mgrkit.experiments.space import Space
from mgrkit.experiments.studyfolder import StudyFolder, telling
from mgrkit.experiments.training import Recipe
from mgrkit.learning.fitting import Folded
from mgrkit.registry import with_parameters

if TYPE_CHECKING:
    from optuna import Trial
    from optuna.trial import FrozenTrial

MEASURE = "valid_accuracy"
"""The name by which networks report, after an epoch, how much of what is held back is right."""
_STEPS = 1000
"""Steps of a fold, whatever its epochs."""
_FIRST = 10
"""Trials that are drawn at random, and that have finished before one is ended early."""
_REASON, _SECONDS, _WORKER = "reason", "seconds", "worker"


class Search:
    """A study, and what its trials are scored by.

    Parameters
    ----------
    name : of the study in the journal of ``folder``.
    recipe : how a trial is fit; its parameters are those of the space.
    parts : of DATA, for what a classifier is made of.
    folded : what the trials are scored by.
    trials : how many, those of all processes together.
    """

    def __init__(
        self,
        name: str,
        folder: StudyFolder,
        space: Space,
        recipe: Recipe,
        parts: Parts,
        folded: Folded,
        trials: int,
    ) -> None:
        from optuna.pruners import MedianPruner

        self.name, self.folder, self.space = name, folder, space
        self.recipe, self.parts, self.folded, self.trials = recipe, parts, folded, trials
        self.chooses = recipe.spec.calibrate == "valid"
        with telling(folder.path), folder.gate():
            self.study = folder.study(name)
            if not self._all() and (usual := space.usual()):
                self.study.enqueue_trial(usual)
        # A network is not judged by its first epochs, others not by one fold.
        early = _STEPS // 3 if self.chooses else _STEPS + 1
        self.study.pruner = MedianPruner(n_startup_trials=_FIRST, n_warmup_steps=early)

    @property
    def finished(self) -> list[FrozenTrial]:
        """Those that are done: scored, ended early or failed."""
        return [one for one in self._all() if _counts(one) and one.state.is_finished()]

    @property
    def best(self) -> FrozenTrial | None:
        """The first of those with the highest score; None where none has one."""
        scored = [one for one in self._all() if score(one) is not None]
        return max(scored, key=lambda one: (score(one), -one.number), default=None)

    @property
    def done(self) -> bool:
        """Whether no trial is left, neither here nor elsewhere."""
        return len(self.finished) >= self.trials

    def take(self) -> Trial | None:
        """The next trial, which is this process's; None where all are taken.

        Raises
        ------
        RunError : the journal cannot be written.
        Stopped : while it waited for another process.
        """
        from optuna.samplers import TPESampler

        with telling(self.folder.path), self.folder.gate():
            for one in self._all():
                if one.state.name == "RUNNING" and not self._lives(one):
                    self._return(one)
            begun = sum(_counts(one) and one.state.name != "WAITING" for one in self._all())
            if begun >= self.trials:
                return None
            random = seeds.generator(self.recipe.seed, "tune", (self.name, begun))
            self.study.sampler = TPESampler(
                seed=int(random.integers(2**32)), n_startup_trials=_FIRST,
                multivariate=True, constant_liar=True,
            )  # fmt: skip
            trial = self.study.ask(self.space.distributions())
            trial.set_user_attr(_WORKER, self.folder.worker)
        return trial

    def run(self, trial: Trial, over: Callable[[], bool], tick: Callable[[], None]) -> None:
        """Score a trial that was taken, or end it early.

        Parameters
        ----------
        over : whether to end now; then the trial is given back.
        tick : called now and then.

        Raises
        ------
        Stopped : it was over.
        UsageError, RunError : the trial failed, and so did all before it; or the journal cannot
            be written.
        """
        began = time.monotonic()
        with telling(self.folder.path):
            attempt = _Attempt(self, trial, over, tick)
            try:
                score = attempt.score()
            except Stopped:
                with self.folder.gate():
                    self._return(self._frozen(trial))
                raise
            except (UsageError, RunError) as error:
                self.fail(trial, error)
                return
            trial.set_user_attr(_SECONDS, round(time.monotonic() - began, 4))
            state = _state("PRUNED" if score is None else "COMPLETE")
            self.study.tell(trial, score, state=state)

    def taken(self, number: int) -> Trial:
        """A trial that another process has taken, for this one to run."""
        from optuna import Trial

        return Trial(self.study, self._all()[number]._trial_id)

    def maker(self, parameters: Mapping[str, object]) -> Callable[[], Any]:
        """What gives a new classifier with these parameters."""
        return self.tuned(parameters).maker(self.parts)

    def tuned(self, parameters: Mapping[str, object]) -> Recipe:
        """The recipe with these parameters."""
        made = with_parameters(self.recipe.spec, parameters)
        return dataclasses.replace(self.recipe, parameters=made)

    def fail(self, trial: Trial, error: MgrkitError) -> None:
        """A trial that was taken has failed; raises the error where all before it did, too."""
        # A full disk or too little memory says nothing of the parameters.
        if isinstance(error.__cause__, OSError):
            raise error.__cause__
        if isinstance(error.__cause__, MemoryError):
            raise error
        trial.set_user_attr(_REASON, str(error))
        self.study.tell(trial, state=_state("FAIL"))
        if all(one.state.name == "FAIL" for one in self.finished):
            raise error

    def _return(self, trial: FrozenTrial) -> None:
        """Give back a trial that is not finished; it is done again with the same parameters."""
        self.study.tell(trial.number, state=_state("FAIL"))
        if set(trial.params) == set(self.space.searched) and _REASON not in trial.user_attrs:
            self.study.enqueue_trial(trial.params)

    def _lives(self, trial: FrozenTrial) -> bool:
        return self.folder.at_work(trial.user_attrs.get(_WORKER))

    def _all(self) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False)

    def _frozen(self, trial: Trial) -> FrozenTrial:
        return self._all()[trial.number]


class _Attempt:
    """A trial, fold by fold."""

    def __init__(
        self, search: Search, trial: Trial, over: Callable[[], bool], tick: Callable[[], None]
    ) -> None:
        self.search, self.trial, self.over, self.tick = search, trial, over, tick
        self.right = self.tracks = self.fold = 0
        self.hopeless = False

    def score(self) -> float | None:
        """The share of right tracks, each predicted by a fit on other artists; None: hopeless."""
        search = self.search
        recipe, folded = search.recipe, search.folded
        make = search.maker(search.space.given(self.trial.params))
        for self.fold in range(len(folded)):
            run = Run(
                recipe.seed, recipe.device, recipe.precision, None,
                self._progress, stop_requested=lambda: self.hopeless or self.over(),
            )  # fmt: skip
            try:
                run.check()
                predicted = folded.predicted(
                    self.fold, make, recipe.spec, len(search.parts.labels), run,
                    choosing=search.chooses,
                )  # fmt: skip
            except Stopped:
                if self.hopeless and not self.over():
                    return None
                raise
            held = folded.held(self.fold)
            self.right += int((predicted.argmax(1) == folded.tracks.y[held]).sum())
            self.tracks += len(held)
            last = self.fold == len(folded) - 1
            if not last and self._is_hopeless(_STEPS, self.right, self.tracks):
                return None
        return self.right / self.tracks

    def _progress(self, step: int, total: int, metrics: Mapping[str, float]) -> None:
        self.tick()
        if MEASURE in metrics and step < total and self.search.chooses:
            held = len(self.search.folded.held(self.fold))
            right = self.right + metrics[MEASURE] * held
            at = _STEPS * step // total
            if self._is_hopeless(at, right, self.tracks + held):
                self.hopeless = True

    def _is_hopeless(self, step: int, right: float, tracks: int) -> bool:
        """Whether it lies below the median of those that have got so far, and to the end."""
        self.tick()
        if not tracks:
            return False
        self.trial.report(right / tracks, self.fold * _STEPS + step)
        return self.trial.should_prune()


def score(trial: FrozenTrial) -> float | None:
    """Of a trial that was neither ended early nor failed."""
    return trial.value if trial.state.name == "COMPLETE" else None


def reason(trial: FrozenTrial) -> str:
    """Why a trial failed; '' of others."""
    return str(trial.user_attrs.get(_REASON, ""))


def row(number: int, trial: FrozenTrial, space: Space) -> dict[str, Any]:
    """A trial as a row of a table: of one that was ended early, the score it had by then.

    ``number`` is its place among those that are done: Optuna's own counts those given back, too.
    """
    status = {"COMPLETE": "ok", "PRUNED": "ended early", "FAIL": "failed"}[trial.state.name]
    return {
        "trial": number,
        "status": status,
        "accuracy": trial.value,
        "seconds": trial.user_attrs.get(_SECONDS),
        **space.given(trial.params),
        "reason": reason(trial),
    }


def _counts(trial: FrozenTrial) -> bool:
    """Whether it is one of those asked for: not one that was given back, to be done again."""
    return trial.state.name != "FAIL" or _REASON in trial.user_attrs


def _state(name: str) -> Any:
    from optuna.trial import TrialState

    return TrialState[name]
