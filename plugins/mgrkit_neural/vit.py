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

if TYPE_CHECKING:
    from torch import nn

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

        parameters, cell = self.parameters, layers.Patches.CELL
        patch, width = (parameters.patch_bands, parameters.patch_frames), 32 * parameters.heads
        if patch[0] % cell[0] or patch[1] % cell[1]:
            raise UsageError(
                f"vit: no patches of {patch[0]} bands x {patch[1]} frames",
                f"patch_bands must be a multiple of {cell[0]}, patch_frames one of {cell[1]}",
            )
        return nn.Sequential(
            layers.Patches(self.task.shape[0], patch, width),
            layers.Transformer(parameters.heads, parameters.depth, parameters.patch_drop),
            nn.Linear(width, len(self.task.labels)),
        )
