"""Trained networks in NumPy: on a CPU they predict without torch, whose import takes longer."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit_neural import pictures
from mgrkit_neural.arrays import Arrays
from mgrkit_neural.numpy_layers import softmax

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.classifiers.base import Floats, Task
    from mgrkit_neural.recipe import Recipe

    Network = Callable[[Floats], Floats]

_PIXELS = 1 << 18
"""That go through a network at once: more would be slower, for it does not fit the cache."""


@dataclass(frozen=True)
class Frozen:
    """What `mgrkit_neural.predicting.Trained` is, in NumPy.

    Parameters
    ----------
    members : each maps float32 ``(n, 1, bands, frames)`` to logits ``(n, labels)``.
    seen : int64 ``(k,)``: the genres in train, in order; the others get probability 0.
    arrays : what they were made of.
    """

    task: Task
    recipe: Recipe
    members: Sequence[Network]
    seen: NDArray[np.int64]
    arrays: Mapping[str, NDArray[Any]]

    def probabilities(self, x: NDArray[Any]) -> Floats:
        """Of pictures uint8 ``(n, *task.shape)``: float32 ``(n, labels)``.

        Raises
        ------
        UsageError : pictures of another shape or type.
        """
        x = pictures.checked(x, self.task)
        x = x if x.ndim == 4 else x[:, None]
        views, (bands, frames) = self.recipe.views, self.task.shape[-2:]
        width = self.recipe.columns(self.task) if views else frames
        starts = pictures.starts(frames, width, views)
        rows = max(1, _PIXELS // (x.shape[1] * bands * width * len(starts)))
        parts = [x[first : first + rows] for first in range(0, len(x), rows)]
        tell = partial(self._of_part, starts, width)
        found = np.zeros((len(x), len(self.task.labels)), np.float32)
        if len(parts) == 1:  # a song or so: its thread has memory for it already
            found[:, self.seen] = tell(x)
        elif parts:
            with ThreadPoolExecutor(min(len(parts), os.cpu_count() or 1)) as threads:
                found[:, self.seen] = np.concatenate(list(threads.map(tell, parts)))
        return found

    def state(self) -> Mapping[str, NDArray[Any]]:
        """What a bundle keeps, see `restored`."""
        return self.arrays

    def _of_part(self, starts: Sequence[int], width: int, part: NDArray[np.uint8]) -> Floats:
        """The mean over members and crops of ``(n, channels, bands, frames)``: ``(n, k)``."""
        cut = np.concatenate([part[..., start : start + width] for start in starts])
        x = cut * np.float32(1 / 255 / pictures.DEVIATION)
        x -= np.float32(pictures.MEAN / pictures.DEVIATION)
        total = np.zeros((len(cut), len(self.seen)), np.float32)
        # Weights that nobody would learn may overflow: whoever asked sees that in what is told.
        with np.errstate(all="ignore"):
            for member in self.members:
                total += softmax(member(x)[:, self.seen])
        total /= np.float32(len(self.members))
        mean: Floats = total.reshape(len(starts), len(part), -1).mean(0)
        return mean


def restored(
    make: Callable[[Arrays], Network], task: Task, recipe: Recipe, state: Mapping[str, NDArray[Any]]
) -> Frozen:
    """The networks whose tensors `mgrkit_neural.predicting.stored` gave.

    Parameters
    ----------
    make : a network of its arrays, which checks them.

    Raises
    ------
    BundleError : an array is missing, or there is one too many, or one of another shape or
        type, or its values are not finite, or the labels cannot be.
    """
    own = {name: np.array(array) for name, array in state.items()}  # nobody else may change them
    arrays = Arrays(own)
    with np.errstate(all="ignore"):
        members = [make(arrays.under(f"{number}")) for number in range(recipe.members)]
    seen = arrays.labels(task)
    arrays.finish()
    return Frozen(task, recipe, members, seen, own)
