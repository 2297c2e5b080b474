"""The family ``vgg_small``: plain stacks of convolutions, as student projects build them.

``simple``, ``minimal`` and ``fancy`` of nikhilnair31/SpectroTune---Genre-Classifier, on pictures
of 3 x 150 x 200, where 118,400 numbers reach the first dense layer of ``simple``; ``three_layers``
and ``two_layers`` of Intelligent-Systems-MSc/Music-genre-classification, where Keras states
947,614 parameters for the former on 3 x 217 x 334 and 1,627,550 on 3 x 288 x 432, with ten genres.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgrkit_neural.literature.family import Family

if TYPE_CHECKING:
    from torch import nn

    from mgrkit_neural.literature.specs import VGGSmallParameters
    from mgrkit_neural.literature.stack import Stack

_NORMED = {
    "simple": ((32, 64), (128,)),
    "minimal": ((32, 64), ()),
    "fancy": ((64, 32, 32), (64, 32, 16)),
}
"""Filters of 3x3, each with ReLU, pool of 2x2 and batch norm; then units of dense layers."""
_PLAIN = {
    "two_layers": (((64, 3, 1, 2), (32, 3, 1, 2)), 0.5),
    "three_layers": (((64, 3, 1, 2), (32, 5, 1, 3), (32, 3, 2, 2)), 0.2),
}
"""Filters, side, stride and pool of convolutions; then the dropout after dense 256."""


class VGGSmall(Family):
    """Two or three convolutions, ReLU and pools; dense layers on all that is left."""

    parameters: VGGSmallParameters
    name = "vgg_small"

    def network(self) -> nn.Module:
        """See `NeuralClassifier.network`; takes crops of one length."""
        normed = self.parameters.architecture in _NORMED
        stack = self._normed() if normed else self._plain()
        return stack.dense(len(self.task.labels)).network

    def _normed(self) -> Stack:
        from torch import nn

        layers, dense = _NORMED[self.parameters.architecture]
        stack = self.stack()
        for filters in layers:
            stack.convolve(filters, 3, 3, same=True).add(nn.ReLU()).pool(2, 2).norm()
        stack.flatten()
        for units in dense:
            stack.dense(units).add(nn.ReLU()).add(nn.Dropout(0.5))
        return stack

    def _plain(self) -> Stack:
        from torch import nn

        layers, dropout = _PLAIN[self.parameters.architecture]
        stack = self.stack()
        for filters, side, stride, pool in layers:
            stack.convolve(filters, side, side, stride=stride).add(nn.ReLU()).pool(pool, pool)
        stack.flatten().dense(256).add(nn.ReLU()).add(nn.Dropout(dropout))
        return stack.dense(124).add(nn.ReLU())
