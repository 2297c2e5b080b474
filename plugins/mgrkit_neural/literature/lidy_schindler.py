"""The family ``lidy_schindler``: a filter that sees pitch beside one that sees rhythm.

Lidy, Schindler 2016, Parallel convolutional neural networks for music genre and mood
classification (MIREX); Schindler, Lidy, Rauber 2016, Comparing shallow versus deep neural network
architectures for automatic music genre classification (FMT), the shallow one. No number of
parameters is known of them; on 80 bands x 80 frames and ten genres these layers have 2,060,642.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgrkit_neural.literature.family import Family

if TYPE_CHECKING:
    from torch import nn

    from mgrkit_neural.literature.specs import LidySchindlerParameters
    from mgrkit_neural.literature.stack import Stack

_SLOPE = 0.3
"""Of the leaky ReLU below zero."""


class LidySchindler(Family):
    """16 filters of 10 bands x 23 frames beside 16 of 21 x 20, a dense layer of 200."""

    parameters: LidySchindlerParameters
    name = "lidy_schindler"

    def network(self) -> nn.Module:
        """See `NeuralClassifier.network`; takes crops of one length."""
        from torch import nn

        from mgrkit_neural.literature.stack import Beside, Stack

        pitch, rhythm = self._way((10, 23), (1, 20)), self._way((21, 20), (20, 1))
        both = Beside(pitch.network, rhythm.network)
        stack = Stack(self.name, (pitch.size[0] + rhythm.size[0],), self.cure).add(both)
        stack.dense(200).add(nn.LeakyReLU(_SLOPE)).add(nn.Dropout(self.parameters.dropout))
        return stack.dense(len(self.task.labels)).network

    def _way(self, kernel: tuple[int, int], pool: tuple[int, int]) -> Stack:
        from torch import nn

        convolved = self.stack().convolve(16, *kernel, same=True).add(nn.LeakyReLU(_SLOPE))
        return convolved.pool(*pool).flatten()
