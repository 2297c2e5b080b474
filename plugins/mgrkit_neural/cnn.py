"""The classifier ``cnn``: a small residual network on spectrograms.

He, Zhang, Ren, Sun 2016, Deep residual learning for image recognition (CVPR): the blocks.
Ioffe, Szegedy 2015, Batch normalization (ICML). Lin, Chen, Yan 2014, Network in network (ICLR):
the mean over the picture in place of dense layers, so that any number of frames goes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgrkit_neural.classifier import NeuralClassifier
from mgrkit_neural.pictures import channels

if TYPE_CHECKING:
    from torch import nn

    from mgrkit_neural.arrays import Arrays
    from mgrkit_neural.frozen import Network
    from mgrkit_neural.hooks import CNNParameters


class CNN(NeuralClassifier):
    """Four residual stages of ``width`` times 1, 2, 4 and 8 channels.

    A 3x3 convolution of stride 2 comes first, a max-pool of 2x2 between the stages, and last
    the mean over bands and frames and one linear layer. 308,538 parameters at a width of 16,
    for ten genres; four times as many at twice the width.
    """

    parameters: CNNParameters

    def network(self) -> nn.Module:
        """See `NeuralClassifier.network`; takes any number of bands and frames."""
        from torch import nn

        from mgrkit_neural import layers

        width = self.parameters.width
        parts: list[nn.Module] = [layers.convolved(channels(self.task), width, (2, 2))]
        parts.append(layers.Residual(width, width))
        for stage in (1, 2, 3):
            parts.append(layers.pool())
            parts.append(layers.Residual(width << (stage - 1), width << stage))
        mean = [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        return nn.Sequential(*parts, *mean, nn.Linear(width * 8, len(self.task.labels)))

    def numpy_network(self, arrays: Arrays) -> Network:
        """See `NeuralClassifier.numpy_network`."""
        from mgrkit_neural.numpy_layers import Linear, Trunk

        width = self.parameters.width
        trunk = Trunk(arrays, width, (2, 2), channels(self.task))
        last = Linear(arrays.under("10"), width * 8, len(self.task.labels))
        return lambda x: last(trunk(x).mean((1, 2)).T)
