"""What a recipe, a codec, a room or noise makes of a sound, held in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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
