"""So many times the noise added to a sound: the ratio is what comes out, and is measured."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mgrkit.augment.blocks import Draw
from mgrkit.augment.material import FULL_SCALE, HINTS, Levels, Material, Mixed
from mgrkit.errors import ItemError, UsageError

if TYPE_CHECKING:
    from mgrkit.augment.material import Blocks, Writer
    from mgrkit.augment.sources import Noise

LEAST_GAIN, MOST_GAIN = 1e-6, 1e3


@dataclass(frozen=True)
class Times:
    """So many times the noise.

    Parameters
    ----------
    gain : 0.000001 to 1,000. A recording has the level of its file; a colour has an RMS of 1 in
        each channel, so that this is its RMS.
    clips : put what goes beyond full scale there; else the finished mix is made softer.
    """

    gain: float
    clips: bool = False

    def __post_init__(self) -> None:
        if not LEAST_GAIN <= self.gain <= MOST_GAIN:
            message = f"noise cannot be mixed in {self.gain:g} times"
            raise UsageError(message, f"from {LEAST_GAIN:f} to {MOST_GAIN:g}")


def add(
    blocks: Blocks,
    rate: int,
    channels: int,
    noise: Noise,
    times: Times,
    seed: int,
    path: str,
    k: int,
    subtype: str,
    writer: Callable[[], AbstractContextManager[Writer]],
) -> Mixed:
    """Write a copy of a sound with noise; parameters as of `mgrkit.augment.mix`.

    Returns
    -------
    The SNR in it is of the samples as written, as in `mgrkit.augment.mix`: what clipping did to
    the sound counts as noise.

    Raises
    ------
    ItemError : as of `mgrkit.augment.mix`, but for ``snr-not-met``.
    """
    material = Material(blocks, rate, channels, noise, Draw(seed, path, k))
    levels = Levels.of(material)
    peak = material.peak(levels, times.gain)
    softer = peak > FULL_SCALE and not times.clips
    gain = float(f"{FULL_SCALE / peak:.9g}") if softer else 1.0
    asked = f"{times.gain:g} times"
    levels.check_above_lsb((gain * times.gain) ** 2 * levels.noise, subtype, asked)
    with writer() as file:
        energy, clipped = material.write(file, subtype, gain, times.gain, clips=times.clips)
    if not energy:  # of FLOAT, whose rounding has no one step
        message = f"{asked} the noise changes no sample"
        raise ItemError("noise-below-lsb", message, HINTS[subtype])
    snr = 10 * math.log10(gain**2 * levels.sound / energy)
    return Mixed(gain, snr, material.take.recording, material.take.offset, clipped)
