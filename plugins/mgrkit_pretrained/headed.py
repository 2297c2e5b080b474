"""A backbone with a new last layer; importing this imports torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgrkit_neural.pictures import DEVIATION, MEAN
from torch import nn

from mgrkit_pretrained.backbones import Trunk

if TYPE_CHECKING:
    from torch import Tensor

    from mgrkit_pretrained.imagenet import Backbone


class Headed(nn.Module):
    """What maps pictures to logits, of which the first layers do not learn.

    Parameters
    ----------
    side : see `Trunk`.
    labels : how many logits.
    unfreeze : how many of the backbone's last layers learn.
    """

    def __init__(self, backbone: Backbone, side: int, labels: int, unfreeze: int) -> None:
        super().__init__()
        self.trunk = Trunk(backbone, side)
        self.last = nn.Linear(backbone.width, labels)
        self._frozen = backbone.layers - unfreeze
        for module in self._still():
            module.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        """Logits ``(n, labels)``; ``x`` as `mgrkit_neural.augmentation.scaled` gives it."""
        logits: Tensor = self.last(self.trunk(x * DEVIATION + MEAN))
        return logits

    def train(self, mode: bool = True) -> Headed:
        """As of any module; but batch norms that do not learn keep their statistics."""
        super().train(mode)
        for module in self._still():
            module.eval()
        return self

    def _still(self) -> list[nn.Module]:
        """The modules that do not learn."""
        return [module for layer in self.trunk.layers()[: self._frozen] for module in layer]
