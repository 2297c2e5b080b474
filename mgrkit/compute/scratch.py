"""Memory that a thread uses again and again."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

_HELD = 2**24


class Scratch(threading.local):
    """Arrays that a thread uses again from clip to clip.

    Fresh pages for each clip's arrays cost a fifth of its time, and much more where two
    threads ask the kernel for them at once. An array above 16 MiB is not kept.
    """

    def __init__(self) -> None:
        self._held: dict[str, NDArray[np.uint8]] = {}

    def __call__(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """The thread's array of that name, contents undefined, valid until the next such call."""
        size = math.prod(shape) * np.dtype(dtype).itemsize
        held = self._held.get(name)
        if held is None or held.size < size:
            # NumPy asks the kernel for huge pages from 4 MiB on: some 3 % of a picture's time.
            held = np.empty(max(size, 2**22) if size >= 2**20 else size, np.uint8)
            if size <= _HELD:
                self._held[name] = held
        return held[:size].view(dtype).reshape(shape)
