"""The fits of a comparison, one after the other here, or many at a time on a cluster."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mgrkit.batch.engine import run_now
from mgrkit.errors import MgrkitError, Stopped
from mgrkit.experiments.common import Common, Eaten
from mgrkit.experiments.crews import NOTED, crew_at_work, question
from mgrkit.experiments.folding import Fold, Folding
from mgrkit.experiments.shelf import Shelf, shelf
from mgrkit.experiments.trials import Outcome, Trial
from mgrkit.learning.fitting import FOLDS

if TYPE_CHECKING:
    from mgrkit.compute.cluster import Cluster
    from mgrkit.compute.crewhand import Report


@dataclass
class Runs:
    """Every classifier with every seed in every fold; what is done already is taken as it is.

    Parameters
    ----------
    reasons : why a classifier failed; added to.
    say : gets each line of how far it is.
    progress : how far the fit in work is.
    """

    trials: Sequence[Trial]
    common: Common
    folding: Folding
    reasons: dict[str, str]
    say: Callable[[str], None]
    progress: Callable[[int, int, Mapping[str, float]], None]
    _done: dict[str, Outcome] = field(default_factory=dict)
    _failed: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._folds = {each.number: each for each in self.folding.folds}
        # What was made otherwise is refused before anything is trained.
        both = [(one, one.kept(self._folds[one.fold].judged)) for one in self.trials]
        self._kept = {one.name: outcome for one, outcome in both if outcome}
        for line in self._ahead():
            self.say(line)

    def made(self, cluster: Cluster | None = None) -> dict[str, list[Outcome]]:
        """What each seed gave, by classifier, of those that did not fail.

        What there is to do is made here one after the other, or by the workers of a cluster, each
        one fit at a time.

        Raises
        ------
        Stopped : a person ended it; the message says how far it got.
        RunError : no worker can do it, or the cluster is lost.
        """
        if cluster:
            self._there(cluster)
        else:
            self._here()
        return self._joined()

    def _here(self) -> None:
        for number, trial in self._left():
            try:
                self._begun(number, trial)
                fold, spec = self._folds[trial.fold], trial.configuration.spec
                eaten = fold.of(self.common.eaten[spec.eats], spec)
                self._ended(number, trial, trial.make(eaten, fold.judged, self.progress))
            except (Stopped, KeyboardInterrupt) as stop:
                raise self._stopped(stop, number - 1) from None
            except MgrkitError as error:
                self._fail(number, trial, error)

    def _there(self, cluster: Cluster) -> None:
        left = self._left()
        first = next(left, None)
        if first is None:
            return
        folder = first[1].folder
        try:
            with shelf(folder) as kept:
                run_now(self._at_work(cluster, _Bench.of(self, kept), first, left))
        except (Stopped, KeyboardInterrupt) as stop:
            raise self._stopped(stop, len(self._done)) from None

    async def _at_work(
        self,
        cluster: Cluster,
        bench: _Bench,
        first: tuple[int, Trial],
        left: Iterator[tuple[int, Trial]],
    ) -> None:
        waiting: list[tuple[int, Trial]] = [first]
        noted: dict[int, float] = {}

        def take() -> tuple[int, Trial] | None:
            job = waiting.pop() if waiting else next(left, None)
            if job:
                self._begun(*job)
            return job and (job[0], replace(job[1], folder=job[1].folder.absolute()))

        def ended(job: tuple[int, Trial], found: object) -> None:
            if isinstance(found, Outcome):
                self._ended(*job, found)
            elif isinstance(found, MgrkitError) and not isinstance(found, Stopped):
                self._fail(*job, found)

        def heard(
            job: tuple[int, Trial], step: int, total: int, metrics: Mapping[str, float]
        ) -> None:
            now = time.monotonic()
            if metrics and now - noted.get(job[0], 0.0) >= NOTED:
                noted[job[0]] = now
                measured = "".join(f", {name} {value:.3g}" for name, value in metrics.items())
                self.say(f"{self._what(*job)}: {step} of {total}{measured}")

        entries = [one.configuration.entry for one in self.trials]
        devices = [one.device for one in self.trials]
        asked = question(bench.folder, entries, next((d for d in devices if d != "cpu"), "cpu"))
        async with crew_at_work(cluster, asked, bench, self.say) as (crew, stopped):
            await crew.work(take, ended, stopped=stopped, heard=heard)
            if stopped() and not self._complete():
                raise Stopped("stopped")

    def _complete(self) -> bool:
        return all(
            one.name in self._done or one.configuration.name in self.reasons for one in self.trials
        )

    def _joined(self) -> dict[str, list[Outcome]]:
        of_seed: dict[tuple[str, int], list[Outcome]] = {}
        for trial in self.trials:
            name = trial.configuration.name
            if name not in self.reasons:
                of_seed.setdefault((name, trial.seed), []).append(self._done[trial.name])
        found: dict[str, list[Outcome]] = {}
        for (name, _), outcomes in of_seed.items():
            found.setdefault(name, []).append(self.folding.together(outcomes))
        return found

    def _left(self) -> Iterator[tuple[int, Trial]]:
        """What is to be made, with its number; after a failure the others of a classifier are
        passed over, and what is kept is said on the way."""
        for number, trial in enumerate(self.trials, 1):
            if trial.configuration.name in self.reasons:
                continue
            if outcome := self._kept.get(trial.name):
                self._ended(number, trial, outcome)
            else:
                yield number, trial

    def _what(self, number: int, trial: Trial) -> str:
        return f"{number} of {len(self.trials)}: {trial.words}"

    def _begun(self, number: int, trial: Trial) -> None:
        self.say(self._what(number, trial))

    def _ended(self, number: int, trial: Trial, outcome: Outcome) -> None:
        self._done[trial.name] = outcome
        y = self._folds[trial.fold].judged.y
        accuracy = float((outcome.probabilities.argmax(1) == y).mean())
        kept = trial.name in self._kept
        how = "kept" if kept else f"trained in {outcome.training_seconds:.1f} s"
        self.say(f"{self._what(number, trial)}: accuracy {accuracy:.3f}, {how}")

    def _fail(self, number: int, trial: Trial, error: MgrkitError) -> None:
        """The reason is that of the first of its runs that failed, whichever ended first."""
        name = trial.configuration.name
        if number < self._failed.get(name, len(self.trials) + 1):
            self._failed[name], self.reasons[name] = number, str(error)
        self.say(f"{self._what(number, trial)}: failed: {error}")

    def _stopped(self, stop: Stopped | KeyboardInterrupt, done: int) -> Stopped:
        code = stop.exit_code if isinstance(stop, Stopped) else 130
        runs = len(self.trials)
        message = f"stopped after {done} of {runs} runs; the same command goes on from there"
        return Stopped(message, code=code)

    def _ahead(self) -> Iterator[str]:
        """What there is to do, where that is more than it looks like: of grids and of folds."""
        trials = self.trials
        chosen = {one.configuration.name: one.configuration for one in trials}.values()
        grids = Counter(one.spec.name for one in chosen if one.varied)
        for name, number in grids.items():
            yield f"a grid of {name}: {number} combinations, each a row of its own"
        if grids or any(one.fold for one in trials):
            left = [one.configuration.spec for one in trials if one.name not in self._kept]
            fits = sum(1 + FOLDS * (spec.calibrate == "folds") for spec in left)
            kept = f", {len(self._kept)} are kept" if self._kept else ""
            runs = "1 run" if len(left) == 1 else f"{len(left)} runs"
            yield f"{runs} to do, {fits} fits with those for calibration{kept}"


@dataclass(frozen=True)
class _Bench:
    """What every fit of a comparison needs, on a worker.

    Parameters
    ----------
    folder : OUT, as an absolute path.
    """

    folder: str
    eaten: Mapping[str, Eaten]
    folds: Mapping[int, Fold]

    @classmethod
    def of(cls, runs: Runs, kept: Shelf) -> _Bench:
        wanted = {one.configuration.spec.eats for one in runs.trials}
        eaten = {
            eats: replace(one, dataset=kept.put(one.dataset))
            for eats, one in runs.common.eaten.items()
            if eats in wanted
        }
        return cls(str(kept.path.parent), eaten, runs._folds)

    def do(self, job: tuple[int, Trial], report: Report) -> Outcome:
        """Make a trial; may raise whatever `Trial.make` raises."""
        _, trial = job
        fold, spec = self.folds[trial.fold], trial.configuration.spec
        return trial.make(fold.of(self.eaten[spec.eats], spec), fold.judged, report)
