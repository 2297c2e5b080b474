"""The table of a comparison: a row for each classifier, and every pair of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import numpy as np

from mgrkit.experiments.common import Common
from mgrkit.experiments.configurations import Configuration
from mgrkit.experiments.folding import Folding
from mgrkit.experiments.trials import Outcome
from mgrkit.learning.comparing import Difference, Spread, differences, letters, ranking
from mgrkit.learning.metrics import interval, scores
from mgrkit.learning.voting import vote

_NAMED = 4
"""Ties of the first row that are named."""


@dataclass(frozen=True)
class Standing:
    """One classifier, or a vote of some, ``svm+cnn``, whose costs are those of all its members.

    Parameters
    ----------
    classifier : in a grid with what it differs in, as in ``svm C=10``.
    reason : why it failed; then all else is empty.
    accuracy, low, high : of all its seeds together, with the 95 % interval; of folds the mean of
        theirs, with the corrected one, see `mgrkit.learning.comparing.Folds`.
    seeds : the spread of the accuracies of its seeds.
    folds : the accuracy of each fold that judged any track, all seeds together.
    ties : letters; classifiers that share one cannot be told apart.
    chose : whether the judged tracks were used to choose its epoch and to calibrate it.
    macro_f1, top3, ece : of all folds together, means over the seeds.
    training_seconds, prediction_ms, bytes : means over the seeds and folds.
    parameters : numbers in the arrays of the bundle, a mean over them, too.
    device : of the first seed.
    """

    classifier: str
    reason: str = ""
    accuracy: float = 0.0
    low: float = 0.0
    high: float = 0.0
    seeds: Spread = field(default_factory=lambda: Spread(0.0, 0.0, 0.0))
    ties: str = ""
    chose: bool = False
    macro_f1: float = 0.0
    top3: float = 0.0
    ece: float = 0.0
    training_seconds: float = 0.0
    prediction_ms: float = 0.0
    parameters: int = 0
    bytes: int = 0
    device: str = ""
    folds: tuple[float, ...] = ()

    @property
    def spread(self) -> Spread:
        """Over the folds, or without such over the seeds."""
        return Spread.of(np.array(self.folds)) if self.folds else self.seeds


@dataclass(frozen=True)
class Comparison:
    """All that was found.

    Parameters
    ----------
    part, split : which tracks were judged, 'valid', 'test' or 'folds', and the words that go with
        every number of them.
    tracks, artists : how many there were.
    seeds : how many fits of each classifier.
    rows : the best first, failed ones last.
    pairs : every two that did not fail, the better first.
    notes : what a person should know.
    failed : files that could not be used.
    folds : how many there were; 0 for none.
    """

    part: str
    split: str
    tracks: int
    artists: int
    seeds: int
    rows: tuple[Standing, ...]
    pairs: tuple[Difference, ...]
    notes: tuple[str, ...]
    failed: int
    folds: int = 0

    @property
    def exit_code(self) -> int:
        """1 if a classifier or a file failed."""
        return int(bool(self.failed or any(row.reason for row in self.rows)))

    @property
    def judged(self) -> str:
        """The part in words."""
        chosen = any(row.chose for row in self.rows)
        part = f"{self.part} (used to choose)" if chosen else self.part
        part = f"{self.folds} folds" if self.folds else part
        seeds = f"{self.seeds} seeds" if self.seeds > 1 else "one seed"
        return f"{part}: {self.tracks} tracks of {self.artists} artists, {self.split}, {seeds}"

    @property
    def lead(self) -> str:
        """What the pairs say of the first row, in a sentence; '' where there is no pair."""
        if not self.pairs:
            return ""
        best = self.pairs[0].first
        others = {pair.second: pair.tied for pair in self.pairs if pair.first == best}
        tied = [name for name, is_tied in others.items() if is_tied]
        if not tied:
            worse = "all others" if len(others) > 1 else next(iter(others))
            return f"{best} is better than {worse}."
        if len(tied) == len(others):
            which = "any other" if len(others) > 1 else tied[0]
            return f"{best} is not told apart from {which}."
        more = f" and {len(tied) - _NAMED} more" if len(tied) > _NAMED else ""
        named = ", ".join(tied[:_NAMED]) + more
        return f"{best} is not told apart from {len(tied)} of the {len(others)} others: {named}."

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        rows = [{**asdict(row), "spread": asdict(row.spread)} for row in self.rows]
        pairs = [{**asdict(p), "tied": p.tied} for p in self.pairs]
        return asdict(self) | {"rows": rows, "pairs": pairs, "exit_code": self.exit_code}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Comparison:
        """What `as_json` gave; raises KeyError, TypeError or ValueError for anything else."""
        known = {name: record[name] for name in _fields(cls)}
        rows = []
        for row in known["rows"]:
            its = {name: row[name] for name in _fields(Standing)}
            rows.append(
                Standing(**{**its, "seeds": Spread(**its["seeds"]), "folds": (*its["folds"],)})
            )
        pairs = [Difference(**{n: one[n] for n in _fields(Difference)}) for one in known["pairs"]]
        return cls(**{**known, "rows": (*rows,), "pairs": (*pairs,), "notes": (*known["notes"],)})


def _fields(kind: Any) -> list[str]:
    return [one.name for one in fields(kind)]


def compared(
    configurations: Sequence[Configuration],
    part: str,
    seeds: int,
    common: Common,
    folding: Folding,
    finished: Mapping[str, Sequence[Outcome]],
    reasons: Mapping[str, str],
    votes: Sequence[Sequence[str]] = (),
) -> Comparison:
    """The table, from what the runs gave and nothing else.

    Parameters
    ----------
    configurations : all that were to be compared.
    finished : the runs of each that did not fail, by seed, of all folds together.
    reasons : why the others failed.
    votes : the members of each, which are rows of their own.
    """
    judged, folds = folding.judged, folding.statistics
    runs, failed = _with_votes(finished, reasons, votes)
    right = {
        name: np.stack([one.probabilities.argmax(1) == judged.y for one in of_name])
        for name, of_name in runs.items()
    }
    order = ranking(right, folds)
    pairs = differences(right, judged.groups, folds=folds)
    shown = letters(order, pairs)
    by_valid = {one.name for one in configurations if one.spec.calibrate == "valid"}
    choosing = by_valid if part == "valid" else set()
    rows = []
    for name in order:
        row = _row(name, runs[name], folding)
        chose = not choosing.isdisjoint(name.split("+"))
        rows.append(replace(row, ties=shown[name], chose=chose))
    rows += [Standing(name, reason) for name, reason in failed.items()]
    notes = [*common.notes, *folding.notes, *_notes(configurations, part, common, finished)]
    return Comparison(
        part,
        folding.words,
        len(judged.ids),
        len(set(judged.groups)),
        seeds,
        tuple(rows),
        tuple(pairs),
        tuple(dict.fromkeys(notes)),
        common.failed,
        folding.count,
    )


def _notes(
    configurations: Sequence[Configuration],
    part: str,
    common: Common,
    finished: Mapping[str, Sequence[Outcome]],
) -> Iterator[str]:
    """What a person should know."""
    if len(common.eaten) > 1:
        for eats, one in common.eaten.items():
            names = ", ".join(one.name for one in configurations if one.spec.eats == eats)
            yield f"{names}: from {one.source}"
    devices = sorted({runs[0].device for runs in finished.values()})
    if len(devices) > 1:
        yield f"times are of different devices: {', '.join(devices)}"
    grids = Counter(one.spec.name for one in configurations if one.varied)
    for name, number in grids.items():
        where = "these folds" if part == "folds" else part
        yield (
            f"{name} is there with {number} settings: to take the best of them is to choose by "
            f"{where}, and its accuracy here is rather too high; measure it on tracks that it "
            "was not chosen by"
        )
    if part == "folds" and any(one.spec.calibrate == "valid" for one in configurations):
        names = ", ".join(one.name for one in configurations if one.spec.calibrate == "valid")
        yield (
            f"{names}: in each fold, a fifth of the artists it may learn from is for "
            "choosing its epoch"
        )


def _with_votes(
    finished: Mapping[str, Sequence[Outcome]],
    reasons: Mapping[str, str],
    votes: Sequence[Sequence[str]],
) -> tuple[dict[str, Sequence[Outcome]], dict[str, str]]:
    """The runs of the classifiers and votes that did not fail, and why the others did."""
    runs = {name: of_name for name, of_name in finished.items() if name not in reasons}
    failed = dict(reasons)
    for members in votes:
        name = "+".join(members)
        if lost := [one for one in members if one in reasons]:
            failed[name] = f"{' and '.join(lost)} failed"
        else:
            runs[name] = list(_voted([finished[one] for one in members]))
    return runs, failed


def _voted(members: Sequence[Sequence[Outcome]]) -> Iterator[Outcome]:
    """The vote of the members' runs of each seed; what they cost is added up."""
    for runs in zip(*members, strict=True):
        yield Outcome(
            vote("geometric", np.stack([run.probabilities for run in runs])),
            training_seconds=sum(run.training_seconds for run in runs),
            prediction_ms=sum(run.prediction_ms for run in runs),
            numbers=sum(run.numbers for run in runs),
            bytes=sum(run.bytes for run in runs),
            device=" and ".join(dict.fromkeys(run.device for run in runs)),
        )


