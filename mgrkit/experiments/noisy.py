"""Noisy copies as ``evaluate`` judges them: what was mixed in, and how much worse it is heard."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.datasets.entries import DataTrack
from mgrkit.learning.metrics import scores
from mgrkit.tracks.identity import NAME, SOUND, track_id
from mgrkit.tracks.slices import copy_of, without_suffix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.datasets.dataset import Dataset
    from mgrkit.models.model import Model

_KEPT = ("accuracy", "accuracy_low", "accuracy_high", "macro_f1", "macro_f1_genres", "tracks")


def by_noise(
    dataset: Dataset,
    probabilities: NDArray[Any],
    y: Sequence[int],
    labels: Sequence[str],
    seed: int,
) -> list[dict[str, Any]]:
    """The scores of the copies of each noise and SNR, the loudest noise first.

    Returns
    -------
    Rows of ``noise`` ('' where no table states it), ``snr`` (dB; None where no table states it, or
    no number) and some of `mgrkit.learning.metrics.scores`, by the names there.
    """
    of_row: dict[tuple[str, float], list[int]] = {}
    for index, entry in enumerate(dataset.entries):
        of_row.setdefault((entry.noise, _snr(entry)), []).append(index)
    groups, truth = dataset.groups(), np.asarray(y)
    rows = []
    for (noise, snr), members in sorted(of_row.items()):
        of_members = [groups[i] for i in members]
        measured = scores(probabilities[members], truth[members], of_members, labels, seed)
        known = None if math.isinf(snr) else snr
        rows.append({"noise": noise, "snr": known, **{name: measured[name] for name in _KEPT}})
    return rows


def unknown_snr(entries: Iterable[DataTrack]) -> list[str]:
    """A note on the copies of which no table states the SNR, or none if there are none."""
    lost = [entry for entry in entries if math.isinf(_snr(entry))]
    if not lost:
        return []
    odd = next((entry for entry in lost if entry.snr), None)
    why = f"{odd.name}: {odd.snr!r} is no number" if odd else "no column snr of tracks.csv says it"
    return [f"the SNR of {len(lost)} noisy copies is unknown ({why})"]


def _snr(entry: DataTrack) -> float:
    """In dB; infinite where it is not known, so that such rows come last."""
    try:
        snr = float(entry.snr)
    except ValueError:
        return math.inf
    return snr if math.isfinite(snr) else math.inf


def copies_seen(dataset: Dataset, model: Model) -> list[int]:
    """The copies of recordings that a model has seen, by their ids or else their names.

    Names count without their suffix: that of a copy alone does not show it, and a recording may
    have been learnt from in another format.
    """
    known = set(map(without_suffix, model.known_tracks | model.known_names))
    found = []
    for index, (entry, label) in enumerate(zip(dataset.entries, dataset.labelled, strict=True)):
        ids = (label.id, *map(track_id, copy_of(entry.name)))
        if not known.isdisjoint(map(without_suffix, ids)):
            found.append(index)
    return found


def unknowable(dataset: Dataset, model: Model) -> int:
    """How many copies are known by name only, where a model keeps no names of its sounds."""
    if model.known_names or not any(known.startswith(SOUND) for known in model.known_tracks):
        return 0
    return sum(label.id.startswith(NAME) for label in dataset.labelled)
