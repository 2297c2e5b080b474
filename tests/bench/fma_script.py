"""What FMA's script ``features.py`` computes, called as it calls it, by the librosa of today.

https://github.com/mdeff/fma, MIT licence, Defferrard and others. Two calls are adapted: ``rmse``
is ``rms`` now, and the bins of an octave, once those of chroma, are now 36 if nothing else is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import librosa
import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from numpy.typing import NDArray

STATISTICS = {
    "mean": np.mean,
    "std": np.std,
    "skew": stats.skew,
    "kurtosis": stats.kurtosis,
    "median": np.median,
    "min": np.min,
    "max": np.max,
}


def curves(x: NDArray[np.float32], sr: int) -> dict[str, NDArray[Any]]:
    """The curves of all features, ``(count, frames)`` each."""
    feature = librosa.feature
    found = {"zcr": feature.zero_crossing_rate(x, frame_length=2048, hop_length=512)}
    cqt = np.abs(
        librosa.cqt(x, sr=sr, hop_length=512, bins_per_octave=12, n_bins=7 * 12, tuning=None)
    )
    octave: dict[str, Any] = {"n_chroma": 12, "n_octaves": 7, "bins_per_octave": 12}
    found["chroma_cqt"] = feature.chroma_cqt(C=cqt, **octave)
    found["chroma_cens"] = feature.chroma_cens(C=cqt, **octave)
    found["tonnetz"] = feature.tonnetz(chroma=found["chroma_cens"])
    stft = np.abs(librosa.stft(x, n_fft=2048, hop_length=512))
    found["chroma_stft"] = feature.chroma_stft(S=stft**2, n_chroma=12)
    found["rmse"] = feature.rms(S=stft)
    found["spectral_centroid"] = feature.spectral_centroid(S=stft)
    found["spectral_bandwidth"] = feature.spectral_bandwidth(S=stft)
    found["spectral_contrast"] = feature.spectral_contrast(S=stft, n_bands=6)
    found["spectral_rolloff"] = feature.spectral_rolloff(S=stft)
    mel = feature.melspectrogram(sr=sr, S=stft**2)
    found["mfcc"] = feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=20)
    return found


def numbers(x: NDArray[np.float32], sr: int) -> dict[str, float]:
    """The columns of the table, by name."""
    found = {}
    for name, values in curves(x, sr).items():
        for statistic, of in STATISTICS.items():
            for number, value in enumerate(of(values, axis=1), 1):
                found[f"{name}_{statistic}_{number:02d}"] = float(value)
    return found
