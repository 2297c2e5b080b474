"""Sound parted into a harmonic and a percussive half by median filtering.

Fitzgerald, Harmonic/percussive separation using median filtering, DAFx 2010, with the soft
masks of ``librosa.decompose.hpss``: tones are smooth in time, strokes smooth in frequency.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mgrkit.features.descriptors.medians import running_median
from mgrkit.features.descriptors.spectra import synthesised

if TYPE_CHECKING:
    from mgrkit.features.descriptors.spectra import Spectrum
    from mgrkit.frontend import Transform
    from mgrkit.spectrograms.transform import Floats

# Twice the smallest normal float32: where both medians are 0, each half gets half.
_TINY = np.float32(2.4e-38)
_FAINT = 1e-4


def separate(
    samples: Floats, spectra: Spectrum, magnitude: Floats, transform: Transform
) -> tuple[Floats, Floats]:
    """The harmonic and the percussive half, float32 ``(frames,)`` each.

    Both are 0 behind the last frame's centre.

    Parameters
    ----------
    samples : float32 ``(frames,)``.
    spectra, magnitude : of the samples, ``(n, n_fft // 2 + 1)``.
    """
    tonal, noisy = running_median(magnitude), running_median(magnitude.T).T
    harmonic, percussive = np.zeros_like(samples), np.zeros_like(samples)
    end = (len(spectra) - 1) * transform.hop_length
    harmonic[:end] = synthesised(
        spectra, lambda block: _mask(tonal[block], noisy[block]), transform
    )
    np.subtract(samples[:end], harmonic[:end], out=percussive[:end])
    if np.dot(percussive, percussive) < _FAINT * np.dot(harmonic, harmonic):
        # Of so little the difference of two float32 numbers keeps too few digits.
        percussive[:end] = synthesised(
            spectra, lambda block: _mask(noisy[block], tonal[block]), transform
        )
    return harmonic, percussive


def _mask(wanted: Floats, other: Floats) -> Floats:
    """The share of the wanted power."""
    # Copied first: one of the two is a transposed view, slow to go over again and again.
    power, total = wanted.copy(order="C"), other.copy(order="C")
    for squares in (power, total):
        np.square(squares, out=squares)
        np.add(squares, _TINY, out=squares)
    np.add(total, power, out=total)
    return np.divide(power, total, out=power)
