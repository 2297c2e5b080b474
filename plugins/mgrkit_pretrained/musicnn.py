"""musicnn's layers as feature sets: sound to log-mel, log-mel to rows of numbers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mgrkit.errors import ItemError
from mgrkit.features.windows import windows
from mgrkit.spectrograms import compressed
from mgrkit.spectrograms.image import checked
from mgrkit_pretrained.layout import FRAME_SECONDS, FRONT_END, HOP, WINDOW

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_WINDOWS = {"cpu": 8, "mps": 64, "cuda": 256}
"""That go through the network at once: on a CPU more is slower, for it does not fit its cache;
the largest tensor on a GPU is 313 MB (17 filters by 187 frames by 96 bands, 256 times)."""


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
        from safetensors.numpy import load_file

        from mgrkit_pretrained.network import Network

        self._network = Network(load_file(weights), device)
        self._device = device

    def prepare(self, samples: Floats) -> Floats:
        """The log-mel of one piece, float32 ``(frames, 96)``, of one window at least.

        A piece whose peak is below half of full scale is heard as if that were its peak.

        Parameters
        ----------
        samples : mono, float32 ``(frames,)``, full scale 1, at 16,000 Hz.

        Raises
        ------
        ItemError : ``too-short`` (less than half a window), ``silent``, ``non-finite``.
        """
        samples = checked(samples, FRONT_END)
        peak = np.abs(samples).max()
        louder = samples * (_QUIETEST / peak) if peak < _QUIETEST else samples
        levels: Floats = compressed(louder, FRONT_END)
        if 2 * len(levels) < WINDOW:
            long, least = len(samples) / FRONT_END.sample_rate, WINDOW * FRAME_SECONDS / 2
            raise ItemError("too-short", f"{long:.2f} s; musicnn hears {least:.1f} s at least")
        return windows(levels, WINDOW, HOP)[0] if len(levels) < WINDOW else levels

    def embed(self, prepared: Sequence[Floats]) -> list[Floats]:
        """The rows of each piece, float32 ``(windows, columns)``.

        On a CPU each piece goes alone, so that no digit depends on which others are with it; on
        other devices all of them go together.
        """
        cut = [windows(levels, WINDOW, HOP) for levels in prepared]
        if self._device == "cpu":
            return [self._rows(piece) for piece in cut]
        ends = np.cumsum([len(piece) for piece in cut])
        return np.split(self._rows(np.concatenate(cut)), ends[:-1])

    def _rows(self, cut: Floats) -> Floats:
        import torch
        from mgrkit_neural.predicting import in_float32

        parts = []
        count = _WINDOWS[torch.device(self._device).type]
        with in_float32(self._device), _one_thread(self._device):
            for first in range(0, len(cut), count):
                block = torch.from_numpy(np.array(cut[first : first + count]))
                layers = self._network(block.to(self._device))
                parts.append(getattr(layers, self.name).cpu().numpy())
        return np.concatenate(parts)


@contextlib.contextmanager
def _one_thread(device: str) -> Iterator[None]:
    """On a CPU torch computes on the calling thread alone.

    Pieces come on several threads, which fill the cores; where more threads than cores wait for
    one another, a clip takes 1.4 s and more instead of 0.3.
    """
    import torch

    if device != "cpu":
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Tags(_Layer):
    """How much each of 50 tags fits, 0 to 1."""

    name = "tags"


class Penultimate(_Layer):
    """The 200 units before the tags."""

    name = "penultimate"


class Pool(_Layer):
    """The maxima of 753 feature maps over time, then their means."""

    name = "pool"
