"""What a sound may go through on its way to a listener: noise, codecs, rooms, levels, pitch.

A condition changes a whole sound in memory. What it makes depends on the run's seed, the sound's
path and the copy's number, and on nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from mgrkit.augment.altered import Altered, Kept
from mgrkit.augment.codecs import Codec
from mgrkit.augment.colours import COLOURS, Colour
from mgrkit.augment.mixing import check_snr, mix
from mgrkit.augment.pitching import Pitch
from mgrkit.augment.recordings import Recordings
from mgrkit.augment.rooms import Reverb
from mgrkit.augment.sources import parse_noise
from mgrkit.errors import UsageError, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.augment.sources import Noise

    Floats = NDArray[np.float32]

GAINS_DB = -80.0, 40.0


class Ready(Protocol):
    """A condition with all that it needs at hand; it can be pickled."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know before anything is made, one line each."""
        ...

    def apply(self, samples: Floats, rate: int, seed: int, path: str, k: int) -> Altered:
        """What becomes of a sound.

        Parameters
        ----------
        samples : float32 ``(channels, frames)``, which stay as they are.
        rate : samples per second.
        seed, path, k : of the run; of the sound, relative, POSIX; of the copy, from 1.

        Raises
        ------
        ItemError : it cannot be done to this sound.
        """
        ...


class Condition(Protocol):
    """One thing that may happen to a sound."""

    @property
    def name(self) -> str:
        """As a person gives it, such as ``mp3@64``."""
        ...

    @property
    def digest(self) -> str:
        """A text that changes whenever what it makes may."""
        ...

    @property
    def processes(self) -> bool:
        """Whether it wants a process of its own, since it draws from global generators or holds
        the interpreter lock."""
        ...

    def ready(self, folder: Path) -> Ready:
        """With what it needs put into ``folder``, an empty one; RunError if that cannot be had."""
        ...


def parse_conditions(text: str) -> list[Condition]:
    """The conditions that a text such as ``white@20,10`` names, one for each value.

    Raises
    ------
    UsageError : an unknown name, a value that is none or out of range, or a missing one.
    """
    name, _, values = text.rpartition("@") if "@" in text else (text, "", "")
    make: Callable[[float], Condition]
    if name in _MADE:
        make = _MADE[name]
    elif name in COLOURS or (name and Path(name).exists()):
        make = partial(Noisy, parse_noise(name))
    else:
        raise UsageError(f"no condition {text!r}", nearest(name, FAMILIES, "there are"))
    if text in _ALONE:
        return [_ALONE[text]()]
    return [make(_number(text, value)) for value in values.split(",")]


def _number(text: str, value: str) -> float:
    """As it is written in names."""
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UsageError(f"{text!r} needs numbers behind an @", "as in white@20,10,0")
    return float(f"{number + 0.0:g}")


@dataclass(frozen=True)
class Noisy:
    """Noise at an exact signal-to-noise ratio, as `mgrkit.augment.mix` makes it.

    Parameters
    ----------
    noise : a colour, or recordings.
    snr : in dB, -20 to 80.
    """

    noise: Colour | Recordings
    snr: float
    processes: bool = False

    def __post_init__(self) -> None:
        check_snr(self.snr)

    @property
    def name(self) -> str:
        return f"{self.noise.name}@{self.snr:g}"

    @property
    def digest(self) -> str:
        return f"{self.name} {self.noise.digest} float"

    def ready(self, folder: Path) -> ReadyNoisy:
        """See `Condition.ready`."""
        if isinstance(self.noise, Colour):
            return ReadyNoisy(self.noise, self.snr)
        spooled = self.noise.spooled(folder)
        return ReadyNoisy(spooled, self.snr, spooled.warnings)


@dataclass(frozen=True)
class ReadyNoisy:
    """Noise that is ready to be mixed in."""

    noise: Noise
    snr: float
    warnings: tuple[str, ...] = ()

    def apply(self, samples: Floats, rate: int, seed: int, path: str, k: int) -> Altered:
        """See `Ready.apply`; the SNR holds in the samples to 0.001 dB."""
        kept = Kept()
        made = mix(
            lambda: [samples], rate, len(samples), self.noise, self.snr, seed, path, k, "FLOAT",
            kept.anew,
        )  # fmt: skip
        drawn: dict[str, Any] = {"noise": self.noise.name, "snr": made.snr_db, "gain": made.gain}
        if made.recording:
            drawn |= {"recording": made.recording, "offset": made.offset}
        return Altered(np.concatenate(kept.blocks, axis=1), rate, [drawn])


@dataclass(frozen=True)
class Gain:
    """The sound louder or softer, by -80 to 40 dB; nothing is clipped."""

    decibels: float
    processes: bool = False
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        low, high = GAINS_DB
        if not low <= self.decibels <= high:
            raise UsageError(
                f"a gain of {self.decibels:g} dB is out of range", f"from {low:g} to {high:g} dB"
            )

    @property
    def name(self) -> str:
        return f"gain@{self.decibels:g}"

    @property
    def digest(self) -> str:
        return self.name

    def ready(self, folder: Path) -> Gain:
        """See `Condition.ready`: it needs nothing."""
        del folder
        return self

    def apply(self, samples: Floats, rate: int, seed: int, path: str, k: int) -> Altered:
        """See `Ready.apply`."""
        del seed, path, k
        factor = np.float32(10 ** (self.decibels / 20))
        return Altered(samples * factor, rate, [{"gain": self.decibels}])


_MADE: dict[str, Callable[[float], Condition]] = {
    **{name: partial(Codec, name) for name in ("mp3", "opus", "aac", "vorbis", "gsm")},
    "reverb": Reverb,
    "gain": Gain,
    "pitch": Pitch,
}
"""Those that are no noise, by name."""
_ALONE: dict[str, Callable[[], Condition]] = {"gsm": partial(Codec, "gsm"), "reverb": Reverb}
"""Those that need no value."""
FAMILIES = (*COLOURS, *_MADE)
"""What may stand in front of the @."""
