"""What all classifiers here ask of their input and of stored arrays, and where they compute."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.errors import BundleError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.classifiers.base import Examples, State, Task

    Numbers = NDArray[np.float64]

LARGEST = 1e30
"""Stored numbers are smaller than this, so that no product of them overflows float64."""


@dataclass(frozen=True)
class Place:
    """NumPy, or torch on a device: the evaluations use only what both call by one name.

    Parameters
    ----------
    xp : the module, ``numpy`` or ``torch``.
    device : 'cpu' for NumPy, else torch's name of the device.
    """

    xp: Any
    device: str

    @classmethod
    def of(cls, device: str) -> Place:
        """NumPy for 'cpu', torch for any other device."""
        if device == "cpu":
            return cls(np, device)
        return cls.torch(device)

    @classmethod
    def torch(cls, device: str) -> Place:
        """torch, on any device."""
        import torch

        return cls(torch, device)

    def put(self, array: NDArray[Any]) -> Any:
        """The array there."""
        return array if self.xp is np else self.xp.tensor(array, device=self.device)

    def picked(self, array: Any, numbers: Any) -> Any:
        """``array[numbers]`` of numbers that are in range, which NumPy then does in less time."""
        return array.take(numbers, axis=0, mode="wrap") if self.xp is np else array[numbers]

    def take(self, values: Any) -> NDArray[Any]:
        """Values from there, as a NumPy array."""
        return np.asarray(values if self.xp is np else values.cpu().numpy())


def rows(x: NDArray[Any], task: Task) -> NDArray[np.float32]:
    """The examples as float32 ``(n, columns)``.

    Raises
    ------
    UsageError : another shape, no numbers, or some that are not finite in float32.
    """
    x = np.asarray(x)
    if x.ndim != 2 or x.shape[1:] != task.shape or x.dtype.kind not in "fiu":
        raise UsageError(
            f"examples are {x.dtype} of shape {x.shape}, not numbers of shape (n, {task.shape[0]})"
        )
    with np.errstate(over="ignore"):
        single = np.ascontiguousarray(x, np.float32)
    wrong = np.flatnonzero(~np.isfinite(single).all(axis=0))
    if wrong.size:
        name = task.columns[wrong[0]] if task.columns else f"number {wrong[0]}"
        raise UsageError(f"column {name} has values that are not finite", "leave those tracks out")
    return single


def checked(train: Examples, task: Task) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Examples and labels that can be learnt from; their groups are checked too.

    Raises
    ------
    UsageError : as for `rows`; labels that the task does not have; fewer than two genres.
    """
    x, y = rows(train.x, task), np.asarray(train.y)
    for name, array in (("labels", y), ("groups", np.asarray(train.groups))):
        if array.shape != (len(x),) or array.dtype.kind not in "iu":
            raise UsageError(f"{name} are {array.dtype} of shape {array.shape} for {len(x)} rows")
    if len(y) and not 0 <= y.min() <= y.max() < len(task.labels):
        raise UsageError(f"labels are not all from 0 to {len(task.labels) - 1}")
    present = np.unique(y)
    if len(present) < 2:
        seen = task.labels[present[0]] if len(present) else "nothing"
        raise UsageError(f"the examples are all {seen}", "two genres are needed at least")
    return x, y.astype(np.int64)


def only(state: State, names: Iterable[str]) -> None:
    """BundleError unless the state has these arrays and no others."""
    odd = set(names) ^ set(state)
    if odd:
        raise BundleError(f"the model's arrays lack, or should not have: {', '.join(sorted(odd))}")


def labels(state: State, known: int) -> NDArray[np.int64]:
    """The state's ``labels``, if they are two or more of 0..known-1, rising; else BundleError."""
    there = stored(state, "labels", np.int64, (None,))
    # Not by differences, which could wrap around.
    rising = bool((there[1:] > there[:-1]).all())
    if len(there) < 2 or there[0] < 0 or there[-1] >= known or not rising:
        raise BundleError("the model's labels are not two or more of the bundle's, in order")
    return there


def stored(
    state: State, name: str, kind: type, shape: tuple[int | None, ...], high: float = LARGEST
) -> NDArray[Any]:
    """An array of the state, if it has this type and shape and its values lie in ``±high``.

    Parameters
    ----------
    shape : None stands for any length.

    Raises
    ------
    BundleError : it has not.
    """
    array = np.asarray(state[name])
    if array.dtype != kind:
        raise BundleError(f"the model's {name} is {array.dtype}, not {np.dtype(kind)}")
    same = array.ndim == len(shape) and all(
        wanted in (None, length) for wanted, length in zip(shape, array.shape, strict=False)
    )
    if not same:
        wanted = ", ".join("any" if length is None else str(length) for length in shape)
        raise BundleError(f"the model's {name} has shape {array.shape}, not ({wanted})")
    # NaN compares as false.
    if array.size and not (array.min() >= -high and array.max() <= high):
        raise BundleError(f"the model's {name} has values out of range")
    return array
