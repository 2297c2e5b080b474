"""What a recipe, a codec, a room or noise makes of a sound, held in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_SAMPLES = 2**28
"""Of all channels of a sound that is altered in memory: 1 GiB, 100 minutes in stereo at 22 kHz; a
step of a recipe holds several times as much."""


class Altered(NamedTuple):
    """A sound after what was done to it.

    Parameters
    ----------
    samples : float32 ``(channels, frames)``.
    rate : samples per second.
    drawn : what was drawn and measured, JSON values, one a step.
    shift : seconds by which the sound comes later than it was; None where nobody knows.
    warnings : what a person should know of this sound, one line each.
    """

    samples: NDArray[np.float32]
    rate: int
    drawn: list[Any]
    shift: float | None = 0.0
    warnings: tuple[str, ...] = ()


class Kept:
    """A writer of `mgrkit.augment.mix` that keeps what is written last."""

    def __init__(self) -> None:
        self.blocks: list[NDArray[np.float32]] = []

    @contextmanager
    def anew(self) -> Iterator[Kept]:
        self.blocks = []
        yield self

    def write(self, block: NDArray[Any]) -> None:
        self.blocks.append(block)
