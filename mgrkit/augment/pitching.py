"""Another pitch at the same tempo, as a condition: audiomentations' PitchShift."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mgrkit.augment.altered import Altered
from mgrkit.errors import RunError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_MOST = 24.0


@dataclass(frozen=True)
class Pitch:
    """A sound higher or lower by -24 to 24 semitones, as long as before.

    What Signalsmith Stretch (its method) puts in front it takes off by itself: in noise bursts that
    are a semitone off, onsets come within 0.1 ms of where they were, four semitones off within
    0.5 ms.

    Parameters
    ----------
    semitones : -24 to 24.
    """

    semitones: float
    processes: bool = False
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not -_MOST <= self.semitones <= _MOST:
            raise UsageError(
                f"a shift of {self.semitones:g} semitones is out of range",
                f"from {-_MOST:g} to {_MOST:g}",
            )

    @property
    def name(self) -> str:
        return f"pitch@{self.semitones:g}"

    @property
    def digest(self) -> str:
        """With the version of the library that decides what is heard."""
        from importlib.metadata import PackageNotFoundError, version

        used = []
        for package in ("audiomentations", "python-stretch"):
            try:
                used.append(version(package))
            except PackageNotFoundError:  # then `ready` says so
                used.append("")
        return f"{self.name} {' '.join(used)} 1"

    def ready(self, folder: Path) -> Pitch:
        """See `Condition.ready`; RunError where audiomentations is not installed."""
        del folder
        if importlib.util.find_spec("audiomentations") is None:
            raise RunError("pitch needs audiomentations", "pip install audiomentations")
        return self

    def apply(self, samples: Floats, rate: int, seed: int, path: str, k: int) -> Altered:
        """See `Ready.apply`; channels go by pairs, which is what the library takes."""
        del seed, path, k
        from audiomentations import PitchShift

        shift = PitchShift(self.semitones, self.semitones, p=1.0)
        # Frozen, it draws nothing from the global generators, which others may have seeded.
        shift.parameters = {"should_apply": True, "num_semitones": self.semitones}
        shift.freeze_parameters()
        pairs = [samples[first : first + 2] for first in range(0, len(samples), 2)]
        heard = [shift(np.ascontiguousarray(pair), rate) for pair in pairs]
        return Altered(np.concatenate(heard), rate, [{"pitch": self.semitones}], None)
