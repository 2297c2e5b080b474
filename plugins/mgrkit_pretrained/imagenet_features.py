"""The last maps of networks of ImageNet as feature sets: sound to pictures, pictures to rows.

Palanisamy, Singhania, Yao 2020, Rethinking CNN models for audio classification: networks that were
trained on photographs tell pictures of sound apart. A window of the picture, 128 bands by 128
frames, is enlarged to what the network was trained on.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from mgrkit_neural.predicting import in_float32, placed

from mgrkit.errors import ItemError
from mgrkit.features.windows import windows
from mgrkit.spectrograms import render
from mgrkit_pretrained import reading
from mgrkit_pretrained.backbones import Trunk
from mgrkit_pretrained.imagenet import (
    BACKBONES,
    FRAME_SECONDS,
    FRONT_END,
    HOP,
    SIDE,
    WINDOW,
    Backbone,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Pixels = NDArray[np.uint8]


class _LastMaps:
    """A network's last maps, each averaged, by windows; a `mgrkit.registry.specs.Embedder`.

    Parameters
    ----------
    weights : the file that `mgrkit models fetch` keeps.
    device : 'cpu', 'cuda', 'cuda:1', 'mps'.

    Raises
    ------
    WeightsError : the file is damaged, or of another network.
    """

    backbone: ClassVar[Backbone]

    def __init__(self, weights: Path, device: str) -> None:
        with torch.random.fork_rng([]):
            trunk = Trunk(self.backbone, SIDE)
        reading.load(trunk.network, self.backbone, weights)
        self._trunk = placed(trunk.eval().requires_grad_(False), device)
        self._device, self._threads = device, torch.get_num_threads()

    def prepare(self, samples: Floats) -> Pixels:
        """The mel picture of one piece, uint8 ``(frames, 128)``, of half a window at least.

        Parameters
        ----------
        samples : mono, float32 ``(frames,)``, full scale 1, at 22,050 Hz.

        Raises
        ------
        ItemError : ``too-short`` (less than half a window), ``silent``, ``non-finite``.
        """
        picture: Pixels = render(samples, FRONT_END).values.T
        if 2 * len(picture) < WINDOW:
            long, least = len(samples) / FRONT_END.rate, WINDOW * FRAME_SECONDS / 2
            what = f"{long:.2f} s; {self.backbone.feature_set} sees {least:.1f} s at least"
            raise ItemError("too-short", what)
        return picture

    def embed(self, prepared: Sequence[Pixels]) -> list[Floats]:
        """The rows of each piece, float32 ``(windows, width)``.

        On a CPU each piece goes alone and on its own thread, so that no digit depends on which
        others are with it; on other devices all go together.
        """
        cut = [windows(picture, WINDOW, HOP).transpose(0, 2, 1) for picture in prepared]
        if self._device == "cpu":
            with _one_thread(self._threads):
                return [self._seen(piece) for piece in cut]
        with in_float32(self._device):
            rows = self._seen(np.concatenate(cut))
        return np.split(rows, np.cumsum([len(piece) for piece in cut])[:-1])

    def _seen(self, cut: Pixels) -> Floats:
        """Rows of windows ``(n, bands, frames)``."""
        with torch.inference_mode():
            x = torch.from_numpy(np.array(cut)).to(self._device)[:, None].float() / 255
            rows: Floats = self._trunk(x).cpu().numpy()
            return rows


@contextlib.contextmanager
def _one_thread(usual: int) -> Iterator[None]:
    """torch computes on this thread alone: pieces have threads of their own already."""
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(usual)


class MobileNetV2(_LastMaps):
    """1,280 maps of MobileNetV2."""

    backbone = BACKBONES["mobilenet_v2"]


class VGG16(_LastMaps):
    """512 maps of VGG-16."""

    backbone = BACKBONES["vgg16"]


class EfficientNetB0(_LastMaps):
    """1,280 maps of EfficientNet-B0."""

    backbone = BACKBONES["efficientnet_b0"]


class EfficientNetLite0(_LastMaps):
    """1,280 maps of EfficientNet-Lite0."""

    backbone = BACKBONES["efficientnet_lite0"]
