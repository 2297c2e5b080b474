"""Folds within folds: what a search is scored by, and what it is judged by afterwards."""

from __future__ import annotations

from dataclasses import dataclass

from mgrkit.classifiers import Examples
from mgrkit.errors import UsageError
from mgrkit.learning.fitting import Folded


@dataclass(frozen=True)
class Nesting:
    """Folds of undivided artists.

    Parameters
    ----------
    inner : of all of train, for the search that is asked for.
    outer : of all of train, each judged by what was found without it; none where none is wanted.
    within : of what each outer fold leaves, the folds that its own search is scored by.
    """

    inner: Folded
    outer: Folded
    within: tuple[Folded, ...]

    @classmethod
    def of(cls, train: Examples, folds: int, outer: int, seed: int) -> Nesting:
        """So many inner and outer folds, or fewer where there are fewer artists.

        Raises
        ------
        UsageError : no genre has two artists, or none has two more beside those of an outer fold.
        """
        inner = Folded.of(train, folds, seed)
        if not _tracks(inner):
            raise UsageError(
                "no genre has two artists in train, so nothing can be held back",
                "a search needs genres of several artists",
            )
        # Another seed, so that they are not the inner ones again where both are as many.
        outside = Folded.of(train, outer, seed + 1)
        within = tuple(Folded.of(outside.others(n), folds, seed) for n in range(len(outside)))
        if outer and not (_tracks(outside) and all(map(_tracks, within))):
            raise UsageError(
                f"the genres of train have too few artists for {outer} outer folds",
                "--outer 0 does without, and without an honest score",
            )
        return cls(inner, outside, within)


def _tracks(folded: Folded) -> int:
    """How many can be predicted by a fit on other artists."""
    return sum(len(folded.held(number)) for number in range(len(folded)))
