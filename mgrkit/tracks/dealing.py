"""Dealing tracks out to parts in units that are not divided, each genre for itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mgrkit.errors import UsageError
from mgrkit.seeds import entropy

_ORDER = ("train", "test", "valid")
"""Which part is the first to get something where it cannot be all."""
_EARLIEST = ("train", "valid", "test")
MOST_FOLDS = 100


@dataclass(frozen=True)
class Shares:
    """How much of each genre goes to which part.

    Parameters
    ----------
    parts : the first to get something first.
    ratio : of the tracks of a genre, by part; they sum up to 1.
    counts : tracks of each genre, by part; the other parts share the rest by their ratio.
    """

    parts: tuple[str, ...] = _ORDER
    ratio: Mapping[str, float] = field(
        default_factory=lambda: {"train": 0.6, "valid": 0.2, "test": 0.2}
    )
    counts: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of_ratio(cls, text: str) -> Shares:
        """As in '80/10/10' for train, valid and test, or '80/20' for train and test.

        Raises
        ------
        UsageError : other text, or nothing for train or for the rest.
        """
        numbers = text.split("/")
        if not re.fullmatch(r"\d+(\.\d+)?(/\d+(\.\d+)?){1,2}", text):
            raise UsageError(f"--ratio must be like 80/10/10 or 80/20, not {text!r}")
        values = [float(number) for number in numbers]
        names = ("train", "valid", "test") if len(values) == 3 else ("train", "test")
        ratio = {name: value for name, value in zip(names, values, strict=True) if value}
        if "train" not in ratio or len(ratio) < 2:
            raise UsageError(f"--ratio {text} leaves nothing to learn from or to judge by")
        total = sum(values)
        parts = tuple(part for part in _ORDER if part in ratio)
        return cls(parts, {part: ratio[part] / total for part in parts})

    @classmethod
    def of_counts(cls, text: str) -> Shares:
        """As in 'test=100,valid=100': of each genre so many, and all others in train.

        Raises
        ------
        UsageError : other text, or another part.
        """
        counts: dict[str, int] = {}
        for one in text.split(","):
            part, _, number = one.partition("=")
            if part.strip() not in ("valid", "test") or not re.fullmatch(r"\d{1,9}", number):
                raise UsageError(
                    f"--counts must be like test=100,valid=100, not {text!r}",
                    "tracks of each genre; train gets the rest",
                )
            counts[part.strip()] = int(number)
        counts = {part: number for part, number in counts.items() if number}
        if not counts:
            raise UsageError(f"--counts {text} leaves nothing to judge by")
        parts = tuple(part for part in _ORDER if part == "train" or part in counts)
        return cls(parts, {"train": 1.0}, counts)

    @classmethod
    def of_folds(cls, number: int) -> Shares:
        """So many equal folds, called '0', '1' and so on."""
        if not 3 <= number <= MOST_FOLDS:
            raise UsageError(
                f"--folds must be from 3 to {MOST_FOLDS}, not {number}",
                "one fold is test, one valid, the others train",
            )
        folds = tuple(map(str, range(number)))
        return cls(folds, dict.fromkeys(folds, 1 / number))

    def called(self, part: str) -> str:
        """A part as people read it: ``fold 0`` where there are folds."""
        return part if part in _EARLIEST else f"fold {part}"

    def targets(self, total: int) -> dict[str, float]:
        """How many of a genre's tracks each part is to get; all in train if they are too few."""
        left = total - sum(self.counts.values())
        if left <= 0:
            return {part: float(total * (part == "train")) for part in self.parts}
        return {
            part: float(self.counts[part]) if part in self.counts else self.ratio[part] * left
            for part in self.parts
        }


USUAL = Shares()
"""60, 20 and 20 % for train, valid and test."""


