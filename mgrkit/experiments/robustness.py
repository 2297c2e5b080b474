"""How a model bears what a sound may go through: each condition's scores, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.augment.asked import axis_of
from mgrkit.datasets.altering import altered_together, tracks_kept
from mgrkit.datasets.dataset import Dataset
from mgrkit.errors import UsageError
from mgrkit.learning.comparing import difference
from mgrkit.learning.metrics import interval, scores
from mgrkit.learning.shares import Span, differences, spans

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.augment.conditions import Condition
    from mgrkit.batch import Options, Report
    from mgrkit.experiments.evaluating import Evaluation

    Floats = NDArray[np.float32]

CLEAN = "clean"
"""The name of the row of the sounds as they are."""
MEASURES = ("accuracy", "macro_f1", "ece", "unsure")
"""Each with its interval, ``_low`` and ``_high``, and what it is above that of the clean sounds."""


def under(
    looked: Sequence[Evaluation],
    conditions: Sequence[Condition],
    seed: int = 0,
    options: Options | None = None,
    report: Report | None = None,
) -> list[dict[str, Any]]:
    """Each model's scores, plain and under each condition.

    A sound is altered once for all models and members of votes that hear it.

    Returns
    -------
    For each model what `Evaluation.measured` gives and ``under``, rows as `_row` has them, the
    first of them of the clean sounds.

    Raises
    ------
    UsageError : what a model is judged by is no sound.
    RunError : what a condition needs cannot be had.
    """
    _check_sound(looked)
    clean = [one.probabilities() for one in looked]
    members = [(n, name) for n, one in enumerate(looked) for name in one.datasets]
    found = altered_together(
        [looked[n].datasets[name] for n, name in members],
        conditions,
        seed=seed,
        options=options,
        report=report,
    )
    results = []
    for number, (one, plain) in enumerate(zip(looked, clean, strict=True)):
        heard = {name: found[i] for i, (n, name) in enumerate(members) if n == number}
        results.append(_result(one, plain, heard, conditions, seed))
    return results


def _check_sound(looked: Sequence[Evaluation]) -> None:
    for one in looked:
        for name, (_, dataset) in one.datasets.items():
            if not dataset.files:
                which = "" if name == one.model.name else f" for its member {name}"
                what = dataset.input.name
                raise UsageError(
                    f"--under needs sound; what {one.model.name} is judged by{which} is {what}, "
                    "made of sound before",
                    "give the folder of the sound itself",
                )


def _result(
    one: Evaluation,
    plain: Floats,
    heard: Mapping[str, Mapping[tuple[str, int], Dataset]],
    conditions: Sequence[Condition],
    seed: int,
) -> dict[str, Any]:
    judged = _Judged(one, plain, seed)
    result = one.measured(plain, seed)
    rows = [judged.row(CLEAN, plain, range(len(plain)), 0)]
    for condition in conditions:
        datasets = {name: of[condition.name, 1] for name, of in heard.items()}
        result["notes"] += dict.fromkeys(note for of in datasets.values() for note in of.notes)
        places = {
            name: tracks_kept(one.datasets[name][1], of, condition.name)
            for name, of in datasets.items()
        }
        kept = sorted(set.intersection(*map(set, places.values())))
        probabilities = plain[:0]
        if kept:
            taken = {
                name: of.take([places[name].index(track) for track in kept])
                for name, of in datasets.items()
            }
            probabilities = one.probabilities(taken)
        rows.append(judged.row(condition.name, probabilities, kept, len(plain) - len(kept)))
    result["failed"] += sum(row["failed"] for row in rows)
    return {"model": one.model.name, **result, "under": rows}


@dataclass(frozen=True)
class _Judged:
    """What rows are measured against."""

    one: Evaluation
    plain: Floats
    seed: int

    def row(
        self, name: str, probabilities: Floats, kept: Sequence[int], failed: int
    ) -> dict[str, Any]:
        """The scores of the tracks that are kept, and how they differ from those of the same.

        Parameters
        ----------
        probabilities : of those tracks under the condition.
        failed : how many tracks could not be judged under it.

        Returns
        -------
        ``condition``, ``family``, ``value`` and ``unit`` (see `axis_of`), ``tracks``, ``failed``;
        and each of `MEASURES` with ``_low``, ``_high``, ``_change``, ``_change_low`` and
        ``_change_high``, None where no track is left.
        """
        axis = axis_of(name)
        row: dict[str, Any] = {"condition": name, **axis._asdict()}
        row |= {"tracks": len(kept), "failed": failed}
        keys = (f"{m}{end}" for m in MEASURES for end in _ENDS)
        row |= self._measured(probabilities, kept) if len(kept) else dict.fromkeys(keys)
        return row

    def _measured(self, probabilities: Floats, kept: Sequence[int]) -> dict[str, Any]:
        one, seed, which = self.one, self.seed, list(kept)
        y, groups = np.array(one.y)[which], [one.dataset.groups()[track] for track in which]
        both = {"now": probabilities, "then": self.plain[which]}
        told = scores(probabilities, y, groups, one.labels, seed)
        right = {name: (rows.argmax(1) == y)[None] for name, rows in both.items()}
        unsure = {name: (rows.max(1) < one.unsure_below)[None] for name, rows in both.items()}
        of = spans(probabilities, y, groups, seed)
        changes = differences(both["now"], both["then"], y, groups, seed)
        found = {
            "accuracy": (told["accuracy"], told["accuracy_low"], told["accuracy_high"]),
            "unsure": (float(unsure["now"].mean()), *interval(unsure["now"][0], groups, seed)),
            **{name: (told[name], *of[name][1:]) for name in changes},
        }
        for name, shares in (("accuracy", right), ("unsure", unsure)):
            paired = difference("now", "then", shares, groups, seed)
            changes[name] = Span(paired.difference, paired.low, paired.high)
        return {
            f"{name}{end}": value
            for name in MEASURES
            for end, value in zip(_ENDS, (*found[name], *changes[name]), strict=True)
        }


_ENDS = ("", "_low", "_high", "_change", "_change_low", "_change_high")
