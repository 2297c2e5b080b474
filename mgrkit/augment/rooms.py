"""Reverberation of a room that never was, as a condition.

A diffuse tail is white noise that decays exponentially (Moorer 1979, "About this reverberation
business"; Polack 1988), here by 60 dB in the reverberation time, behind the direct sound; both have
the same energy, as at the distance from the source at which a room is as loud as the source
(Kuttruff, "Room acoustics").
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mgrkit import seeds
from mgrkit.augment.altered import Altered
from mgrkit.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

USUAL_SECONDS = 0.6
"""Of a living room or a class room."""
_SHORTEST, _LONGEST = 0.1, 10.0
_DECAY = 3 * np.log(10)  # 60 dB are a thousandth of the amplitude


@dataclass(frozen=True)
class Reverb:
    """A sound in a room; the direct sound stays where it was, and the whole as long and as loud.

    Parameters
    ----------
    seconds : the reverberation time RT60, 0.1 to 10.
    """

    seconds: float = USUAL_SECONDS
    processes: bool = False
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _SHORTEST <= self.seconds <= _LONGEST:
            raise UsageError(
                f"a reverberation time of {self.seconds:g} s is out of range",
                f"from {_SHORTEST:g} to {_LONGEST:g} s",
            )

    @property
    def name(self) -> str:
        return f"reverb@{self.seconds:g}"

    @property
    def digest(self) -> str:
        return f"{self.name} 1"

    def ready(self, folder: Path) -> Reverb:
        """See `Condition.ready`: it needs nothing."""
        del folder
        return self

    def apply(self, samples: Floats, rate: int, seed: int, path: str, k: int) -> Altered:
        """See `Ready.apply`; each sound is in a room of its own, each channel at its own place."""
        from scipy.signal import oaconvolve

        heard = np.empty_like(samples)
        for channel, row in enumerate(samples):
            response = self.response(rate, seed, path, k, channel)
            heard[channel] = oaconvolve(row, response)[: len(row)]
        before, after = (float(np.linalg.norm(one)) for one in (samples, heard))
        if after:
            heard *= np.float32(before / after)
        return Altered(heard, rate, [{"reverb": self.seconds}])

    def response(self, rate: int, seed: int, path: str, k: int, channel: int) -> Floats:
        """What a click becomes, float32 ``(frames,)``: the click at sample 0, then the tail."""
        frames = max(2, round(self.seconds * rate))
        random = seeds.generator(seed, path, ("reverb", k, channel))
        tail = random.standard_normal(frames, np.float32)
        tail *= np.exp(-_DECAY / frames * np.arange(frames)).astype(np.float32)
        tail[0] = 0
        tail /= np.linalg.norm(tail)
        tail[0] = 1
        return tail
