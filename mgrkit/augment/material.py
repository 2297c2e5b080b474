"""A sound and its noise, block by block, as all that mixes them needs them."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from mgrkit.audio import check_audible, lsb
from mgrkit.augment.audible import energies
from mgrkit.augment.blocks import BLOCK, LOUDEST, Draw, Take, regroup
from mgrkit.errors import ItemError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.augment.sources import Noise

    Floats = NDArray[np.float32]
    Blocks = Callable[[], Iterable[Floats]]

FULL_SCALE = 0.999
"""The peak that a mix may have; the rest is room for correcting the noise."""
KEPT_BYTES = 12 * 2**20
"""Up to this size a sound and its noise are kept for the next pass, else made again: 71 s of
mono at 44.1 kHz."""
_LEAST_AUDIBLE = 1e-3
"""Where less of the power lies above 20 Hz, it may be that of the ends of the rumble alone."""
_DTYPES = {"PCM_16": np.int16, "PCM_24": np.int32, "FLOAT": np.float32}
HINTS = {"PCM_16": "--subtype PCM_24", "PCM_24": "--subtype FLOAT", "FLOAT": ""}
"""What holds weaker noise than a subtype does."""


class Writer(Protocol):
    """What takes the rounded samples; `mgrkit.audio.Writer` is one."""

    def write(self, block: NDArray[Any]) -> None: ...


@dataclass(frozen=True)
class Mixed:
    """How a copy came out.

    Attributes
    ----------
    gain : of the finished mix, 9 significant digits; 1 where it fits.
    snr_db : measured on the samples as written.
    recording, offset : the noise's file and the seconds into it; empty and 0 for a colour.
    clipped : samples, of all channels, that were beyond full scale and clipped there.
    """

    gain: float
    snr_db: float
    recording: str
    offset: float
    clipped: int = 0


class _Arena(threading.local):
    """A thread's memory for blocks, used again from sound to sound.

    Fresh pages for each sound would cost a third of its time. The arena holds what is kept of
    a sound, its noise, and two blocks for arithmetic; only what was once used is resident.
    """

    def __init__(self) -> None:
        self._floats = np.empty(2 * KEPT_BYTES // 4 + 8 * BLOCK, np.float32)
        self.used = 0

    def array(self, channels: int, frames: int) -> Floats:
        """The next ``(channels, frames)``, contents undefined."""
        start, stop = self.used, self.used + channels * frames
        if stop > len(self._floats):
            return np.empty((channels, frames), np.float32)
        self.used = stop
        return self._floats[start:stop].reshape(channels, frames)


_arena = _Arena()


class Material:
    """A sound and its noise, block by block, the same in each iteration.

    Yields pairs of float32 ``(channels, n)``, valid until the next pair.

    Attributes
    ----------
    rate : of the sound.
    take : the noise, once the first iteration has begun.
    scratch : two flat arrays, large enough for a block.
    """

    def __init__(self, blocks: Blocks, rate: int, channels: int, noise: Noise, draw: Draw) -> None:
        self.rate = rate
        self._blocks = blocks
        self._take: Callable[[], Take] = lambda: noise.take(draw, rate, channels)
        self._kept: list[tuple[Floats, Floats]] = []
        self._keep = True
        _arena.used = 0
        self.scratch = [_arena.array(1, channels * BLOCK)[0] for _ in range(2)]
        self._start = _arena.used

    def __iter__(self) -> Iterator[tuple[Floats, Floats]]:
        if self._kept:
            yield from self._kept
            return
        self.take = self._take()
        _arena.used = self._start
        kept: list[tuple[Floats, Floats]] = []
        size = 0
        for sound in regroup(self._blocks(), BLOCK, _arena.array):
            noise = _arena.array(*sound.shape)
            for fill, row in zip(self.take.channels, noise, strict=True):
                fill(row)
            yield sound, noise
            size += sound.nbytes
            self._keep = self._keep and size <= KEPT_BYTES
            if self._keep:
                kept.append((sound, noise))
            else:
                kept.clear()
                _arena.used = self._start
        self._kept = kept

    def peak(self, levels: Levels, factor: float) -> float:
        """Of the sound and so many times the noise; not measured where it must fit."""
        bound = levels.peak + factor * levels.noise_peak
        if bound <= FULL_SCALE:
            return bound
        peak = 0.0
        for sound, noise in self:
            mixed = self.scratch[0][: sound.size].reshape(sound.shape)
            np.multiply(noise, np.float32(factor), out=mixed)
            mixed += sound
            peak = max(peak, _peak(mixed))
        return peak

    def write(
        self, file: Writer, subtype: str, gain: float, factor: float, *, clips: bool = False
    ) -> tuple[float, int]:
        """Write ``gain * (sound + factor * noise)``.

        Parameters
        ----------
        clips : put what is beyond full scale there; else nothing may be.

        Returns
        -------
        The energy above 20 Hz of the difference from ``gain * sound``, and how many samples were
        clipped.
        """
        step = lsb(subtype)
        scale = 1 / step if step else 1.0
        top, bottom = np.float32(scale - bool(step)), np.float32(-scale)
        sound_by, noise_by = np.float32(gain * scale), np.float32(gain * factor * scale)
        energy, clipped = 0.0, 0
        for block, noise in self:
            sound, mixed = (a[: block.size].reshape(block.shape) for a in self.scratch)
            np.multiply(block, sound_by, out=sound)
            np.multiply(noise, noise_by, out=mixed)
            mixed += sound
            if step:
                np.rint(mixed, out=mixed)
            if clips:
                clipped += int(np.count_nonzero((mixed > top) | (mixed < bottom)))
                np.clip(mixed, bottom, top, out=mixed)
            file.write(mixed.astype(_DTYPES[subtype]))
            mixed -= sound
            energy += energies(mixed, self.rate)[0]
        return energy / scale**2, clipped


@dataclass(frozen=True)
class Levels:
    """Energies (sums of squares) above 20 Hz and peaks of a sound and its noise, full scale 1."""

    samples: int
    sound: float
    noise: float
    peak: float
    noise_peak: float

    @classmethod
    def of(cls, material: Material) -> Levels:
        """Measure them; ItemError for a sound or noise that is none, or beyond any level."""
        samples = 0
        sound = rumble = noise = noise_peak = 0.0
        lowest, highest = math.inf, -math.inf
        for block, added in material:
            lowest, highest = min(lowest, float(block.min())), max(highest, float(block.max()))
            peak = max(highest, -lowest)
            noise_peak = max(noise_peak, _peak(added))
            if peak > LOUDEST:
                raise ItemError("out-of-range", f"a sample of {peak:.2g}, where 1 is full scale")
            samples += block.size
            above, below = energies(block, material.rate)
            sound, rumble = sound + above, rumble + below
            noise += energies(added, material.rate)[0]
        check_audible(lowest, highest)
        if sound <= _LEAST_AUDIBLE * rumble:
            raise ItemError("silent", "less than a thousandth of its power is above 20 Hz")
        if not noise_peak:
            raise ItemError("noise-silent", "the noise is silent all along", "begin it elsewhere")
        return cls(samples, sound, noise, max(highest, -lowest), noise_peak)

    def check_above_lsb(self, energy: float, subtype: str, asked: str) -> None:
        """ItemError ``noise-below-lsb`` if noise of that energy would not survive rounding."""
        rms = math.sqrt(energy / self.samples)
        if rms < lsb(subtype):
            raise ItemError(
                "noise-below-lsb",
                f"at {asked} the noise would be {rms / lsb(subtype):.2g} LSB rms in {subtype}, "
                "too little to survive rounding",
                HINTS[subtype],
            )


def _peak(block: Floats) -> float:
    return max(float(block.max()), -float(block.min()))
