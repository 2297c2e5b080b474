"""What a network learns from and is judged on, checked and brought to the device."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from mgrkit.errors import UsageError
from mgrkit_neural import hearing
from mgrkit_neural.predicting import as_pictures

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from mgrkit.classifiers.base import Examples, Run, Task

_SAMPLE = 64
_LEAST = 1e-7


@dataclass(frozen=True)
class Material:
    """Examples for learning and for choosing.

    Parameters
    ----------
    seen : int64 ``(k,)``: the genres in train, in order.
    pictures : uint8 ``(all, bands, frames)`` or ``(all, channels, bands, frames)``, on the device,
        or on the CPU if they do not fit: those of the sounds and of their copies.
    variants : int64 ``(n, most)``: of each piece that an epoch hears the pictures that it may take
        for it, see `mgrkit_neural.hearing.variants`.
    labels : int64 ``(n,)`` on the device: indices into ``seen``.
    counts : int64 ``(k,)``: how many pieces each genre has.
    valid : the pictures, labels (of the task) and tracks (0..m-1) of what it is judged on.
    digest : of a sample of the examples; others have another.
    """

    seen: NDArray[np.int64]
    pictures: Tensor
    variants: NDArray[np.int64]
    labels: Tensor
    counts: NDArray[np.int64]
    valid: Valid | None
    digest: str

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Valid:
    """Tracks in pieces: pictures as in `Material`, labels ``(m,)``, the track of each piece."""

    pictures: Tensor
    labels: NDArray[np.int64]
    of_piece: NDArray[np.int64]

    def scores(self, probabilities: NDArray[Any], seen: NDArray[np.int64]) -> tuple[float, float]:
        """Accuracy and log-loss of the tracks, from probabilities ``(pieces, k)`` of ``seen``."""
        tracks = self.averaged(probabilities)
        right = seen[tracks.argmax(1)] == self.labels
        column = np.searchsorted(seen, self.labels).clip(max=len(seen) - 1)
        of_label = tracks[np.arange(len(tracks)), column] * (seen[column] == self.labels)
        return float(right.mean()), float(-np.log(np.maximum(of_label, _LEAST)).mean())

    def averaged(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """The means over the pieces of each track, ``(m, columns)``."""
        sums = np.zeros((len(self.labels), values.shape[1]))
        np.add.at(sums, self.of_piece, values)
        return sums / np.bincount(self.of_piece, minlength=len(sums))[:, None]


def material(task: Task, train: Examples, valid: Examples | None, run: Run) -> Material:
    """The examples on the run's device.

    Raises
    ------
    UsageError : no pictures of the task's shape, labels that the task does not have, fewer
        than two genres, or fewer examples than processes.
    """
    pictures, y = _checked(task, train)
    variants = hearing.variants(train)
    y = y[variants[:, 0]]
    seen, labels, counts = np.unique(y, return_inverse=True, return_counts=True)
    if len(seen) < 2:
        what = task.labels[seen[0]] if len(seen) else "nothing"
        raise UsageError(f"the examples are all {what}", "two genres are needed at least")
    if len(y) < run.world_size:
        raise UsageError(f"{len(y)} examples cannot be shared by {run.world_size} processes")
    judged = None
    if valid is not None and len(valid):
        shown, labels_of_pieces = _checked(task, valid)
        _, first, of_piece = np.unique(valid.tracks, return_index=True, return_inverse=True)
        judged = Valid(_placed(shown, run), labels_of_pieces[first], of_piece)
    return Material(
        seen=seen.astype(np.int64),
        pictures=_placed(pictures, run),
        variants=variants,
        labels=torch.from_numpy(labels).to(run.device),
        counts=counts,
        valid=judged,
        digest=_digest(train, valid),
    )


def _checked(task: Task, examples: Examples) -> tuple[Tensor, NDArray[np.int64]]:
    pictures, y = as_pictures(examples.x, task), np.asarray(examples.y)
    if y.shape != (len(pictures),) or y.dtype.kind not in "iu":
        raise UsageError(f"labels are {y.dtype} of shape {y.shape} for {len(pictures)} pictures")
    if len(y) and not 0 <= y.min() <= y.max() < len(task.labels):
        raise UsageError(f"labels are not all from 0 to {len(task.labels) - 1}")
    return pictures, y.astype(np.int64)


def _placed(pictures: Tensor, run: Run) -> Tensor:
    """Pictures on the device, whole; on the CPU still where that is too small for them."""
    try:
        return pictures.to(run.device)
    except torch.OutOfMemoryError:
        if run.rank == 0:
            run.note(f"the pictures do not fit into the memory of {run.device}: cut on the CPU")
        return pictures


def _digest(train: Examples, valid: Examples | None) -> str:
    digest = hashlib.sha256()
    for examples in (train, valid):
        if examples is None:
            continue
        step = max(1, len(examples) // _SAMPLE)
        copies = [] if examples.copies is None else [examples.copies]
        for array in (examples.y, examples.tracks, examples.x[::step], *copies):
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]
