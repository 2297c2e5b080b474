"""The family ``short_chunk``: 3x3 filters and halvings on chunks of a few seconds.

Won, Ferraro, Bogdanov, Serra 2020, Evaluation of CNN-based automatic music tagging models (SMC), by
the layers of minzwon/sota-music-tagging-models: chunks of 3.69 s, 128 mel bands. No number of
parameters is stated there; with 50 tags its layers make 12,104,244 (``residual``) and 3,687,348
(``plain``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgrkit_neural.literature.family import Family

if TYPE_CHECKING:
    from torch import nn

    from mgrkit_neural.literature.specs import ShortChunkParameters

_TIMES = (1, 1, 2, 2, 2, 2, 4)
"""Filters of the layers, as multiples of the first one's."""


class ShortChunk(Family):
    """Seven layers, each of which halves bands and frames; the greatest of the rest; two dense.

    ``residual`` halves by strides, rounding up, and takes any size. ``plain`` halves by pools, and
    takes 128 bands x 128 frames or more.
    """

    parameters: ShortChunkParameters
    name = "short_chunk"

    def network(self) -> nn.Module:
        """See `NeuralClassifier.network`; takes any number of frames from the least up."""
        from torch import nn

        from mgrkit_neural.literature.residual import Strided
        from mgrkit_neural.literature.stack import Stack

        frames = self.parameters.columns(self.task)
        stack = Stack(self.name, (self.channels, self.task.shape[-2], frames), self.cure)
        stack.norm()
        for times in _TIMES:
            filters = times * self.parameters.width
            if self.parameters.architecture == "plain":
                stack.convolve(filters, 3, 3, same=True, normed=1e-5).add(nn.ReLU()).pool(2, 2)
            else:
                stack.add(Strided(stack.size[0], filters))
                stack.size = (filters, *(-(-n // 2) for n in stack.size[1:]))
        stack.add(nn.AdaptiveMaxPool2d(1)).add(nn.Flatten())
        stack.size = stack.size[:1]
        stack.dense(stack.size[0]).norm().add(nn.ReLU()).add(nn.Dropout(0.5))
        return stack.dense(len(self.task.labels)).network
