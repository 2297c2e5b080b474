"""Noise into a sound at a signal-to-noise ratio that holds in the written file.

With g the gain, s the sound and f the file's samples, the SNR is the power of g s over the
power of f - g s, all channels together, both above 20 Hz: what cannot be heard is neither signal
nor noise. The difference is the noise and what rounding adds to it, so the noise is made smaller
by the power of rounding, LSB^2 / 12; what comes out is measured on the rounded samples, and the
copy is written anew where it misses the tolerance.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from mgrkit.audio import check_audible, lsb
from mgrkit.augment.audible import energies
from mgrkit.augment.blocks import BLOCK, LOUDEST, Draw, Take, regroup
from mgrkit.errors import ItemError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.augment.sources import Noise

    Floats = NDArray[np.float32]
    Blocks = Callable[[], Iterable[Floats]]

LOWEST_SNR, HIGHEST_SNR = -20.0, 80.0
FULL_SCALE = 0.999
"""The peak that a mix may have; the rest is room for correcting the noise."""
TOLERANCE_DB = {"PCM_16": 0.009, "PCM_24": 0.009, "FLOAT": 0.0009}
"""A little inside what is promised, 0.01 and 0.001 dB, for this is measured in float32."""
_LEAST_AUDIBLE = 1e-3
"""Where less of the power lies above 20 Hz, it may be that of the ends of the rumble alone."""
_TOP = 1 - 2**-14
KEPT_BYTES = 12 * 2**20
"""Up to this size a sound and its noise are kept for the next pass, else made again: 71 s of
mono at 44.1 kHz."""
_ATTEMPTS = 20
_DTYPES = {"PCM_16": np.int16, "PCM_24": np.int32, "FLOAT": np.float32}
_HINTS = {"PCM_16": "--subtype PCM_24", "PCM_24": "--subtype FLOAT", "FLOAT": ""}


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
    """

    gain: float
    snr_db: float
    recording: str
    offset: float


def check_snr(snr_db: float) -> None:
    """Raise `UsageError` unless the SNR lies from -20 to 80 dB."""
    if not LOWEST_SNR <= snr_db <= HIGHEST_SNR:
        message = f"an SNR of {snr_db:g} dB is out of range"
        raise UsageError(message, f"from {LOWEST_SNR:g} to {HIGHEST_SNR:g} dB")


def mix(
    blocks: Blocks,
    rate: int,
    channels: int,
    noise: Noise,
    snr_db: float,
    seed: int,
    path: str,
    k: int,
    subtype: str,
    writer: Callable[[], AbstractContextManager[Writer]],
) -> Mixed:
    """Write a noisy copy of a sound.

    Parameters
    ----------
    blocks : gives the sound from its start in each call, as float32 ``(channels, n)`` blocks
        of any n; `Sound.blocks` does.
    rate, channels : of the sound.
    noise : a `Colour`, or `Spooled` recordings. Each channel gets its own, with the same
        expected power.
    snr_db : from -20 to 80.
    seed, path, k : of the run; of the sound, relative, POSIX; of the copy. With the noise's
        name they decide the draw: copies that differ in SNR alone have the same noise.
    subtype : PCM_16, PCM_24 or FLOAT.
    writer : makes the file anew and empty, as a context manager with ``write``. Called once
        for an ordinary sound, and again whenever the SNR is to be corrected.

    Raises
    ------
    UsageError : an SNR out of range.
    ItemError : ``silent``, also of a sound that lies below 20 Hz; ``noise-below-lsb``, when the
        noise asked for has less than one LSB rms in the file; ``snr-not-met``, for a sound of
        too few samples to hold the SNR to 0.01 dB after rounding; ``out-of-range``, for samples
        far beyond full scale.
    """
    check_snr(snr_db)
    draw = Draw(seed, path, k)
    material = _Material(blocks, channels, lambda: noise.take(draw, rate, channels))
    levels = _Levels.of(material, rate)
    check_audible(levels.lowest, levels.highest)
    if levels.sound <= _LEAST_AUDIBLE * levels.rumble:
        raise ItemError("silent", "less than a thousandth of its power is above 20 Hz")
    copy = _Copy(material, levels, rate, snr_db, subtype)
    energy = copy.settle(writer)
    measured = 10 * math.log10(copy.gain**2 * levels.sound / energy)
    return Mixed(copy.gain, measured, material.take.recording, material.take.offset)


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


class _Material:
    """A sound and its noise, block by block, the same in each iteration.

    Yields pairs of float32 ``(channels, n)``, valid until the next pair.

    Attributes
    ----------
    scratch : two flat arrays, large enough for a block.
    """

    def __init__(self, blocks: Blocks, channels: int, take: Callable[[], Take]) -> None:
        self._blocks = blocks
        self._take = take
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


