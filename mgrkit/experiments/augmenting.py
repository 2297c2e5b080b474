"""Altered copies of the sounds of train, which a fit learns from beside the sounds themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mgrkit.augment.asked import conditions_of
from mgrkit.classifiers import Examples
from mgrkit.classifiers.bundlefields import printable_text
from mgrkit.datasets.altering import altered, tracks_kept
from mgrkit.errors import RunError, UsageError
from mgrkit.experiments.copies import COPIES, MOST_COPIES

if TYPE_CHECKING:
    from mgrkit.augment.conditions import Condition
    from mgrkit.batch import Options, Report
    from mgrkit.datasets.dataset import Dataset


class Augmented(NamedTuple):
    """Train with its copies.

    Parameters
    ----------
    examples : the pieces of the sounds, then those of their copies.
    notes : what was left out of the copies, and what is odd about them.
    failed : copies that could not be made.
    """

    examples: Examples
    notes: tuple[str, ...]
    failed: int


@dataclass(frozen=True)
class Augmentation:
    """What is done to copies of the sounds of train.

    Parameters
    ----------
    conditions : of different names; each is done to copies of its own.
    copies : how many by each.
    folder : what the paths of the dataset's files are relative to.
    options, report : of the run that makes the copies; they decide nothing.
    """

    conditions: tuple[Condition, ...]
    copies: int
    folder: Path
    options: Options | None = field(default=None, compare=False)
    report: Report | None = field(default=None, compare=False)

    @classmethod
    def of(
        cls,
        texts: Sequence[str],
        copies: int | None,
        folder: Path,
        options: Options | None = None,
        report: Report | None = None,
    ) -> Augmentation | None:
        """As a person asks for it; None for no text.

        Parameters
        ----------
        texts : recipes by name or file, or conditions such as ``white@20,10``.
        copies : None for `COPIES`.

        Raises
        ------
        UsageError : no such recipe or condition, two of one name, or a number of copies that
            cannot be.
        RunError : a recipe cannot be read.
        """
        if not texts:
            if copies is not None:
                what = "--augment-copies goes with --augment"
                raise UsageError(what, "which says what is done to the copies")
            return None
        copies = COPIES if copies is None else copies
        if not 1 <= copies <= MOST_COPIES:
            raise UsageError(f"--augment-copies must be from 1 to {MOST_COPIES}, not {copies}")
        return cls(tuple(conditions_of(texts)), copies, folder, options, report)

    def settings(self) -> dict[str, Any]:
        """What decides the copies, beside the seed; JSON values."""
        return {
            "augment": [one.name for one in self.conditions],
            "augment-copies": self.copies,
            "augmentation's digest": [one.digest for one in self.conditions],
        }

    def words(self) -> str:
        """For a model's card."""
        names = ", ".join(printable_text(_with_digest(one)) for one in self.conditions)
        copies = f"{self.copies} altered {'copy' if self.copies == 1 else 'copies'}"
        return f"{copies} of each sound of train by {names}"

    def augmented(self, train: Dataset, examples: Examples, seed: int) -> Augmented:
        """Train with copies of its recordings; noisy copies that DATA holds get none.

        The same seed gives the same copies: those that the cache keeps are read from it. A copy
        has the number of its track and its artist, so folds keep it with its sound.

        Parameters
        ----------
        train : the part of DATA that is learnt from, and no other.
        examples : of it.

        Raises
        ------
        UsageError : DATA is not of sound.
        RunError : a condition can be done to no sound at all, or what it needs cannot be had.
        Stopped : a person ended it; what is finished is kept.
        """
        own = [i for i, entry in enumerate(train.entries) if not entry.is_copy]
        made = altered(
            self.folder, train.take(own), self.conditions,
            seed=seed, copies=self.copies, options=self.options, report=self.report,
        )  # fmt: skip
        notes = tuple(note for one in made.values() for note in one.notes)
        for condition in self.conditions:
            of_this = [one for (name, _), one in made.items() if name == condition.name]
            if not any(one.entries for one in of_this):
                what = f"no sound of train can be heard under {condition.name}"
                raise RunError(what, of_this[0].notes[-1])
        failed = sum(one.failed for one in made.values())
        y, groups = np.zeros((2, len(train.entries)), np.int64)
        y[examples.tracks], groups[examples.tracks] = examples.y, examples.groups
        x, tracks, copies = [examples.x], [examples.tracks], [np.zeros(len(examples), np.int64)]
        for copy, ((name, k), one) in enumerate(made.items(), 1):
            of_entry = np.array(tracks_kept(train, one, name, k), np.int64)
            x.append(one.x)
            tracks.append(of_entry[one.tracks])
            copies.append(np.full(len(one.tracks), copy))
        every = np.concatenate(tracks)
        whole = Examples(
            np.concatenate(x),
            y[every],
            every,
            groups[every],
            np.concatenate(copies),
        )
        return Augmented(whole, notes, failed)


def _with_digest(condition: Condition) -> str:
    """The name once, though most digests begin with it."""
    more = " ".join(condition.digest.removeprefix(condition.name).split())
    return f"{condition.name} ({more})" if more else condition.name
