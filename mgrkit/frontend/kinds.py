"""The kinds of spectrograms, a line each: what is fixed of a kind and what can be chosen.

How a kind is computed and marked stands in the file of ``mgrkit/spectrograms/kinds`` that it names.
"""

from __future__ import annotations

from dataclasses import dataclass

KAGGLE = "kaggle-images"
S2 = "s2-images"
RGB = "rgb"
DECIBELS, SHARES, CENTRED, OF_PLANES = "decibels", "shares", "centred", "of planes"
"""The laws of values: levels (decibels or what is chosen in their place), shares from 0 to 1,
numbers of either sign, and what each plane has of its own."""


@dataclass(frozen=True)
class Kind:
    """What holds for all front ends of a kind.

    Parameters
    ----------
    code : the module in ``mgrkit.spectrograms.kinds``; none of 'rgb', which only joins others.
    help : what it is, in a few words, where its name does not say.
    has_mel : whether it has a `Mel` record, whose bands are its own if it has none of the below.
    parts : the other records that it has: ``cepstrum``, ``constant_q``, ``autocorrelation``.
    law : of its values.
    bands : how many there are where no record says it; 0 where each frequency of the transform is
        one.
    padding : of the transform.
    fixed : what of the transform has its usual value.
    frames_a_column : of the transform, from one column of the picture to the next.
    width : of a picture, however long the sound is; 0 where that decides.
    border : white pixels around a picture, which then has its colours as matplotlib paints them.
    floor : of `Decibels`, its usual value.
    is_fixed : whether nothing but its usual values is allowed.
    """

    code: str
    help: str
    has_mel: bool = False
    parts: tuple[str, ...] = ()
    law: str = DECIBELS
    bands: int = 0
    padding: str = "constant"
    fixed: tuple[str, ...] = ()
    frames_a_column: float = 1.0
    width: int = 0
    border: int = 0
    floor: str = "top-db"
    is_fixed: bool = False

    @property
    def has_decibels(self) -> bool:
        """Whether there are decibels in it, as its law or of mel bands on the way."""
        return self.law == DECIBELS or self.has_mel


_POWER = ("power",)
_TRANSFORM = ("n_fft", "window", "power")

KINDS: dict[str, Kind] = {
    "mel": Kind("mel", "", has_mel=True),
    "stft": Kind("stft", "linear frequency"),
    KAGGLE: Kind(
        "kaggle",
        "as GTZAN's public pictures",
        has_mel=True,
        padding="reflect",
        frames_a_column=1293 / 334.8,  # in the pictures of most clips
        is_fixed=True,
    ),
    "mfcc": Kind("mfcc", "", True, ("cepstrum",), CENTRED, fixed=_POWER),
    "chroma-stft": Kind("chroma_stft", "", law=SHARES, bands=12, fixed=_POWER),
    "chroma-cqt": Kind("chroma_cqt", "", False, ("constant_q",), SHARES, 12, fixed=_TRANSFORM),
    "chroma-cens": Kind("chroma_cens", "", False, ("constant_q",), SHARES, 12, fixed=_TRANSFORM),
    "cqt": Kind("cqt", "constant Q", parts=("constant_q",), fixed=_TRANSFORM),
    "tempogram": Kind("tempogram", "", True, ("autocorrelation",), SHARES, fixed=_POWER),
    "tonnetz": Kind("tonnetz", "", False, ("constant_q",), CENTRED, 6, fixed=_TRANSFORM),
    S2: Kind(
        "s2",
        "as SpectroTune's pictures",
        bands=270,
        width=370,
        border=15,
        floor="least",
        is_fixed=True,
    ),
    RGB: Kind("", "rgb:A,B,C: three of these as the channels of one", law=OF_PLANES),
}
"""By name. A new kind is a line here and a file there."""


def in_words() -> str:
    """All kinds, each with its help.

    >>> in_words().startswith("mel, stft (linear frequency), kaggle-images (as GTZAN's")
    True
    """
    told = {name: f"{name} ({kind.help})" if kind.help else name for name, kind in KINDS.items()}
    told[RGB] = KINDS[RGB].help
    *others, last = told.values()
    return f"{', '.join(others)} or {last}"
