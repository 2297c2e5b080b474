"""The front end: how sound becomes the picture or the numbers that a model sees.

A ``FrontEnd`` is pure data. It stands in every PNG, table and bundle, so that what was made
once can be made again, and so that a model never sees input of another kind than it was fit on.

>>> front_end(n_mels=64).bands
64
>>> FrontEnd.from_json(front_end().to_json()) == front_end()
True
"""

from mgrkit.frontend.kinds import CENTRED, DECIBELS, KAGGLE, KINDS, OF_PLANES, RGB, S2, SHARES
from mgrkit.frontend.making import front_end
from mgrkit.frontend.parts import (
    Autocorrelation,
    Cepstrum,
    Compression,
    ConstantQ,
    Decibels,
    Logarithm,
    Mel,
    Size,
    Transform,
)
from mgrkit.frontend.record import FrontEnd
from mgrkit.frontend.scales import hz_to_mel, mel_edges

__all__ = [
    "CENTRED",
    "DECIBELS",
    "KAGGLE",
    "KINDS",
    "OF_PLANES",
    "RGB",
    "S2",
    "SHARES",
    "Autocorrelation",
    "Cepstrum",
    "Compression",
    "ConstantQ",
    "Decibels",
    "FrontEnd",
    "Logarithm",
    "Mel",
    "Size",
    "Transform",
    "front_end",
    "hz_to_mel",
    "mel_edges",
]
