"""Examples in files of OUT, from where each worker of a cluster reads them for itself."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.datasets.building import of_rows
from mgrkit.datasets.dataset import Dataset
from mgrkit.errors import RunError
from mgrkit.experiments.records import LOCK, digest
from mgrkit.files.lock import lock
from mgrkit.files.replacing import replacing

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHELF = ".cluster"
"""The folder in OUT, while a cluster is at work there."""


@dataclass(frozen=True)
class OfFile:
    """Builds from a file of examples ``(n, ...)``, which is mapped and not read as a whole.

    Parameters
    ----------
    read : int64 ``(n,)``, what was read each example belongs to.
    """

    path: Path
    read: NDArray[np.int64]

    def __call__(self, places: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[np.int64]]:
        try:
            x = np.load(self.path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise RunError(f"cannot read {self.path}: {error}") from None
        return of_rows(x, self.read)(places)


@dataclass(frozen=True)
class Shelf:
    """The folder; see `shelf`."""

    path: Path

    def put(self, dataset: Dataset) -> Dataset:
        """The same tracks and examples, to be read from a file by whoever asks for them.

        A file of the same examples that is there is taken: a worker may still read it.

        Raises
        ------
        RunError : the file cannot be written.
        """
        genres = sorted({entry.genre for entry in dataset.entries})
        path = self.path / f"{digest(dataset.examples(genres))}.npy"
        if not path.exists():
            try:
                with replacing(path) as temp, temp.open("wb") as file:
                    np.save(file, dataset.x, allow_pickle=False)
            except OSError as error:
                raise RunError(f"cannot write {path}: {error.strerror}") from None
        places = np.arange(len(dataset.entries))
        return replace(dataset, places=places, build=OfFile(path, dataset.tracks), files=())


@contextlib.contextmanager
def shelf(out: Path) -> Iterator[Shelf]:
    """A shelf in ``out``, which goes when all is well; else the next call in ``out`` clears it.

    Raises
    ------
    RunError : another call has a cluster at work there, or it cannot be written.
    """
    path = out.absolute() / SHELF
    try:
        path.mkdir(exist_ok=True)
        fd = os.open(path / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise RunError(f"cannot write to {out}: {error.strerror}", "give another --out") from None
    try:
        if not lock(fd):
            raise RunError(f"another cluster is at work in {out}", "wait for its end")
        yield Shelf(path)
        shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(fd)
