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

FMA518_CURVES: dict[str, int] = {
    "chroma_cens": 12,
    "chroma_cqt": 12,
    "chroma_stft": 12,
    "mfcc": N_MFCC,
    "rmse": 1,
    "spectral_bandwidth": 1,
    "spectral_centroid": 1,
    "spectral_contrast": 7,
    "spectral_rolloff": 1,
    "tonnetz": 6,
    "zcr": 1,
}
"""How many curves each feature of FMA's table has, in its order."""

FMA518_STATISTICS = ("kurtosis", "max", "mean", "median", "min", "skew", "std")

FMA518_COLUMNS: tuple[str, ...] = tuple(
    f"{curve}_{statistic}_{number:02d}"
    for curve, count in FMA518_CURVES.items()
    for statistic in FMA518_STATISTICS
    for number in range(1, count + 1)
)
"""The columns of FMA's ``features.csv``, in its order, the three rows of its header as one."""

FMA518_FRONT_END = FrontEnd(kind="stft", sample_rate=None, mel=None, decibels=Decibels(ref="one"))
"""The Fourier transform that most of them share; at the rate that the file has."""
