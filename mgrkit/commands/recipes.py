"""Copies by recipes: the items of each track, their job, and the transforms that there are."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mgrkit.batch import Item, Output, Report, Work
from mgrkit.batch.model import Row
from mgrkit.commands.copying import POWER, AugmentSettings
from mgrkit.errors import ItemError, RunError, UsageError, nearest
from mgrkit.tracks.find import Track
from mgrkit.tracks.names import fold
from mgrkit.tracks.schema import NOISE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mgrkit.augment.altered import Altered
    from mgrkit.augment.excerpts import Excerpt
    from mgrkit.augment.recipes import LastNoise, ReadyRecipe, Recipe, TransformInfo

COLUMNS = ("recipe", "drawn", "shift", "content")
"""Beside those of noisy copies: what was drawn (JSON, a value for each step), by how many seconds
the sound comes later than in its source, and the SHA-256 of the source's bytes."""
ALTERED = "altered"
"""The kind of a copy by a recipe. Its column ``noise`` has the recipe's name, so that whoever reads
the table sees that it is a copy, and of what."""
_BLOCK = 2**20


class Recorded(NamedTuple):
    """What a table says of a copy that is made again: what was drawn, and the source's SHA-256.

    None and '' where it does not, as of a copy that failed.
    """

    drawn: list[Any] | None
    content: str


@dataclass
class RecipeCopies:
    """Copies of each track by each recipe.

    Parameters
    ----------
    recipes : no two of one name; see `load_recipes`.
    copies : of each recipe; None for as many as it says itself.
    """

    settings: AugmentSettings
    recipes: Sequence[Recipe]
    copies: int | None = None
    _ready: dict[str, ReadyRecipe] = field(default_factory=dict)

    @property
    def asked(self) -> dict[str, object]:
        """Which copies, by the words of the command; nothing where there are no recipes."""
        each = [f"{one.name} x {self.copies or one.copies}" for one in self.recipes]
        return {"recipe": each} if each else {}

    def __len__(self) -> int:
        return sum(self.copies or recipe.copies for recipe in self.recipes)

    def ready(self, folder: Path, report: Report) -> None:
        """Decode what recipes mix in, into the folder; what cannot be used of it is a note."""
        for number, recipe in enumerate(self.recipes):
            place = folder / f"recipe-{number}"
            place.mkdir()
            ready = self._ready[recipe.name] = recipe.ready(place)
            for warning in ready.warnings:
                report.note(f"warning: {warning}")

    def items(self, track: Track, row: Row, key: str) -> Iterator[Item]:
        """The items of one track."""
        for recipe in self.recipes:
            for k in range(1, (self.copies or recipe.copies) + 1):
                path = self.settings.path(track.prefix, f"{recipe.name}_{k}")
                yield self.item(track, row, key, path, recipe, k)

    def item(
        self,
        track: Track,
        row: Row,
        key: str,
        path: str,
        recipe: Recipe,
        k: int,
        recorded: Recorded | None = None,
    ) -> Item:
        """The copy ``k`` of a track that lies at ``path``, as it was ``recorded`` if at all."""
        of_copy = {
            "path": path, "kind": ALTERED, "recipe": recipe.name, NOISE: recipe.name, "copy": k,
            "seed": self.settings.seed, **self.settings.row(recipe.digest),
        }  # fmt: skip
        as_recorded = f" {json.dumps(recorded)}" if recorded else ""
        return Item(
            f"{key}\trecipe {recipe.name}\t{k}",
            track.file,
            {**row, **of_copy},
            (altered, self._ready[recipe.name], k, recorded),
            f"{track.prefix} {recipe.digest}{as_recorded}",
            track.problem,
        )


def load_recipes(texts: Sequence[str]) -> list[Recipe]:
    """The recipes by the words that name them; two may not share a name in file names.

    Raises
    ------
    UsageError : there is no such recipe, it is none, or two have one name.
    RunError : one needs a package or a program that is not here.
    """
    if not texts:
        return []
    from mgrkit.augment.recipes import Recipe

    recipes = [Recipe.load(text) for text in dict.fromkeys(texts)]
    for recipe in recipes:
        if lacking := recipe.missing:
            names = ", ".join(one.name for one in lacking)
            how = "; ".join(one.how for one in lacking)
            raise RunError(f"the recipe {recipe.name} needs {names}, not here", how)
    for name, times in Counter(fold(recipe.name) for recipe in recipes).most_common(1):
        if times > 1:
            raise UsageError(
                f"{times} recipes are called {name!r}",
                'rename one of them: name = "..." in its file',
            )
    return recipes


