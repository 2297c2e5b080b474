"""The family ``musically_motivated``: filters as tall as a chord or as long as a beat.

Pons, Lidy, Serra 2016, Experimenting with musically motivated convolutional neural networks
(CBMI), by their figures 1 to 4. On 40 mel bands x 80 frames and ten genres the paper states
3,275,714 parameters for ``black_box``, 8,682 for ``time``, 3,946 for ``frequency`` and 197,218
for ``time_frequency``; so have these. Theirs learn by plain gradient descent, these as all do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgrkit_neural.literature.family import Family

if TYPE_CHECKING:
    from torch import nn

    from mgrkit_neural.literature.specs import MusicallyMotivatedParameters
    from mgrkit_neural.literature.stack import Stack


class MusicallyMotivated(Family):
    """One convolution of 32 filters, whose shape says what is listened for.

    ``time`` pools over all bands and ``frequency`` over all frames, as many as there are.
    """

    parameters: MusicallyMotivatedParameters
    name = "musically_motivated"

    def network(self) -> nn.Module:
        """See `NeuralClassifier.network`; takes crops of one length."""
        from torch import nn

        from mgrkit_neural.literature.stack import Beside, Stack

        labels, architecture = len(self.task.labels), self.parameters.architecture
        if architecture == "black_box":
            stack = self.stack().convolve(32, 12, 8).add(nn.ReLU()).pool(4, 1).flatten()
            stack.dense(200).add(nn.ReLU())
        elif architecture == "time_frequency":
            time, frequency = self._time(), self._frequency()
            both = Beside(time.network, frequency.network)
            stack = Stack(self.name, (time.size[0] + frequency.size[0],), self.cure).add(both)
            stack.dense(200).add(nn.ReLU())
        else:
            stack = self._time() if architecture == "time" else self._frequency()
        return stack.add(nn.Dropout(0.5)).dense(labels).network

    def _time(self) -> Stack:
        from torch import nn

        stack = self.stack().convolve(32, 1, 60).add(nn.ReLU())
        return stack.pool(stack.size[1], 1).flatten()

    def _frequency(self) -> Stack:
        from torch import nn

        stack = self.stack().convolve(32, 32, 1).add(nn.ReLU())
        return stack.pool(1, stack.size[2]).flatten()