@dataclass(frozen=True)
class Dealt:
    """Which track goes where.

    Parameters
    ----------
    parts : of each track.
    units : how many units there are with tracks of a genre, by genre; one of several genres counts
        for each.
    """

    parts: list[str]
    units: Mapping[str, int]

    def lacking(self, genres: Sequence[str], shares: Shares, called: str) -> Iterator[str]:
        """The genres that lack a part or the counts that are asked for, and why."""
        total = Counter(genres)
        held: dict[str, set[str]] = {}
        for genre, part in zip(genres, self.parts, strict=True):
            held.setdefault(genre, set()).add(part)
        for genre in sorted(total):
            empty = [part for part in shares.parts if part not in held[genre]]
            if sum(shares.counts.values()) >= total[genre]:
                asked = ", ".join(f"{part}={number}" for part, number in shares.counts.items())
                yield f"{genre} has {_several(total[genre], 'track')}, asked are {asked}"
            elif empty:
                has = _several(self.units[genre], called)
                where = ", ".join(map(shares.called, empty))
                # Enough of them, but dealt with other genres of theirs.
                luck = " with this --seed" if self.units[genre] >= len(shares.parts) else ""
                yield f"{genre} has {has}, nothing for {where}{luck}"

    def alone(self, genres: Sequence[str], shares: Shares, called: str) -> Iterator[str]:
        """The genres of one unit only, and the part that it went to."""
        for genre in sorted(genre for genre, number in self.units.items() if number == 1):
            its = {part for part, one in zip(self.parts, genres, strict=True) if one == genre}
            where = " and ".join(map(shares.called, sorted(its)))
            yield f"{genre} has one {called} only: all of it is in {where}"

    def missed(self, genres: Sequence[str], shares: Shares, called: str) -> Iterator[str]:
        """Of counts that could not be had, how many it are."""
        got = Counter(zip(self.parts, genres, strict=True))
        for part, number in shares.counts.items():
            counts = [got[part, genre] for genre in set(genres)]
            if set(counts) != {number}:
                yield (
                    f"{part} has {min(counts)} to {max(counts)} tracks of a genre, not {number}: "
                    f"no {called} is divided"
                )


def deal(
    ids: Sequence[str],
    genres: Sequence[str],
    units: Sequence[Sequence[int]],
    shares: Shares,
    seed: int,
    kept: Sequence[str] = (),
) -> Dealt:
    """Deal units out undivided, genre by genre: each goes where the most is wanting.

    A unit of several genres is dealt with those of the genre that most of it is of.

    Parameters
    ----------
    ids, genres : of each track; with the seed its id decides when its unit's turn is.
    units : indices of tracks, none in two units.
    kept : the part that each track has already and keeps, '' for none. What is new in its unit
        goes there too, or to the first of several parts; new units fill the gap.
    """
    total = Counter(genres)
    parts = list(kept) or [""] * len(ids)
    filled = {genre: Counter[str]() for genre in total}
    by_genre: dict[str, list[Sequence[int]]] = {genre: [] for genre in sorted(total)}
    number = Counter(genre for unit in units for genre in {genres[index] for index in unit})
    for unit in units:
        genre = _genre([genres[index] for index in unit])
        if not _follow(unit, parts):
            by_genre[genre].append(unit)
            continue
        for index in unit:
            filled[genres[index]][parts[index]] += 1

    def turn(unit: Sequence[int]) -> float:
        """Large units come first, so that small ones can even out, but not by size alone."""
        drawn = entropy(seed, min(ids[index] for index in unit), ("split",)) / 2**128
        return -len(unit) * (0.5 + drawn)

    for genre, its_units in by_genre.items():
        targets = shares.targets(total[genre])
        left = sorted(its_units, key=turn)
        for place, unit in enumerate(left):
            part = _wanting(filled[genre], targets, len(left) - place)
            for index in unit:
                parts[index] = part
                filled[genres[index]][part] += 1
    return Dealt(parts, number)


def _genre(genres: Sequence[str]) -> str:
    """The genre that most are of; of equals the first by name."""
    if len(genres) == 1:
        return genres[0]
    counts = Counter(genres)
    return min(counts, key=lambda genre: (-counts[genre], genre))


def _follow(unit: Sequence[int], parts: list[str]) -> bool:
    """Give what is new in a unit the part of what is old in it; False if all of it is new.

    Of several parts the earliest, so that what was ever learnt from is never tested.
    """
    held = {parts[index] for index in unit} - {""}
    if not held:
        return False
    first = min(held, key=_EARLIEST.index) if held.issubset(_EARLIEST) else min(held)
    for index in unit:
        parts[index] = parts[index] or first
    return True


def _wanting(filled: Mapping[str, int], targets: Mapping[str, float], left: int) -> str:
    """The part that lacks the most, of those still empty when there is one unit for each."""
    empty = [part for part in targets if not filled.get(part)]
    choice = empty if 0 < len(empty) >= left else targets
    return max(choice, key=lambda part: targets[part] - filled.get(part, 0))


def _several(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
