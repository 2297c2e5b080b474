"""The classifier ``vit``: a vision transformer on patches of the spectrogram.

Dosovitskiy et al. 2021, An image is worth 16x16 words (ICLR); Gong, Chung, Glass 2021, AST:
audio spectrogram transformer (Interspeech); Koutini et al. 2022, Efficient training of audio
transformers with patchout (Interspeech): patches left out in training, places in frequency and
in time apart; Xiao et al. 2021, Early convolutions help transformers see better (NeurIPS). The
blocks are torchvision's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgrkit.errors import UsageError
from mgrkit_neural.classifier import NeuralClassifier
from mgrkit_neural.pictures import CELL, channels

if TYPE_CHECKING:
    from torch import nn

    from mgrkit_neural.arrays import Arrays
    from mgrkit_neural.frozen import Network
    from mgrkit_neural.hooks import ViTParameters


class ViT(NeuralClassifier):
    """Patches, encoder blocks, the mean over the patches, one linear layer.

    621,050 parameters at patches of 32 bands x 8 frames, four heads and four blocks, for 128
    bands and ten genres.
    """

    parameters: ViTParameters

    def network(self) -> nn.Module:
        """See `NeuralClassifier.network`; takes any number of frames.

        Raises
        ------
        UsageError : patches that are not whole multiples of what the convolutions make one.
        """
        from torch import nn

        from mgrkit_neural import layers

        parameters, width = self.parameters, 32 * self.parameters.heads
        return nn.Sequential(
            layers.Patches(self.task.shape[-2], self._patch(), width, channels(self.task)),
            layers.Transformer(parameters.heads, parameters.depth, parameters.patch_drop),
            nn.Linear(width, len(self.task.labels)),
        )

    def numpy_network(self, arrays: Arrays) -> Network:
        """See `NeuralClassifier.numpy_network`; raises what `network` does."""
        from mgrkit_neural.numpy_layers import Linear
        from mgrkit_neural.numpy_transformer import Patches, Transformer

        parameters, width = self.parameters, 32 * self.parameters.heads
        patches = Patches(
            arrays.under("0"), self.task.shape[-2], self._patch(), width, channels(self.task)
        )
        transformer = Transformer(arrays.under("1"), parameters.heads, parameters.depth)
        last = Linear(arrays.under("2"), width, len(self.task.labels))
        return lambda x: last(transformer(patches(x)))

    def _patch(self) -> tuple[int, int]:
        """Bands and frames of a patch; UsageError where they cannot be."""
        bands, frames = self.parameters.patch_bands, self.parameters.patch_frames
        if bands % CELL[0] or frames % CELL[1]:
            raise UsageError(
                f"vit: no patches of {bands} bands x {frames} frames",
                f"patch_bands must be a multiple of {CELL[0]}, patch_frames one of {CELL[1]}",
            )
        return bands, frames
