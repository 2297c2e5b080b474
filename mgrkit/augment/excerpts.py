"""The part of a sound that a copy is made of, at its rate and in its channels."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mgrkit.errors import AudioError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mgrkit.audio import Mixdown, Sound

    Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Excerpt:
    """Which part of a sound, and how it is given.

    Parameters
    ----------
    start : seconds into the sound, 0 or more.
    seconds : so many from there on; None for all the rest.
    rate : samples per second, 1,000 to 768,000; None for the sound's own.
    mono : the mean of its channels.
    """

    start: float = 0.0
    seconds: float | None = None
    rate: int | None = None
    mono: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.start < math.inf:
            raise UsageError(f"--start must be 0 s or more, not {self.start:g}")
        if self.seconds is not None and not 0 < self.seconds < math.inf:
            raise UsageError(f"--seconds must be more than 0, not {self.seconds:g}")
        if self.rate is not None:
            from mgrkit.audio.reading import HIGHEST_RATE, LOWEST_RATE

            if not LOWEST_RATE <= self.rate <= HIGHEST_RATE:
                raise UsageError(
                    f"--rate must be from {LOWEST_RATE} to {HIGHEST_RATE} Hz, not {self.rate}"
                )

    def of(self, sound: Sound) -> Excerpted:
        """This part of an open sound."""
        return Excerpted(sound, self)


class Excerpted:
    """A part of an open sound; it is decoded as far as that part goes.

    Attributes
    ----------
    rate, channels : of the part.
    seconds : of the part, once it was read to its end.
    """

    def __init__(self, sound: Sound, excerpt: Excerpt) -> None:
        self.rate = excerpt.rate or sound.rate
        self.channels = 1 if excerpt.mono else sound.channels
        self.seconds = 0.0
        self._sound, self._excerpt = sound, excerpt
        self._first = round(excerpt.start * self.rate)
        self._end: int | None = None
        if excerpt.seconds is not None:
            self._end = self._first + max(1, round(excerpt.seconds * self.rate))

    def blocks(self) -> Iterator[Floats]:
        """Decode it from its start, as `Sound.blocks` does the whole.

        The sound is mixed to mono, then resampled, then cut.

        Raises
        ------
        AudioError : what `Sound.blocks` raises; ``too-short`` where the sound ends before the
            part does, were it by one sample; ``silent`` where the channels cancel each other.
        """
        from mgrkit.audio import Mixdown

        mixdown = Mixdown() if self._excerpt.mono else None
        at = 0
        with closing(self._resampled(mixdown)) as resampled:
            for block in resampled:
                stop = block.shape[1] if self._end is None else max(0, self._end - at)
                part = block[:, max(0, self._first - at) : stop]
                at += block.shape[1]
                if part.shape[1]:
                    yield part
                if self._end is not None and at >= self._end:
                    at = self._end
                    break
        if at <= self._first or (self._end is not None and at < self._end):
            raise self._too_short(at)
        if mixdown:
            mixdown.check()
        self.seconds = (at - self._first) / self.rate

    def _resampled(self, mixdown: Mixdown | None) -> Generator[Floats]:
        import numpy as np

        from mgrkit.audio import Resampler

        resampler = Resampler(self._sound.rate, self.rate)
        for block in self._sound.blocks():
            yield resampler.push(mixdown.push(block)[None] if mixdown else block)
        if self._sound.rate != self.rate:
            yield resampler.push(np.empty((self.channels, 0), np.float32), last=True)

    def _too_short(self, frames: int) -> AudioError:
        end = self._excerpt.start + (self._excerpt.seconds or 0)
        begins_or_ends = "begins" if self._excerpt.seconds is None else "ends"
        message = (
            f"the sound has {frames / self.rate:.6f} s, and what is asked for {begins_or_ends} "
            f"at {end:g} s"
        )
        option = "--start" if frames <= self._first else "--seconds"
        return AudioError("too-short", message, f"a smaller {option}")
