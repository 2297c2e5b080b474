"""musicnn's layers as feature sets: sound to log-mel, log-mel to rows of numbers."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mgrkit.errors import ItemError
from mgrkit.features.windows import windows
from mgrkit.spectrograms import compressed
from mgrkit.spectrograms.image import checked
from mgrkit_pretrained.layout import FRAME_SECONDS, FRONT_END, HOP, WINDOW, Layers

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Arrays = Mapping[str, Floats]

_QUIETEST = 0.5
"""Peak of a piece; a quieter one is brought up to it. The network hears level, and was trained on
mastered music: of 44 clips 20 dB quieter than they were, 21 kept their genre without this, 41 do
with it. The clips whose tags by the original are public are louder, and keep their tags."""


class _Layer:
    """One layer of the network, window by window; a `mgrkit.registry.specs.Embedder`.

    Parameters
    ----------
    weights : the safetensors file of the arrays of `layout.TENSORS`.
    device : 'cpu', 'cuda', 'cuda:1', 'mps'.
    """

    name: str

    def __init__(self, weights: Path, device: str) -> None:
        self._ears = _ears(weights, device)

    def prepare(self, samples: Floats) -> Floats:
        """The log-mel of one piece, float32 ``(frames, 96)``, of one window at least.

        A piece whose peak is below half of full scale is heard as if that were its peak. The
        array cannot be written to.

        Parameters
        ----------
        samples : mono, float32 ``(frames,)``, full scale 1, at 16,000 Hz.

        Raises
        ------
        ItemError : ``too-short`` (less than half a window), ``silent``, ``non-finite``.
        """
        return self._ears.levels(samples)

    def embed(self, prepared: Sequence[Floats]) -> list[Floats]:
        """The rows of each piece, float32 ``(windows, columns)``.

        On a CPU each piece goes alone, so that no digit depends on which others are with it; on
        other devices all of them go together.
        """
        return [getattr(layers, self.name) for layers in self._ears.layers(prepared)]


class _Last(threading.local):
    """The last piece of a thread."""

    samples: Floats = np.empty(0, np.float32)
    levels: Floats | None = None
    layers: Layers | None = None


class _Ears:
    """The network on a device, shared by its three layers.

    Whoever wants several layers, such as a vote of models on two of them, asks for one behind the
    other, piece by piece. So each thread keeps its last piece, and the three cost one pass. (On a
    GPU, where pieces of many threads go together, they share the log-mel only.)
    """

    def __init__(self, weights: Path, device: str) -> None:
        from safetensors.numpy import load_file

        self._network = _network(load_file(weights), device)
        self._last = _Last()

    def levels(self, samples: Floats) -> Floats:
        """See `_Layer.prepare`."""
        samples, last = checked(samples, FRONT_END), self._last
        # The array may be a buffer that holds another piece by now: its values count.
        if last.levels is None or not np.array_equal(samples, last.samples):
            levels = _levels(samples)
            levels.setflags(write=False)
            last.samples, last.levels, last.layers = samples.copy(), levels, None
        return last.levels

    def layers(self, pieces: Sequence[Floats]) -> list[Layers]:
        """All layers of each piece."""
        last = self._last
        if len(pieces) != 1 or pieces[0] is not last.levels:
            return self._network(pieces)
        if last.layers is None:
            [last.layers] = self._network(pieces)
            for rows in last.layers:
                rows.setflags(write=False)
        return [last.layers]


_ears = functools.cache(_Ears)
"""One in a process for each file of weights and device."""


def _network(arrays: Arrays, device: str) -> Callable[[Sequence[Floats]], list[Layers]]:
    """In NumPy on a CPU; elsewhere in torch, which is imported there only."""
    if device == "cpu":
        from mgrkit_pretrained import numpy_network

        return numpy_network.Network(arrays)
    from mgrkit_pretrained import network

    return network.Network(arrays, device)


def _levels(samples: Floats) -> Floats:
    peak = np.abs(samples).max()
    louder = samples * (_QUIETEST / peak) if peak < _QUIETEST else samples
    levels: Floats = compressed(louder, FRONT_END)
    if 2 * len(levels) < WINDOW:
        long, least = len(samples) / FRONT_END.rate, WINDOW * FRAME_SECONDS / 2
        raise ItemError("too-short", f"{long:.2f} s; musicnn hears {least:.1f} s at least")
    return windows(levels, WINDOW, HOP)[0] if len(levels) < WINDOW else levels


class Tags(_Layer):
    """How much each of 50 tags fits, 0 to 1."""

    name = "tags"


class Penultimate(_Layer):
    """The 200 units before the tags."""

    name = "penultimate"


class Pool(_Layer):
    """The maxima of 753 feature maps over time, then their means."""

    name = "pool"
