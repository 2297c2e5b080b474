"""Networks for photographs, brought to see pictures of sound; importing this imports torch.

A picture of sound has one channel, which is given three times. Its two sides are brought to those
that the network was trained on, the lower bands below, as it is drawn. Nothing is cropped: a
spectrogram has no margin to lose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from mgrkit_neural import vision
from torch import nn
from torch.nn import functional

from mgrkit.errors import UsageError
from mgrkit_pretrained.efficientnet_lite import EfficientNetLite0

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from mgrkit_pretrained.imagenet import Backbone

_TOGETHER = {"cpu": 8, "mps": 64, "cuda": 256}
"""Pictures that go through a network at once where nothing is learnt: one takes VGG-16 26 MB."""


class Trunk(nn.Module):
    """A network up to its last maps, each of which is averaged.

    Parameters
    ----------
    backbone : which one; its weights are random, drawn from torch's generator.
    side : pixels of both sides that pictures are brought to.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, backbone: Backbone, side: int) -> None:
        super().__init__()
        self.network = _made(backbone)
        self._side = side
        for name, values in zip(("mean", "deviation"), backbone.scale, strict=True):
            self.register_buffer(name, torch.tensor(values)[:, None, None], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Vectors float32 ``(n, width)`` of pictures float32 ``(n, channels, bands, frames)``.

        Parameters
        ----------
        x : of one or three channels, from 0 (darkest) to 1, row 0 the lowest band.

        Raises
        ------
        UsageError : another number of channels.
        """
        if x.shape[1] not in (1, 3):
            raise UsageError(f"pictures have {x.shape[1]} channels, not 1 or 3")
        if torch.is_grad_enabled():
            return self._seen(x)
        together = _TOGETHER[x.device.type]
        return torch.cat([self._seen(part) for part in torch.split(x, together)])

    def layers(self) -> list[list[nn.Module]]:
        """The modules of each layer that has weights, the first that sees first."""
        if isinstance(self.network, EfficientNetLite0):
            return self.network.layers()
        return [[layer] for layer in _flat(self.network)]

    def _seen(self, x: Tensor) -> Tensor:
        sides = (self._side, self._side)
        x = functional.interpolate(x.flip(2), sides, mode="bilinear", antialias=True)
        x = (x.expand(-1, 3, -1, -1) - self.mean) / self.deviation
        seen: Tensor = self.network(x.contiguous(memory_format=torch.channels_last))
        return seen.mean((2, 3))


class _Features(nn.Module):
    """What torchvision calls so, with the names that it has there."""

    def __init__(self, features: nn.Module) -> None:
        super().__init__()
        self.features = features

    def forward(self, x: Tensor) -> Tensor:
        maps: Tensor = self.features(x)
        return maps


def _made(backbone: Backbone) -> nn.Module:
    if not backbone.module:
        return EfficientNetLite0()
    code = vision.models(backbone.module)
    if backbone.name != "vgg16":
        return _Features(getattr(code, backbone.name)(weights=None).features)
    # The network whole would be 553 MB, nine tenths of which are its last layers.
    features = code.make_layers(code.cfgs["D"])
    for layer in features:
        if isinstance(layer, nn.Conv2d):  # as torchvision begins
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return _Features(features)


def _flat(network: nn.Module) -> Iterator[nn.Module]:
    """The layers of torchvision's networks: stages that hold blocks are taken apart."""
    for layer in network.features.children():  # type: ignore[union-attr]
        blocks = list(layer.children())
        if blocks and all(hasattr(block, "stochastic_depth") for block in blocks):
            yield from blocks
        elif any(True for _ in layer.parameters()):
            yield layer
