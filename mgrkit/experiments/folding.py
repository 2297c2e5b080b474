"""What fits learn from and are judged by: one split, or folds by artist.

In folds every track is judged once, by a fit that has heard none of its artist.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mgrkit.errors import UsageError
from mgrkit.experiments.common import Common, Eaten
from mgrkit.experiments.trials import Judged, Outcome
from mgrkit.learning.comparing import Folds
from mgrkit.learning.folds import group_folds
from mgrkit.registry import ClassifierSpec
from mgrkit.tracks.splits import PARTS, UNKNOWN, Split, artists_of, make_split

MOST = 100
"""The most folds."""
_CHOOSING = 5
"""Of so many parts of what a fold leaves, one is for what a network chooses its epoch by."""
_SHOWN = 5


@dataclass(frozen=True)
class Fold:
    """What fits learn from and are judged by.

    Parameters
    ----------
    number : 1, 2, ...; 0 for all of a split that is no fold.
    split : of the common tracks: those of the fold are its 'test'.
    judged : those of them that are judged, of genres that train has.
    units : what must not be divided, of each common track; empty where nothing is chosen by it.
    """

    number: int
    split: Split
    judged: Judged
    genres: Sequence[str] = ()
    units: Sequence[str] = ()

    def of(self, eaten: Eaten, spec: ClassifierSpec) -> Eaten:
        """The examples of a classifier, split so.

        What chooses by valid gets, in a fold, a fifth of its train part for that: by artist, but
        no artist that alone plays a genre.
        """
        if not self.number:
            return eaten
        split = self.split
        if spec.calibrate == "valid":
            parts = list(split.parts)
            for place in self._choosing():
                parts[place] = "valid"
            split = replace(split, parts=tuple(parts))
        return eaten.with_split(split)

    def _choosing(self) -> list[int]:
        train = np.flatnonzero(np.array(self.split.parts) == "train")
        genres, units = np.array(self.genres)[train], np.array(self.units)[train]
        found = group_folds(genres, units, _CHOOSING)
        if not found:
            return []
        learnt, chosen = found[0]
        needed = units[chosen[~np.isin(genres[chosen], genres[learnt])]]
        return [int(train[index]) for index in chosen[~np.isin(units[chosen], needed)]]


@dataclass(frozen=True)
class Folding:
    """All folds, or one split, and what holds of the judged tracks together.

    Parameters
    ----------
    folds : those that judge any track.
    words : how the tracks were split, and which they are; what every number has to carry.
    notes : what a person should know.
    count : of the folds that were made; 0 for a split.
    """

    folds: tuple[Fold, ...]
    words: str
    notes: tuple[str, ...]
    count: int = 0

    @cached_property
    def judged(self) -> Judged:
        """The judged tracks of all folds, one fold after the other."""
        every = [fold.judged for fold in self.folds]
        return Judged(
            [place for one in every for place in one.which],
            [track for one in every for track in one.ids],
            [genre for one in every for genre in one.genres],
            [group for one in every for group in one.groups],
            tuple(sorted({label for one in every for label in one.labels})),
        )

    @cached_property
    def statistics(self) -> Folds | None:
        """For the intervals; None for a split."""
        if not self.count:
            return None
        held = [len(fold.judged.which) for fold in self.folds]
        learnt = [fold.split.parts.count("train") for fold in self.folds]
        ratio = np.mean(np.array(held) / np.array(learnt))
        return Folds(np.repeat(np.arange(len(held)), held), float(ratio))

    def together(self, outcomes: Sequence[Outcome]) -> Outcome:
        """What the fits of all folds gave, as of one; its costs are those of a fit, in the mean.

        A genre that the others of a fold lack has the probability 0 there.
        """
        if len(outcomes) == 1:
            return outcomes[0]
        labels = self.judged.labels
        rows = []
        for fold, one in zip(self.folds, outcomes, strict=True):
            wide = np.zeros((len(one.probabilities), len(labels)), np.float32)
            wide[:, [labels.index(label) for label in fold.judged.labels]] = one.probabilities
            rows.append(wide)
        return Outcome(
            np.concatenate(rows),
            training_seconds=float(np.mean([one.training_seconds for one in outcomes])),
            prediction_ms=float(np.mean([one.prediction_ms for one in outcomes])),
            numbers=round(float(np.mean([one.numbers for one in outcomes]))),
            bytes=round(float(np.mean([one.bytes for one in outcomes]))),
            device=outcomes[0].device,
        )

    def parts(self, common: Common) -> list[str]:
        """Where each common track is: its part, or the number of its fold; '' for nowhere."""
        if not self.count:
            return list(common.split.parts)
        found = [""] * len(common.tracks)
        for fold in self.folds:
            for place, part in enumerate(fold.split.parts):
                if part == "test":
                    found[place] = str(fold.number)
        return found


def one_split(common: Common, part: str) -> Folding:
    """The split of DATA, judged by a part.

    Raises
    ------
    UsageError : no track of that part can be judged.
    """
    both = zip(common.tracks, common.split.parts, strict=True)
    learnt = {track.genre for track, its in both if its == "train"}
    judged = Judged.of(common, common.judged(part), learnt)
    return Folding((Fold(0, common.split, judged),), common.split.words, common.split.notes)


def fold(common: Common, count: int) -> Folding:
    """Divide the common tracks into folds by artist, each genre as evenly as that allows.

    Where DATA states a test part, that stays apart and the other parts are folded; else all tracks
    are. Slices and duplicates of one recording go to one fold, whoever plays.

    Raises
    ------
    UsageError : more folds than artists, a fold that leaves less than two genres to learn, or no
        fold that can judge any track.
    """
    tracks, split = common.tracks, common.split
    stated = _stated(common)
    of = ("train", "valid") if stated else PARTS
    which = np.array([place for place, part in enumerate(split.parts) if part in of])
    genres, units = [track.genre for track in tracks], _units(common)
    artists = len({units[place] for place in which})
    if count > artists:
        what = f"--folds {count} is more than the {artists} artists there are"
        raise UsageError(what, "a track of unknown artist counts as one; give fewer folds")
    found = group_folds(np.array(genres)[which], np.array(units)[which], count)
    if len(found) < count:
        what = f"{count - len(found)} of {count} folds would leave one genre only to learn"
        raise UsageError(what, "each genre needs two artists")
    unknown = sum(not tracks[place].group for place in which)
    words = "folded by artist"
    words += f", {UNKNOWN} for {unknown} of {len(which)} tracks" if unknown else ""
    words += f", train and valid of the {split.name} split" if stated else ""
    folds = []
    for number, (others, held) in enumerate(found, 1):
        parts = [""] * len(tracks)
        for place in which[others]:
            parts[place] = "train"
        for place in which[held]:
            parts[place] = "test"
        learnt = {genres[place] for place in which[others]}
        judged = [int(place) for place in which[held] if genres[place] in learnt]
        its = Split("grouped", tuple(parts), (), f"fold {number} of {count}, {words}")
        if judged:
            folds.append(Fold(number, its, Judged.of(common, judged, learnt), genres, units))
    if not folds:
        what = f"none of {count} folds could judge a track: the others have none of its genres"
        raise UsageError(what, "each genre needs two artists")
    notes = [*_small([genres[n] for n in which], [units[n] for n in which], count)]
    if apart := 0 if "test" in of else split.parts.count("test"):
        notes.append(f"kept apart, in the part test: {apart} tracks")
    if lost := split.parts.count("") if stated else 0:
        notes.append(f"left out, in no part of the {split.name} split: {lost} tracks")
    return Folding(tuple(folds), words, tuple(notes), count)


def _stated(common: Common) -> bool:
    """Whether DATA states the parts of the split."""
    try:
        return make_split(common.tracks, "published").parts == common.split.parts
    except UsageError:
        return False


def _units(common: Common) -> list[str]:
    """What must not be divided, of each track: the artist, with all that is linked with it."""
    found = [""] * len(common.tracks)
    for members in artists_of(common.tracks):
        name = min(common.tracks[member].id for member in members)
        for member in members:
            found[member] = name
    return found


def _small(genres: Sequence[str], units: Sequence[str], count: int) -> Iterator[str]:
    """What genres of few artists cost."""
    artists: dict[str, set[str]] = defaultdict(set)
    for genre, unit in zip(genres, units, strict=True):
        artists[genre].add(unit)
    few = {genre: len(of) for genre, of in sorted(artists.items()) if len(of) < count}
    alone = [genre for genre, number in few.items() if number == 1]
    if few:
        shown = _listed([f"{genre} ({number})" for genre, number in few.items()])
        yield f"fewer artists than folds, so that some folds cannot judge them: {shown}"
    if alone:
        lost = sum(genre in alone for genre in genres)
        yield f"learnt but never judged, of one artist only: {_listed(alone)}, {lost} tracks"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
