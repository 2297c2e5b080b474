"""The table of ``evaluate --predictions``: what a model said of each track."""

from __future__ import annotations

import csv
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgrkit.errors import UsageError
from mgrkit.files.outputs import check_output, starts_with
from mgrkit.files.replacing import replacing
from mgrkit.tracks.lineage import as_written
from mgrkit.tracks.schema import NOISE, SNR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.datasets.dataset import Dataset

COLUMNS = ("path", "id", NOISE, SNR, "genre", "predicted", "probability", "unsure")
"""The columns before those of the genres."""


def check_verdicts(path: Path) -> None:
    """Before the work: whether the table may be written there.

    Raises
    ------
    UsageError : the name does not end in .csv, there is no such folder, or a file is there that
        is no such table.
    """
    check_output(path, ".csv", "--predictions")
    if path.exists() and not starts_with(path, f"{','.join(COLUMNS)},".encode()):
        raise UsageError(f"{path} was not written by mgrkit evaluate", "give another --predictions")


def genre_columns(genres: Sequence[str], others: Collection[str]) -> list[str]:
    """The columns of the probabilities of genres, beside ``others``.

    Each is called as its genre; where another column is called so, ``NAME (genre)``.

    >>> genre_columns(["jazz", "noise"], ["noise", "snr"])
    ['jazz', 'noise (genre)']
    """
    return [f"{genre} (genre)" if genre in others else genre for genre in genres]


def write_verdicts(
    path: Path,
    dataset: Dataset,
    labels: Sequence[str],
    probabilities: NDArray[Any],
    unsure_below: float,
) -> None:
    """Write a row for each track, in their order; the file is written whole or not at all.

    Its columns are `COLUMNS` and the probability of each genre, see `genre_columns`. ``genre`` is
    the truth and
    ``predicted`` the likeliest genre, both as the result of ``evaluate`` spells them, so that
    they are equal where the model is right; ``unsure`` is true or false; ``noise`` and ``snr``
    are empty but for noisy copies.

    Parameters
    ----------
    labels : the genres, as ``dataset`` spells them.
    probabilities : ``(tracks, labels)``.

    Raises
    ------
    OSError : it cannot be written.
    """
    with replacing(path) as temp, temp.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*COLUMNS, *genre_columns(labels, COLUMNS)])
        tracks = zip(dataset.entries, dataset.labelled, probabilities, strict=True)
        for entry, label, row in tracks:
            best = int(row.argmax())
            unsure = "true" if row[best] < unsure_below else "false"
            cells = (entry.name, label.id, entry.noise, entry.snr, entry.genre, labels[best])
            shares = [f"{share:.6f}" for share in (row[best], *row)]
            writer.writerow([*map(as_written, cells), shares[0], unsure, *shares[1:]])
