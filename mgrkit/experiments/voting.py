"""Trained models joined to a vote, measured on the tracks that none of them was fit on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.classifiers import Bundle, Task
from mgrkit.classifiers.bundle import VOTE
from mgrkit.errors import UsageError
from mgrkit.experiments.training import KEPT
from mgrkit.learning.calibration import calibrate
from mgrkit.learning.comparing import difference, ranking
from mgrkit.learning.folds import group_folds
from mgrkit.learning.metrics import scores
from mgrkit.learning.voting import stacked_weights, vote
from mgrkit.models.ballot import Ballot, Common
from mgrkit.registry.catalogue import OWN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_FOLDS = "mgrkit train ... --folds 5 keeps them"


def joined(members: Mapping[str, Bundle], rule: str, version: str) -> tuple[Bundle, dict[str, Any]]:
    """The vote of these members, and what it gains.

    It is calibrated and measured on the tracks of which each member keeps an out-of-fold
    prediction; without such it is neither.

    Parameters
    ----------
    members : by name, at least two; none is a vote, all know the same genres.
    rule : of `mgrkit.learning.voting.RULES`.
    version : of mgrkit.

    Returns
    -------
    The bundle, and JSON values: ``members`` (list of ``name``, ``classifier``, ``accuracy``, on the
    same tracks, ``weight`` where one was learnt), and ``gain`` over the best of them
    (``over``, ``difference``, ``low``, ``high``; None where nothing was measured).

    Raises
    ------
    UsageError : 'stacked' without tracks to learn the weights from.
    """
    first = next(iter(members.values()))
    common = Common.of(members, first.task.labels)
    weights = _learnt(members, common) if rule == "stacked" else {}
    bundle = Bundle(
        classifier=VOTE,
        distribution=OWN,
        version=version,
        parameters={"rule": rule},
        eats=VOTE,
        task=Task(first.task.labels, ()),
        state={"weights": np.array(list(weights.values()))} if weights else {},
        metrics={"part": "none", "split": _split(members), "refit": False, "folds": {}},
        card=_card(members, rule, is_measured=common is not None),
        seen=tuple(sorted({one for member in members.values() for one in member.seen})),
        members=members,
    )
    found = {
        "members": [
            {"name": name, "classifier": one.classifier, "weight": weights.get(name)}
            | {"accuracy": None}
            for name, one in sorted(members.items())
        ],
        "gain": None,
    }
    return (bundle, found) if common is None else _measured(bundle, found, common)


@dataclass(frozen=True)
class Polled:
    """What a vote says of the tracks that none of its members was fit on.

    Parameters
    ----------
    raw : float32 ``(n, labels)``, before calibration.
    """

    common: Common
    raw: Floats

    @classmethod
    def of(cls, rule: str, common: Common) -> Polled:
        """By a rule of `mgrkit.learning.voting.RULES`."""
        return cls(common, _cross_voted(rule, common.answers, common))

    def accuracies(self) -> dict[str, float]:
        """Of each member, on these tracks."""
        return {name: float(right.mean()) for name, right in self._right().items()}

    def gain(self) -> dict[str, Any]:
        """Over the best member: ``over``, ``difference``, ``low``, ``high``."""
        right = self._right()
        best = ranking(right)[0]
        voted = {VOTE: (self.raw.argmax(1) == self.common.y)[None], best: right[best]}
        gain = difference(VOTE, best, voted, self.common.groups.tolist())
        return {"over": best, "difference": gain.difference, "low": gain.low, "high": gain.high}

    def _right(self) -> dict[str, NDArray[np.bool_]]:
        y = self.common.y
        return {name: (one.argmax(1) == y)[None] for name, one in self.common.answers.items()}


def polled(vote: Bundle) -> Polled | None:
    """What it was measured by; None if nothing is kept of tracks that all members know.

    Raises
    ------
    BundleError : its rule or weights cannot be.
    """
    rule = Ballot(vote).rule
    common = Common.of(vote.members, vote.task.labels)
    return None if common is None else Polled.of(rule, common)


def _measured(
    bundle: Bundle, found: dict[str, Any], common: Common
) -> tuple[Bundle, dict[str, Any]]:
    """With calibration and scores, and with what it gains over its members."""
    poll = Polled.of(str(bundle.parameters["rule"]), common)
    calibration = calibrate(poll.raw, common.y, common.groups, "folds")
    groups = common.groups.tolist()
    measured = scores(calibration.apply(poll.raw), common.y, groups, bundle.task.labels)
    honest = measured["ece"] if calibration.ece is None else calibration.ece
    kept = {name: measured[name] for name in KEPT} | {"ece": honest}
    metrics = {**bundle.metrics, "part": "folds of train", **kept}
    accuracies = poll.accuracies()
    for row in found["members"]:
        row["accuracy"] = accuracies[row["name"]]
    return (
        replace(bundle, calibration=calibration.to_dict(), metrics={**metrics, "folds": kept}),
        {**found, "gain": poll.gain()},
    )


def _learnt(members: Mapping[str, Bundle], common: Common | None) -> dict[str, float]:
    """The weights of a stacked vote, by name in order."""
    if common is None:
        lacking = [name for name, one in members.items() if one.held_out is None]
        if lacking:
            what = f"no out-of-fold predictions to learn weights from in {', '.join(lacking)}"
            raise UsageError(what, f"{_FOLDS}; or another --rule")
        raise UsageError(
            "there is no track that all members predicted without having been fit on it",
            "train them on the same DATA, or give another --rule",
        )
    names = sorted(members)
    learnt = stacked_weights(np.stack([common.answers[name] for name in names]), common.y)
    return dict(zip(names, learnt, strict=True))


def _cross_voted(rule: str, answers: Mapping[str, Floats], common: Common) -> Floats:
    """The vote of each track; weights are those that other artists' tracks give."""
    rows = np.stack(list(answers.values()))
    if rule != "stacked":
        return vote(rule, rows)
    voted = vote(rule, rows, stacked_weights(rows, common.y))
    for others, held in group_folds(common.y, common.groups):
        weights = stacked_weights(rows[:, others], common.y[others])
        voted[held] = vote(rule, rows[:, held], weights)
    return voted


def _split(members: Mapping[str, Bundle]) -> str:
    """The words of the members' splits."""
    words = (str(one.metrics.get("split", "unknown split")) for one in members.values())
    return " / ".join(dict.fromkeys(words))


def _card(members: Mapping[str, Bundle], rule: str, *, is_measured: bool) -> dict[str, str]:
    """What a person should know of the vote: what its members say."""
    lines = [f"{name}: {one.card.get('data', '')}" for name, one in sorted(members.items())]
    limits = dict.fromkeys(one.card.get("limits", "") for one in members.values())
    how = "measured on tracks of artists that no member was fit on"
    return {
        "data": "\n".join(lines),
        "fit": f"the {rule} vote of {', '.join(sorted(members))}; "
        + (how if is_measured else "not measured"),
        "limits": "\n".join(filter(None, limits)),
    }
