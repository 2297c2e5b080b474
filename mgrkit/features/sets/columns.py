"""The names of each feature set's numbers and the front end they are made with, import-light."""

from __future__ import annotations

from mgrkit.frontend import Decibels, FrontEnd, Transform

N_MFCC = 20

_SPECTRAL = (
    "chroma_stft",
    "rms",
    "spectral_centroid",
    "spectral_bandwidth",
    "rolloff",
    "zero_crossing_rate",
    "harmony",
    "perceptr",
)
_CEPSTRAL = tuple(f"mfcc{number}" for number in range(1, N_MFCC + 1))


def _moments(*curves: str) -> tuple[str, ...]:
    return tuple(f"{curve}_{moment}" for curve in curves for moment in ("mean", "var"))


GTZAN57_COLUMNS: tuple[str, ...] = (*_moments(*_SPECTRAL), "tempo", *_moments(*_CEPSTRAL))
"""The columns of Kaggle's ``features_30_sec.csv``, in its order, without length and label."""

GTZAN57_FRONT_END = FrontEnd(transform=Transform(padding="reflect"), decibels=Decibels(ref="one"))
