"""FMA's tables of numbers, ``features.csv`` and ``echonest.csv``, with one name a column."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mgrkit.errors import UsageError, nearest
from mgrkit.tracks.fma.headed import INDEX, read_header

if TYPE_CHECKING:
    import polars as pl

_SIZES = {
    "chroma_cens": 12, "chroma_cqt": 12, "chroma_stft": 12, "mfcc": 20, "rmse": 1,
    "spectral_bandwidth": 1, "spectral_centroid": 1, "spectral_contrast": 7,
    "spectral_rolloff": 1, "tonnetz": 6, "zcr": 1,
}  # fmt: skip
_STATISTICS = ("kurtosis", "max", "mean", "median", "min", "skew", "std")

FEATURE_COLUMNS = tuple(
    f"{name}_{statistic}_{number:02d}"
    for name, size in _SIZES.items()
    for statistic in _STATISTICS
    for number in range(1, size + 1)
)
"""The 518 columns of ``features.csv`` in its order: feature, statistic, number from 01."""

_ECHONEST = "echonest"
_TEXTS = ("album_date", "album_name", "artist_location", "artist_name", "release")


def is_fma_table(path: Path) -> bool:
    """Whether a file begins as FMA's ``features.csv`` or ``echonest.csv``; no other is read."""
    with path.open("rb") as file:
        start = file.read(64)
    return start.startswith((b"feature,chroma_", b",echonest,"))


def read_fma_table(path: Path, columns: Sequence[str] = ()) -> pl.DataFrame:
    """A table of numbers by FMA: ``track_id`` (Int64), then its columns in their order.

    Names are those of the header rows with ``_`` between, without the row that says ``echonest``
    of each: ``mfcc_mean_01``, ``audio_features_tempo``, ``temporal_features_000``. The features
    are 32-bit floats, as they were computed; Echonest's are 64-bit but for five columns of text.
    What is empty is null.

    Parameters
    ----------
    columns : beginnings of names, whole words of them: ``mfcc``, ``mfcc_mean``,
        ``audio_features``; all columns if there are none.

    Raises
    ------
    UsageError : no column begins so; the file begins otherwise.
    RunError : it is not there, cannot be read, has no rows, holds a text where a number belongs,
        or a track in two rows.
    """
    import polars as pl

    header = read_header(path, levels=3)
    echonest = all(column[0] == _ECHONEST for column in header.columns)
    first = 1 if echonest else 0
    names = {column: "_".join(column[first:]) for column in header.columns}
    for start in columns:
        if not any(_begins(name, start) for name in names.values()):
            known = {column[first] for column in names}
            raise UsageError(
                f"no column of {path} begins with {start}", nearest(start, known, "they begin with")
            )
    number = pl.Float64 if echonest else pl.Float32
    wanted = {
        column: pl.String if echonest and column[2] in _TEXTS else number
        for column, name in names.items()
        if not columns or any(_begins(name, start) for start in columns)
    }
    frame = header.rows(wanted)
    frame.columns = [INDEX, *(names[column] for column in wanted)]
    return frame


def _begins(name: str, start: str) -> bool:
    return f"{name}_".startswith(f"{start}_")
