"""A recipe on one sound: step by step, each seeded for itself, each looked at."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mgrkit import seeds
from mgrkit.audio import check_audible
from mgrkit.augment.altered import MOST_SAMPLES, Altered, Kept
from mgrkit.augment.audible import energies
from mgrkit.augment.material import Mixed
from mgrkit.augment.mixing import mix
from mgrkit.augment.recipes import aligning, running
from mgrkit.augment.recipes.own import OwnStep, ReadyNoise
from mgrkit.augment.recipes.running import Outcome
from mgrkit.augment.recipes.steps import ReadyStep, TransformStep
from mgrkit.augment.recipes.traits import STAYS, Traits
from mgrkit.errors import AudioError, ItemError, UsageError
from mgrkit.frontend.parts import Transform

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.augment.sources import Noise

    Floats = NDArray[np.float32]

SHORTEST = Transform().n_fft / 22_050
"""Seconds of one transform of the default front end."""
_KIND = re.compile(r"[a-z-]+")
"""How a warning that can be counted begins."""


class LastNoise(NamedTuple):
    """The exact noise that ends a recipe, for `mgrkit.augment.mix` to put straight into a file.

    Parameters
    ----------
    noise, snr_db, seed : as `mix` takes them, beside the path and k of the sound.
    drawn : what stands for this step in the table.
    """

    noise: Noise
    snr_db: float
    seed: int
    drawn: dict[str, Any]


@dataclass(frozen=True)
class ReadyRecipe:
    """A recipe with its sounds at hand; it can be pickled.

    Parameters
    ----------
    name : of the recipe; with the run's seed, the path and k it decides what is drawn.
    warnings : of its sounds, one line each.
    """

    name: str
    steps: tuple[ReadyStep, ...]
    warnings: tuple[str, ...] = ()

    def apply(
        self, samples: Floats, rate: int, seed: int, path: str, k: int,
        recorded: Sequence[Any] | None = None,
    ) -> Altered:  # fmt: skip
        """What becomes of a sound.

        Parameters
        ----------
        samples : float32 ``(channels, frames)``, full scale 1; they stay as they are.
        rate : samples per second.
        seed, path, k : of the run; of the sound, relative, POSIX; of the copy, from 1.
        recorded : ``drawn`` of an earlier `Altered` with the same seed, path and k. What no
            table can hold, such as noise and rays, is drawn again; all else is put in its place.

        Returns
        -------
        Nothing is clipped: the samples may be beyond full scale.

        Raises
        ------
        UsageError : samples that are no float ``(channels, frames)``.
        ItemError : ``silent``, ``non-finite``, ``too-short``, ``too-long`` or ``step-failed``,
            naming the step; ``other-recipe``, if what is recorded is of another one; and those
            of `mgrkit.augment.mix`.
        """
        chain = self._chain(samples, rate, seed, path, k, recorded)
        for step in self.steps:
            chain.take(step)
        return chain.altered()

    def up_to_last_noise(
        self, samples: Floats, rate: int, seed: int, path: str, k: int,
        recorded: Sequence[Any] | None = None,
    ) -> tuple[Altered, LastNoise | None]:  # fmt: skip
        """As `apply`, but exact noise as the last step is left to do, so that it holds in a file.

        Nothing is left where the last step is another, or is not drawn for this copy.
        """
        chain = self._chain(samples, rate, seed, path, k, recorded)
        for step in self.steps[:-1]:
            chain.take(step)
        left = chain.leave(self.steps[-1])
        return chain.altered(), left

    def _chain(
        self, samples: Floats, rate: int, seed: int, path: str, k: int,
        recorded: Sequence[Any] | None,
    ) -> _Chain:  # fmt: skip
        checked = _checked(samples)
        if recorded is not None and len(recorded) != len(self.steps):
            raise ItemError(
                "other-recipe",
                f"{len(recorded)} steps were drawn, {self.name} has {len(self.steps)}",
            )
        return _Chain(self.name, checked, rate, (seed, path, k), recorded)


def _checked(samples: Any) -> Floats:
    if not isinstance(samples, np.ndarray) or samples.ndim != 2 or samples.dtype.kind != "f":
        raise UsageError("a recipe takes float samples (channels, frames)", "full scale is 1")
    if samples.size > MOST_SAMPLES:
        raise ItemError("too-long", f"{samples.size:,} samples are too many for a recipe")
    if not samples.size:
        raise ItemError("too-short", "the sound has no samples")
    if not np.isfinite(samples).all():
        raise ItemError("non-finite", "the sound has NaN or infinite samples")
    check_audible(float(samples.min()), float(samples.max()))
    return np.ascontiguousarray(samples, np.float32)


@dataclass
class _Chain:
    """A sound on its way through the steps."""

    name: str
    samples: Floats
    rate: int
    place: tuple[int, str, int]
    recorded: Sequence[Any] | None
    drawn: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    traits: Traits = STAYS
    ran: bool = False

    def __post_init__(self) -> None:
        self._first = self.samples, self.rate

    def take(self, step: ReadyStep) -> None:
        """Go through a step."""
        with self._labelled(step):
            if isinstance(step, TransformStep):
                made = running.run(step, self.samples, self.rate, self._seed(), self._recorded())
            else:
                drawn, told = self._drawn(step)
                made = self._made(step, drawn, told)
            self._took(step, made)

    def leave(self, step: ReadyStep) -> LastNoise | None:
        """Take the last step, but for exact noise, which is left to the caller."""
        if not isinstance(step, ReadyNoise):
            self.take(step)
            return None
        with self._labelled(step):
            drawn, told = self._drawn(step)
        self.drawn.append(drawn)
        self._warn(step, told, len(self.drawn))
        if not drawn["parameters"]["should_apply"]:
            return None
        self.ran = True
        snr = drawn["parameters"]["snr_db"]
        return LastNoise(step.noise, snr, self._seed(len(self.drawn)), drawn)

    def altered(self) -> Altered:
        """What has come of it."""
        if not self.ran:
            self.warnings.append("unchanged: none of the steps was drawn")
        shift: float | None = 0.0
        if not self.traits.tempo:
            shift = None
        elif not self.traits.alignment:
            shift = aligning.shift(*self._first, self.samples, self.rate, self.traits.near)
        return Altered(self.samples, self.rate, self.drawn, shift, tuple(self.warnings))

    def _seed(self, number: int = 0) -> int:
        seed, path, k = self.place
        return seeds.entropy(seed, path, (self.name, k, number or len(self.drawn) + 1))

    def _recorded(self) -> Any:
        return None if self.recorded is None else self.recorded[len(self.drawn)]

    def _drawn(self, step: OwnStep) -> tuple[dict[str, Any], list[str]]:
        """What a step of our own draws, or what is recorded of it, and warnings."""
        draw = random.Random(self._seed())  # noqa: S311
        taken = draw.random() < step.p
        values = step.draw(draw)
        parameters = {"should_apply": taken, **(values if taken else {})}
        recorded, told = self._recorded(), []
        if recorded is not None:
            before = recorded.get("parameters") if isinstance(recorded, dict) else None
            if not isinstance(before, dict) or recorded.get(step.kind) != step.name:
                raise ItemError("other-recipe", f"what was drawn is not of {step.label}")
            if before != parameters:
                taken = bool(before.get("should_apply"))
                parameters = {"should_apply": taken, **(values if taken else {}), **before}
                told = ["drawn-otherwise: it is given what the table says"]
                try:
                    step.check(parameters)
                except UsageError as error:
                    raise ItemError("step-failed", f"the table says: {error}") from error
        return {step.kind: step.name, "parameters": parameters}, told

    def _made(self, step: OwnStep, drawn: dict[str, Any], told: list[str]) -> Outcome:
        parameters = drawn["parameters"]
        if not parameters["should_apply"]:
            return Outcome(self.samples, self.rate, drawn, False, STAYS, tuple(told))
        if isinstance(step, ReadyNoise):
            samples = self._noisy(step, drawn)
        else:
            _, path, k = self.place
            condition = step.condition(parameters)
            made = condition.apply(self.samples, self.rate, self._seed(), path, k)
            drawn |= {key: one for key, one in made.drawn[0].items() if key != step.kind}
            told += made.warnings
            samples = made.samples
        return Outcome(samples, self.rate, drawn, True, STAYS, tuple(told))

    def _noisy(self, step: ReadyNoise, drawn: dict[str, Any]) -> Floats:
        kept = Kept()
        _, path, k = self.place
        made: Mixed = mix(
            lambda: [self.samples], self.rate, len(self.samples), step.noise,
            drawn["parameters"]["snr_db"], self._seed(), path, k, "FLOAT", kept.anew,
        )  # fmt: skip
        if made.recording:
            drawn |= {"recording": made.recording, "offset": made.offset}
        samples = np.concatenate(kept.blocks, axis=1)
        if made.gain != 1:  # there is room beyond full scale, and the next step wants the level
            samples /= np.float32(made.gain)
        return samples

    def _took(self, step: ReadyStep, made: Outcome) -> None:
        before, number = self.samples, len(self.drawn) + 1
        least = SHORTEST * made.rate
        frames = made.samples.shape[1]
        if not frames or (frames < least and frames < before.shape[1]):
            raise ItemError("too-short", f"{frames} frames are left, {least:.0f} are needed")
        if made.samples.size > MOST_SAMPLES:
            raise ItemError("too-long", f"{made.samples.size:,} samples are too many")
        lowest, highest = float(made.samples.min()), float(made.samples.max())
        if not math.isfinite(lowest + highest):  # both are NaN where a sample is
            raise ItemError("non-finite", "NaN or infinite samples came out")
        try:
            check_audible(lowest, highest)
        except AudioError as error:
            raise ItemError("silent", f"silence came out: {error.message}") from error
        told = list(made.warnings)
        if made.ran and made.rate == self.rate and _same(made.samples, before):
            told.append("unchanged: it left the sound as it was")
        if made.ran and _has_snr(step) and made.samples.shape == before.shape:
            made.drawn["measured"] = measured_snr(before, made.samples, self.rate)
        self.samples, self.rate = made.samples, made.rate
        self.traits = Traits(*map(min, self.traits, made.traits))
        self.ran |= made.ran
        self.drawn.append(made.drawn)
        self._warn(step, told, number)

    def _warn(self, step: ReadyStep, told: Sequence[str], number: int) -> None:
        for text in told:
            kind, colon, rest = text.partition(": ")
            label = _label(step, number)
            known = colon and _KIND.fullmatch(kind)
            self.warnings.append(f"{kind}: {label}: {rest}" if known else f"{label}: {text}")

    @contextmanager
    def _labelled(self, step: ReadyStep) -> Iterator[None]:
        """Errors name the step."""
        try:
            yield
        except ItemError as error:
            label = _label(step, len(self.drawn) + 1)
            raise ItemError(
                error.reason, f"{label}: {error.message}", error.hint, error.again
            ) from error


def _label(step: ReadyStep, number: int) -> str:
    return f"step {number} ({step.label})"


def _same(first: Floats, second: Floats) -> bool:
    few = slice(None, None, 4099)  # they differ as a rule, and then these do
    return np.array_equal(first[:, few], second[:, few]) and np.array_equal(first, second)


def _has_snr(step: ReadyStep) -> bool:
    if isinstance(step, TransformStep):
        return any("snr" in name for name in step.parameters)
    return isinstance(step, ReadyNoise)


def measured_snr(before: Floats, after: Floats, rate: int) -> dict[str, Any]:
    """The SNR above 20 Hz of what was added to ``(channels, frames)``, in dB.

    Returns
    -------
    ``snr_db`` over all channels, and ``snr_db_by_channel``; None where a channel is silent or
    nothing was added to it.
    """
    added = after - before
    pairs = [
        (energies(one[None], rate)[0], energies(noise[None], rate)[0])
        for one, noise in zip(before, added, strict=True)
    ]
    return {
        "snr_db": _decibels(sum(s for s, _ in pairs), sum(n for _, n in pairs)),
        "snr_db_by_channel": [_decibels(*pair) for pair in pairs],
    }


def _decibels(signal: float, noise: float) -> float | None:
    return float(10 * np.log10(signal / noise)) if signal > 0 and noise > 0 else None
