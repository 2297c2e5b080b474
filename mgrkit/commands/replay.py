"""``mgrkit augment --replay TABLE``: the copies that a table lists, made again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from mgrkit.batch import Item
from mgrkit.batch.model import Row
from mgrkit.commands.copying import OPTIONS, AugmentSettings
from mgrkit.commands.noisy import Level, NoisyCopies, parse_noises
from mgrkit.commands.recipes import RecipeCopies, Recorded, load_recipes
from mgrkit.errors import RunError, UsageError
from mgrkit.tracks.find import Search, Track

if TYPE_CHECKING:
    from mgrkit.augment import Colour, Recordings
    from mgrkit.augment.recipes import Recipe

N = TypeVar("N", int, float)
_NEEDED = ("path", "source", "settings", "noise", "copy", "seed")
_HINT = "give the tracks.csv that mgrkit augment wrote"


@dataclass(frozen=True)
class Copy:
    """A row of the table: how a copy was made."""

    path: str
    source: str
    settings: str
    noise: str
    recipe: str
    level: Level | None
    k: int
    seed: int
    options: str
    recorded: Recorded

    @classmethod
    def of(cls, row: dict[str, str]) -> Copy:
        """Read a row; ValueError says what is wrong with it."""
        for name in ("path", "source"):
            if not row[name] or os.path.isabs(row[name]) or os.pardir in row[name].split("/"):
                raise ValueError(f"the {name} {row[name]!r} is no path below a folder")
        recipe, drawn = row.get("recipe", ""), _drawn(row.get("drawn", ""))
        return cls(
            row["path"], row["source"], row["settings"], row["noise"], recipe,
            None if recipe else _level(row),
            _number(row, "copy", int), _number(row, "seed", int), row.get(OPTIONS) or "{}",
            Recorded(drawn, row.get("content", "")),
        )  # fmt: skip

    @property
    def what(self) -> str:
        """What the settings of its row stand for beside the options."""
        return f"recipe {self.recipe}" if self.recipe else f"noise {self.noise}"


def _level(row: dict[str, str]) -> Level:
    if row.get("mix_gain"):
        return Level.read([], [_number(row, "mix_gain", float)])[0]
    return Level.read([_number(row, "snr", float)], [])[0]


def _number(row: dict[str, str], name: str, kind: type[N]) -> N:
    try:
        return kind(row.get(name, ""))
    except ValueError:
        raise ValueError(f"the {name} {row.get(name, '')!r} is no number") from None


def _drawn(text: str) -> list[Any] | None:
    try:
        drawn = json.loads(text) if text else None
    except (ValueError, RecursionError):
        drawn = text
    if drawn is None or isinstance(drawn, list):
        return drawn
    raise ValueError("what was drawn is no list")


@dataclass(frozen=True)
class Replayed:
    """A table of copies, with the noises and the recipes that made them.

    Parameters
    ----------
    copies : by source.
    """

    table: Path
    copies: dict[str, list[Copy]]
    settings: AugmentSettings
    noises: dict[str, Colour | Recordings]
    recipes: dict[str, Recipe]

    @classmethod
    def read(
        cls, table: Path, noises: Sequence[str], recipes: Sequence[str], search: Search
    ) -> Replayed:
        """Read a table.

        Parameters
        ----------
        noises, recipes : recordings and files of recipes that the table names; its colours and
            the recipes that ship are known.

        Raises
        ------
        UsageError : it is no table of copies, names what is not given, or does not name what is.
        RunError : it cannot be read, or was made with another recipe of that name.
        """
        copies = _read(table)
        those = {one.name: one for one in load_recipes(recipes)}
        settings = _common(table, copies)
        begin = settings[0].noise_start
        others = {one.name: one for one in parse_noises(noises, search, begin)}
        _complete(table, "recipe", those, {one.recipe for one in copies}, _shipped)
        _complete(table, "noise", others, {one.noise for one in copies if not one.recipe}, _colour)
        by_source: dict[str, list[Copy]] = {}
        for one in copies:
            by_source.setdefault(one.source, []).append(one)
        made_by = _settings(table, copies, settings, those)
        return cls(table, by_source, made_by, others, those)

    def __len__(self) -> int:
        return sum(map(len, self.copies.values()))

    @property
    def levels(self) -> list[Level]:
        """Of all copies with noise."""
        every = (one.level for copies in self.copies.values() for one in copies)
        return list(dict.fromkeys(level for level in every if level))

    def items(
        self, noisy: NoisyCopies, altered: RecipeCopies, track: Track, row: Row, key: str
    ) -> Iterator[Item]:
        """The items of one track."""
        for one in self.copies[track.path]:
            if one.level is None:
                recipe = self.recipes[one.recipe]
                yield altered.item(track, row, key, one.path, recipe, one.k, one.recorded)
            else:
                noise = self.noises[one.noise]
                yield noisy.item(track, row, key, one.path, noise, one.level, one.k)


def _read(table: Path) -> list[Copy]:
    import polars as pl

    from mgrkit.tracks.table import read_frame

    if not table.is_file():
        raise RunError(f"there is no table {table}", _HINT)
    frame = read_frame(table).select(pl.all().cast(pl.String).fill_null(""))
    if missing := [name for name in _NEEDED if name not in frame.columns]:
        raise UsageError(f"{table} is no table of copies: no column {missing[0]}", _HINT)
    if not len(frame):
        raise RunError(f"{table} has no rows", _HINT)
    copies, made = {}, set()
    for number, row in enumerate(frame.iter_rows(named=True), start=2):
        try:
            one = Copy.of(row)
        except (ValueError, UsageError) as error:
            raise UsageError(f"{table}, line {number}: {error}", _HINT) from None
        how = one.source, one.what, one.level, one.k
        if one.path in copies or how in made:
            raise UsageError(f"{table} has {one.path} twice", _HINT)
        copies[one.path] = one
        made.add(how)
    return list(copies.values())


def _complete(
    table: Path, what: str, given: dict[str, Any], names: set[str], known: Callable[[str], Any]
) -> None:
    """Add what is known by its name; UsageError where the table and what is given differ."""
    for name in sorted(given.keys() - names):
        raise UsageError(f"{table} has no copies of the {what} {name!r}", f"leave --{what} away")
    for name in sorted(names - given.keys() - {""}):
        found = known(name)
        if found is None:
            raise UsageError(f"{table} needs the {what} {name!r}", f"name its file by --{what}")
        given[name] = found


def _shipped(name: str) -> Recipe | None:
    from mgrkit.augment.recipes import shipped

    return load_recipes([name])[0] if name in shipped() else None


def _colour(name: str) -> Colour | Recordings | None:
    from mgrkit.augment import COLOURS, Colour

    return Colour(name) if name in COLOURS else None


def _common(table: Path, copies: Sequence[Copy]) -> list[AugmentSettings]:
    """The settings that all rows may have been made with, one for each subtype."""
    from mgrkit.audio.writing import BITS, FORMATS

    kinds = {
        (one.seed, os.path.splitext(one.path)[1].removeprefix("."), one.options) for one in copies
    }
    if len(kinds) > 1:
        raise UsageError(f"{table} has copies of several seeds, formats or options", _HINT)
    ((seed, format_, options),) = kinds
    if format_ not in FORMATS:
        raise UsageError(f"{table} has copies of no format that is written: {format_!r}", _HINT)
    try:
        return [
            AugmentSettings.of(seed, subtype, format_, json.loads(options))
            for subtype in BITS
            if (subtype, format_) != ("FLOAT", "flac")
        ]
    except (ValueError, TypeError, RecursionError, UsageError) as error:
        raise UsageError(f"{table} has options that are none: {error}", _HINT) from None


def _settings(
    table: Path,
    copies: Sequence[Copy],
    candidates: Sequence[AugmentSettings],
    recipes: dict[str, Recipe],
) -> AugmentSettings:
    """The settings, of those, whose digest all rows have."""
    odd = ""
    for settings in candidates:
        digests = {name: settings.digest_with(one.digest) for name, one in recipes.items()}
        digests[""] = settings.digest
        wrong = [one for one in copies if one.settings != digests[one.recipe]]
        if not wrong:
            return settings
        odd = wrong[0].what if len(wrong) < len(copies) else odd or wrong[0].what
    raise RunError(
        f"{table} was made by another {odd}",
        "other steps, other sounds that it mixes in, or another release of audiomentations",
    )
