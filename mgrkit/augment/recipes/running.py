"""One transform on one sound: made anew, watched as it draws, or given what was drawn before."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mgrkit.augment.recipes import drawing, transforms
from mgrkit.augment.recipes.sounds import ReadySounds
from mgrkit.augment.recipes.traits import MP3_CHANNELS, STAYS, Traits, traits
from mgrkit.errors import ItemError, MgrkitError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.augment.recipes.steps import TransformStep

    Floats = NDArray[np.float32]

_CHOSEN = ("should_apply", "transform_index", "transform_indexes")
_RESAMPLED = "had to be resampled"


class Outcome(NamedTuple):
    """What a step made.

    Parameters
    ----------
    drawn : JSON value.
    ran : it was drawn to be applied.
    traits : of the transforms that ran.
    """

    samples: Floats
    rate: int
    drawn: dict[str, Any]
    ran: bool
    traits: Traits
    warnings: tuple[str, ...] = ()


def run(
    step: TransformStep, samples: Floats, rate: int, seed: int, recorded: Any = None
) -> Outcome:
    """Apply a transform to float32 ``(channels, frames)``.

    Parameters
    ----------
    seed : what it draws depends on this alone.
    recorded : the ``drawn`` of an earlier outcome, which is put in the place of what is drawn.

    Raises
    ------
    ItemError : ``step-failed``, with what the library says; ``other-recipe``, if what is recorded
        is of another step.
    """
    if any(one.name == "RoomSimulator" for one in step.all()):
        import pyroomacoustics  # noqa: F401  # `seeded` seeds what is loaded
    given = np.array(samples[0] if len(samples) == 1 else samples, np.float32, order="C")
    # One thread at a time from here on: generators and warnings are the whole process's.
    with drawing.seeded(seed), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        watched = _Watched(step, recorded)
        try:
            made = watched(given, rate)
        except (MgrkitError, MemoryError):
            raise
        except Exception as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ItemError("step-failed", reason) from error
    out = np.ascontiguousarray(np.atleast_2d(made), np.float32)
    if step.name == "Resample" and watched.ran:
        rate = int(watched.transform.parameters["target_sample_rate"])
    told = dict.fromkeys([*watched.told(_said(caught)), *watched.differing()])
    return Outcome(out, rate, watched.drawn(), watched.ran, watched.traits(), tuple(told))


def _said(caught: Iterable[warnings.WarningMessage]) -> Iterator[str]:
    """What is meant for people: deprecations are meant for programmers."""
    return (str(one.message) for one in caught if issubclass(one.category, UserWarning))


class _Watched:
    """A transform that notes what it draws at each call.

    The object of audiomentations is ``transform``. It draws in its method
    ``randomize_parameters``, which is followed by putting recorded values in place.
    """

    def __init__(self, step: TransformStep, recorded: Any) -> None:
        self._step = step
        self._names: dict[str, str] = {}
        self._calls: list[dict[str, Any]] = []
        self._differs = False
        self._recorded = self._of_record(recorded)
        steps = (recorded or {}).get("steps") or [None] * len(step.children)
        if not isinstance(steps, list):
            raise ItemError("other-recipe", f"the steps in {step.name} are no list")
        inner = iter(steps)
        self._children: list[_Watched] = []

        def plain(value: Any) -> Any:
            if isinstance(value, list):
                return [plain(one) for one in value]
            if isinstance(value, ReadySounds):
                self._names |= dict(value.files)
                return [path for path, _ in value.files]
            if hasattr(value, "given"):
                self._children.append(_Watched(value, next(inner, None)))
                return self._children[-1]
            return value

        given = {key: plain(value) for key, value in step.given.items()}
        self.transform = transforms.made(step.name, given)
        self._draw = self.transform.randomize_parameters
        self.transform.randomize_parameters = self._randomize
        self._mono_only = transforms.info(step.name).mono_only

    def _of_record(self, recorded: Any) -> list[dict[str, Any]]:
        if recorded is None:
            return []
        if not isinstance(recorded, dict) or recorded.get("transform") != self._step.name:
            raise ItemError("other-recipe", f"what was drawn is not of {self._step.name}")
        calls = recorded.get("calls") or [recorded.get("parameters") or {}]
        if not isinstance(calls, list):
            raise ItemError("other-recipe", f"the calls of {self._step.name} are no list")
        return calls

    def __call__(self, samples: Floats, sample_rate: int) -> Floats:
        channels = len(samples) if samples.ndim > 1 else 1
        most = MP3_CHANNELS if self._step.name == "Mp3Compression" else channels
        if channels > (1 if self._mono_only else most):
            return self._each_channel(samples, sample_rate)
        made: Floats = self.transform(samples, sample_rate)
        return made

    def _each_channel(self, samples: Floats, rate: int) -> Floats:
        """Each channel by itself, under the same draw."""
        before = drawing.state()
        made = []
        for row in samples:
            drawing.restore(before)
            made.append(np.asarray(self.transform(np.ascontiguousarray(row), rate)))
        if len({row.shape for row in made}) > 1:
            raise ItemError("step-failed", "its channels came out at different lengths")
        return np.stack(made)

    def _randomize(self, *args: Any, **options: Any) -> Any:
        self._draw(*args, **options)
        fresh = self._state()
        if self._recorded:
            self._replace(fresh, self._recorded[min(len(self._calls), len(self._recorded) - 1)])
        self._calls.append(drawing.as_json(copy.deepcopy(fresh), self._names))
        return fresh.get("transform_indexes")

    def _state(self) -> dict[str, Any]:
        if hasattr(self.transform, "parameters"):
            parameters: dict[str, Any] = self.transform.parameters
            return parameters
        return {
            key: getattr(self.transform, key) for key in _CHOSEN if hasattr(self.transform, key)
        }

    def _replace(self, fresh: dict[str, Any], recorded: Mapping[str, Any]) -> None:
        paths = {name: path for path, name in self._names.items()}
        for key, value in recorded.items():
            old = fresh.get(key)
            if key in fresh and drawing.as_json(old, self._names) == value:
                continue  # to the last bit, and of the very type that was drawn
            self._differs = True
            fresh[key] = drawing.from_json(value, paths, old)
            if not hasattr(self.transform, "parameters"):
                setattr(self.transform, key, fresh[key])

    @property
    def ran(self) -> bool:
        """Whether it did anything: what is drawn at random may be to do nothing."""
        if self._step.name in transforms.COMPOSITIONS:
            return any(child.ran for child in self._children)
        return any(call.get("should_apply") for call in self._calls)

    def all(self) -> Iterable[_Watched]:
        yield self
        for child in self._children:
            yield from child.all()

    def traits(self) -> Traits:
        """What all that ran leave as it was."""
        neutral = self._step.name in transforms.COMPOSITIONS or self._step.name == "Lambda"
        own = STAYS
        if not self.ran:
            return own
        if not neutral:
            return traits(self._step.name, self._step.parameters)
        found = [own, *(child.traits() for child in self._children)]
        return Traits(*(all(stays) for stays in zip(*found, strict=True)))

    def drawn(self) -> dict[str, Any]:
        """What was drawn, JSON: one call's parameters, or those of several that differ."""
        made: dict[str, Any] = {"transform": self._step.name}
        different = [c for n, c in enumerate(self._calls) if c not in self._calls[:n]]
        if len(different) > 1:
            made["calls"] = self._calls
        else:
            made["parameters"] = different[0] if different else {}
        if self._children:
            made["steps"] = [child.drawn() for child in self._children]
        return made

    def differing(self) -> list[str]:
        """A warning for each transform that drew otherwise than is recorded."""
        return [
            f"drawn-otherwise: {one._step.name} is given what the table says"
            for one in self.all()
            if one._differs
        ]

    def told(self, messages: Iterable[str]) -> Sequence[str]:
        """What the library warned of, with names in the place of paths."""
        names = {path: name for one in self.all() for path, name in one._names.items()}
        found = []
        for message in messages:
            if _RESAMPLED in message:
                continue  # it is slower, and no worse
            for path, name in names.items():
                message = message.replace(path, name)
            found.append(" ".join(message.split()))
        return found
