"""The family ``parallel_crnn``: convolutions over time beside a GRU, both seeing the picture.

As Giovanni-Caruso/Music-Genre-Recognition builds it; the idea is that of Feng, Liu, Yao 2017,
Music genre classification with paralleling recurrent convolutional neural network (arXiv). On
128 mel bands x 640 frames and eight genres Keras states 816,648 trainable parameters there, which
this has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgrkit_neural.literature.family import Family

if TYPE_CHECKING:
    from torch import nn

    from mgrkit_neural.literature.specs import ParallelCRNNParameters
    from mgrkit_neural.literature.stack import Stack

_LAYERS = ((16, 2), (32, 2), (64, 2), (64, 4), (64, 4))
"""Filters, then bands and frames of the pool."""
_HIDDEN, _EPSILON = 64, 1e-4


class ParallelCRNN(Family):
    """Five convolutions of 3 frames beside a GRU of 64 in both directions; dense 512 and 1024."""

    parameters: ParallelCRNNParameters
    name = "parallel_crnn"

    def network(self) -> nn.Module:
        """See `NeuralClassifier.network`; takes crops of one length."""
        from torch import nn

        from mgrkit_neural.literature.stack import Beside, Stack

        space, time = self._convolutions(), self._recurrent()
        both = Beside(space.network, time.network)
        stack = Stack(self.name, (space.size[0] + time.size[0],), self.cure).add(both)
        for units in (512, 1024):
            stack.dense(units).norm(_EPSILON).add(nn.ReLU())
        return stack.dense(len(self.task.labels)).network

    def _convolutions(self) -> Stack:
        from torch import nn

        stack = self.stack()
        for filters, side in _LAYERS:
            stack.convolve(filters, 1, 3, normed=_EPSILON).add(nn.ReLU()).pool(side, side)
        return stack.flatten()

    def _recurrent(self) -> Stack:
        from mgrkit_neural.literature.stack import Columns, Gated

        stack = self.stack().pool(2, 4).add(Columns())
        stack.add(Gated(stack.size[0] * stack.size[1], _HIDDEN, ways=2))
        stack.size = (2 * _HIDDEN,)
        return stack
