"""The family ``choi_crnn``: convolutions, then two GRUs over what they leave of time.

Choi, Fazekas, Sandler, Cho 2017, Convolutional recurrent neural networks for music classification
(ICASSP), with the widths of keunwoochoi/music-auto_tagging-keras, whose README states 396,786
parameters on 96 mel bands x 1366 frames and 50 tags, which this has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgrkit_neural.literature.family import Family

if TYPE_CHECKING:
    from torch import nn

    from mgrkit_neural.literature.specs import ChoiCRNNParameters

_LAYERS = ((1, 2), (2, 3), (2, 4), (2, 4))
"""Filters, as multiples of the first one's; then bands and frames of the pool."""
_STEP = 96
"""Frames of which the pools make one."""
_HIDDEN = 32


class ChoiCRNN(Family):
    """Four 3x3 convolutions with batch norm, ELU and pool; two GRUs of 32; one linear layer.

    Frames are filled up with zeros on both sides to a multiple of 96 (1366 to 1440, as theirs), so
    any number will do; bands must be 96 or more.
    """

    parameters: ChoiCRNNParameters
    name = "choi_crnn"
    cure = "take pictures of 96 bands or more"

    def network(self) -> nn.Module:
        """See `NeuralClassifier.network`; takes crops of one length."""
        from torch import nn

        from mgrkit_neural.literature import stack as parts

        channels, bands, frames = self.size()
        lacking = -frames % _STEP
        border = (lacking // 2, lacking - lacking // 2, 0, 0)
        stack = parts.Stack(self.name, (channels, bands, frames + lacking), self.cure)
        stack.add(nn.ZeroPad2d(border)).add(parts.ColumnNorm(frames + lacking))
        for times, side in _LAYERS:
            stack.convolve(times * self.parameters.width, 3, 3, same=True, normed=1e-5).add(
                nn.ELU()
            )
            stack.pool(side, side).add(nn.Dropout(0.1))
        stack.add(parts.Columns())
        into = stack.size[0] * stack.size[1]
        stack.add(parts.Gated(into, _HIDDEN, last=False, one_bias=True))
        stack.add(parts.Gated(_HIDDEN, _HIDDEN, one_bias=True)).add(nn.Dropout(0.3))
        stack.size = (_HIDDEN,)
        return stack.dense(len(self.task.labels)).network
