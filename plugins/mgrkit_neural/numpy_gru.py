"""The recurrent layer of ``crnn`` in NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mgrkit.classifiers.base import Floats
    from mgrkit_neural.arrays import Arrays


class Recurrent:
    """A GRU in both directions and the mean of its states; see `mgrkit_neural.layers`."""

    def __init__(self, arrays: Arrays, into: int, hidden: int) -> None:
        self._ways = [
            _Way(arrays.under("gru"), ending, into, hidden) for ending in ("l0", "l0_reverse")
        ]

    def __call__(self, x: Floats) -> Floats:
        """Of ``(into, frames, n)``: ``(n, 2 * hidden)``."""
        ahead, back = self._ways
        return np.concatenate([ahead(x), back(x[:, ::-1])]).T


class _Way:
    """The equations of torch.nn.GRU, whose gates are in the order reset, update, new."""

    def __init__(self, arrays: Arrays, ending: str, into: int, hidden: int) -> None:
        self._hidden = hidden
        self._given = arrays(f"weight_ih_{ending}", 3 * hidden, into)
        self._own = arrays(f"weight_hh_{ending}", 3 * hidden, hidden)
        bias = arrays(f"bias_ih_{ending}", 3 * hidden).copy()
        own = arrays(f"bias_hh_{ending}", 3 * hidden)
        bias[: 2 * hidden] += own[: 2 * hidden]
        # That of the new state is multiplied by the reset gate, and cannot be added before.
        self._bias, self._late = bias[:, None, None], own[2 * hidden :, None]

    def __call__(self, x: Floats) -> Floats:
        """The mean state ``(hidden, n)`` of ``(into, frames, n)``."""
        into, frames, n = x.shape
        h = self._hidden
        given = (self._given @ x.reshape(into, -1)).reshape(3 * h, frames, n) + self._bias
        state, total = np.zeros((2, h, n), np.float32)
        for frame in range(frames):
            own = self._own @ state
            gates = _sigmoid(given[: 2 * h, frame] + own[: 2 * h])
            new = np.tanh(given[2 * h :, frame] + gates[:h] * (own[2 * h :] + self._late))
            state = new + gates[h:] * (state - new)
            total += state
        mean: Floats = total / np.float32(frames)
        return mean


def _sigmoid(x: Floats) -> Floats:
    """By the hyperbolic tangent, which nothing makes overflow."""
    half = np.float32(0.5)
    y: Floats = half * np.tanh(half * x) + half
    return y
