"""One pass over a sound: its digest and length, and whether it is silent or clipped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mgrkit.audio.hashing import HashedSound
from mgrkit.audio.reading import Mixdown
from mgrkit.errors import AudioError

if TYPE_CHECKING:
    from numpy.typing import NDArray

FULL_SCALE = 1 - 2**-15
"""The largest value of 16 bits; what is beyond it would be cut off there."""
IN_A_ROW = 3
"""So many samples at full scale, one behind the other, are an over."""
QUIET = 1e-3
"""Of the peak, -60 dB: what is below it at the end of a sound is its silence."""
_STEP = 4096


@dataclass(frozen=True)
class Measured:
    """What one pass found.

    Parameters
    ----------
    seconds : decoded, up to the failure if there is one.
    rate, channels : 0 where the file could not be opened.
    digest : of the sound as `mgrkit.audio.hashing.SoundDigest` gives it; '' of one that is not
        whole.
    clipped : share of the samples, 0 to 1, that end a run at full scale; see `Clipping`.
    failure : why the sound could not be decoded to its end.
    silence : why there is nothing to hear.
    warning : as of a `Sound`.
    """

    seconds: float = 0.0
    rate: int = 0
    channels: int = 0
    digest: str = ""
    clipped: float = 0.0
    failure: AudioError | None = None
    silence: AudioError | None = None
    warning: str = ""


def measure(
    path: str | Path,
    heard: Callable[[float], None] | None = None,
    listener: Callable[[NDArray[np.float32], int], None] | None = None,
) -> Measured:
    """Decode a sound once, from its beginning to its end or to where it fails.

    Parameters
    ----------
    heard : called after each block with the seconds decoded so far.
    listener : called with each block, float32 ``(channels, n)``, and its samples per second.

    Raises
    ------
    AudioError : ``missing`` or ``unreadable``.
    """
    try:
        sound = HashedSound(path, heard)
    except AudioError as error:
        if error.reason in ("missing", "unreadable"):
            raise
        return Measured(failure=error)
    frames, mix, clipping = 0, Mixdown(), Clipping(sound.channels)
    failure = silence = None
    with sound:
        try:
            for block in sound.blocks():
                frames += block.shape[1]
                clipping.push(block)
                mix.push(block)
                if listener:
                    listener(block, sound.rate)
        except AudioError as error:
            failure = error
    if frames:
        try:
            mix.check()
        except AudioError as error:
            silence = error
    return Measured(
        frames / sound.rate, sound.rate, sound.channels,
        "" if failure else sound.digest.hexdigest(),
        clipping.count / max(1, frames * sound.channels), failure, silence, sound.warning,
    )  # fmt: skip


class Clipping:
    """Counts the samples that end a run of three or more at full scale, channel by channel.

    As the OVER lamp of mastering recorders does, and Audacity's Find Clipping: one or two such
    samples are the top of a wave, three are one that was cut off. ``count`` is of all channels;
    how the sound is cut into blocks does not count.
    """

    def __init__(self, channels: int) -> None:
        self.count = 0
        self._before = np.zeros((channels, IN_A_ROW - 1), bool)

    def push(self, block: NDArray[np.float32]) -> None:
        """Go on with a block, float32 ``(channels, n)``."""
        if max(float(block.max()), -float(block.min())) < FULL_SCALE:
            self._before[:] = False
            return
        full = np.concatenate([self._before, np.abs(block) >= FULL_SCALE], 1)
        self.count += int(np.count_nonzero(full[:, 2:] & full[:, 1:-1] & full[:, :-2]))
        self._before = full[:, 1 - IN_A_ROW :]


class Ending:
    """Until when there is sound: the silence at its end is left out, as far as `QUIET` says.

    To a twelfth of a second or so; the level of all does not count.
    """

    def __init__(self) -> None:
        self._peaks: list[NDArray[np.float32]] = []
        self._ends: list[NDArray[np.float64]] = []
        self._seconds = 0.0

    def push(self, block: NDArray[np.float32], rate: int) -> None:
        """Go on with a block, float32 ``(channels, n)``, of so many samples per second."""
        begins = np.arange(0, block.shape[1], _STEP)
        levels = np.maximum(block.max(0), -block.min(0))
        self._peaks.append(np.maximum.reduceat(levels, begins))
        self._ends.append(self._seconds + np.append(begins[1:], block.shape[1]) / rate)
        self._seconds += block.shape[1] / rate

    @property
    def seconds(self) -> float:
        """From the beginning to the end of the last sound; 0 where there is none."""
        peaks = np.concatenate([np.zeros(1, np.float32), *self._peaks])
        ends = np.concatenate([np.zeros(1), *self._ends])
        return float(ends[np.flatnonzero(peaks >= QUIET * peaks.max())[-1]])