@dataclass(frozen=True)
class _Levels:
    """Energies (sums of squares) above 20 Hz and peaks of a sound and its noise, full scale 1.

    ``rumble`` is the energy of the sound below.
    """

    samples: int
    sound: float
    rumble: float
    noise: float
    lowest: float
    highest: float
    noise_peak: float

    @property
    def peak(self) -> float:
        return max(self.highest, -self.lowest)

    @classmethod
    def of(cls, material: _Material, rate: int) -> _Levels:
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
            above, below = energies(block, rate)
            sound, rumble = sound + above, rumble + below
            noise += energies(added, rate)[0]
        return cls(samples, sound, rumble, noise, lowest, highest, noise_peak)


class _Copy:
    """One noisy copy: its gain, and the search for the noise that gives the SNR.

    Attributes
    ----------
    gain : of the finished mix.
    """

    def __init__(
        self, material: _Material, levels: _Levels, rate: int, snr_db: float, subtype: str
    ) -> None:
        self._material = material
        self._levels = levels
        self._rate = rate
        self._subtype = subtype
        self._wanted = levels.sound / 10 ** (snr_db / 10)
        self._snr_db = snr_db
        self.gain = 1.0
        self._check_above_lsb()
        peak = self._mix_peak(math.sqrt(self._noise_square()))
        if peak > FULL_SCALE:
            self.gain = float(f"{FULL_SCALE / peak:.9g}")
            self._check_above_lsb()

    def _check_above_lsb(self) -> None:
        rms = self.gain * math.sqrt(self._wanted / self._levels.samples)
        if rms < lsb(self._subtype):
            raise ItemError(
                "noise-below-lsb",
                f"at {self._snr_db:g} dB the noise would be {rms / lsb(self._subtype):.2g} LSB "
                f"rms in {self._subtype}, too little to survive rounding",
                _HINTS[self._subtype],
            )
        if not self._levels.noise:
            raise self._unmet()

    def _noise_square(self) -> float:
        """The noise's factor, squared, if rounding adds the power that it adds as a rule."""
        rounding = self._levels.samples * lsb(self._subtype) ** 2 / 12
        return (self._wanted - rounding / self.gain**2) / self._levels.noise

    def _top_square(self) -> float:
        """The largest squared factor at which the mix still cannot reach full scale."""
        room = (_TOP - FULL_SCALE) / (self.gain * self._levels.noise_peak)
        return (math.sqrt(self._noise_square()) + room) ** 2

    def _mix_peak(self, factor: float) -> float:
        bound = self._levels.peak + factor * self._levels.noise_peak
        if bound <= FULL_SCALE:
            return bound
        peak = 0.0
        for sound, noise in self._material:
            mixed = self._material.scratch[0][: sound.size].reshape(sound.shape)
            np.multiply(noise, np.float32(factor), out=mixed)
            mixed += sound
            peak = max(peak, _peak(mixed))
        return peak

    def settle(self, writer: Callable[[], AbstractContextManager[Writer]]) -> float:
        """Write until the SNR holds; returns the energy of the file's difference, above 20 Hz.

        Newton's steps, for without rounding the energy is linear in the squared factor; halving
        where one leaves the bracket, for in a very short sound rounding makes it a staircase.
        """
        wanted = self.gain**2 * self._wanted
        slope = self.gain**2 * self._levels.noise
        margin = 10 ** (TOLERANCE_DB[self._subtype] / 10)
        square, low, high = self._noise_square(), 0.0, self._top_square()
        for _ in range(_ATTEMPTS):
            with writer() as file:
                energy = self._write(math.sqrt(square), file)
            if wanted / margin <= energy <= wanted * margin:
                return energy
            low, high = (square, high) if energy < wanted else (low, square)
            square += (wanted - energy) / slope
            if not low < square < high:
                square = (low + high) / 2
        raise self._unmet()

    def _write(self, factor: float, file: Writer) -> float:
        """Write the copy with that factor of noise; returns the energy of its difference."""
        step = lsb(self._subtype)
        scale = 1 / step if step else 1.0
        sound_by, noise_by = np.float32(self.gain * scale), np.float32(self.gain * factor * scale)
        energy = 0.0
        for block, noise in self._material:
            sound, mixed = (a[: block.size].reshape(block.shape) for a in self._material.scratch)
            np.multiply(block, sound_by, out=sound)
            np.multiply(noise, noise_by, out=mixed)
            mixed += sound
            if step:  # `quantise`, without its clipping: `_top_square` keeps within range
                np.rint(mixed, out=mixed)
            file.write(mixed.astype(_DTYPES[self._subtype]))
            mixed -= sound
            energy += energies(mixed, self._rate)[0]
        return energy / scale**2

    def _unmet(self) -> ItemError:
        message = f"{self._levels.samples} samples cannot hold {self._snr_db:g} dB exactly"
        return ItemError("snr-not-met", message, _HINTS[self._subtype])


def _peak(block: Floats) -> float:
    return max(float(block.max()), -float(block.min()))
