"""What a transform leaves as it was, by its name and parameters, and what it needs.

Of audiomentations 0.43; a transform that is not named here is taken to leave nothing as it was.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

Parameters = Mapping[str, Any]


class Traits(NamedTuple):
    """What stays.

    Parameters
    ----------
    length : in seconds.
    alignment : the sound is where it was, to the sample.
    tempo : the sound may be later or earlier, but as a whole.
    near : it is later or earlier by the phase of a filter or the width of a room, if at all.
    """

    length: bool = False
    alignment: bool = False
    tempo: bool = False
    near: bool = False


class Requirement(NamedTuple):
    """A package or program beside audiomentations.

    Parameters
    ----------
    name : of the module, or of the program.
    program : whether it is one.
    how : how to get it.
    """

    name: str
    program: bool
    how: str

    @property
    def missing(self) -> bool:
        if self.program:
            return shutil.which(self.name) is None
        return importlib.util.find_spec(self.name) is None


STAYS = Traits(True, True, True, True)
_LAGS = Traits(True, False, True, True)
_MOVES = Traits(True, False, True)
_CUT = Traits(False, False, True)
_WARPED = Traits(True, False, False)
_FILTERS = ("BandPassFilter", "BandStopFilter", "HighPassFilter", "LowPassFilter")
_TRAITS: dict[str, Traits | Callable[[Parameters], Traits]] = {
    **dict.fromkeys(
        [
            "AddBackgroundNoise", "AddColorNoise", "AddGaussianNoise", "AddGaussianSNR",
            "AddShortNoises", "AirAbsorption", "Aliasing", "BitCrush", "Clip",
            "ClippingDistortion", "Gain", "GainTransition", "Limiter", "LoudnessNormalization",
            "Normalize", "Padding", "PolarityInversion", "Resample", "TanhDistortion", "TimeMask",
        ],
        STAYS,
    ),
    # Filters forth and back have no phase; others delay some frequencies more than others.
    **dict.fromkeys(_FILTERS, lambda given: STAYS if given["zero_phase"] else _LAGS),
    **dict.fromkeys(
        ["HighShelfFilter", "LowShelfFilter", "PeakingFilter", "SevenBandParametricEQ"], _LAGS
    ),
    "Shift": _MOVES,
    **dict.fromkeys(
        ["ApplyImpulseResponse", "RoomSimulator"],
        lambda given: _MOVES if given["leave_length_unchanged"] else _CUT,
    ),
    **dict.fromkeys(["AdjustDuration", "Trim"], _CUT),
    "Mp3Compression": lambda given: (
        STAYS
        if given["backend"] == "fast-mp3-augment" and not given["preserve_delay"]
        else _CUT
    ),
    **dict.fromkeys(["PitchShift", "Reverse"], _WARPED),
    "RepeatPart": lambda given: _WARPED if given["mode"] == "replace" else Traits(),
    "TimeStretch": lambda given: _WARPED if given["leave_length_unchanged"] else Traits(),
}  # fmt: skip


def traits(name: str, given: Parameters) -> Traits:
    """Of a transform with all its parameters, defaults included."""
    known = _TRAITS.get(name, Traits())
    return known if isinstance(known, Traits) else known(given)


def _package(module: str, name: str) -> Requirement:
    return Requirement(module, False, f"pip install {name}")


_FFMPEG = Requirement("ffmpeg", True, "install FFmpeg")
_MP3 = {
    "fast-mp3-augment": (_package("fast_mp3_augment", "fast-mp3-augment"),),
    "lameenc": (_package("lameenc", "lameenc"),),
    "pydub": (_package("pydub", "pydub"), _FFMPEG),
}
_REQUIRES = {
    "Limiter": (_package("numpy_audio_limiter", "numpy-audio-limiter"),),
    "LoudnessNormalization": (_package("loudness", "loudness"),),
    "RoomSimulator": (_package("pyroomacoustics", "pyroomacoustics"),),
}
MP3_CHANNELS = 2
"""No MP3 has more channels."""


def requirements(name: str, given: Parameters) -> tuple[Requirement, ...]:
    """What a transform with these parameters needs beside audiomentations."""
    if name == "Mp3Compression":
        return _MP3.get(given["backend"], ())
    return _REQUIRES.get(name, ())
