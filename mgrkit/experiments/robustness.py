"""How a model bears what a sound may go through: each condition's scores, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mgrkit.augment.asked import axis_of
from mgrkit.augment.conditions import Gain
from mgrkit.datasets.altering import altered_together, tracks_kept
from mgrkit.datasets.dataset import Dataset
from mgrkit.errors import UsageError
from mgrkit.experiments.doubt import heights, least_height, unsure
from mgrkit.learning.comparing import difference
from mgrkit.learning.metrics import interval, scores
from mgrkit.learning.shares import Span, differences, spans

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.augment.conditions import Condition
    from mgrkit.batch import Options, Report
    from mgrkit.datasets.altering import Under
    from mgrkit.experiments.evaluating import Evaluation

    Floats = NDArray[np.float32]

CLEAN = "clean"
"""The name of the row of the sounds as they are."""
MEASURES = ("accuracy", "macro_f1", "ece", "unsure")
"""Each with its interval, ``_low`` and ``_high``, and what it is above that of the clean sounds."""


_AS_IT_IS = Gain(0.0)
_HEIGHTS = ""
"""In the place of a member's name: how high the tracks reach."""


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
    narrow = {n: heights(one) for n, one in enumerate(looked) if least_height(one)}
    reached = altered_together(
        list(narrow.values()), [_AS_IT_IS], options=options, report=report
    ) if narrow else []  # fmt: skip
    asked = {(n, name): of for n, one in enumerate(looked) for name, of in one.datasets.items()}
    asked |= {(n, _HEIGHTS): of for n, of in narrow.items()}
    found = altered_together(
        list(asked.values()), conditions, seed=seed, options=options, report=report
    )
    results = []
    for number, (one, plain) in enumerate(zip(looked, clean, strict=True)):
        heard = {name: of for (n, name), of in zip(asked, found, strict=True) if n == number}
        high = {n: of[_AS_IT_IS.name, 1] for n, of in zip(narrow, reached, strict=True)}
        results.append(_result(one, plain, high.get(number), heard, conditions, seed))
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
    reaching: Dataset | None,
    heard: Mapping[str, Under],
    conditions: Sequence[Condition],
    seed: int,
) -> dict[str, Any]:
    """The rows of one model; ``reaching`` and one of ``heard`` are of `heights`, where it asks."""
    read = {name: of for name, (_, of) in one.datasets.items()}
    everything = _Heard(plain, unsure(one, plain, read, reaching))
    judged = _Judged(one, everything, seed)
    result = one.measured(plain, seed)
    rows = [judged.row(CLEAN, everything, range(len(plain)))]
    read[_HEIGHTS] = next(iter(read.values()))
    for condition in conditions:
        datasets = {name: of[condition.name, 1] for name, of in heard.items()}
        result["notes"] += dict.fromkeys(note for of in datasets.values() for note in of.notes)
        places = {
            name: tracks_kept(read[name], of, condition.name) for name, of in datasets.items()
        }
        kept = sorted(set.intersection(*map(set, places.values())))
        part = _Heard(plain[:0], everything.unsure[:0])
        if kept:
            taken = {
                name: of.take([places[name].index(track) for track in kept])
                for name, of in datasets.items()
            }
            high = taken.pop(_HEIGHTS, None)
            probabilities = one.probabilities(taken)
            part = _Heard(probabilities, unsure(one, probabilities, taken, high))
        rows.append(judged.row(condition.name, part, kept))
    result["failed"] += sum(row["failed"] for row in rows)
    return {"model": one.model.name, **result, "under": rows}


class _Heard(NamedTuple):
    """What a model says of tracks: probabilities ``(n, labels)``, and which are unsure ``(n,)``."""

    probabilities: Floats
    unsure: NDArray[np.bool_]


@dataclass(frozen=True)
class _Judged:
    """What rows are measured against: what the model says of all tracks as they are."""

    one: Evaluation
    plain: _Heard
    seed: int

    def row(self, name: str, heard: _Heard, kept: Sequence[int]) -> dict[str, Any]:
        """The scores of the tracks that are kept, and how they differ from those of the same.

        Returns
        -------
        ``condition``, ``family``, ``value`` and ``unit`` (see `axis_of`), ``tracks``, ``failed``;
        and each of `MEASURES` with ``_low``, ``_high``, ``_change``, ``_change_low`` and
        ``_change_high``, None where no track is left.
        """
        axis = axis_of(name)
        failed = len(self.plain.unsure) - len(kept)
        row: dict[str, Any] = {"condition": name, **axis._asdict()}
        row |= {"tracks": len(kept), "failed": failed}
        keys = (f"{m}{end}" for m in MEASURES for end in _ENDS)
        row |= self._measured(heard, kept) if len(kept) else dict.fromkeys(keys)
        return row

    def _measured(self, heard: _Heard, kept: Sequence[int]) -> dict[str, Any]:
        one, seed, which = self.one, self.seed, list(kept)
        y, groups = np.array(one.y)[which], [one.dataset.groups()[track] for track in which]
        both = {"now": heard.probabilities, "then": self.plain.probabilities[which]}
        told = scores(both["now"], y, groups, one.labels, seed)
        right = {name: (rows.argmax(1) == y)[None] for name, rows in both.items()}
        doubts = {"now": heard.unsure[None], "then": self.plain.unsure[which][None]}
        of = spans(both["now"], y, groups, seed)
        changes = differences(both["now"], both["then"], y, groups, seed)
        found = {
            "accuracy": (told["accuracy"], told["accuracy_low"], told["accuracy_high"]),
            "unsure": (float(heard.unsure.mean()), *interval(heard.unsure, groups, seed)),
            **{name: (told[name], *of[name][1:]) for name in changes},
        }
        for name, shares in (("accuracy", right), ("unsure", doubts)):
            paired = difference("now", "then", shares, groups, seed)
            changes[name] = Span(paired.difference, paired.low, paired.high)
        return {
            f"{name}{end}": value
            for name in MEASURES
            for end, value in zip(_ENDS, (*found[name], *changes[name]), strict=True)
        }


_ENDS = ("", "_low", "_high", "_change", "_change_low", "_change_high")
