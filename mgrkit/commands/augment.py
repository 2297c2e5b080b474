"""``mgrkit augment``: copies of sounds with noise and by recipes, and their table."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mgrkit.batch import (
    Fetched,
    FolderSink,
    Item,
    Options,
    Output,
    Report,
    Summary,
    Work,
    prepare,
    run,
    run_now,
)
from mgrkit.batch.model import Row
from mgrkit.commands.copying import OPTIONS, AugmentSettings
from mgrkit.commands.noisy import Level, NoisyCopies, parse_noises
from mgrkit.commands.plan import Plan
from mgrkit.commands.recipes import COLUMNS as RECIPE_COLUMNS
from mgrkit.commands.recipes import RecipeCopies, load_recipes
from mgrkit.commands.replay import Replayed
from mgrkit.errors import UsageError
from mgrkit.tracks.find import SOUND, Search, Track

__all__ = ["DEFAULT_OUT", "DEFAULT_SOURCE", "AugmentSettings", "augment", "copy", "replay"]

DEFAULT_SOURCE = Path("audio")
DEFAULT_OUT = Path("noisy")
DEFAULT_NOISE = "white"
DEFAULT_SNR = 10.0
_PRELOAD = ("mgrkit.commands.augment", "mgrkit.augment.recipes.applying", "audiomentations")
"""What each process imports, half a second or more of it."""


def augment(
    settings: AugmentSettings,
    source: Path = DEFAULT_SOURCE,
    out: Path = DEFAULT_OUT,
    *,
    noises: Sequence[str] = (),
    snrs: Sequence[float] = (),
    gains: Sequence[float] = (),
    recipes: Sequence[str] = (),
    copies: int | None = None,
    files: Sequence[str] | None = None,
    search: Search = SOUND,
    table: Path | None = None,
    options: Options | None = None,
    replace: bool = False,
    report: Report | None = None,
) -> Summary:
    """Make copies of each track: with each noise at each SNR or gain, and by each recipe.

    Parameters
    ----------
    source, table : a folder, a sound file or a track table; or a folder and a table of its files.
    noises : colours (white, pink, ...), or paths of recordings or folders of them; white where
        neither noises nor recipes are given.
    snrs : in dB, -20 to 80, over all channels together, of power above 20 Hz; 10 if none is given.
    gains : instead of SNRs: the copy is the track and so many times the noise; see `Times`.
    recipes : names of those that ship, or paths of TOML files.
    copies : of each noise and level, and by each recipe; None for 1, or what a recipe says.
    files : relative paths below ``source``, instead of all that is there.
    search : which files of a folder are taken, one of noises too.

    Raises
    ------
    UsageError : no such noise or recipe, an SNR or gain out of range, settings that do not go
        together, OUT is or holds SRC, or other copies.
    RunError : there is no sound, a recording cannot be used, a recipe needs what is not here, or
        OUT cannot be written.
    """
    if not (noises or recipes):
        noises = [DEFAULT_NOISE]
    if recipes:
        prepare(_PRELOAD)
    levels = _levels(noises, snrs, gains)
    parsed = parse_noises(noises, search, settings.noise_start)
    noisy = NoisyCopies(settings, parsed, levels, copies or 1)
    altered = RecipeCopies(settings, load_recipes(recipes), copies)
    _check(noisy, altered)
    going = _Going(settings, noisy, altered, out, options, replace, report)
    plan = Plan([source], out, going.columns, files, search=search, table=table)
    return going.run(plan, going.items, lambda: plan.finder.count() * going.each)


def _levels(noises: Sequence[str], snrs: Sequence[float], gains: Sequence[float]) -> list[Level]:
    if (snrs or gains) and not noises:
        name = "--snr" if snrs else "--mix-gain"
        raise UsageError(f"{name} goes with --noise", "a recipe says it itself, in its steps")
    return Level.read(snrs or ([] if gains else [DEFAULT_SNR]), gains)


def _check(noisy: NoisyCopies, altered: RecipeCopies) -> None:
    """Raise UsageError for settings that mean nothing for these copies."""
    settings = noisy.settings
    if settings.clip == "hard" and not noisy.of_gains:
        raise UsageError(
            "--clip hard goes with --mix-gain", "a mix at an SNR is never clipped, so that it holds"
        )
    for_noise = {
        "--clip hard": settings.clip == "hard",
        "--noise-start": settings.noise_start is not None,
    }
    if altered.recipes and (given := [name for name, is_given in for_noise.items() if is_given]):
        raise UsageError(f"{given[0]} goes not with --recipe", "make those copies in another OUT")
    if settings.noise_start is not None and noisy.copies > 1 and noisy.repeats:
        raise UsageError(
            f"--noise-start makes {noisy.copies} copies of a recording the same",
            "leave --copies away, or give a folder of recordings",
        )
    if settings.names == "same" and (each := len(noisy) + len(altered)) > 1:
        raise UsageError(
            f"--names same is for one copy of each source, and these are {each}",
            "one --noise or --recipe, one --snr or --mix-gain, one copy",
        )


def replay(
    table: Path,
    source: Path = DEFAULT_SOURCE,
    out: Path = DEFAULT_OUT,
    *,
    noises: Sequence[str] = (),
    recipes: Sequence[str] = (),
    search: Search = SOUND,
    options: Options | None = None,
    replace: bool = False,
    report: Report | None = None,
) -> Summary:
    """Make the copies that a table of ``augment`` lists again: the same names, the same bytes.

    Parameters
    ----------
    table : of the copies; the seed, the subtype, the format and what was drawn are taken from it.
    source : the folder of the files that they are made from, or one of them.
    noises, recipes : paths of the recordings and the recipe files that the table names; its
        colours and the recipes that ship are known.
    search : which files of a folder of noises are taken.

    Raises
    ------
    UsageError : it is no table of copies, or names a noise or a recipe that is not given.
    RunError : it cannot be read, or was made by another recipe than the one of that name.
    """
    prepare(_PRELOAD)
    told = Replayed.read(table, noises, recipes, search)
    noisy = NoisyCopies(told.settings, list(told.noises.values()), told.levels, 0)
    altered = RecipeCopies(told.settings, list(told.recipes.values()), 0)
    going = _Going(told.settings, noisy, altered, out, options, replace, report)
    plan = Plan([source], out, going.columns, list(told.copies))
    return going.run(plan, partial(told.items, noisy, altered), lambda: len(told))


@dataclass
class _Going:
    """A run of the engine over copies."""

    settings: AugmentSettings
    noisy: NoisyCopies
    altered: RecipeCopies
    out: Path
    options: Options | None
    replace: bool
    report: Report | None

    @property
    def columns(self) -> tuple[str, ...]:
        recipes = RECIPE_COLUMNS if self.altered.recipes else ()
        return (*self.noisy.columns, *recipes, *([OPTIONS] if self.settings.options else []))

    @property
    def each(self) -> int:
        """How many copies of each track."""
        return len(self.noisy) + len(self.altered)

    def items(self, track: Track, row: Row, key: str) -> Iterator[Item]:
        """All copies of a track."""
        yield from self.noisy.items(track, row, key)
        yield from self.altered.items(track, row, key)

    def run(
        self,
        plan: Plan,
        make: Callable[[Track, Row, str], Iterator[Item]],
        count: Callable[[], int],
    ) -> Summary:
        """Make the items that ``make`` gives for each track of the plan."""
        report = self.report or Report()
        sink = FolderSink(self.out, self.settings.as_json(), self.replace, plan.search.shard)
        sink.journal.asked = {**plan.asked, **self.noisy.asked, **self.altered.asked}
        options = self.options or Options()
        if self.altered.recipes:  # audiomentations draws from global generators
            options = dataclasses.replace(options, processes=True, preload=_PRELOAD)
        begun = False

        def made(track: Track, row: Row, key: str) -> Iterator[Item]:
            # Only now: the sink has taken its lock and emptied the folder for temporary files.
            nonlocal begun
            if not begun:
                temporary = sink.temporary.absolute()  # a worker of a cluster is elsewhere
                self.noisy.ready(temporary, plan, report)
                self.altered.ready(temporary, report)
                begun = True
            return make(track, row, key)

        job = Fetched(partial(copy, self.settings))
        going = run(plan.items(made), job, sink, plan.columns, options, report, count)
        return plan.complete(run_now(going))


def copy(settings: AugmentSettings, item: Item, work: Work) -> list[Output]:
    """The job: one copy, by the function that its item names."""
    make, *args = item.args
    outputs: list[Output] = make(settings, item, work, *args)
    return outputs
