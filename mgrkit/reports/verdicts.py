"""The table of ``evaluate --predictions``: what a model said of each track."""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgrkit.errors import UsageError
from mgrkit.files.outputs import check_output, starts_with
from mgrkit.files.replacing import replacing
from mgrkit.tracks.identity import artist_id
from mgrkit.tracks.lineage import as_written
from mgrkit.tracks.schema import NOISE, SNR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.experiments.evaluating import Evaluation

_OWN = ("path", "id", NOISE, SNR, "genre", "predicted", "probability", "unsure")
COLUMNS = (*_OWN, "verdict", "artist", "artist_heard")
"""The columns before those of the genres."""


def check_verdicts(path: Path) -> None:
    """Before the work: whether the table may be written there.

    Raises
    ------
    UsageError : the name does not end in .csv, there is no such folder, or a file is there that
        is no such table.
    """
    check_output(path, ".csv", "--predictions")
    if path.exists() and not starts_with(path, f"{','.join(_OWN)},".encode()):
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
    looked: Evaluation,
    probabilities: NDArray[Any],
    grouped: Mapping[str, Any] | None = None,
    names: Sequence[str] = (),
) -> None:
    """Write a row for each track, in their order; the file is written whole or not at all.

    Its columns are `COLUMNS`, of groups two more, and the probability of each genre, see
    `genre_columns`. ``genre`` is the truth and ``predicted`` the likeliest genre, both as the
    result of ``evaluate`` spells them, so that they are equal where the model is right; ``unsure``
    is true or false, and ``verdict`` 'unsure' or what is predicted. ``artist`` is empty where it is
    not known; then ``artist_heard``, whether the model learnt from tracks of the artist or was
    chosen by them, is so, too. ``noise`` and ``snr`` are empty but for noisy copies.

    Parameters
    ----------
    probabilities : ``(tracks, labels)``.
    grouped, names : what `mgrkit.experiments.grouping.together` gives, and the group of each track:
        the columns ``album`` and ``album_predicted``, or those of folders.

    Raises
    ------
    OSError : it cannot be written.
    """
    dataset, labels, heard = looked.dataset, looked.labels, looked.model.known_artists
    by, verdicts = (grouped["by"], grouped["verdicts"]) if grouped else ("", {})
    names = names or [""] * len(dataset.entries)
    columns = [*COLUMNS, *([by, f"{by}_predicted"] if by else [])]
    with replacing(path) as temp, temp.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*columns, *genre_columns(labels, columns)])
        tracks = zip(dataset.entries, dataset.labelled, probabilities, names, strict=True)
        for entry, label, row, group in tracks:
            best = int(row.argmax())
            unsure = bool(row[best] < looked.unsure_below)
            known = ("false", "true")[artist_id(label.group) in heard] if label.group else ""
            cells = (entry.name, label.id, entry.noise, entry.snr, entry.genre, labels[best])
            said = "unsure" if unsure else labels[best]
            more = (said, label.group, known, *([group, verdicts.get(group, "")] if by else []))
            shares = [f"{share:.6f}" for share in (row[best], *row)]
            writer.writerow(
                [
                    *map(as_written, cells), shares[0], str(unsure).lower(),
                    *map(as_written, more), *shares[1:],
                ]
            )  # fmt: skip
