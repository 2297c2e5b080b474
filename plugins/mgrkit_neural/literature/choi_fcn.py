"""The family ``choi_fcn``: convolutions and pools until one number a filter is left.

Choi, Fazekas, Sandler 2016, Automatic tagging using deep convolutional neural networks (ISMIR):
``fcn4`` by its table 1; ``fcn5`` as keunwoochoi/music-auto_tagging-keras first had it, whose
README states 865,950 parameters on 96 mel bands x 1366 frames and 50 tags, which this has (the
code that stands there now has other widths). Of that code are the batch norms, of which the
first is of each column by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgrkit_neural.literature.family import Family

if TYPE_CHECKING:
    from torch import nn

    from mgrkit_neural.literature.specs import ChoiFCNParameters

_LAYERS = {
    "fcn4": ((128, 2, 4), (384, 4, 5), (768, 3, 8), (2048, 4, 8)),
    "fcn5": ((32, 2, 4), (128, 2, 4), (128, 2, 4), (192, 3, 5), (256, 4, 4)),
}
"""Filters, then bands and frames of the pool."""


class ChoiFCN(Family):
    """Four or five 3x3 convolutions, each with batch norm, ELU and pool; one linear layer.

    Their pools want 96 bands x 1280 frames.
    """

    parameters: ChoiFCNParameters
    name = "choi_fcn"
    cure = "take larger pictures, or pools that fit what is left of small: --param pools=fitted"

    def network(self) -> nn.Module:
        """See `NeuralClassifier.network`; takes crops of one length."""
        from torch import nn

        from mgrkit_neural.literature.stack import ColumnNorm

        stack, fitted = self.stack(), self.parameters.pools == "fitted"
        stack.add(ColumnNorm(stack.size[2]))
        for filters, *window in _LAYERS[self.parameters.architecture]:
            stack.convolve(filters, 3, 3, same=True, normed=1e-5).add(nn.ELU())
            if fitted:
                window = [min(pair) for pair in zip(window, stack.size[1:], strict=True)]
            stack.pool(*window).add(nn.Dropout(self.parameters.dropout))
        return stack.flatten().dense(len(self.task.labels)).network
