"""How the members of a vote become one answer, all of them or those that can give one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.errors import BundleError
from mgrkit.learning.calibration import Calibration, calibrate
from mgrkit.learning.voting import RULES, vote

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.classifiers import Bundle, HeldOut

    Floats = NDArray[np.float32]


class Ballot:
    """The rule of a vote, with a calibration for those of its members that answer.

    Parameters
    ----------
    bundle : of a vote.

    Raises
    ------
    BundleError : its rule, weights or calibration cannot be.
    """

    def __init__(self, bundle: Bundle) -> None:
        self._labels, self._members = bundle.task.labels, bundle.members
        self.rule = str(bundle.parameters.get("rule"))
        if self.rule not in RULES:
            raise BundleError(f"the rule of the vote is {self.rule:.60}, not {', '.join(RULES)}")
        self._weights = _weights(bundle)
        self._known = {frozenset(self._members): Calibration.from_dict(bundle.calibration)}

    def calibration(self, names: Sequence[str]) -> Calibration:
        """Of the vote of these members."""
        key = frozenset(names)
        if key not in self._known:
            members = {name: self._members[name] for name in names}
            self._known[key] = self.calibrated(members)
        return self._known[key]

    def probabilities(self, answers: Mapping[str, NDArray[Any]]) -> Floats:
        """The members' calibrated answers as one, float32 ``(n, labels)``.

        Parameters
        ----------
        answers : by member, ``(n, labels)``, the labels in the member's order.
        """
        ordered = in_order(self._members, answers, self._labels)
        return self.calibration(list(answers)).apply(self.voted(ordered))

    def voted(self, answers: Mapping[str, NDArray[Any]]) -> Floats:
        """What the rule makes of answers whose columns are in the vote's order."""
        rows = np.stack(list(answers.values()))
        if len(rows) == 1:
            only: Floats = rows[0]
            return only
        weights = [self._weights[name] for name in answers] if self._weights else ()
        return vote(self.rule, rows, _spread(weights, self._weights))

    def calibrated(self, members: Mapping[str, Bundle]) -> Calibration:
        """Chosen on the tracks that none of these members was fit on; none without such."""
        if len(members) == 1:  # its answers are calibrated already
            [only] = members.values()
            return replace(Calibration.from_dict(only.calibration), temperature=1.0)
        common = Common.of(members, self._labels)
        if common is None:
            return Calibration()
        return calibrate(self.voted(common.answers), common.y, common.groups, "folds")


def in_order(
    members: Mapping[str, Bundle], answers: Mapping[str, NDArray[Any]], labels: Sequence[str]
) -> dict[str, Floats]:
    """Members' answers ``(n, labels)``, with columns in the order of these labels."""
    places = {name: members[name].task.labels for name in answers}
    return {
        name: rows[:, [places[name].index(label) for label in labels]]
        for name, rows in answers.items()
    }


class Common:
    """The tracks that all members were held back from, and know under one genre.

    Attributes
    ----------
    answers : by member, calibrated, ``(n, labels)``, columns as ``labels``.
    ids : of the tracks.
    y : int64 ``(n,)``, indices of ``labels``.
    groups : the artist of each.
    """

    def __init__(
        self, members: Mapping[str, Bundle], kept: Mapping[str, HeldOut], labels: Sequence[str]
    ) -> None:
        genres = {
            name: [members[name].task.labels[label] for label in out.y]
            for name, out in kept.items()
        }
        places = {
            name: {pair: i for i, pair in enumerate(zip(out.ids, genres[name], strict=True))}
            for name, out in kept.items()
        }
        one = next(iter(kept))
        common = [pair for pair in places[one] if all(pair in of for of in places.values())]
        which = {name: [of[pair] for pair in common] for name, of in places.items()}
        answers = {
            name: Calibration.from_dict(members[name].calibration).apply(out.rows(which[name]))
            for name, out in kept.items()
        }
        self.answers = in_order(members, answers, labels)
        self.ids = [track for track, _ in common]
        self.y = np.array([labels.index(genre) for _, genre in common], np.int64)
        self.groups = np.array([kept[one].groups[i] for i in which[one]])

    @classmethod
    def of(cls, members: Mapping[str, Bundle], labels: Sequence[str]) -> Common | None:
        """None where a member has no out-of-fold predictions, or no track is common."""
        kept = {name: one.held_out for name, one in members.items() if one.held_out}
        if len(kept) < len(members):
            return None
        common = cls(members, kept, labels)
        return common if len(common.y) else None


def _weights(bundle: Bundle) -> dict[str, float]:
    """By member, for the rule 'stacked'."""
    stacked = bundle.parameters["rule"] == "stacked"
    weights = bundle.state.get("weights")
    names = sorted(bundle.members)
    if set(bundle.state) != ({"weights"} if stacked else set()):
        raise BundleError("the arrays of the vote are not those of its rule")
    if weights is None:
        return {}
    right = weights.dtype == np.float64 and weights.shape == (len(names),)
    if not right or not np.isfinite(weights).all() or (weights < 0).any() or not weights.any():
        raise BundleError("the weights of the vote are not a number from 0 for each member")
    return dict(zip(names, weights.tolist(), strict=True))


def _spread(weights: Sequence[float], every: Mapping[str, float]) -> list[float]:
    """The weights of those that answer, with the sum of all: it is a temperature."""
    if not weights:
        return []
    total, given = sum(every.values()), sum(weights)
    return [total / len(weights)] * len(weights) if not given else [
        weight * total / given for weight in weights
    ]  # fmt: skip
