"""The mel scale, and the corners of its filters."""

from __future__ import annotations

import math

from mgrkit.frontend.parts import Mel

# The Slaney mel scale (Auditory Toolbox, 1998): linear below 1,000 Hz, logarithmic above.
_LINEAR = 200.0 / 3
_BREAK_HZ = 1000.0
_BREAK_MEL = _BREAK_HZ / _LINEAR
_LOG_STEP = math.log(6.4) / 27


def hz_to_mel(hz: float) -> float:
    """Frequency in Hz to Slaney mel."""
    if hz < _BREAK_HZ:
        return hz / _LINEAR
    return _BREAK_MEL + math.log(hz / _BREAK_HZ) / _LOG_STEP


def mel_to_hz(mel: float) -> float:
    """Slaney mel to frequency in Hz."""
    if mel < _BREAK_MEL:
        return mel * _LINEAR
    return _BREAK_HZ * math.exp(_LOG_STEP * (mel - _BREAK_MEL))


def mel_edges(mel: Mel) -> list[float]:
    """The n_mels + 2 corners of the filters in Hz; filter i rises at i and ends at i + 2."""
    low, high = hz_to_mel(mel.fmin), hz_to_mel(mel.fmax)
    step = (high - low) / (mel.n_mels + 1)
    return [mel_to_hz(low + i * step) for i in range(mel.n_mels + 1)] + [mel_to_hz(high)]
