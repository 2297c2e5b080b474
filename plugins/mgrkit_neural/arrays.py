"""The arrays that a bundle keeps of networks: what they must be, told without torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.errors import BundleError

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    from mgrkit.classifiers.base import Floats, Task


class Arrays:
    """The arrays of a network by their names; whoever builds one of them takes each once.

    Parameters
    ----------
    state : the arrays of the bundle.
    prefix : of the names, empty for all.
    """

    def __init__(self, state: Mapping[str, NDArray[Any]], prefix: str = "") -> None:
        self._state, self._prefix = state, prefix
        self._taken: set[str] = set()

    def under(self, name: str) -> Arrays:
        """Those whose names go on after ``name.``; taken there, they are taken here."""
        inside = Arrays(self._state, f"{self._prefix}{name}.")
        inside._taken = self._taken
        return inside

    def __call__(self, name: str, *shape: int) -> Floats:
        """The float32 array of this name; BundleError if it is no such array."""
        return self._take(name, np.dtype(np.float32), shape)

    def labels(self, task: Task) -> NDArray[np.int64]:
        """The genres in train, int64 ``(k,)``, in order; BundleError unless they can be."""
        if "labels" not in self._state:
            check_names({"labels"}, {})
        self._taken.add("labels")
        return checked_labels(self._state["labels"], task)

    def count(self, name: str) -> None:
        """Take a number of batches, int64 ``()``, which only training reads."""
        self._take(name, np.dtype(np.int64), ())

    def finish(self) -> None:
        """BundleError if there are arrays that nobody has taken."""
        check_names(self._taken, self._state)

    def _take(self, name: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        whole = self._prefix + name
        if whole not in self._state:
            check_names({whole}, {})
        self._taken.add(whole)
        return checked(whole, self._state[whole], dtype, shape)


def check_names(wanted: set[str], state: Mapping[str, object]) -> None:
    """BundleError if the names of the arrays are not those that are wanted."""
    if odd := wanted ^ set(state):
        some = ", ".join(sorted(odd)[:3])
        raise BundleError(f"the model's arrays lack, or should not have: {some}")


def checked(
    name: str, array: NDArray[Any], dtype: DTypeLike, shape: tuple[int, ...]
) -> NDArray[Any]:
    """The array; BundleError unless it is of this type and shape, and finite."""
    array = np.asarray(array)
    if (array.dtype, array.shape) != (dtype, shape):
        raise BundleError(
            f"the model's {name} is {array.dtype} of shape {array.shape}, "
            f"not {dtype} of shape {shape}"
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise BundleError(f"the model's {name} has values that are not finite")
    return array


def checked_labels(labels: NDArray[Any], task: Task) -> NDArray[np.int64]:
    """The genres in train, int64 ``(k,)``; BundleError unless they can be."""
    shape = np.shape(labels) if np.ndim(labels) == 1 else (0,)
    seen = np.array(checked("labels", labels, np.dtype(np.int64), shape))
    if len(seen) < 2 or seen[0] < 0 or seen[-1] >= len(task.labels) or (np.diff(seen) <= 0).any():
        raise BundleError("the model's labels are not two or more of the bundle's, in order")
    return seen