def altered(
    settings: AugmentSettings,
    item: Item,
    work: Work,
    ready: ReadyRecipe,
    k: int,
    recorded: Recorded | None,
) -> list[Output]:
    """The job: one copy by a recipe."""
    content = _content(item.source)
    if recorded and recorded.content not in ("", content):
        hint = "get the file that the copy was made from"
        raise ItemError("changed", "the table was made from other bytes", hint, again=True)
    samples, rate = _whole(item.source, work, settings.excerpt)
    place = settings.seed, item.row["source"], k
    drawn = recorded.drawn if recorded else None
    made, last = ready.up_to_last_noise(samples, rate, *place, drawn)
    row: Row = {
        "start": settings.excerpt.start,
        "seconds": round(made.samples.shape[1] / made.rate, 6),
        "rate": made.rate,
        "channels": len(made.samples),
        "shift": "" if made.shift is None else round(made.shift, 6),
        "content": content,
    }
    temp = work.temp()
    if last is None:
        row["gain"] = _write(temp, made.samples, made.rate, settings)
    else:
        row |= _mix(temp, made, last, place, settings)
    row["drawn"] = json.dumps(made.drawn)
    return [Output(row, temp, warning="; ".join(made.warnings))]


def _content(path: str) -> str:
    """The SHA-256 of a file's bytes, hexadecimal."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        reason = (error.strerror or "input/output error").lower()
        raise ItemError("unreadable", reason, again=True) from None


def _whole(path: str, work: Work, excerpt: Excerpt) -> tuple[NDArray[np.float32], int]:
    """Such a part of a sound in one piece, float32 ``(channels, frames)``, and its rate."""
    import numpy as np

    from mgrkit.audio import open_sound

    with open_sound(path, work.allow) as sound:
        part = excerpt.of(sound)
        return np.concatenate(list(part.blocks()), axis=1), part.rate


def _write(path: str, samples: NDArray[np.float32], rate: int, settings: AugmentSettings) -> float:
    """Write a sound; returns its gain, which is 1 where nothing would be clipped."""
    import numpy as np

    from mgrkit.audio import Writer, lsb, quantise
    from mgrkit.augment.material import FULL_SCALE

    lowest, highest = float(samples.min()), float(samples.max())
    gain = 1.0
    if lowest < -1 or highest > 1 - lsb(settings.subtype):
        gain = float(f"{FULL_SCALE / max(highest, -lowest):.9g}")
        samples = samples * np.float32(gain)
    with Writer(path, rate, len(samples), settings.subtype, settings.format) as file:
        for start in range(0, samples.shape[1], _BLOCK):
            file.write(quantise(samples[:, start : start + _BLOCK], settings.subtype))
    return gain


def _mix(
    path: str,
    made: Altered,
    last: LastNoise,
    place: tuple[int, str, int],
    settings: AugmentSettings,
) -> Row:
    """Write a sound with the noise of its last step, so that the SNR holds in the file."""
    from mgrkit.audio import Writer
    from mgrkit.augment import mix

    _, source, k = place
    samples, rate = made.samples, made.rate
    mixed = mix(
        lambda: [samples],
        rate,
        len(samples),
        last.noise,
        last.snr_db,
        last.seed,
        source,
        k,
        settings.subtype,
        lambda: Writer(path, rate, len(samples), settings.subtype, settings.format),
    )
    row: Row = {"gain": mixed.gain, "snr_measured": round(mixed.snr_db, 6), "power": POWER}
    if mixed.recording:
        row |= {"recording": mixed.recording, "offset": round(mixed.offset, 6)}
    return row


def transforms(name: str = "") -> list[TransformInfo]:
    """All transforms that a recipe can name, or one of them.

    Raises
    ------
    UsageError : there is none of that name.
    RunError : audiomentations is not installed.
    """
    from mgrkit.augment.recipes import catalogue

    known = {one.name: one for one in catalogue()}
    if name and name not in known:
        raise UsageError(f"there is no transform {name!r}", nearest(name, known, "there are"))
    return [known[name]] if name else list(known.values())
