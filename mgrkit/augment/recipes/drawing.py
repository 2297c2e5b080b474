"""Seeds for libraries that draw from global generators, and what was drawn as JSON.

audiomentations draws from `random` and `numpy.random`, pyroomacoustics (rays) from generators of
its own.
"""

from __future__ import annotations

import math
import random
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from os import PathLike, fspath
from typing import Any

import numpy as np

from mgrkit.errors import ItemError

_lock = threading.RLock()
State = tuple[Any, Any]


@contextmanager
def seeded(number: int) -> Iterator[None]:
    """Draw from global generators as this number says; their state is as before afterwards.

    One thread at a time. What pyroomacoustics' C++ part drew from before cannot be asked of it:
    it is seeded anew, by the Python part of that package.
    """
    with _lock:
        before = state()
        rooms = _rooms()
        rays = rooms.random.get_rng() if rooms else None
        try:
            random.seed(number)
            np.random.seed(_words(number))  # noqa: NPY002
            if rooms:
                rooms.random.seed(numpy=number, libroom=number % 2**64)
            yield
        finally:
            restore(before)
            if rooms:
                rooms.random.seed(numpy=rays)


def state() -> State:
    """Of the generators that audiomentations draws from."""
    return random.getstate(), np.random.get_state()  # noqa: NPY002


def restore(before: State) -> None:
    """Go on drawing from what `state` gave."""
    random.setstate(before[0])
    np.random.set_state(before[1])  # noqa: NPY002


def _rooms() -> Any:
    return sys.modules.get("pyroomacoustics")


def _words(number: int) -> list[int]:
    return [number >> shift & 0xFFFFFFFF for shift in range(0, 128, 32)]


def as_json(value: Any, names: Mapping[str, str]) -> Any:
    """What a transform drew as JSON values: paths by their names, what is not finite as None."""
    if isinstance(value, Mapping):
        return {str(key): as_json(one, names) for key, one in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return as_json(value.tolist(), names)
    if isinstance(value, list | tuple):
        return [as_json(one, names) for one in value]
    if isinstance(value, str | PathLike):
        text = str(fspath(value))
        return names.get(text, text)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def from_json(value: Any, paths: Mapping[str, str], like: Any) -> Any:
    """The inverse of `as_json`, of the type of ``like``.

    Raises
    ------
    ItemError : ``other-recipe``, for a sound that is none of ``paths``: a table from elsewhere has
        no say in which files are read.
    """
    if isinstance(value, dict):
        return {key: from_json(one, paths, None) for key, one in value.items()}
    if isinstance(like, np.ndarray):
        return np.asarray(value, like.dtype)
    if isinstance(like, np.generic) and value is not None:
        return type(like)(value)
    if isinstance(value, list):
        return [from_json(one, paths, None) for one in value]
    if isinstance(value, str) and paths:
        if value not in paths:
            raise ItemError("other-recipe", f"{value!r} is none of the recipe's sounds")
        return paths[value]
    return value
