"""Noise into a sound at a signal-to-noise ratio that holds in the written file.

With g the gain, s the sound and f the file's samples, the SNR is the power of g s over the
power of f - g s, all channels together, both above 20 Hz: what cannot be heard is neither signal
nor noise. The difference is the noise and what rounding adds to it, so the noise is made smaller
by the power of rounding, LSB^2 / 12; what comes out is measured on the rounded samples, and the
copy is written anew where it misses the tolerance.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from mgrkit.audio import lsb
from mgrkit.augment.blocks import Draw
from mgrkit.augment.material import FULL_SCALE, HINTS, Levels, Material, Mixed
from mgrkit.errors import ItemError, UsageError

if TYPE_CHECKING:
    from mgrkit.augment.material import Blocks, Writer
    from mgrkit.augment.sources import Noise

LOWEST_SNR, HIGHEST_SNR = -20.0, 80.0
TOLERANCE_DB = {"PCM_16": 0.009, "PCM_24": 0.009, "FLOAT": 0.0009}
"""A little inside what is promised, 0.01 and 0.001 dB, for this is measured in float32."""
_TOP = 1 - 2**-14
_ATTEMPTS = 20


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
    ItemError : ``silent``, also of a sound that lies below 20 Hz; ``noise-silent``;
        ``noise-below-lsb``, when the noise asked for has less than one LSB rms in the file;
        ``snr-not-met``, for a sound of too few samples to hold the SNR to 0.01 dB after
        rounding; ``out-of-range``, for samples far beyond full scale.
    """
    check_snr(snr_db)
    material = Material(blocks, rate, channels, noise, Draw(seed, path, k))
    levels = Levels.of(material)
    copy = _Copy(material, levels, snr_db, subtype)
    energy = copy.settle(writer)
    measured = 10 * math.log10(copy.gain**2 * levels.sound / energy)
    return Mixed(copy.gain, measured, material.take.recording, material.take.offset)


class _Copy:
    """One noisy copy: its gain, and the search for the noise that gives the SNR.

    Attributes
    ----------
    gain : of the finished mix.
    """

    def __init__(self, material: Material, levels: Levels, snr_db: float, subtype: str) -> None:
        self._material = material
        self._levels = levels
        self._subtype = subtype
        self._wanted = levels.sound / 10 ** (snr_db / 10)
        self._snr_db = snr_db
        self.gain = 1.0
        self._check_above_lsb()
        peak = material.peak(levels, math.sqrt(self._noise_square()))
        if peak > FULL_SCALE:
            self.gain = float(f"{FULL_SCALE / peak:.9g}")
            self._check_above_lsb()

    def _check_above_lsb(self) -> None:
        energy = self.gain**2 * self._wanted
        self._levels.check_above_lsb(energy, self._subtype, f"{self._snr_db:g} dB")
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
                energy, _ = self._material.write(file, self._subtype, self.gain, math.sqrt(square))
            if wanted / margin <= energy <= wanted * margin:
                return energy
            low, high = (square, high) if energy < wanted else (low, square)
            square += (wanted - energy) / slope
            if not low < square < high:
                square = (low + high) / 2
        raise self._unmet()

    def _unmet(self) -> ItemError:
        message = f"{self._levels.samples} samples cannot hold {self._snr_db:g} dB exactly"
        return ItemError("snr-not-met", message, HINTS[self._subtype])