def _row(name: str, runs: Sequence[Outcome], folding: Folding) -> Standing:
    judged, folds = folding.judged, folding.statistics
    right = np.stack([run.probabilities.argmax(1) == judged.y for run in runs])
    each = [scores(r.probabilities, judged.y, judged.groups, judged.labels) for r in runs]

    def mean(values: Sequence[float]) -> float:
        return float(np.mean(values))

    pooled = right.mean(0)
    accuracies = [float((folds.means(one) if folds else one).mean()) for one in right]
    accuracy = mean(accuracies)
    low, high = interval(pooled, judged.groups)
    if folds:
        accuracy, low, high = folds.interval(pooled, judged.groups)
    return Standing(
        name,
        accuracy=accuracy,
        low=low,
        high=high,
        seeds=Spread.of(np.array(accuracies)),
        macro_f1=mean([one["macro_f1"] for one in each]),
        top3=mean([one["top3"] for one in each]),
        ece=mean([one["ece"] for one in each]),
        training_seconds=mean([run.training_seconds for run in runs]),
        prediction_ms=mean([run.prediction_ms for run in runs]),
        parameters=round(mean([run.numbers for run in runs])),
        bytes=round(mean([run.bytes for run in runs])),
        device=runs[0].device,
        folds=tuple(folds.means(pooled).tolist()) if folds else (),
    )
